"""Via header field values (RFC 3261 section 20.42, RFC 3581 for rport)."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from ipaddress import AddressValueError, IPv6Address
from typing import Any

from sip.errors import MalformedHeader
from sip.headers import Params, format_params, parse_params

MAGIC_COOKIE = "z9hG4bK"
DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "sctp": 5060, "tls": 5061, "ws": 80, "wss": 443}

# Any version is read, so that a request of a version we do not speak can still be answered (505).
_VIA = re.compile(
    r"[Ss][Ii][Pp]\s*+/\s*+[0-9]{1,3}+\.[0-9]{1,3}+\s*+/\s*+([A-Za-z0-9\-.!%*_+`'~]{1,32}+)\s++"
    r"([A-Za-z0-9_.\-]{1,255}+|\[[0-9A-Fa-f:.]{2,45}+\])"
    r"(?:\s*+:\s*+([0-9]{1,5}+))?\s*+(?:;(.*))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Via:
    """One hop of a message's way. transport: upper case. host: lower case, IPv6 without brackets."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    @staticmethod
    def parse(text: str) -> Via:
        """Read one Via value. Raises MalformedHeader."""
        found = _VIA.fullmatch(text)
        if found is None:
            raise MalformedHeader("Via")
        transport, host, port, params = found.groups()
        if host[0] == "[":
            try:
                host = str(IPv6Address(host[1:-1]))
            except AddressValueError as error:
                raise MalformedHeader("Via address") from error
        if port is not None and not 0 < int(port) < 65536:
            raise MalformedHeader("Via port")
        via: Via = _new(Via)
        _set_transport(via, transport.upper())
        _set_host(via, host.lower())
        _set_port(via, None if port is None else int(port))
        _set_params(via, parse_params(params) if params else ())
        return via

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {host}{port}{format_params(self.params)}"

    def param(self, name: str) -> str | None:
        """The value of a parameter, "" when it is a flag, None when it is not there."""
        for key, value in self.params:
            if key == name:
                return value or ""
        return None

    @property
    def branch(self) -> str | None:
        """The branch, which names the transaction when it begins with MAGIC_COOKIE.

        None when there is none, and when nothing follows the cookie: that names nothing (RFC 4475
        section 3.2.1) and leaves the rules of RFC 2543.
        """
        value = self.param("branch")
        return value if value and value != MAGIC_COOKIE else None

    @property
    def rport(self) -> int | None:
        """The source port the server saw; 0 when asked for and not yet filled in; None when not asked for."""
        value = self.param("rport")
        if value is None:
            return None
        return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 0

    @property
    def received(self) -> str | None:
        """The source address the server saw, IPv6 without brackets, or None."""
        value = self.param("received")
        return value.strip("[]") if value else None

    def stamped(self, host: str, port: int) -> Via:
        """A copy with the source the message came from (RFC 3261 section 18.2.1, RFC 3581 section 4).

        What the sender had written into `received` and `rport` itself is not believed.
        """
        asked = self.param("rport") is not None
        params = [(key, value) for key, value in self.params if key not in ("received", "rport")]
        if asked or host != self.host:
            params.append(("received", host))
        if asked:
            params.append(("rport", str(port)))
        return replace(self, params=tuple(params))

    @property
    def reply_to(self) -> tuple[str, int]:
        """Where a response goes over an unreliable transport (RFC 3261 section 18.2.2, RFC 3581)."""
        port = self.port or DEFAULT_PORTS.get(self.transport.lower(), 5060)
        host = self.param("maddr") or self.received or self.host
        return host, self.rport or port


# As in sip.uri: the generated initialiser of a frozen dataclass takes as long as reading the value.
_new: Any = object.__new__
_slots: tuple[Any, ...] = tuple(Via.__dict__[field.name].__set__ for field in fields(Via))
_set_transport, _set_host, _set_port, _set_params = _slots
