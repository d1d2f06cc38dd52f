"""Encryption by policy: what is offered, what is taken, which keys are used, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from engine.encryption import AT_ONCE, IN_TURN, OPPORTUNE, PLAIN, SECURE, Encryption, Policy, policy
from engine.events import EndReason
from engine.states import State
from media.messages import Keys, OpenLeg, SetRemote
from sip import events, sdes, sdp
from sip.errors import NothingInCommon
from sip.sdp import CodecOffer
from tests.rings import no_rings
from tests.sim.stage import Stage, Voice

CM_80, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"
SUITES = (GCM, CM_80)
PCMA = CodecOffer("PCMA")
rng = Random(8643)


def described(*sections: tuple[str, list[sdes.Crypto]]) -> sdp.SessionDescription:
    """An audio section for each (profile, keys)."""
    text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    for proto, lines in sections:
        text += f"m=audio 4000 {proto} 8\r\n" + "".join(f"a=crypto:{each.line}\r\n" for each in lines)
    return sdp.parse(text.encode())


def fresh(tag: int = 1, suite: str = CM_80) -> sdes.Crypto:
    return sdes.fresh(tag, suite, rng)


def ours(wanted: Policy) -> Encryption:
    return Encryption(wanted, SUITES, rng)


def said(encryption: Encryption) -> list[sdes.Crypto]:
    lines = [sdes.read(value or "") for _, value in encryption.attributes]
    return [line for line in lines if line is not None]


def offered(encryption: Encryption) -> sdp.SessionDescription:
    encryption.propose()
    proto, lines = encryption.form.proto, encryption.attributes
    return sdp.make_offer([PCMA], address="192.0.2.9", port=9000, proto=proto, attributes=lines)


def concluded(encryption: Encryption, proto: str, *lines: sdes.Crypto) -> None:
    local = offered(encryption) if not said(encryption) else described((proto, said(encryption)))
    encryption.conclude(sdp.read_answer(local, described((proto, list(lines))), [PCMA]))


# --- their offers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "transport", "means"),
    [
        ("auto", "tls", "preferred"),
        ("auto", "tcp", "off"),
        ("auto", "udp", "off"),
        ("required", "udp", "required"),
        ("preferred", "udp", "preferred"),
        ("off", "tls", "off"),
    ],
)
def test_left_to_itself_encryption_follows_the_signalling(wanted, transport, means):
    assert policy(wanted, transport) == means


@pytest.mark.parametrize(
    ("wanted", "proto", "keyed", "taken"),
    [
        ("required", "RTP/SAVP", True, CM_80),
        ("required", "RTP/SAVPF", True, CM_80),
        ("required", "RTP/AVP", True, CM_80),
        ("required", "RTP/AVP", False, None),
        ("required", "RTP/SAVP", False, None),
        ("preferred", "RTP/SAVP", True, CM_80),
        ("preferred", "RTP/AVP", True, CM_80),
        ("preferred", "RTP/AVP", False, ""),
        ("preferred", "RTP/SAVP", False, None),
        ("off", "RTP/AVP", True, ""),
        ("off", "RTP/AVP", False, ""),
        ("off", "RTP/SAVP", True, None),
        ("preferred", "UDP/TLS/RTP/SAVPF", True, None),
    ],
)
def test_an_offer_is_taken_as_the_policy_says_or_refused(wanted, proto, keyed, taken):
    encryption, theirs = ours(Policy(wanted)), fresh(3)
    offer = described((proto, [theirs] if keyed else []))
    if taken is None:
        with pytest.raises(NothingInCommon) as refused:
            encryption.choose(offer, [PCMA])
        assert refused.value.sip_status == 488
        return
    chosen = encryption.choose(offer, [PCMA])
    assert encryption.suite == taken
    if taken:
        (answer,) = said(encryption)
        assert (answer.tag, answer.suite) == (3, CM_80)
        assert encryption.keys == Keys(CM_80, answer.key, theirs.key) and answer.key != theirs.key
    made = sdp.make_answer(offer, chosen, address="192.0.2.9", port=9000, attributes=encryption.attributes)
    assert made.media[0].proto == proto and len(made.media[0].crypto) == bool(taken)


def test_of_two_sections_the_encrypted_one_is_taken_whatever_their_order():
    encryption = ours(Policy.PREFERRED)
    assert encryption.choose(described(("RTP/AVP", []), ("RTP/SAVP", [fresh()])), [PCMA]).index == 1
    assert ours(Policy.OFF).choose(described(("RTP/SAVP", [fresh()]), ("RTP/AVP", [])), [PCMA]).index == 1


def test_a_key_that_stands_keeps_ours_and_a_new_one_brings_a_new_one():
    encryption, theirs = ours(Policy.PREFERRED), fresh()
    encryption.choose(described(("RTP/SAVP", [theirs])), [PCMA])
    before = encryption.keys
    encryption.choose(described(("RTP/SAVP", [replace(theirs, tag=5)])), [PCMA])
    assert encryption.keys == before and said(encryption)[0].tag == 5
    encryption.choose(described(("RTP/SAVP", [fresh()])), [PCMA])
    assert encryption.keys is not None and before is not None
    assert encryption.keys.send != before.send and encryption.keys.receive != before.receive


def test_an_offer_that_is_refused_changes_nothing():
    encryption = ours(Policy.REQUIRED)
    encryption.choose(described(("RTP/SAVP", [fresh()])), [PCMA])
    before = encryption.keys, said(encryption)
    with pytest.raises(NothingInCommon):
        encryption.choose(described(("RTP/AVP", [])), [PCMA])
    assert (encryption.keys, said(encryption)) == before


def test_an_offer_that_is_refused_leaves_no_ring():
    encryption = ours(Policy.PREFERRED)
    with no_rings() as rings:
        with suppress(NothingInCommon):
            encryption.choose(described(("RTP/SAVPF", [])), [PCMA])
        assert not rings()


# --- our offers ---------------------------------------------------------------------------------------------


def test_preferred_offers_the_secure_profile_first_then_the_plain_one():
    assert IN_TURN[Policy.PREFERRED] == (SECURE, PLAIN)
    assert IN_TURN[Policy.REQUIRED] == (SECURE,) and IN_TURN[Policy.OFF] == (PLAIN,)
    assert AT_ONCE[Policy.PREFERRED] == OPPORTUNE


def test_an_offer_has_a_fresh_key_for_every_suite_and_the_answer_chooses_one():
    encryption, theirs = ours(Policy.REQUIRED), fresh(2)
    lines = list(sdp.parse(offered(encryption).encode()).media[0].crypto)
    assert [line.split()[:2] for line in lines] == [["1", GCM], ["2", CM_80]]
    mine = said(encryption)
    concluded(encryption, "RTP/SAVP", theirs)
    assert encryption.keys == Keys(CM_80, mine[1].key, theirs.key)


def test_a_further_offer_repeats_the_key_that_stands_in_the_profile_that_was_agreed():
    encryption = ours(Policy.PREFERRED)  # OPPORTUNE: RTP/AVP with keys
    offered(encryption)
    concluded(encryption, "RTP/AVP", fresh(2))
    again = offered(encryption)
    assert again.media[0].proto == "RTP/AVP" and encryption.keys is not None
    assert [(line.suite, line.key) for line in said(encryption)] == [(CM_80, encryption.keys.send)]


def test_a_further_offer_to_a_plain_phone_stays_plain():
    encryption = ours(Policy.PREFERRED)
    offered(encryption)
    concluded(encryption, "RTP/AVP")
    assert encryption.keys is None and offered(encryption).media[0].crypto == ()


@pytest.mark.parametrize(
    ("wanted", "form", "proto", "answered"),
    [
        (Policy.REQUIRED, SECURE, "RTP/SAVP", False),
        (Policy.PREFERRED, SECURE, "RTP/AVP", False),  # a phone that answers another profile than was offered
        (Policy.PREFERRED, PLAIN, "RTP/SAVP", False),
        (Policy.OFF, PLAIN, "RTP/SAVP", True),
    ],
)
def test_an_answer_that_takes_no_key_where_one_is_needed_is_refused(wanted, form, proto, answered):
    encryption = ours(wanted)
    encryption.form = form
    offered(encryption)
    with pytest.raises(NothingInCommon):
        concluded(encryption, proto, *([fresh(9)] if answered else []))


def test_keys_in_an_answer_to_a_plain_offer_are_passed_over():
    encryption = ours(Policy.OFF)
    offered(encryption)
    concluded(encryption, "RTP/AVP", fresh())
    assert encryption.keys is None


# --- calls --------------------------------------------------------------------------------------------------


class Secured(Voice):
    """A phone that calls encrypted or not at all, under the key `crypto`."""

    crypto = fresh()

    def sdp(self, direction: str = "sendrecv") -> bytes:
        plain = super().sdp(direction)
        return plain.replace(b"RTP/AVP", b"RTP/SAVP") + f"a=crypto:{self.crypto.line}\r\n".encode()


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def commands(stage: Stage) -> list[OpenLeg | SetRemote]:
    """What workers are told of legs."""
    told: list[OpenLeg | SetRemote] = []
    send = stage.house.send

    def noted(worker: int, command: object) -> None:
        if isinstance(command, OpenLeg | SetRemote):
            told.append(command)
        send(worker, command)  # type: ignore[arg-type]

    stage.house.send = noted  # type: ignore[method-assign]
    return told


@pytest.fixture
def wanted(stage: Stage) -> Callable[[str], None]:
    """Set the policy of phones and of the carrier's line."""

    def set_policy(word: str) -> None:
        config = stage.house.switch.config
        lines = {name: replace(line, srtp=word) for name, line in config.lines.items()}
        stage.house.switch.config = replace(config, media=replace(config.media, srtp=word), lines=lines)

    return set_policy


