"""Calls by SIP that another node is nearer to are sent on to it, once: 302 with its Contact (RFC 3261).

Not those of our own accounts, whose phones are registered here, nor those of browsers, whose pages chose a
node already. The Contact has a parameter that tells the other node that it was sent on: none goes round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.cluster.source import network_of
from sip.errors import SipError
from sip.hop import WEBSOCKETS
from sip.uri import Uri

if TYPE_CHECKING:
    from engine.switch import Switch
    from sip.events import IncomingCall

SENT_ON = "isogloss-near"
MOST = 3  # contacts; the caller tries them in turn


def nearer(switch: Switch, event: IncomingCall, now: float) -> Sequence[Uri]:
    """Where else the call should go, best first; empty when it is to be taken here."""
    cluster, uri = switch.cluster, event.request.uri
    if cluster is None or not switch.config.cluster.near.redirect or event.identity.kind == "user":
        return ()
    if event.source.transport in WEBSOCKETS or any(name == SENT_ON for name, _ in uri.params):
        return ()
    line = event.identity.name if event.identity.kind == "line" else ""
    known = switch.config.lines.get(line)
    demand = cluster.demand(
        source="" if line else network_of(event.source.host),
        line=line,
        number=event.request.from_.uri.user or "",
        market=known.market if known and known.market else "",
        kind="sip",
        last=cluster.name,
    )
    order = cluster.nearest(demand, now).order
    if not order or order[0] == cluster.name:
        return ()
    others = (name for name in order if name != cluster.name)
    members = cluster.membership.members
    found = (_contact(members[name].sip, uri, cluster.name) for name in others if name in members)
    contacts = [each for each in found if each is not None][:MOST]
    cluster.sent_on += bool(contacts)
    return contacts


def _contact(told: Sequence[str], dialled: Uri, here: str) -> Uri | None:
    """A node's address with what was dialled; None for one that cannot be read."""
    try:
        to = Uri.parse(told[0]) if told else None
    except SipError:
        return None
    if to is None:
        return None
    return replace(to, user=dialled.user, params=(*to.params, (SENT_ON, here)))
