"""Addresses of people on the network, cut to where they are about: 203.0.113.x, 2001:db8:1::x.

An address is personal data. What is left is its network of 24 bits, of IPv6 of 48: who it is of, or was, is
told by neither. Private addresses (RFC 1918, RFC 4193 and their like) are nobody's outside their own house,
and stay: to see that somebody is behind a NAT takes no more.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

KEPT = {4: 24, 6: 48}  # bits
PRIVATE = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.168.0.0/16", "255.255.255.255/32", "::/128", "::1/128", "fc00::/7", "fe80::/10"),
        ),
    )
)
NUMERIC = re.compile(
    r"\d(?<![\d.]\d)\d{0,2}(?:\.\d{1,3}){3}(?!\d|\.\d)"  # a digit first: that is looked for quickly
    r"|(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.])"
)


@lru_cache(maxsize=4096)  # a ladder has few, each many times
def cut(host: str, last: str = "x") -> str:
    """An address, without what tells whose it is; what is none stays. last: stands for what is left out."""
    try:
        found = ip_address(host)
    except ValueError:
        return host
    if any(found in network for network in PRIVATE if network.version == found.version):
        return host
    return _cut(found, last)


def without(text: str, last: str = "x") -> str:
    """A text, with each address in it cut."""
    return NUMERIC.sub(lambda each: cut(each[0], last), text)


def _cut(address: IPv4Address | IPv6Address, last: str) -> str:
    network = ip_network((address, KEPT[address.version]), strict=False).network_address
    if address.version == 4:
        return f"{str(network).rpartition('.')[0]}.{last}"
    return f"{network}{'' if last == '0' else last}"
