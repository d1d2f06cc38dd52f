"""Connections that clients begin and keep: the registrar's side of RFC 5626.

A phone names itself (`+sip.instance`) and the connection it registers over (`reg-id`); what it registers is
that connection, not an address. Globally routable URIs (RFC 5627) are not made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip.errors import Malformed
from sip.hop import Hop
from sip.message import NameAddr, Request
from sip.uri import Uri

if TYPE_CHECKING:
    from sip.registrar import Binding

OPTION = "outbound"
LACKING = 439, "First Hop Lacks Outbound Support"  # section 11.6
_HIGHEST = 2**31 - 1  # section 6


@dataclass(frozen=True, slots=True)
class Target:
    """One phone: what to call it, the proxies before it, and the connections that lead there, best first."""

    contact: Uri
    hops: tuple[Hop, ...]
    path: tuple[str, ...] = ()


def is_asked(request: Request) -> bool:
    """Whether a REGISTER asks for a connection to be registered (section 4.2.1)."""
    headers = request.headers
    if OPTION not in headers.tokens("Supported") | headers.tokens("Require"):
        return False
    return any(_reg_id(contact) is not None for contact in request.contacts)


def lacks_first_hop(request: Request) -> bool:
    """Whether it came through a proxy that does not keep the connection (section 6).

    Such a proxy puts `ob` into its Path, the last one: each proxy puts its own before the others.
    """
    if len(request.vias) < 2:
        return False
    try:
        path = request.headers.values("Path")
        return not path or not NameAddr.parse(path[-1]).uri.has("ob")
    except Malformed:
        return True


def identity_of(contact: NameAddr) -> tuple[str | None, str | None]:
    """(instance, reg-id) of a contact; a reg-id that is no number, or stands alone, means nothing."""
    instance, number = contact.param("+sip.instance") or None, _reg_id(contact)
    return instance, None if number is None else str(number)


def targets(bindings: Sequence[Binding]) -> list[Target]:
    """Each phone once, in the order given (best first).

    Several connections of one instance are one phone, which must not ring twice (section 6); those after the
    newest are its ways when that fails.
    """
    phones: dict[object, list[Binding]] = {}
    for binding in bindings:
        is_flow = binding.instance is not None and binding.reg_id is not None
        phones.setdefault(binding.instance if is_flow else binding.contact, []).append(binding)
    return [_target(flows) for flows in phones.values()]


def _target(flows: Iterable[Binding]) -> Target:
    newest, *others = sorted(flows, key=lambda binding: -binding.updated_at)
    if newest.path:  # the first proxy knows the way
        return Target(newest.contact, (), newest.path)
    hops = (newest.hop, *(other.hop for other in others if not other.path))
    return Target(newest.contact, tuple(dict.fromkeys(hops)))


def _reg_id(contact: NameAddr) -> int | None:
    text = contact.param("reg-id") or ""
    if not contact.param("+sip.instance") or not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return int(text) if 0 < int(text) <= _HIGHEST else None
