"""Registering with an IMS network that sipp plays: 3GPP TS 24.229 section 5.1.1, clause by clause."""

from __future__ import annotations

import hashlib

import pytest

from sip.digest import Credentials, parse_digest
from sip.line import LineDown, LineLeft, LineUp
from sip.message import Request
from sip.milenage import Milenage
from tests.ims.conftest import Play
from tests.ims.phone import ACCESS, NUMBER, TELEPHONY, Phone
from tests.sip.subscriber import HOME, IMPI, Subscriber, credentials

IDENTITY = f"sip:{NUMBER}@{HOME}"


def said(request: Request) -> dict[str, str]:
    """Its Authorization."""
    (value,) = request.headers.all("Authorization")
    return parse_digest(value) or {}


async def comes_up(phone: Phone) -> None:
    phone.register(credentials())
    await phone.told(LineUp)


def test_an_initial_registration_says_who_and_where_we_are(play: Play):
    """TS 24.229 5.1.1.2.1, 5.1.1.2.2: Contact with the service, path, access network, private identity."""
    first = play("registers", comes_up, first=Subscriber().challenge()).requests("REGISTER")[0]
    assert str(first.uri) == f"sip:{HOME}"
    assert (str(first.from_.uri), str(first.to.uri)) == (IDENTITY, IDENTITY)
    (contact,) = first.headers.all("Contact")
    assert contact.endswith(f";expires=600000;{TELEPHONY}")
    assert "path" in first.headers.tokens("Supported")
    assert first.headers.all(ACCESS[0]) == [ACCESS[1]]
    assert said(first) == {"username": IMPI, "realm": HOME, "nonce": "", "uri": f"sip:{HOME}", "response": ""}
    assert "Security-Client" not in first.headers  # no IPsec: see docs/ims.md


def test_a_challenge_of_the_network_is_answered_by_the_card(play: Play):
    """TS 24.229 5.1.1.5.1: AKAv1-MD5 (RFC 3310), the same Call-ID, the next CSeq."""
    network = Subscriber()
    first, second = play("registers", comes_up, first=network.challenge()).requests("REGISTER")
    assert network.accepts(second.headers.all("Authorization")[0])
    assert second.call_id == first.call_id
    assert second.cseq[0] == first.cseq[0] + 1
    assert second.headers.all(ACCESS[0]) == [ACCESS[1]]


def test_a_network_that_has_lost_count_is_told_where_the_card_is(play: Play):
    """TS 24.229 5.1.1.5.3: SQN out of range, AUTS, and the challenge that follows (TS 33.102 6.3.5)."""
    network, account = Subscriber(sqn=33 << 5), credentials()
    phone = Subscriber(sqn=40 << 5)
    phone.rand, seen = phone.rng.randbytes(16), (40 << 5).to_bytes(6, "big")
    hidden = bytes(a ^ b for a, b in zip(seen, phone.keys.vector(phone.rand).ak, strict=True))
    account.card.answer(phone.rand, hidden + b"\x80\x00" + phone.keys.codes(phone.rand, seen, b"\x80\x00")[0])
    first = network.challenge()
    stale_rand = network.rand
    network.sqn = (40 << 5) + 33
    second = network.challenge()
    fresh_rand = network.rand

    async def story(phone: Phone) -> None:
        phone.register(account)
        await phone.told(LineUp)

    requests = play("registers_after_two_challenges", story, first=first, second=second).requests("REGISTER")
    network.rand = stale_rand
    assert network.resynchronised(requests[1].headers.all("Authorization")[0])
    assert network.sqn == (40 << 5) + 33
    network.rand = fresh_rand
    assert network.accepts(requests[2].headers.all("Authorization")[0])
    assert "auts" not in said(requests[2])


def test_a_network_that_does_not_know_the_key_gets_an_empty_response(play: Play):
    """TS 24.229 5.1.1.5.3: wrong MAC, no AUTS and an empty response; then no further attempt at once."""
    stranger = Subscriber(Milenage(bytes(16), bytes(16)))

    async def story(phone: Phone) -> None:
        phone.register(credentials())
        assert (await phone.told(LineDown)).status == 403

    _, second = play("refuses_to_register", story, first=stranger.challenge()).requests("REGISTER")
    assert said(second)["response"] == ""
    assert "auts" not in said(second)


def test_a_network_that_insists_on_ipsec_is_told_of_in_those_words(play: Play):
    """TS 24.229 5.1.1.2.1, RFC 3329 2.3.1: 421 with Require: sec-agree."""

    async def story(phone: Phone) -> None:
        phone.register(credentials())
        down = await phone.told(LineDown)
        assert down.status == 421
        assert "insists on IPsec" in down.reason and "ask for" in down.reason

    (only,) = play("insists_on_ipsec", story).requests("REGISTER")
    assert "Security-Client" not in only.headers and "sec-agree" not in only.headers.tokens("Supported")


def response_of(answer: dict[str, str], password: str) -> str:
    """RFC 2617 section 3.2.2, computed by hand."""
    ha1 = hashlib.md5(f"{IMPI}:{HOME}:{password}".encode()).hexdigest()
    ha2 = hashlib.md5(f"REGISTER:sip:{HOME}".encode()).hexdigest()
    words = (ha1, answer["nonce"], answer["nc"], answer["cnonce"], answer["qop"], ha2)
    return hashlib.md5(":".join(words).encode()).hexdigest()


DIGEST = f'Digest realm="{HOME}", nonce="{{}}", qop="auth", algorithm=MD5{{}}'


async def comes_up_by_password(phone: Phone) -> None:
    phone.register(Credentials(IMPI, "secret", HOME))
    await phone.told(LineUp)


