"""Calls over an IMS network that sipp plays: 3GPP TS 24.229 sections 5.1.2A to 5.1.4 and 6.1, by clause."""

from __future__ import annotations

import time

import pytest

from sip import formats, sdp
from sip.digest import Credentials, parse_digest
from sip.early_media import Authorised
from sip.events import (
    Acknowledged,
    Answered,
    EarlyMedia,
    Ended,
    IncomingCall,
    Provisional,
    Rejected,
    Reserved,
)
from sip.hop import Hop
from sip.message import Message, Request, Response
from sip.precondition import read
from sip.session import Session
from tests.ims.conftest import Play
from tests.ims.phone import ACCESS, CODECS, HOME, LOCAL, NUMBER, TELEPHONY, Phone, Wire, manner
from tests.sip.subscriber import IMPI

HAS, HAS_NOT = {"local": 3, "remote": 0}, {"local": 0, "remote": 0}


def current(message: Message) -> dict[str, int]:
    """What its description says of resources, seen from whoever wrote it."""
    (status,) = read(message.body)
    assert status is not None
    return dict(status.current)


async def call_and_hang_up(phone: Phone) -> None:
    session = phone.call()
    await phone.told(Answered)
    phone.do(session.hangup)
    await phone.over()


# --------------------------------------------------------------------------------------- calls that go out


def test_an_invite_says_who_calls_whom_and_how(play: Play):
    """TS 24.229 5.1.3.1, 5.1.2A.1.1: tel URI, preferred identity, access network, service, abilities."""
    (invite,) = play("callee_answers", call_and_hang_up).requests("INVITE")
    assert str(invite.uri) == "tel:+34910601234"
    assert invite.headers.all("P-Preferred-Identity") == [f"<sip:{NUMBER}@{HOME}>"]
    assert invite.headers.all(ACCESS[0]) == [ACCESS[1]]
    (contact,) = invite.headers.all("Contact")
    assert contact.startswith("<sip:line@") and contact.endswith(f">;{TELEPHONY}")  # as it was registered
    assert invite.headers.all("Accept-Contact") == [f"*;{TELEPHONY}"]
    assert invite.headers.all("P-Preferred-Service") == ["urn:urn-7:3gpp-service.ims.icsi.mmtel"]
    assert {"100rel", "timer", "precondition"} <= invite.headers.tokens("Supported")
    assert "Require" not in invite.headers
    assert invite.headers.all("P-Early-Media") == ["supported"]
    assert {"update", "prack"} <= invite.headers.tokens("Allow")


def test_help_is_called_by_its_service(play: Play):
    """TS 24.229 5.1.6.8.3, RFC 5031 4.2: urn:service:sos in place of a number, as callee and in To."""

    async def story(phone: Phone) -> None:
        session = phone.call("urn:service:sos")
        await phone.told(Answered)
        phone.do(session.hangup)
        await phone.over()

    wire = play("callee_answers", story)
    (invite,), (bye,) = wire.requests("INVITE"), wire.requests("BYE")
    assert (str(invite.uri), str(invite.to)) == ("urn:service:sos", "<urn:service:sos>")
    assert str(bye.to.uri) == "urn:service:sos" and bye.uri.scheme == "sip"


def test_an_offer_is_as_the_networks_terminals_make_it(play: Play):
    """TS 26.114 5.2.1, 6.2.2, 6.2.5: AMR-WB, AMR, both forms, events of both clocks, bandwidth, packets."""
    (invite,) = play("callee_answers", call_and_hang_up).requests("INVITE")
    (media,) = sdp.parse(invite.body).media
    assert [str(media.codec(pt)) for pt in media.payload_types] == [
        *("AMR-WB/16000", "AMR-WB/16000", "AMR/8000", "AMR/8000"),
        *("telephone-event/8000", "telephone-event/16000"),
    ]
    efficient, aligned = ({media.fmtp[pt] for pt in media.payload_types[at:4:2]} for at in (0, 1))
    assert efficient == {"mode-change-capability=2;max-red=0"}
    assert aligned == {"octet-align=1;mode-change-capability=2;max-red=0"}
    assert media.bandwidth == ("AS:41", "RS:600", "RR:2000")
    assert (media.proto, media.ptime, media.maxptime) == ("RTP/AVP", 20, 240)
    assert not media.rtcp_mux and not media.crypto and b"fingerprint" not in invite.body


