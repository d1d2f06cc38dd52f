"""By what name measurements of a caller's way are kept: her network, no closer than that."""

from __future__ import annotations

import ipaddress

V4, V6 = 24, 48  # bits that neighbours share


def network_of(address: str) -> str:
    """The name of an address's network; empty for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    net = ipaddress.ip_network((mapped, V4 if mapped.version == 4 else V6), strict=False)
    return f"net {net}"


def line_of(name: str) -> str:
    return f"line {name}"
