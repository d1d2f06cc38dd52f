"""hooks.yaml as values: who is told what happens, by webhooks."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from annotated_types import Ge, Le, Len
from pydantic import AfterValidator

from config.secret import Secret
from config.setting import MarketName, Name, SecretField, Words, setting, settings, wrong

KINDS = (
    "call.arrived",
    "call.queued",
    "call.offered",
    "call.connected",
    "call.transferred",
    "call.ended",
    "call.wrapped_up",
    "call.rated",
)
_KIND = re.compile(r"(\*|[a-z]+\.(\*|[a-z_]+))")
_NAMED = re.compile(r"([A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?\.)*[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?")


def _url(text: str) -> str:
    """Hosts that only some resolvers take for an address (2130706433, 0x7f.1, 127.1) are none here."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise wrong(f"{text!r} is no URL", "write https://host/path") from error
    strange = not host or port == 0 or "@" in parts.netloc or parts.fragment
    if parts.scheme not in ("https", "http") or strange:
        raise wrong(f"{text!r} is no URL that may be told", "write https://host/path, without a password")
    if not text.isascii() or re.search(r"[\s\x00-\x1f]", text) or len(text) > 1024:
        raise wrong(f"{text!r} has signs that no URL has", "escape them with %")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _NAMED.fullmatch(host):
            raise wrong(f"{host!r} is no host", "write a DNS name, or an address in its usual form") from None
    return text


def _kind(text: str) -> str:
    if not _KIND.fullmatch(text):
        raise wrong(f"{text!r} is no kind of event", "write one such as call.ended, call.* or *")
    return text


def _kept(secret: Secret) -> Secret:
    if secret.generated:
        raise wrong("a former secret cannot be made up", "write {env: NAME} or {file: PATH}")
    return secret


Url = Annotated[str, AfterValidator(_url), Words("URL")]
FormerSecret = Annotated[SecretField, AfterValidator(_kept)]
Kind = Annotated[str, AfterValidator(_kind), Len(1, 64), Words("kind of event")]


@settings
class HookSettings:
    name: Name = setting("The hook's name.", derived=True)
    url: Url = setting("Where events are posted.")
    secret: SecretField = setting("What they are signed with; `whsec_` and base64, or any text.")
    former_secret: FormerSecret | None = setting(
        "The one before: events are signed with both, until every receiver knows the new one.", default=None
    )
    enabled: bool = setting("Whether it is told.", default=True)
    kinds: tuple[Kind, ...] = setting(
        "Kinds of events (docs/integrating.md); `call.*` for all of calls.", default=KINDS
    )
    queues: tuple[Name, ...] = setting("Only calls of these queues; all when left out.", default=())
    markets: tuple[MarketName, ...] = setting("Only calls of these markets; all when left out.", default=())
    personal: bool = setting(
        "Tell numbers and addresses of callers, and what agents and callers wrote.", default=False
    )
    allow_private: bool = setting(
        "Let the URL lead to private addresses and to this machine; never to link-local ones.", default=False
    )
    timeout_s: Annotated[float, Ge(1), Le(60), Words("seconds")] = setting(
        "How long an answer is waited for.", default=10.0
    )
    keep_days: Annotated[int, Ge(1), Le(30), Words("number")] = setting(
        "Days in which an event is tried again; then it is put aside, to be replayed by hand.", default=3
    )
