"""Where a webhook may lead: every address that a name resolves to is looked at before anything is sent.

The connection goes to an address that was looked at, never to the name again, so that a name that means
something else a moment later leads nowhere new (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
# Where clouds tell their machines' secrets, some of them at addresses that look private like any other.
METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"))
)


class Forbidden(Exception):
    """The target may not be told."""


def allowed(addresses: Sequence[str], *, private: bool) -> list[str]:
    """The addresses, all of which may be connected to. private: whether those of private networks and of this
    machine may. Raises Forbidden for any that may not: a name that leads to both kinds is a trick.
    """
    if not addresses:
        raise Forbidden("the host has no address")
    for text in addresses:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            raise Forbidden(f"{text} is no address") from None
        reason = _against(address, private)
        if reason:
            raise Forbidden(f"{text} is {reason}; hooks do not go there")
    return list(addresses)


def _against(address: Address, private: bool) -> str:
    within = _within(address)
    if within is not None:
        return _against(within, private)
    if address in METADATA:
        return "where clouds keep secrets"
    if address.is_multicast:
        return "multicast"
    if address.is_unspecified or address.is_link_local or address == ipaddress.ip_address("255.255.255.255"):
        return "link-local or nobody's"
    if address.is_loopback or (address.is_private and not address.is_reserved):
        return "" if private else "private"
    return "" if address.is_global else "not on the Internet"


def _within(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
