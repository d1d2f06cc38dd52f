"""Which hosts can be reached from where, as far as their names and numbers tell."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=4096)
def is_numeric(host: str) -> bool:
    """Whether a host is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def is_public(host: str) -> bool:
    """Whether a host means the same everywhere: a public address, or a name somebody can look up."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(".invalid")  # RFC 2606; contacts of RFC 7118 section 5
