"""The STUN and TURN servers that browsers are told of, with passwords of their own where there is a secret.

Passwords made from a secret are those of coturn and its like (draft-uberti-behave-turn-rest-00): the name is
the epoch second at which it expires and whose it is, the password its HMAC-SHA1 under the shared secret.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from config.ice import IceServer


@dataclass(frozen=True, slots=True)
class Told:
    """One server, as a browser's RTCIceServer has it; no user name: no password is needed."""

    urls: tuple[str, ...]
    username: str = ""
    credential: str = ""

    def links(self) -> Iterator[str]:
        """Values of Link headers (RFC 9725 section 4.6), one an address."""
        for url in self.urls:
            known = f'; username="{_quoted(self.username)}"; credential="{_quoted(self.credential)}"'
            yield f'<{url}>; rel="ice-server"' + (
                f'{known}; credential-type="password"' if self.username else ""
            )


def told(servers: Sequence[IceServer], whose: str, now: float) -> list[Told]:
    """As they are told to somebody. whose: a name without colons. now: epoch seconds."""
    return [_told(server, whose, now) for server in servers]


def _told(server: IceServer, whose: str, now: float) -> Told:
    if not server.relays:
        return Told(server.urls)
    if server.secret is not None:
        username = f"{int(now) + server.lifetime_s}:{whose}"
        digest = hmac.digest(server.secret.reveal().encode(), username.encode(), hashlib.sha1)
        return Told(server.urls, username, base64.b64encode(digest).decode())
    return Told(server.urls, server.username, server.credential.reveal() if server.credential else "")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
