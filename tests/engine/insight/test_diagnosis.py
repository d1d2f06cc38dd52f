"""Faults that the simulation has no way to plant, found in what a call would have left of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import msgspec
import pytest

from engine.events import EndReason
from engine.insight.diagnosis import diagnose
from engine.insight.facts import Case, Facts
from engine.insight.faults import EXPLAINS, SURE, Found, settled
from engine.insight.timeline import timeline
from engine.insight.trace import LegQuality, Message
from engine.insight.words import LANGUAGES, cause, causes, fine, language_of, table, tell
from engine.store.rows import Entry
from tests.engine.insight.planted import PLANTED
from tests.engine.insight.samples import (
    DIGEST,
    FAR,
    SDP,
    call_messages,
    entry,
    message,
    quality,
    sip,
)
from tests.engine.store_samples import T0, record
from tests.mutilation import mutilated

OFFER = SDP.format(host=FAR.host)
CONNECTED = entry("call.connected", 1.0, 5, codec="PCMA")


def case(
    *events: Entry,
    messages: Sequence[Message] = (),
    legs: Sequence[LegQuality] = (),
    reason: EndReason | None = EndReason.COMPLETED,
    **changes: object,
) -> Case:
    ended = (
        replace(record("r1", T0), offered_at=T0, ended_at=T0 + 60, reason=reason, **changes)
        if reason
        else None
    )
    return Case("r1", T0, ended, events, messages, legs)


def out(
    first: str, at: float, *headers: str, fault: str = "", body: str = "", method: str = "INVITE"
) -> Message:
    """We say something to the agent's side."""
    made = message(sip(first, *headers, body=body, method=method), at, inward=False, fault=fault)
    return _agents(made)


def came(first: str, at: float, *headers: str, body: str = "", method: str = "INVITE") -> Message:
    return _agents(message(sip(first, *headers, body=body, method=method), at))


def _agents(made: Message) -> Message:
    return Message(
        made.at,
        made.inward,
        made.transport,
        made.host,
        made.port,
        made.own_host,
        made.own_port,
        "agent",
        2,
        made.data,
        made.fault,
    )


INVITE = out("INVITE sip:200@far SIP/2.0", 0.0, body=OFFER)
SIGNED = out("INVITE sip:200@far SIP/2.0", 0.1, f"Authorization: {DIGEST}", body=OFFER)
OK = came("SIP/2.0 200 OK", 0.5, body=OFFER)
DEAF = came("SIP/2.0 200 OK", 0.5, body=OFFER.replace("telephone-event", "nothing"))
UNREACHABLE = EndReason.UNREACHABLE

