"""`isogloss blocked`: sources that are answered no more, and answering one of them again."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from engine.command import terminal
from engine.command.fault import DONE, CommandFault
from engine.command.node import Node
from engine.command.terminal import Cell, Column, plain

COLUMNS = (
    *(Column("source"), Column("how"), Column("since"), Column("until"), Column("why", gives=True)),
    *(Column("tried", right=True), Column("last name", gives=True)),
)


def run(options: argparse.Namespace) -> int:
    if options.action == "lift":
        return _lift(options)
    told = Node(options).ask("GET", "/v1/sip/blocked")
    if options.json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        rows = [_row(each) for each in told["items"]]
        print("\n".join(terminal.of().table(COLUMNS, rows)) if rows else "no source is turned away")
    return DONE


def _lift(options: argparse.Namespace) -> int:
    if options.address is None:
        raise CommandFault("which source? `isogloss blocked` lists them: isogloss blocked lift ADDRESS")
    address = str(options.address).removesuffix("/64")  # as sources of IPv6 are listed
    try:
        ip_address(address)
    except ValueError:
        raise CommandFault(f"{options.address!r} is no address of a source") from None
    Node(options).fetch("DELETE", f"/v1/sip/blocked/{quote(address, safe='')}")
    if options.json:
        print(json.dumps({"lifted": options.address}))
    else:
        print(f"{options.address} is answered again. To keep one from this: guard.exempt in sip.yaml.")
    return DONE


def _row(source: dict[str, Any]) -> list[Cell | str]:
    return [
        source["source"],
        Cell(source["how"], "bad" if source["how"] == "blocked" else "poor"),
        _at(source["since"]),
        _at(source["until"]),
        source["why"].replace("_", " "),
        str(source["count"]),
        plain(source["user"]),
    ]


def _at(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone():%m-%d %H:%M:%S}"
