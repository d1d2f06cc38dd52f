"""Who listens where on this machine: two settings that want one port are found before the kernel does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.fault import Fault
from config.fault import Path as SettingPath
from config.parts import Parts

EVERY = ("0.0.0.0", "::")


@dataclass(frozen=True, slots=True)
class _Claim:
    """Ports `low` to `high` of an address, over UDP or TCP, and the setting that claims them."""

    kernel: str
    address: str
    low: int
    high: int
    file: str
    path: SettingPath
    what: str

    def meets(self, other: _Claim) -> bool:
        same_address = self.address == other.address or self.address in EVERY or other.address in EVERY
        return (
            self.kernel == other.kernel and same_address and self.low <= other.high and other.low <= self.high
        )


def listener_faults(parts: Parts) -> Iterator[Fault]:
    if parts.sip and not parts.sip.listen:
        remedy = "add a line such as - {transport: udp, port: 5060}"
        yield parts.fault("sip", ("listen",), "is empty: no phone could reach the node", remedy)
    claims: list[_Claim] = []
    for claim in _claims(parts):
        taken = next((other for other in claims if claim.meets(other)), None)
        if taken is not None:
            problem = f"{claim.what} on {claim.address} is taken by {taken.what} ({taken.file}.yaml)"
            yield parts.fault(claim.file, claim.path, problem, "choose another port or address")
        claims.append(claim)


def _claims(parts: Parts) -> Iterator[_Claim]:
    for at, each in enumerate(parts.sip.listen if parts.sip else ()):
        kernel = "udp" if each.transport == "udp" else "tcp"
        what = f"SIP {each.transport} port {each.port}"
        path = (
            ("listen", at, "port")
            if parts.documents["sip"].tree["listen"][at].get("port")
            else ("listen", at)
        )
        yield _Claim(kernel, each.address, each.port, each.port, "sip", path, what)
    if parts.api and parts.api.enabled:
        port = parts.api.port
        yield _Claim("tcp", parts.api.address, port, port, "api", ("port",), f"API port {port}")
    if parts.cluster and not parts.cluster.alone:
        between = parts.cluster.between
        for kernel in ("udp", "tcp"):
            what = f"port {between.port} between nodes"
            yield _Claim(
                kernel, between.address, between.port, between.port, "cluster", ("between", "port"), what
            )
    if parts.media and parts.media.port_low <= parts.media.port_high:
        low, high = parts.media.port_low, parts.media.port_high
        what = f"the RTP range {low}–{high}"
        yield _Claim("udp", parts.media.address, low, high, "media", ("port_low",), what)
