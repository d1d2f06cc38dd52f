"""`isogloss audit verify`: whether the audit log is whole. Exit status: 1 where it is not."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from engine.access.proof import proof, told
from engine.command.books import opened, show
from engine.command.fault import DONE, REFUSED


def run(options: argparse.Namespace) -> int:
    with opened(options) as books:
        found = proof(books.trail, books.data, books.node)
    said = [told(found)]
    if found.whole and found.spilled_bytes:
        said.append("Entries wait on disk for the store; the node brings them in.")
    show(options, asdict(found), said)
    return DONE if found.whole else REFUSED
