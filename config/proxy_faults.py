"""Who may say where calls come from: our own proxies, and nobody who could be somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from config.fault import Fault
from config.parts import Parts, sound

# Addresses of one network, or as many /64 of IPv6: a cluster's own network is no more.
MOST = 65_536


def proxy_faults(parts: Parts) -> Iterator[Fault]:
    """A proxy that is believed can name any line as the source, so that lines must not lie among proxies."""
    for at, text in enumerate(parts.sip.trusted_proxies if parts.sip else ()):
        network, path = ip_network(text), ("trusted_proxies", at)
        if network.num_addresses > (MOST if network.version == 4 else MOST << 64):
            problem = f"{text} would let {network.num_addresses:,} addresses say that they are any line"
            yield parts.fault("sip", path, problem, "name your proxies alone, such as 10.0.0.5/32")
            continue
        for name, line in sound(parts.lines):
            sources = map(ip_network, line.sources if line.enabled else ())
            if any(each.version == network.version and network.overlaps(each) for each in sources):
                problem = f"{text} holds a source of line '{name}', which could then say that it is any other"
                yield parts.fault("sip", path, problem, "name your proxies alone")
