"""Callers from pages as values: who may have them call, how often, and where they go when this node stops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from annotated_types import Ge, Le

from config.setting import Name, Origin, Positive, SecretField, setting, settings


@settings
class CallerSettings:
    keys: Mapping[Name, SecretField] = setting(
        "Secrets that callers' tokens are signed with, by key id, of 32 characters or more. Keep the former "
        "one until its tokens have expired. None: nobody calls from a page.",
        default={},
    )
    key: Name | None = setting(
        "Key that this node signs with; left out where sites sign tokens by themselves.", default=None
    )
    origins: tuple[Origin, ...] = setting(
        "Pages that may call, by origin (https://www.example.com), beside pages of the host that they call; "
        "`*` for all.",
        default=(),
    )
    token_s: Annotated[int, Ge(10), Le(86_400)] = setting(
        "How long after it was made a token may begin a call, in seconds, at most.", default=300
    )
    per_source_min: Positive = setting("Requests a minute from one address.", default=60)
    per_token_min: Positive = setting("Requests a minute with one token.", default=60)
    next_nodes: tuple[Origin, ...] = setting(
        "Where callers go when this node stops or is lost: other nodes of the same keys, best first.",
        default=(),
    )