def test_the_form_of_amr_that_the_far_end_takes_is_spoken(play: Play):
    """RFC 4867 8.3.1, TS 26.114 6.2.2: octet-aligned of the two that were offered."""

    async def story(phone: Phone) -> None:
        session = phone.call()
        answer = sdp.parse((await phone.told(Answered)).sdp)
        chosen = sdp.read_answer(sdp.parse(session.dialog.offer.local), answer, CODECS)
        assert (chosen.codec.name, [pt for pt, _ in chosen.formats]) == ("AMR-WB", [97, 100])
        assert formats.aligned(chosen.codec, chosen.fmtp)
        phone.do(session.hangup)
        await phone.over()

    play("callee_takes_the_aligned_form", story)


def test_a_network_that_has_forgotten_us_says_so(play: Play):
    """TS 24.229 5.1.2A.1.6: 504 with a document that asks for an initial registration, which we accept."""

    async def story(phone: Phone) -> None:
        phone.call()
        refused = await phone.told(Rejected)
        assert (refused.status, refused.restores) == (504, True)
        await phone.over()

    (invite,) = play("callee_has_forgotten_us", story).requests("INVITE")
    assert "application/3gpp-ims+xml" in invite.headers.tokens("Accept")


def test_every_request_names_the_access_network_but_ack(play: Play):
    """TS 24.229 5.1.2A.1.1: P-Access-Network-Info in PRACK and BYE too."""
    wire = play("callee_answers", call_and_hang_up)
    named = {each.method: each.headers.all(ACCESS[0]) for each in wire.requests()}
    assert named.pop("ACK") == []
    assert named == {"INVITE": [ACCESS[1]], "PRACK": [ACCESS[1]], "BYE": [ACCESS[1]]}


def test_a_cancel_does_not_name_it(play: Play):
    """TS 24.229 5.1.2A.1.1: no P-Access-Network-Info in CANCEL."""

    async def story(phone: Phone) -> None:
        session = phone.call()
        await phone.told(Provisional)
        await phone.until(lambda: phone.agent.messages().get(("in", "2xx")))
        phone.do(session.hangup)
        await phone.told(Ended)
        await phone.over()

    (cancel,) = play("callee_is_cancelled", story).requests("CANCEL")
    assert ACCESS[0] not in cancel.headers


def test_ringing_that_comes_reliably_is_acknowledged(play: Play):
    """TS 24.229 5.1.3.1: 100rel (RFC 3262), PRACK by RSeq and CSeq."""
    wire = play("callee_answers", call_and_hang_up)
    (prack,), (invite,) = wire.requests("PRACK"), wire.requests("INVITE")
    assert prack.headers.get("RAck") == f"7 {invite.cseq[0]} INVITE"


def test_a_proxys_challenge_is_answered_with_the_lines_credentials(play: Play):
    """TS 24.229 5.1.2A.1.1, RFC 3261 22.3: 407 to an INVITE."""

    async def story(phone: Phone) -> None:
        session = phone.call(credentials=Credentials(IMPI, "secret"))
        await phone.told(Answered)
        phone.do(session.hangup)
        await phone.over()

    challenge = f'Digest realm="{HOME}", nonce="n1", qop="auth", algorithm=MD5'
    first, second = play("callee_challenges", story, first=challenge).requests("INVITE")
    said = parse_digest(second.headers.get("Proxy-Authorization") or "") or {}
    assert "Proxy-Authorization" not in first.headers
    assert (said["username"], said["uri"], said["nonce"]) == (IMPI, "tel:+34910601234", "n1")
    assert second.headers.all(ACCESS[0]) == [ACCESS[1]]


