"""A probe's ticket: an account of its own at this node for one call, and what the node sees of that call.

The call of a ticket goes out over its line whatever number is dialled. Where it comes in again over a line of
ours it is known by the number that was probed, and led to an echo: if that number leads to one anyway, or if
the caller is who we had shown. What arrived is noted for the verdict.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.events import CallRecord
from engine.line_events import LineUsed
from routing.identity import ANONYMOUS
from routing.number import Callers, Echo, Found, LineTarget, Rule, bare, normalise
from sip.digest import Secret

if TYPE_CHECKING:
    from config.line import LineSettings
    from engine.call import Call

MOST = 8
ACCOUNT = "probe-"
MAX_DIGITS = 32


@dataclass(slots=True)
class Ticket:
    """number: E.164, or as dialled. near: our address on this machine, where the phone is. call: the id of
    its call. shown: who was to be shown as the caller. codec: on the line. used: what became of the way over
    the line. caller: who was shown when it came in again, None until it has. digits: that arrived then.
    """

    line: str
    number: str
    account: str
    password: str = field(repr=False)
    near: str = ""
    call: str = ""
    shown: str = ""
    codec: str = ""
    used: LineUsed | None = None
    caller: str | None = None
    digits: str = ""


class Tickets:
    """Those of a node. They are few, and held for a minute."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._tickets: dict[str, Ticket] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def open(self, line: str, number: str, near: str = "") -> Ticket | None:
        """None where there are enough."""
        if len(self._tickets) >= MOST:
            return None
        account = f"{ACCOUNT}{self._rng.getrandbits(48):012x}"
        ticket = Ticket(line, number, account, f"{self._rng.getrandbits(128):032x}", near)
        self._tickets[account] = ticket
        return ticket

    def close(self, ticket: Ticket) -> None:
        self._tickets.pop(ticket.account, None)

    def probing(self, line: str, number: str) -> bool:
        """Whether the line is being probed, or the number over any line."""
        return any(each.line == line or each.number == number for each in self._tickets.values())

    def secret(self, user: str) -> Secret | None:
        """What a probe proves that it knows."""
        ticket = self._tickets.get(user)
        return Secret(ticket.password) if ticket is not None else None

    # --- calls --------------------------------------------------------------------------------------

    def leads_to(self, account: str) -> Found | None:
        """Where a call of that account goes, if it is a probe's."""
        ticket = self._tickets.get(account)
        if ticket is None:
            return None
        return Found(Rule("probe", LineTarget((ticket.line,)), Callers.USERS), ticket.number)

    def began(self, account: str, call: Call) -> None:
        """That call is here: its sound is to be left as it is."""
        ticket = self._tickets.get(account)
        if ticket is not None and not ticket.call:
            ticket.call, call.repair = call.id, "off"
            if call.customer is not None:
                call.customer.near = ticket.near

    def arrives(self, call: Call, number: str, found: Found | None) -> Found | None:
        """Where a call that came in over a line goes if it is a probe's that went out, None if it is not."""
        for ticket in self._tickets.values():
            out = call.switch.calls.get(ticket.call)
            if out is None or ticket.caller is not None or number != ticket.number:
                continue
            line = call.switch.config.lines.get(ticket.line)
            ticket.shown = _number(out.shown.user if out.shown is not None else "", line)
            echoes = found is not None and isinstance(found.destination, Echo)
            if echoes or (ticket.shown and call.caller == ticket.shown):
                ticket.caller, call.probed = call.caller, ticket
                return found if echoes else _echo(number)
        return None

    def notice(self, event: object) -> None:
        """What became of a ticket's call, and of its way over the line."""
        for ticket in self._tickets.values():
            if isinstance(event, LineUsed) and event.call == ticket.call and event.direction == "out":
                ticket.used = event
            elif isinstance(event, CallRecord) and event.call == ticket.call:
                ticket.codec = event.agent_codec


def _number(written: str, line: LineSettings | None) -> str:
    """E.164 of what was written as the line writes numbers; "" for nobody's."""
    return "" if written in ("", ANONYMOUS) or line is None else normalise(bare(written), line.country)


def pressed(ticket: Ticket | None, digit: str) -> None:
    """A digit arrived at the far end of a probe's call, which is ours."""
    if ticket is not None and len(ticket.digits) < MAX_DIGITS:
        ticket.digits += digit


def _echo(number: str) -> Found:
    return Found(Rule("probe", Echo()), number)
