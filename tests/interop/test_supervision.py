"""A supervisor's softphone in a call of two others: heard by whom she should be, in each mode, without a
gap.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from engine.hearing import heard, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.room import RATE, SILENT, Room, longest_gap_ms
from tests.turns import turns

Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]
GAP_MS = 40.0
NEAR = 2.0  # dB


class Floor(Room):
    """A customer talks to cleo, of the queue `counter`; sue has a phone."""

    def __init__(self, node: Node, agent: Phones, folder: Path, sue: Softphone) -> None:
        super().__init__(folder)
        self.node, self.sue = node, sue
        self.customer, self.cleo = agent("customer"), agent("cleo")
        self.calls[self.customer] = self.customer.call("counter")
        self.customer.expect("answered", call=self.calls[self.customer])
        self.calls[self.cleo] = self.cleo.incoming()
        self.cleo.answer(self.calls[self.cleo])
        self.cleo.expect("media", call=self.calls[self.cleo], state="active")
        (self.call,) = [each["id"] for each in node.get("/v1/calls?queue=counter")["items"]]
        self.at = f"/v1/calls/{self.call}/supervision"

    def modes(self) -> list[tuple[str, str]]:
        return [(each["mode"], each["standing"]) for each in self.node.get(self.at)["items"]]

    def until(self, mode: str) -> None:
        self.node.until(f"{mode} in effect", lambda: self.modes() == [(mode, "in")], 5.0)

    def over(self) -> None:
        self.customer.hangup(self.calls[self.customer])


def _announced(floor: Floor, account: str, hers: Path) -> int:
    """She listens: both are told so, and hear nothing of what she says. What a machine that was held up tore
    is told again, for she begins anew; how often she did.
    """
    notice = read_wav(Path(PromptPack.load(floor.node.prompts).path("en", "supervision-notice")), RATE)
    for turn in turns("the notice that somebody listens"):
        floor.node.post(floor.at, {"mode": "listen", "at": account})
        floor.calls[floor.sue] = floor.sue.incoming()
        received = _heard_while(floor, hers)
        overheard = [name for name, each in received.items() if heard(read_wav(hers, RATE), each, RATE)]
        assert overheard == [], "who listens is not heard"
        untold = [name for name, each in received.items() if not heard(notice, each, RATE)]
        if not untold:
            return turn
        floor.sue.hangup(floor.calls.pop(floor.sue))
        floor.node.until("nobody listens", lambda: floor.modes() == [], 5.0)
    pytest.fail(f"{untold} are not told")


def test_she_listens_whispers_barges_in_and_takes_over(
    node: Node, agent: Phones, phone: Phones, speech: Speech, tmp_path: Path
) -> None:
    made = node.post("/v1/phones", {})
    sue, address = phone("sue"), node.address("tls")
    sue.register(
        made["account"], made["password"], made["domain"], address, transport="tls", srtp="mandatory"
    )
    floor = Floor(node, agent, tmp_path, sue)

    def turn(mode: str) -> None:
        node.ask("PATCH", f"{floor.at}/{made['account']}", {"mode": mode})

    hers = speech("please offer her the express delivery today")
    anew = _announced(floor, made["account"], hers)

    as_said = pytest.approx(0.0, abs=NEAR)
    theirs = speech("where is the parcel that I ordered")
    floor.hears(floor.customer, theirs, {"cleo": as_said, "sue": as_said})
    turn("whisper")
    floor.hears(floor.sue, hers, {"customer": SILENT, "cleo": as_said})
    turn("barge")
    floor.hears(floor.sue, hers, {"customer": as_said, "cleo": as_said})

    turn("take_over")
    floor.cleo.expect("ended", call=floor.calls.pop(floor.cleo))
    floor.hears(floor.sue, hers, {"customer": as_said})
    floor.hears(floor.customer, theirs, {"sue": as_said})
    (cleo,) = [each for each in node.get("/v1/agents")["items"] if each["name"] == "cleo"]
    assert cleo["call"] == "" and cleo["state"] != "talking"
    floor.over()
    floor.sue.expect("ended", call=floor.calls[floor.sue])
    record = node.record("counter")
    assert (record["agent"], record["reason"], record["ended_by"]) == ("console", "completed", "customer")
    told = [
        each for each in node.get(f"/v1/calls/{floor.call}/events")["items"] if "supervision" in each["kind"]
    ]
    kinds = [each["kind"].removeprefix("supervision.") for each in told]
    assert kinds == ["asked", "began", "ended"] * anew + [
        "asked",
        "began",
        "changed",
        "changed",
        "took_over",
    ]
    assert {each["data"]["who"] for each in told} == {made["account"]}
    assert {each["data"].get("by") for each in told[3 * anew :]} == {"console"}


def _heard_while(floor: Floor, hers: Path) -> dict[str, np.ndarray]:
    """What the two hear from before she answers until she has said something."""
    files = {phone: floor.folder / f"told-{phone.name}.wav" for phone in (floor.customer, floor.cleo)}
    for phone, file in files.items():
        phone.ask("record", call=floor.calls[phone], file=str(file))
    floor.sue.answer(floor.calls[floor.sue])
    floor.until("listen")
    floor.sue.ask("play", call=floor.calls[floor.sue], file=str(hers))
    floor.sue.expect("played", 10, call=floor.calls[floor.sue])
    for phone in files:
        phone.ask("stop", call=floor.calls[phone], what="record")
    return {phone.name: read_wav(file, RATE) for phone, file in files.items()}


def test_the_customer_hears_no_gap_when_she_comes_by_a_code_changes_her_mode_and_goes(
    node: Node, agent: Phones, tmp_path: Path
) -> None:
    """In one of a few times, for a machine that was held up has gaps of its own."""
    floor = Floor(node, agent, tmp_path, agent("sue"))
    noise = floor.folder / "noise.wav"
    samples = np.random.default_rng(1).normal(0.0, 3000.0, 7 * RATE)
    wavfile.write(noise, RATE, samples.clip(-32768, 32767).astype(np.int16))
    gaps: list[float] = []
    for _ in turns("a call that somebody listens to"):
        gaps.append(_gap_while_she_is_there(floor, noise))
        if gaps[-1] <= GAP_MS:
            break
    assert gaps[-1] <= GAP_MS, gaps
    floor.over()
    floor.cleo.expect("ended", call=floor.calls[floor.cleo])


def _gap_while_she_is_there(floor: Floor, noise: Path) -> float:
    """The longest, ms, of what the customer hears from cleo."""
    received = floor.folder / "received.wav"
    floor.cleo.ask("play", call=floor.calls[floor.cleo], file=str(noise))
    floor.customer.ask("record", call=floor.calls[floor.customer], file=str(received))

    own = floor.sue.call("*86cleo")
    floor.sue.expect("answered", call=own)
    floor.until("listen")
    for digit, mode in (("2", "whisper"), ("3", "barge"), ("1", "listen"), ("3", "barge")):
        floor.sue.ask("dtmf", call=own, digits=digit)
        floor.until(mode)
    floor.sue.hangup(own)
    floor.node.until("she is gone", lambda: floor.modes() == [], 5.0)
    floor.cleo.expect("played", 10, call=floor.calls[floor.cleo])
    floor.customer.ask("stop", call=floor.calls[floor.customer], what="record")
    return longest_gap_ms(read_wav(received, RATE)[: 6 * RATE])