FOUND: dict[str, tuple[Case, str, str]] = {
    "a certificate that nobody vouches for": (
        case(
            messages=[INVITE, out("INVITE sip:200@far SIP/2.0", 0.2, fault="certificate: self-signed")],
            reason=UNREACHABLE,
        ),
        "tls_failure",
        "",
    ),
    "a port where nobody listens": (
        case(
            messages=[INVITE, out("INVITE sip:200@far SIP/2.0", 0.2, fault="Connection refused")],
            reason=UNREACHABLE,
        ),
        "unreachable",
        "",
    ),
    "a line that answers nothing": (
        case(
            entry("call.line_unreached", line="one", cause="down", what="answers nothing"), reason=UNREACHABLE
        ),
        "line_down",
        "",
    ),
    "a carrier that does not know us": (
        case(
            entry("call.line_unreached", line="one", cause="unregistered", what="not registered"),
            reason=UNREACHABLE,
        ),
        "line_down",
        "unregistered",
    ),
    "a password that was never set": (
        case(messages=[INVITE, came("SIP/2.0 407 Proxy Authentication Required", 0.1)], reason=UNREACHABLE),
        "wrong_credentials",
        "none",
    ),
    "an account that may not call": (
        case(
            messages=[
                INVITE,
                came("SIP/2.0 401 Unauthorized", 0.05),
                SIGNED,
                came("SIP/2.0 403 Forbidden", 0.2),
            ],
            reason=UNREACHABLE,
        ),
        "wrong_credentials",
        "",
    ),
    "a network that breaks in the middle": (
        case(
            CONNECTED,
            messages=[
                INVITE,
                OK,
                came("BYE sip:us SIP/2.0", 9.0, 'Reason: Q.850;cause=38;text="x"', method="BYE"),
            ],
        ),
        "carrier_cause",
        "ended",
    ),
    "a number that is busy": (
        case(messages=[INVITE, came("SIP/2.0 486 Busy Here", 0.4)], reason=EndReason.BUSY),
        "carrier_cause",
        "",
    ),
    "a gateway that was restarted": (
        case(
            CONNECTED,
            messages=[INVITE, OK, out("INVITE sip:200@far SIP/2.0", 20.0), came("SIP/2.0 481 Gone", 20.1)],
            reason=EndReason.SIGNALLING_LOST,
        ),
        "far_end_vanished",
        "forgot",
    ),
    "a codec asked for in the middle": (
        case(
            CONNECTED,
            messages=[
                INVITE,
                OK,
                came("INVITE sip:us SIP/2.0", 9.0, body=OFFER.replace("8 101", "3")),
                out("SIP/2.0 488 Not Acceptable Here", 9.1),
            ],
        ),
        "codec_changed",
        "refused",
    ),
    "digits by INFO that are refused": (
        case(
            CONNECTED,
            messages=[
                INVITE,
                OK,
                came("INFO sip:us SIP/2.0", 9.0, "Content-Type: application/dtmf-relay", method="INFO"),
                out("SIP/2.0 415 No", 9.1, method="INFO"),
            ],
        ),
        "dtmf_mismatch",
        "refused",
    ),
    "digits for one who takes none": (
        case(CONNECTED, entry("call.digit", 9.0, 7, side="customer"), messages=[INVITE, DEAF]),
        "dtmf_mismatch",
        "deaf",
    ),
    "a message of another length": (
        case(
            messages=[
                message(
                    sip("INVITE sip:200@pbx SIP/2.0", body=OFFER).replace(
                        b"Content-Length: ", b"Content-Length: 9"
                    )
                )
            ],
            reason=EndReason.NOT_ACCEPTABLE,
        ),
        "sip_alg",
        "length",
    ),
    "the far end loses our packets": (
        case(CONNECTED, legs=[quality(lost=0, remote_lost=20)]),
        "packet_loss",
        "there",
    ),
    "a page that closed": (
        case(CONNECTED, entry("leg.gone", 20.0, 8, side="customer", leg=1), reason=EndReason.NOT_RESUMED),
        "browser_lost",
        "",
    ),
    "an interpreter that was shed": (
        case(CONNECTED, entry("call.interpreter", 9.0, 6, side="agent", voice="off", fault="shed")),
        "speech_shed",
        "",
    ),
    "a queue at night": (case(reason=EndReason.CLOSED), "queue_closed", ""),
    "a queue that is full": (case(reason=EndReason.OVERFLOW_FAILED), "queue_overflow", "full"),
    "a node that died": (case(CONNECTED, reason=EndReason.NODE_LOST), "node_fault", "node_lost"),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_fault_is_found_in_what_it_left(name: str) -> None:
    given, fault, variant = FOUND[name]
    first, *others = diagnose(given).found
    assert (first.fault, first.variant) == (fault, variant)
    assert all(each.sure < first.sure for each in others)
    for language in LANGUAGES:
        told = tell(first, language)
        assert "{" not in told.sentence + told.remedy


def test_every_fault_is_planted_somewhere() -> None:
    assert set(PLANTED) | {fault for _, fault, _ in FOUND.values()} == set(EXPLAINS)


@pytest.mark.parametrize(
    "given",
    [
        case(),
        case(CONNECTED, messages=call_messages(), legs=[quality(), quality(2, "agent")]),
        case(CONNECTED, messages=[INVITE, OK], legs=[quality(lost=1)], reason=None),
        case(
            CONNECTED,
            entry(
                "leg.troubled",
                5.0,
                6,
                leg=1,
                side="customer",
                trouble="one_way",
                cause="",
                since=T0 + 5,
                over=False,
            ),
            entry(
                "leg.troubled",
                7.0,
                7,
                leg=1,
                side="customer",
                trouble="one_way",
                cause="",
                since=T0 + 7,
                over=True,
            ),
        ),
        case(CONNECTED, messages=[INVITE, came("SIP/2.0 503 Busy", 0.1), OK]),
        case(CONNECTED, entry("call.offer_missed", 1.0, 3, agent="alice", outcome="no answer")),
        case(CONNECTED, entry("leg.gone", 5.0, 6, side="agent"), entry("leg.returned", 6.0, 7, side="agent")),
    ],
)
def test_a_call_that_was_fine_is_fine(given: Case) -> None:
    verdict = diagnose(given)
    assert verdict.found == ()
    assert all(fine(verdict, language) for language in LANGUAGES)


def test_what_follows_from_a_fault_is_not_told_beside_it() -> None:
    nat, deaf, loss = Found("nat", 0.95), Found("one_way_audio", 0.93), Found("packet_loss", 0.7)
    assert [each.fault for each in settled([deaf, loss, nat])] == ["nat", "packet_loss"]
    assert settled([Found("nat", SURE - 0.1)]) == []
    assert [each.sure for each in settled([Found("silence", 0.6), Found("silence", 0.9)])] == [0.9]


def test_whatever_a_far_end_says_the_diagnosis_stands() -> None:
    rng, wounded = Random(3), []
    for _ in range(60):
        messages = [
            msgspec.structs.replace(each, data=mutilated(each.data, rng), fault="")
            for each in call_messages()
        ]
        wounded.append(case(CONNECTED, messages=messages, legs=[quality()]))
    for each in wounded:
        diagnose(each)
        timeline(Facts(each))


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("SIP/2.0 200 OK", "Session-Expires: ²"),
        ("INVITE sip:x@y SIP/2.0", "Contact: <sip:²@>"),
        ("INVITE sip:x@y SIP/2.0", 'Contact: "x'),
    ],
)
def test_a_header_that_says_nothing_blinds_nobody(first: str, header: str) -> None:
    odd = came(first, 1.0, header, body=OFFER)
    bye = out("BYE sip:200@far SIP/2.0", 5.0, method="BYE")
    found = diagnose(case(messages=[INVITE, OK, odd, bye], legs=[quality()]))
    assert found.call == "r1" and found.figures


