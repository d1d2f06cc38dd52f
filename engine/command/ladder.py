"""A call's SIP ladder as text: what came in from the far ends, and what this node sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.command.fault import Told
from engine.command.terminal import Cell, Column, Terminal, plain, said

IN, OUT = "──▶ node", "◀── node"
RUNGS = (
    *(Column("", right=True), Column("side"), Column("who"), Column("far end"), Column("")),
    Column("message", gives=True),
    Column(""),
)


def drawn(told: Told | None, on: Terminal, *, whole: bool) -> Iterator[str]:
    """told: the API's answer, None where nothing is kept. whole: every message's text, below its line."""
    if told is None or not told["messages"]:
        yield "  no messages are kept of it"
        return
    messages = told["messages"]
    lines = on.table(RUNGS, [_rung(each) for each in messages])[1:]
    for line, each in zip(lines, messages):
        yield line
        if whole:
            yield from (f"    {text}" for text in said(each["text"]))
            yield ""
    if told["omitted"]:
        yield f"  {told['omitted']} messages were left out, for there were too many"


def _rung(message: dict[str, Any]) -> list[Cell | str]:
    bad = message["fault"] or message["status"] >= 400
    first = message["first"].removesuffix(" SIP/2.0").removeprefix("SIP/2.0 ")
    return [
        f"{message['t']:.3f} s",
        message["side"],
        plain(message["who"]),
        message["remote"],
        IN if message["inward"] else OUT,
        Cell(plain(first), "bad" if bad else ""),
        message["fault"] or ("again" if message["repeated"] else ""),
    ]
