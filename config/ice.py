"""STUN and TURN servers as values: what browsers are told to find their way with."""

from __future__ import annotations

import re
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import AfterValidator

from config.setting import SecretField, Text, Words, setting, settings, wrong

_PLACE = r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?"
_URL = re.compile(rf"stuns?:{_PLACE}|turns?:{_PLACE}(\?transport=(udp|tcp))?")


def _url(text: str) -> str:
    if not _URL.fullmatch(text):
        raise wrong(
            f"{text!r} is no STUN or TURN server",
            "write stun:HOST:PORT, turn:HOST:PORT or turns:HOST:PORT?transport=tcp (RFC 7064, RFC 7065)",
        )
    return text


IceUrl = Annotated[str, AfterValidator(_url), Words("STUN or TURN URL")]


@settings
class IceServer:
    """One server. TURN needs a password: one that stands, or a shared secret that others are made from."""

    urls: tuple[IceUrl, ...] = setting("Its addresses: `stun:…`, `turn:…`, `turns:…?transport=tcp`.")
    username: Text = setting("User name, with `credential`.", default="")
    credential: SecretField | None = setting("Password that stands.", default=None)
    secret: SecretField | None = setting(
        "Secret shared with the server (coturn's `static-auth-secret`): names and passwords that are good "
        "for `lifetime_s` are made from it.",
        default=None,
    )
    lifetime_s: Annotated[int, Ge(60), Le(604_800)] = setting(
        "How long such a password is good, in seconds; longer than calls last.", default=86_400
    )

    @property
    def relays(self) -> bool:
        """Whether it is a TURN server."""
        return any(url.startswith("turn") for url in self.urls)
