"""One call as a person reads it: who, when, what happened and why, how it sounded, what went wrong."""

from __future__ import annotations

import io
from pathlib import Path

import dpkt
import pytest

from engine.api.schemas import CALL
from engine.command.call import _head
from engine.command.terminal import Terminal
from tests.engine.command.stand import Served, Shell
from tests.engine.insight.samples import entry


def test_a_call_that_is_over_is_told_whole(asks: Shell, served: Served) -> None:
    served.node.journal["r1"] = [
        entry("call.arrived"),
        entry("call.offered", 2.5, 2, agent="alice", why="longest idle of 3"),
        entry("call.line_unreached", 3.0, 3, line="carrier", what="the name was not found: pbx.example.com"),
    ]
    said = asks("call", "show", "r1")
    assert said.status == 0, said.err
    told = said.lines
    assert told[0].startswith("Call r1: ")
    offered = ["2.50", "s", "queue", "offered", "agent", "alice:", "longest", "idle", "of", "3"]
    assert offered in [line.split() for line in told]
    assert any(line.split()[:3] == ["1", "customer", "PCMA"] for line in told)
    assert "What went wrong" in told and "SIP" not in told


def test_what_went_wrong_is_told_in_the_language_that_was_asked_for(asks: Shell, served: Served) -> None:
    english = asks("call", "show", "r1", "--json").json["diagnosis"]["sentence"]
    spanish = asks("call", "show", "r1", "--json", "--language", "es").json["diagnosis"]["sentence"]
    assert english != spanish
    assert f"  {spanish}" in asks("call", "show", "r1", "--language", "es").lines


def test_the_ladder_has_every_message_with_its_direction(asks: Shell) -> None:
    lines = asks("call", "show", "r1", "--sip").lines
    ladder = [line.split()[2:] for line in lines[lines.index("SIP") + 1 :]]
    assert ladder[0] == ["customer", "203.0.113.9:5060", "──▶", "node", "INVITE", "sip:200@pbx"]
    assert ladder[1] == ["customer", "203.0.113.9:5060", "◀──", "node", "100", "Trying"]
    assert len(ladder) == 6
    whole = asks("call", "show", "r1", "--text")
    assert "    Call-ID: c1@far" in whole.lines and "6629fae49393" not in whole.out


def test_a_capture_is_written_to_a_file_or_a_pipe(
    asks: Shell, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "r1.pcap"
    assert asks("call", "show", "r1", "--pcap", file).status == 0
    assert len(list(dpkt.pcap.Reader(io.BytesIO(file.read_bytes())))) == 6
    said = asks("call", "show", "r1", "--pcap", tmp_path / "nowhere" / "x.pcap")
    assert said.status == 2 and "nowhere/x.pcap cannot be written (No such file or directory)" in said.err


def test_a_call_in_progress_is_told_as_it_stands(asks: Shell) -> None:
    said = asks("call", "show", "c1", "--json").json
    assert said["call"]["state"] == "talking" and said["record"] is None
    assert asks("call", "show", "c1").lines[0].startswith("Call c1: talking since ")


@pytest.mark.parametrize("id", ["nobody", "..", "a/b", "c1?x=1"])
def test_a_call_that_nobody_knows_is_not_there(asks: Shell, id: str) -> None:
    said = asks("call", "show", id)
    assert said.status == 2 and said.err.startswith("isogloss call show: ")


def test_what_a_caller_says_of_herself_moves_no_cursor() -> None:
    call = {**CALL, "customer": "\x1b[2J\u202e+34"}
    told = "\n".join(_head({"call": call, "record": None}, Terminal(columns=80)))
    assert "\x1b" not in told and "\u202e" not in told and "[2J" in told
