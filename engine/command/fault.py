"""How commands end.

CommandFault <- Unreachable, NotDone; others where they belong. Each says what was wrong, where, and what to
do; engine/cli.py prints it.
"""

from __future__ import annotations

from typing import Any

DONE = 0
REFUSED = 1  # the answer is no: the line failed, the log is not whole, it takes --force
FAULTY = 2  # it could not be done: a fault in the files or the words, no node, no right to it
INTERRUPTED = 130  # by Ctrl-C
UNREAD = 141  # who read the output has gone

Told = dict[str, Any]


class CommandFault(Exception):
    """A command cannot be done."""


class Unreachable(CommandFault):
    """No node answers, or none that lets us in."""


class NotDone(CommandFault):
    """The node answered with a problem (RFC 9457). more: what else to say of it."""

    def __init__(self, problem: Told, more: str = "") -> None:
        detail = str(problem.get("detail") or "the node refused it")
        faults = [f"\n  {each['where']}: {each['what']}" for each in problem.get("errors", ())]
        super().__init__("".join([detail, f"; {more}" if more else "", *faults]))
        self.problem = problem