def test_a_password_is_as_good_where_the_network_has_one(play: Play):
    """TS 24.229 5.1.1.2.3, 5.1.1.5.4: SIP digest."""
    first, second = play("registers", comes_up_by_password, first=DIGEST.format("n1", "")).requests(
        "REGISTER"
    )
    assert (said(first)["nonce"], said(first)["response"]) == ("", "")
    assert said(second)["response"] == response_of(said(second), "secret")


def test_a_nonce_that_has_run_out_is_replaced_without_doubting_the_password(play: Play):
    """RFC 7616 3.3: 401 with stale=true."""
    wire = play(
        "registers_after_two_challenges",
        comes_up_by_password,
        first=DIGEST.format("n1", ""),
        second=DIGEST.format("n2", ", stale=true"),
    )
    third = said(wire.requests("REGISTER")[2])
    assert (third["nonce"], third["nc"]) == ("n2", "00000001")
    assert third["response"] == response_of(third, "secret")


def test_too_brief_an_interval_is_asked_for_again_as_long_as_the_registrar_wants(play: Play):
    """TS 24.229 5.1.1.2.1: 423 with Min-Expires (RFC 3261 section 10.2.8)."""
    first, second = play("registers_for_longer", comes_up).requests("REGISTER")
    assert (first.expires, second.expires) == (600_000, 604_800)


def test_a_registration_is_renewed_at_half_of_a_short_life_and_ended_by_us(play: Play):
    """TS 24.229 5.1.1.4.1, 5.1.1.6.1: re-registration in time, deregistration with Expires 0."""

    async def story(phone: Phone) -> None:
        registration = phone.register(credentials())
        await phone.told(LineUp)
        before = registration.next_timeout()
        await phone.until(lambda: registration.next_timeout() not in (before, None))
        phone.do(phone.agent.unregister, registration)
        await phone.told(LineLeft)

    first, second, last = play("registers_briefly", story).requests("REGISTER")
    assert (first.expires, second.expires, last.expires) == (600_000, 600_000, 0)
    assert first.call_id == second.call_id == last.call_id
    assert ";expires=0" in last.headers.all("Contact")[0]
    assert all(each.headers.all(ACCESS[0]) == [ACCESS[1]] for each in (first, second, last))


def test_who_we_are_and_the_way_come_with_the_answer_and_are_used(play: Play):
    """TS 24.229 5.1.1.2.1, 5.1.2A.1.1: P-Associated-URI; P-CSCF and Service-Route as Route of requests."""

    async def story(phone: Phone) -> None:
        registration = phone.register(credentials())
        up = await phone.told(LineUp)
        assert [str(each.uri) for each in up.identities] == [IDENTITY, f"tel:{NUMBER}"]
        await phone.answered("NOTIFY")
        phone.call(route=registration.route)
        await phone.over()

    wire = play("network", story, calls=3, state="active", event="registered", left="600000")
    (invite,) = wire.requests("INVITE")
    (subscribe,) = wire.requests("SUBSCRIBE")
    port = invite.headers.all("Route")[0].partition("127.0.0.1:")[2].partition(";")[0]
    route = [f"<sip:127.0.0.1:{port};lr>", "<sip:orig@scscf.ims.example;lr>"]
    assert invite.headers.all("Route") == subscribe.headers.all("Route") == route
    assert str(invite.uri) == "tel:+34910601234"
    assert invite.headers.all("P-Preferred-Identity") == [f"<{IDENTITY}>"]


def test_our_registration_is_watched(play: Play):
    """TS 24.229 5.1.1.3: SUBSCRIBE to the reg event of the default public identity (RFC 3680)."""

    async def story(phone: Phone) -> None:
        phone.register(credentials())
        await phone.answered("NOTIFY")
        assert not phone.every(LineDown)

    wire = play("network", story, calls=2, state="active", event="registered", left="600000")
    (subscribe,) = wire.requests("SUBSCRIBE")
    assert (str(subscribe.uri), str(subscribe.to.uri), str(subscribe.from_.uri)) == (IDENTITY,) * 3
    assert subscribe.headers.get("Event") == "reg"
    assert subscribe.headers.get("Accept") == "application/reginfo+xml"
    assert subscribe.headers.get("Expires") == "600000"
    assert subscribe.headers.all(ACCESS[0]) == [ACCESS[1]]


@pytest.mark.parametrize(
    ("state", "event", "left"), [("terminated", "deactivated", "0"), ("active", "shortened", "1")]
)
def test_what_the_network_takes_back_or_shortens_is_registered_anew(
    play: Play, state: str, event: str, left: str
):
    """TS 24.229 5.1.1.7, 5.1.1.5.2: network-initiated deregistration and re-authentication by NOTIFY."""

    async def story(phone: Phone) -> None:
        phone.register(credentials())
        await phone.told(LineUp, 2 if event == "deactivated" else 1)
        await phone.answered("NOTIFY")

    wire = play("network_has_news", story, calls=2, state=state, event=event, left=left)
    first, second = wire.requests("REGISTER")
    assert second.cseq[0] == first.cseq[0] + 1


def test_what_the_network_takes_back_for_good_is_not_asked_for_again_at_once(play: Play):
    """TS 24.229 5.1.1.7, RFC 3680 4.7.2: terminated as rejected, as against deactivated."""

    async def story(phone: Phone) -> None:
        registration = phone.register(credentials())
        down = await phone.told(LineDown)
        assert (down.reason, down.retry_in) == ("Rejected", 600.0)
        assert not registration.registered

    wire = play("network", story, calls=2, state="terminated", event="rejected", left="0")
    assert len(wire.requests("REGISTER")) == 1
