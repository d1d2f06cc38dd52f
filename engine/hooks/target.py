"""Where a webhook may lead: every address that a name resolves to is looked at before anything is sent.

The connection goes to an address that was looked at, never to the name again, so that a name that means
something else a moment later leads nowhere new (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
# Where clouds tell their machines' secrets, some of them at addresses that look like any other.
METADATA = frozenset(
    map(
        ipaddress.ip_address,
        (
            *("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"),
            *("100.100.100.200", "192.0.0.192", "168.63.129.16", "fd20:ce::254"),
        ),
    )
)
# What IANA's registries of special purposes (RFC 6890) call not globally reachable. Lists of our own, for
# Python's differ from one release to the next.
PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
            *("198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"),  # tests and documents
            *("2001:db8::/32", "3fff::/20"),
        ),
    )
)
NOWHERE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4"),
            "2001::/23",  # but for Teredo, which was looked into before
        ),
    )
)
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that leads anywhere on the Internet


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
    if _of(address, PRIVATE):
        return "" if private else "private"
    outside = address.version == 6 and address not in UNICAST
    return "not on the Internet" if outside or _of(address, NOWHERE) else ""


def _of(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in each for each in networks)


def _within(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