def test_our_resources_are_told_of_when_they_are_there_and_not_before(play: Play):
    """TS 24.229 5.1.3.1, 6.1.2: preconditions not met at first: 183, PRACK, UPDATE, then it rings."""

    async def story(phone: Phone) -> None:
        session = phone.call(manner=manner(reserved=False))
        assert (await phone.told(Provisional)).status == 183
        await phone.until(lambda: phone.agent.messages().get(("in", "2xx")))
        phone.do(session.reserved)
        await phone.told(Answered)
        phone.do(session.hangup)
        await phone.over()

    wire = play("callee_waits_for_our_resources", story)
    assert wire.order()[:7] == [
        "INVITE", "183 INVITE", "PRACK", "200 PRACK", "UPDATE", "200 UPDATE", "180 INVITE",
    ]  # fmt: skip
    (invite,), (update,) = wire.requests("INVITE"), wire.requests("UPDATE")
    assert (current(invite), current(update)) == (HAS_NOT, {"local": 3, "remote": 3})
    assert update.headers.all(ACCESS[0]) == [ACCESS[1]]
    lines = invite.body.decode().splitlines()
    assert "a=des:qos mandatory local sendrecv" in lines
    assert "a=des:qos optional remote sendrecv" in lines


def told_of(wire: Wire) -> tuple[Request, Response]:
    """The INVITE, and our answer to the far end's UPDATE."""
    (invite,), (answer,) = wire.requests("INVITE"), wire.responses(200, "UPDATE")
    return invite, answer


def test_resources_that_are_there_from_the_beginning_need_no_update_of_ours(play: Play):
    """TS 24.229 5.1.3.1, 6.1.2: local preconditions met in the INVITE; the far end tells of its own."""
    wire = play("callee_tells_of_its_resources", call_and_hang_up)
    invite, answer = told_of(wire)
    assert current(invite) == HAS
    assert current(answer) == {"local": 3, "remote": 3}
    assert not wire.requests("UPDATE")
    assert answer.headers.all(ACCESS[0]) == [ACCESS[1]]


def test_an_update_before_the_answer_is_answered_with_what_was_agreed(play: Play):
    """RFC 3311 5.2, RFC 3264 8: early offer and answer by UPDATE, a newer version, the codec in use."""
    invite, answer = told_of(play("callee_tells_of_its_resources", call_and_hang_up))
    before, after = sdp.parse(invite.body), sdp.parse(answer.body)
    assert after.origin.session_id == before.origin.session_id
    assert after.origin.version == before.origin.version + 1
    assert after.media[0].formats == ("96", "100")  # of six that were offered


def test_what_may_be_heard_before_the_answer_is_told(play: Play):
    """TS 24.229 5.1.3.1, RFC 5009 8: P-Early-Media in a 183 and in an UPDATE."""

    async def story(phone: Phone) -> None:
        await call_and_hang_up(phone)
        told = [each.authorised for each in phone.every(EarlyMedia)]
        assert told == [Authorised("inactive"), Authorised("sendonly", gated=True)]

    play("callee_tells_of_its_resources", story)


def test_a_session_is_refreshed_in_time(play: Play):
    """TS 24.229 5.1.2A, RFC 4028 7.2 to 7.4: 422 with Min-SE, then refreshes by UPDATE at half time."""

    async def story(phone: Phone) -> None:
        session = phone.call()
        await phone.told(Answered)
        await phone.until(lambda: ("out", "UPDATE") in phone.agent.messages())
        answers = phone.agent.messages()[("in", "2xx")]
        await phone.until(lambda: phone.agent.messages()[("in", "2xx")] > answers)
        phone.do(session.hangup)
        await phone.over()

    wire = play("callee_is_refreshed", story, settings={"session_expires": 1, "min_se": 1})
    first, second = wire.requests("INVITE")
    assert (first.headers.get("Session-Expires"), second.headers.get("Session-Expires")) == ("1", "2")
    assert second.headers.get("Min-SE") == "2"
    (update,) = wire.requests("UPDATE")
    assert update.headers.get("Session-Expires") == "2;refresher=uac"
    assert not update.body


