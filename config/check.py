"""What must hold across settings and files, beyond each value being sound by itself."""

from __future__ import annotations

from collections.abc import Iterator

from config.cluster_faults import cluster_faults
from config.fault import Fault
from config.line_faults import line_faults
from config.listeners import listener_faults
from config.market_faults import market_faults
from config.order import order_faults
from config.parts import Parts
from config.proxy_faults import proxy_faults
from config.references import reference_faults


def check(parts: Parts) -> Iterator[Fault]:
    """Every fault between the sound parts of a configuration."""
    yield from order_faults(parts)
    yield from listener_faults(parts)
    yield from reference_faults(parts)
    yield from line_faults(parts)
    yield from cluster_faults(parts)
    yield from proxy_faults(parts)
    yield from market_faults(parts)
