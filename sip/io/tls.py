"""TLS contexts for SIP (RFC 3261 section 26.2, RFC 5922): ours as a server, and ours as a client."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """PEM files. ca: what certificates of others are checked against, the system's store when None. known:
    servers that the system's store vouches for are believed beside those of `ca`.

    verify_clients: "none" as for softphones, "optional" or "required" for lines that bring certificates.
    verify_servers: False believes any server we connect to, which only a closed network can afford.
    """

    certificate: Path
    key: Path
    ca: Path | None = None
    verify_clients: Literal["none", "optional", "required"] = "none"
    verify_servers: bool = True
    known: bool = False


class TlsContexts:
    """Both contexts, of TLS 1.2 and later; `reload` takes renewed files for connections to come."""

    def __init__(self, settings: TlsSettings) -> None:
        """Raises OSError or ssl.SSLError when the files cannot be read or do not fit one another."""
        self.settings = settings
        self.server = _server(settings)
        self.client = _client(settings)

    def reload(self) -> None:
        """Read certificate and key again; what is open goes on as it is. Raises as `__init__`."""
        for context in (self.server, self.client):
            context.load_cert_chain(self.settings.certificate, self.settings.key)


_VERIFY = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


def _server(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate, settings.key)
    context.verify_mode = _VERIFY[settings.verify_clients]
    if settings.verify_clients != "none":
        _trust(context, settings, ssl.Purpose.CLIENT_AUTH)
    return context


def _client(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.certificate, settings.key)  # lines may ask for it
    if settings.verify_servers:
        _trust(context, settings, ssl.Purpose.SERVER_AUTH)
        if settings.known and settings.ca is not None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trust(context: ssl.SSLContext, settings: TlsSettings, purpose: ssl.Purpose) -> None:
    if settings.ca is None:
        context.load_default_certs(purpose)
    else:
        context.load_verify_locations(settings.ca)