def test_a_timeline_has_legs_states_and_decisions_and_names_nobody() -> None:
    offered = Entry(
        node="n1",
        seq=4,
        at=T0 + 1,
        call="r1",
        kind="call.offered",
        data={"queue": "support", "agent": "alice", "why": "idle 9 s"},
        person={"party": "+34911"},
    )
    moments = timeline(
        Facts(
            case(
                offered,
                entry("call.ended", 31.0, 9, reason="completed", by="customer"),
                messages=call_messages(),
            )
        )
    )
    assert [(each.lane, each.kind) for each in moments] == [
        ("leg", "leg.invited"),
        ("leg", "leg.answered"),
        ("queue", "call.offered"),
        ("leg", "leg.hung_up"),
        ("call", "call.ended"),
    ]
    assert (moments[2].why, moments[2].state, moments[2].t) == ("idle 9 s", "offered", 1.0)
    assert (moments[4].why, moments[4].side, moments[4].state) == ("completed", "customer", "ended")
    assert "+34911" not in str(moments)


# --- words --------------------------------------------------------------------------------------------

GAP = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_sentences_with_the_same_gaps(language: str) -> None:
    own, english = table(language), table("en")
    assert own.keys() == english.keys()
    for key, (sentence, remedy) in own.items():
        assert set(GAP.findall(sentence)) == set(GAP.findall(english[key][0])), key
        assert bool(remedy) == bool(english[key][1])
    assert {key.partition(".")[0] for key in own} - {"side", "fine"} == set(EXPLAINS)


def test_causes_of_the_telephone_network_are_in_words() -> None:
    assert all(len(words) == len(LANGUAGES) and all(words) for words in causes().values())
    assert (cause("17", "en"), cause("17", "es"), cause("99", "en")) == ("busy", "ocupado", "Q.850 99")


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("es-MX,en;q=0.8", "es"),
        ("fr, zh-CN;q=0.9", "zh"),
        ("AR", "ar"),
        ("en;q=0.1,ar", "ar"),
        ("", "en"),
        ("xx;;,,", "en"),
    ],
)
def test_the_language_is_the_first_that_there_are_words_in(wanted: str, language: str) -> None:
    assert language_of(wanted) == language


def test_what_a_far_end_said_is_filled_in_as_it_stands() -> None:
    told = tell(Found("unreachable", 0.9, values={"host": "{what}", "what": "{host}"}), "en")
    assert told.sentence == "{what} cannot be reached: {host}."


def test_the_guide_has_a_section_for_every_fault_and_no_other() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "troubleshooting.md").read_text("utf-8")
    sections = re.findall(r"^### `(\w+)`$", guide, re.MULTILINE)
    assert sections == list(EXPLAINS)
    english = table("en")
    for fault in EXPLAINS:
        part = guide.partition(f"### `{fault}`\n")[2].partition("\n### ")[0]
        remedies = [remedy for key, (_, remedy) in english.items() if key.partition(".")[0] == fault]
        assert remedies and all(remedy in part for remedy in remedies), fault
        assert "Evidence:" in part