def test_a_held_call_is_answered_in_the_direction_that_is_left_and_never_to_nowhere(play: Play):
    """TS 24.610 4.5.2, TS 24.229 6.1.1: sendonly, inactive, c=0.0.0.0, and back."""

    async def story(phone: Phone) -> None:
        phone.call()
        await phone.told(Answered)
        await phone.told(Ended)

    wire = play("callee_holds", story)  # the scenario checks each answer
    directions = [sdp.parse(each.body).media[0].direction for each in wire.responses(200, "INVITE")]
    assert list(dict.fromkeys(directions)) == ["recvonly", "inactive", "sendrecv"]


def test_what_is_too_large_for_a_datagram_goes_over_tcp(play: Play):
    """RFC 3261 18.1.1, TS 24.229 4.2A: an INVITE of more than 1300 octets to a P-CSCF reached over UDP."""

    async def story(phone: Phone) -> None:
        hop = Hop("udp", LOCAL, phone.network.port, name="pcscf.ims.example")
        history = [("History-Info", f"<sip:+4420718387{at:02}@{HOME}>;index=1.{at}") for at in range(20)]
        session = phone.call(hop=hop, headers=history)
        await phone.told(Answered)
        phone.do(session.hangup)
        await phone.over()
        assert phone.shell.counts()["moved to tcp"] >= 1

    (invite,) = play("callee_answers", story, transport="t1").requests("INVITE")
    assert len(invite.encode()) > 1300
    assert invite.top_via.transport == "TCP"


# ----------------------------------------------------------------------------------------- calls that come in


async def is_called(phone: Phone) -> None:
    """Ring with a description, answer when that has been acknowledged and nothing is in the way."""
    rung: list[Session] = []

    def on_call(session: Session) -> None:
        session.manner = manner()
        session.ring(phone.answer_to(phone.every(IncomingCall)[-1].offer), now=phone.shell.clock())
        rung.append(session)

    phone.on_call = on_call
    await phone.until(lambda: rung and rung[0].reservation.met(rung[0].dialog))
    phone.do(rung[0].answer, None)
    await phone.told(Acknowledged)
    await phone.over()


def test_a_phone_does_not_ring_before_the_caller_has_its_resources(play: Play):
    """TS 24.229 5.1.4.1, 6.1.3: 183 with our status and a wish to be told, PRACK, UPDATE, then 180."""
    wire = play("caller_gets_its_resources_later", is_called, called=True)
    order = [what for what in wire.order() if what != "100 INVITE"]
    assert order[:6] == ["INVITE", "183 INVITE", "PRACK", "200 PRACK", "UPDATE", "200 UPDATE"]
    progress = wire.responses(183, "INVITE")[0]
    assert current(progress) == HAS
    assert "a=conf:qos remote sendrecv" in progress.body.decode()
    assert "100rel" in progress.headers.tokens("Require")
    (agreed,) = wire.responses(200, "UPDATE")
    assert current(agreed) == {"local": 3, "remote": 3}
    assert "a=conf" not in agreed.body.decode()


def test_a_caller_may_require_preconditions(play: Play):
    """RFC 3312 11, TS 24.229 5.1.4.1: Require: precondition is no bad extension."""
    wire = play("caller_gets_its_resources_later", is_called, called=True, headers="Require: precondition")
    assert wire.responses(200, "INVITE")
    assert not wire.responses(420, "INVITE")