def offers_to(phone: Voice, answer: Callable[[sdp.SessionDescription], bytes | int]) -> list[sdp.Media]:
    """Let a phone answer each INVITE with a description or a status; what it was offered."""
    seen: list[sdp.Media] = []

    def rung(event: events.IncomingCall) -> None:
        offer = sdp.parse(event.offer or b"")
        seen.append(offer.media[0])
        reply = answer(offer)
        phone.live[event.session.id] = event.session
        if isinstance(reply, int):
            event.session.reject(reply, now=phone.world.now)
        else:
            event.session.answer(reply, now=phone.world.now)
            phone.connected(event.session)

    phone.rung = rung  # type: ignore[method-assign]
    return seen


def secure_answer(phone: Voice, offer: sdp.SessionDescription) -> bytes:
    """The phone's answer to the first line that it is offered."""
    found = sdes.find(offer.media[0].crypto, SUITES)
    assert found is not None
    line = sdes.fresh(found.tag, found.suite, rng).line
    plain = phone.sdp().replace(b"RTP/AVP", b"RTP/SAVP")
    return plain + f"a=crypto:{line}\r\n".encode()


def test_a_call_is_encrypted_on_both_legs_each_under_its_own_keys_and_its_record_says_so(
    stage: Stage, wanted: Callable[[str], None], commands: list[OpenLeg | SetRemote]
) -> None:
    wanted("required")
    agent = stage.agent
    seen = offers_to(agent, lambda offer: secure_answer(agent, offer))
    customer = Secured(stage, "10.1.0.50")
    customer.call("+4930100", "+491701234")
    stage.run(8.0)
    call = stage.call
    assert call.state is State.TALKING
    assert [media.proto for media in seen] == ["RTP/SAVP"]
    keys = [each.keys for each in commands if each.keys is not None]
    assert keys[0].receive == customer.crypto.key and keys[0].suite == CM_80
    assert keys[-1].suite == GCM and len({key.send for key in keys}) == 2
    customer.hang_up(customer.session)
    customer.host.pump()
    stage.run(3.0)
    (record,) = stage.records
    assert (record.customer_encryption, record.agent_encryption) == (CM_80, GCM)


