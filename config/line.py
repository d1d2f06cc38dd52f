"""lines/*.yaml as values: one line (trunk) a file, named by it."""

from __future__ import annotations

from enum import StrEnum

from config.setting import (
    Count,
    Country,
    Host,
    Name,
    Network,
    Port,
    Positive,
    Text,
    Transport,
    setting,
    settings,
)


class LineKind(StrEnum):
    IP = "ip"


@settings
class LineAddress:
    host: Host = setting("DNS name or address of the gateway.")
    port: Port | None = setting("Port; found by DNS (RFC 3263) when left out.", default=None)
    transport: Transport = setting("`udp`, `tcp` or `tls`.", default="udp")
    priority: Count = setting("Lower is tried first.", default=0)
    weight: Positive = setting("Share of calls among addresses of the same priority.", default=1)


@settings
class LineSettings:
    name: Name = setting("The line's name, from the file's.", derived=True)
    enabled: bool = setting("Use the line.", default=True)
    kind: LineKind = setting("`ip`: a SIP gateway recognised by its address.", default=LineKind.IP)
    title: Text = setting("Name shown to people.", default="")
    country: Country = setting("Country whose national number format the line uses.")
    market: Name | None = setting("Market its calls belong to; the node's when left out.", default=None)
    sources: tuple[Network, ...] = setting("Networks its calls come from.", default=())
    addresses: tuple[LineAddress, ...] = setting("Gateways that calls go out to.", default=())
    max_calls: Positive = setting("Calls at once over this line.", default=100)