def test_a_phone_rings_at_once_where_the_caller_has_all(play: Play):
    """TS 24.229 5.1.4.1, 6.1.3: preconditions met in the INVITE; a reliable 180 carries the answer."""
    wire = play("caller_has_its_resources", is_called, called=True)
    assert not wire.responses(183, "INVITE")
    ringing = wire.responses(180, "INVITE")[0]
    assert current(ringing) == {"local": 3, "remote": 3}


def test_the_ringing_that_follows_resources_needs_no_description(play: Play):
    """TS 24.229 5.1.4.1, RFC 3262 3: 183 with ours, and then a plain 180 and 200, which carry none."""

    async def story(phone: Phone) -> None:
        def called(session: Session) -> None:
            session.manner = manner()
            offer = phone.every(IncomingCall)[-1].offer
            session.progress(phone.answer_to(offer), now=time.monotonic())

        phone.on_call = called
        session = (await phone.told(Reserved)).session
        phone.do(session.ring)
        phone.do(session.answer, phone.answer_to(phone.every(IncomingCall)[-1].offer))
        await phone.told(Acknowledged)
        await phone.over()

    wire = play("caller_gets_its_resources_later", story, called=True)
    (ringing,), (answer,) = wire.responses(180, "INVITE"), wire.responses(200, "INVITE")
    assert not ringing.body and not answer.body
    assert "100rel" not in ringing.headers.tokens("Require")


def test_ringing_goes_reliably_where_the_caller_takes_no_other(play: Play):
    """RFC 3262 3, TS 24.229 5.1.4.1: Require: 100rel; a 180 without a description, the answer in the 200."""

    async def story(phone: Phone) -> None:
        phone.on_call = rung
        await phone.until(lambda: phone.agent.messages().get(("in", "PRACK")))
        call = phone.every(IncomingCall)[-1]
        phone.do(call.session.answer, phone.answer_to(call.offer))
        await phone.told(Acknowledged)
        await phone.over()

    def rung(session: Session) -> None:
        session.manner = manner()
        session.ring(now=time.monotonic())

    wire = play("caller_wants_all_reliably", story, called=True)
    (ringing,) = wire.responses(180, "INVITE")[:1]
    assert not ringing.body and "100rel" in ringing.headers.tokens("Require")


def test_our_answers_name_the_access_network_and_the_service(play: Play):
    """TS 24.229 5.1.2A.2, 5.1.4.1: P-Access-Network-Info in responses, the feature in our Contact."""
    wire = play("caller_has_its_resources", is_called, called=True)
    for status, method in ((180, "INVITE"), (200, "INVITE"), (200, "PRACK"), (200, "BYE")):
        assert wire.responses(status, method)[0].headers.all(ACCESS[0]) == [ACCESS[1]], (status, method)
    assert wire.responses(200, "INVITE")[0].headers.all("Contact")[0].endswith(f">;{TELEPHONY}")


def test_preconditions_that_nobody_here_meets_are_refused(play: Play):
    """RFC 3312 8, TS 24.229 5.1.4.1: 580 with what failed."""

    async def story(phone: Phone) -> None:
        await phone.answered("ACK")
        assert not phone.every(IncomingCall)

    assert play("caller_wants_the_impossible", story, called=True).responses(580, "INVITE")


@pytest.mark.parametrize("number", ["tel:+442071838750"])
def test_a_call_comes_in_for_a_telephone_number(play: Play, number: str):
    """TS 24.229 5.1.4.1, RFC 3966: To is a tel URI, who calls is asserted."""

    async def story(phone: Phone) -> None:
        await is_called(phone)
        request = phone.every(IncomingCall)[0].request
        assert str(request.to.uri) == number
        assert request.headers.get("P-Asserted-Identity") == "<tel:+34910601234>"
        assert not phone.every(Rejected)

    play("caller_has_its_resources", story, called=True)