def test_a_phone_that_refuses_encryption_is_offered_plain_sound_next(
    stage: Stage, wanted: Callable[[str], None]
) -> None:
    wanted("preferred")
    agent = stage.agent
    seen = offers_to(agent, lambda offer: 488 if offer.media[0].proto == "RTP/SAVP" else agent.sdp())
    stage.customer()
    stage.run(8.0)
    assert [(media.proto, bool(media.crypto)) for media in seen] == [("RTP/SAVP", True), ("RTP/AVP", False)]
    assert stage.call.state is State.TALKING and stage.call.misses == 0
    assert stage.call.party is not None and not stage.call.party.suite


def test_a_phone_that_answers_plain_to_a_secure_offer_is_asked_again(
    stage: Stage, wanted: Callable[[str], None]
) -> None:
    wanted("preferred")
    agent = stage.agent
    seen = offers_to(agent, lambda offer: agent.sdp())
    stage.customer()
    stage.run(8.0)
    assert [media.proto for media in seen] == ["RTP/SAVP", "RTP/AVP"]
    assert stage.call.state is State.TALKING


def test_where_encryption_is_required_a_phone_without_is_not_talked_to(
    stage: Stage, wanted: Callable[[str], None]
) -> None:
    wanted("required")
    seen = offers_to(stage.agent, lambda offer: 488)
    customer = Secured(stage, "10.1.0.50")
    customer.call("+4930100", "+491701234")
    stage.run(8.0)
    assert {media.proto for media in seen} == {"RTP/SAVP"}
    assert stage.call.misses > 0


def test_a_plain_caller_is_refused_where_encryption_is_required(
    stage: Stage, wanted: Callable[[str], None]
) -> None:
    wanted("required")
    stage.customer()
    stage.run(2.0)
    assert [record.reason for record in stage.records] == [EndReason.NOT_ACCEPTABLE]


def test_over_plain_signalling_no_key_is_sent_unless_it_is_wanted(
    stage: Stage, commands: list[OpenLeg | SetRemote]
) -> None:
    agent = stage.agent
    seen = offers_to(agent, lambda offer: agent.sdp())
    stage.customer()
    stage.run(8.0)
    assert [(media.proto, media.crypto) for media in seen] == [("RTP/AVP", ())]
    assert all(each.keys is None for each in commands)


def test_a_hold_keeps_the_keys_and_a_new_key_changes_both(
    stage: Stage, wanted: Callable[[str], None], commands: list[OpenLeg | SetRemote]
) -> None:
    wanted("preferred")
    agent = stage.agent
    offers_to(agent, lambda offer: secure_answer(agent, offer))
    customer = Secured(stage, "10.1.0.50")
    customer.call("+4930100", "+491701234")
    stage.run(8.0)
    leg = stage.call.customer
    assert leg is not None
    before = leg.description.wire().keys
    customer.hold()
    stage.run(1.0)
    assert stage.call.state is State.HELD and leg.description.wire().keys == before
    customer.crypto = fresh()
    customer.take_back()
    stage.run(1.0)
    after = leg.description.wire().keys
    assert stage.call.state is State.TALKING and before is not None and after is not None
    assert after.receive == customer.crypto.key and after.send != before.send
    assert commands[-1].keys == after
