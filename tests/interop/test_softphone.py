"""The PJSIP softphone by itself: two of them talk to each other, without a node in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import CommandFailed, NothingHappened, PhoneDied, Softphone
from sip.pjsip.statistics import Quality, mean_opinion

Phones = Callable[..., Softphone]
RATE = 8000


def pair(phone: Phones, **options: object) -> tuple[Softphone, Softphone]:
    """Two phones, each of which sends its calls to the other."""
    ada, bob = phone("ada", **options), phone("bob", **options)
    ada.account("ada", "test.invalid", bob.transports["udp"])
    bob.account("bob", "test.invalid", ada.transports["udp"])
    return ada, bob


def test_both_sides_hear_what_the_other_plays(
    phone: Phones, speech: Callable[[str], Path], tmp_path: Path
) -> None:
    ada, bob = pair(phone)
    said, answered = speech("where is my parcel"), speech("it will come tomorrow before noon")
    bob.auto(answer_after=0.1, record=str(tmp_path / "bob.wav"))
    call = ada.call("bob")
    ada.ask("record", call=call, file=str(tmp_path / "ada.wav"))
    ada.expect("answered", call=call)
    ada.ask("play", call=call, file=str(said))
    bob.ask("play", call=bob.incoming(), file=str(answered))
    ada.expect("played", 10)
    bob.expect("played", 10)
    ended = ada.hangup(call)
    bob.expect("ended")
    assert heard(read_wav(said, RATE), read_wav(tmp_path / "bob.wav", RATE), RATE)
    assert heard(read_wav(answered, RATE), read_wav(tmp_path / "ada.wav", RATE), RATE)
    assert ended["stats"]["lost"] == 0
    assert ended["stats"]["codec"] == "PCMA"


def test_post_dial_delay_ends_with_the_first_ring(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto(answer_after=0.3)
    call = ada.call("bob")
    assert ada.expect("progress", call=call)["status"] == 180
    assert ada.expect("answered", call=call)["post_dial_delay_s"] < 0.3


def test_a_digit_arrives_as_telephone_event_and_by_info(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto(answer_after=0.0)
    call = ada.call("bob")
    ada.expect("answered", call=call)
    ada.ask("dtmf", call=call, digits="7")
    assert bob.expect("dtmf")["digit"] == "7"
    ada.ask("dtmf", call=call, digits="#", method="info")
    assert bob.expect("dtmf")["digit"] == "#"


def test_hold_is_seen_by_the_far_end_and_ends(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto(answer_after=0.0)
    call = ada.call("bob")
    ada.expect("answered", call=call)
    bob.expect("media", state="active")
    ada.hold(call)
    bob.expect("media", state="remote_hold")
    ada.resume(call)
    bob.expect("media", state="active")


def test_a_busy_phone_says_so(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto(reject=486)
    assert ada.expect("ended", call=ada.call("bob"))["status"] == 486


def test_a_caller_who_hangs_up_early_cancels(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto()
    call = ada.call("bob")
    ada.expect("progress", call=call)
    assert ada.hangup(call)["status"] == 487
    assert bob.expect("ended")["status"] == 487


def test_a_blind_transfer_is_followed(phone: Phones) -> None:
    ada, bob = pair(phone)
    cyd = phone("cyd")
    cyd.account("cyd", "test.invalid", ada.transports["udp"])
    bob.auto(answer_after=0.0)
    cyd.auto(answer_after=0.0)
    call = ada.call("bob")
    ada.expect("answered", call=call)
    bob.account("bob", "test.invalid", cyd.transports["udp"])
    ada.ask("transfer", call=call, target=f"sip:cyd@{cyd.transports['udp']}")
    assert ada.expect("transfer", final=True)["status"] == 200
    cyd.expect("answered")


def test_a_phone_takes_four_calls_and_no_fifth(phone: Phones) -> None:
    ada, bob = pair(phone)
    bob.auto(answer_after=0.0)
    for _ in range(4):
        ada.expect("answered", call=ada.call("bob"))
    with pytest.raises(CommandFailed, match="Too many"):
        ada.call("bob")


def test_lost_packets_are_counted(phone: Phones) -> None:
    ada, bob = phone("ada"), phone("bob", drop=20)
    ada.account("ada", "test.invalid", bob.transports["udp"])
    bob.account("bob", "test.invalid", ada.transports["udp"])
    bob.auto(answer_after=0.0)
    ada.expect("answered", call=ada.call("bob"))
    call = bob.incoming()
    with pytest.raises(NothingHappened):
        bob.expect("ended", 2.0)
    assert bob.stats(call)["loss"] > 0.05


def test_a_phone_whose_parent_is_gone_ends_by_itself(phone: Phones) -> None:
    ada = phone("ada")
    assert ada.process.stdin is not None
    ada.process.stdin.close()
    assert ada.process.wait(5) == 0
    with pytest.raises(PhoneDied):
        ada.expect("registered")


def test_nonsense_is_refused_and_survived(phone: Phones) -> None:
    ada = phone("ada")
    assert ada.process.stdin is not None
    ada.process.stdin.write(b"{nonsense\n[]\n")
    ada.process.stdin.flush()
    ada.expect("fault")
    with pytest.raises(CommandFailed, match="no account"):
        ada.call("bob")
    with pytest.raises(CommandFailed, match="no such command"):
        ada.ask("dance")


@pytest.mark.parametrize(
    ("loss", "delay_ms", "least", "most"),
    [
        (0.0, 20, 4.3, 4.5),
        (0.05, 20, 3.3, 4.1),
        (0.3, 20, 1.0, 2.6),
        (0.0, 500, 2.0, 3.2),
        (1.0, 20, 1.0, 1.5),
    ],
)
def test_listening_quality_falls_with_loss_and_delay(
    loss: float, delay_ms: float, least: float, most: float
) -> None:
    assert least <= mean_opinion(loss, delay_ms) <= most


def test_streams_of_one_call_are_added_up() -> None:
    whole = Quality("PCMA", sent=50, received=40, lost=10).plus(Quality("PCMU", sent=10, received=10))
    assert (whole.codec, whole.sent, whole.received, whole.lost, whole.loss) == ("PCMU", 60, 50, 10, 1 / 6)
