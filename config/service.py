"""api.yaml and store.yaml as values: who may look in, and where what happened is kept."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Le

from config.access import AccessSettings
from config.callers import CallerSettings
from config.setting import (
    Address,
    Name,
    Origin,
    Port,
    Positive,
    SecretField,
    Text,
    Words,
    setting,
    settings,
    wrong,
)

Days = Annotated[float, Ge(0), Le(3650), Words("days")]
PerSecond = Annotated[float, Ge(0), Le(10_000), Words("number")]


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
class Pages:
    enabled: bool = setting("Serve the agent's page at /agent and the caller's at /call.", default=True)
    sip_url: Text = setting(
        "WebSocket that the agent's page speaks SIP to (wss://pbx.example.com:7443/); left out: this host's, "
        "at the port of sip.yaml's.",
        default="",
    )
    outcomes: tuple[Text, ...] = setting(
        "What an agent may choose from when she wraps up a call. The names of the default are translated.",
        default=("resolved", "callback", "forwarded", "no_result", "other"),
    )
    pause_reasons: tuple[Text, ...] = setting(
        "What an agent may choose from when she pauses. The names of the default are translated.",
        default=("break", "lunch", "meeting", "training", "paperwork"),
    )
    demo: tuple[Text, ...] = setting(
        "Numbers or names that whoever opens the caller's page may call, with a token of its own making; "
        "for trying out.",
        default=(),
    )


@settings
class ConsoleSettings:
    enabled: bool = setting(
        "Serve the console of supervisors and operators at /console; it needs the `console` extra.",
        default=True,
    )
    browsers: Positive = setting(
        "Pages of it that may be open at a time; each takes some memory.", default=200
    )
    places: Mapping[Name, tuple[float, ...]] = setting(
        "Where regions of your own naming are on its map: latitude and longitude in degrees, "
        "`{basement: [53.3, -6.3]}`. Usual names such as eu-west and codes of countries are known.",
        default={},
    )

    def __post_init__(self) -> None:
        for name, place in self.places.items():
            if len(place) != 2 or not (-90 <= place[0] <= 90 and -180 <= place[1] <= 180):
                raise wrong(f"{name} is nowhere", "give its latitude (-90 to 90) and longitude (-180 to 180)")


@settings
class Live:
    readers: Positive = setting("Who may watch at a time, programs and pages together.", default=100)
    origins: tuple[Origin, ...] = setting(
        "Pages of other hosts that may watch (https://board.example.com), beside those of this very host.",
        default=(),
    )


@settings
class ApiSettings:
    enabled: bool = setting("Serve the HTTP API.", default=True)
    address: Address = setting("Local address.", default="127.0.0.1")
    port: Port = setting("Local port.", default=8080)
    docs: bool = setting("Serve the interactive OpenAPI pages at /docs.", default=True)
    pages: Pages = setting("The pages of agents and callers.", default=Pages())
    console: ConsoleSettings = setting("The console of supervisors and operators.", default=ConsoleSettings())
    tokens: Mapping[Name, ApiToken] = setting("Who may use the API, by name.", default={})
    live: Live = setting("What goes on, told as it changes (docs/monitoring.md).", default=Live())
    access: AccessSettings = setting("People who sign in.", default=AccessSettings())
    callers: CallerSettings = setting("Callers from pages, by WHIP (RFC 9725).", default=CallerSettings())


@settings
class Traces:
    keep_days: Days = setting(
        "Days that SIP messages and quality of calls that are over are kept, without credentials; 0: none.",
        default=14.0,
    )
    per_s: PerSecond = setting(
        "Calls a second, of those that went well, that are kept so; of calls with troubles all are.",
        default=10.0,
    )


@settings
class StoreSettings:
    path: Path = setting("SQLite file, under data_dir unless absolute.", default=Path("isogloss.db"))
    url: SecretField | None = setting("SQLAlchemy URL of another database, instead of `path`.", default=None)
    commit_ms: Positive = setting("Most time that events wait to be written together.", default=10)
    max_pending: Positive = setting(
        "Events kept in memory while neither database nor disk takes them; more are lost, and counted.",
        default=100_000,
    )
    traces: Traces = setting("Why calls were bad: docs/troubleshooting.md.", default=Traces())
