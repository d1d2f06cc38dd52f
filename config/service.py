"""api.yaml and store.yaml as values: who may look in, and where what happened is kept."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from config.callers import CallerSettings
from config.setting import Address, Name, Port, Positive, SecretField, setting, settings


class ApiRole(StrEnum):
    VIEWER = "viewer"
    OPERATOR = "operator"
    SITE = "site"


@settings
class ApiToken:
    token: SecretField = setting("The bearer token.")
    role: ApiRole = setting(
        "`viewer` may read, `operator` may also change, `site` may have tokens made for its callers and "
        "nothing else.",
        default=ApiRole.VIEWER,
    )


@settings
class ApiSettings:
    enabled: bool = setting("Serve the HTTP API.", default=True)
    address: Address = setting("Local address.", default="127.0.0.1")
    port: Port = setting("Local port.", default=8080)
    docs: bool = setting("Serve the interactive OpenAPI pages at /docs.", default=True)
    tokens: Mapping[Name, ApiToken] = setting("Who may use the API, by name.", default={})
    callers: CallerSettings = setting("Callers from pages, by WHIP (RFC 9725).", default=CallerSettings())


@settings
class StoreSettings:
    path: Path = setting("SQLite file, under data_dir unless absolute.", default=Path("isogloss.db"))
    url: SecretField | None = setting("SQLAlchemy URL of another database, instead of `path`.", default=None)
    commit_ms: Positive = setting("Most time that events wait to be written together.", default=10)
    max_pending: Positive = setting(
        "Events kept in memory while neither database nor disk takes them; more are lost, and counted.",
        default=100_000,
    )
