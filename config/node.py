"""node.yaml as values: who the node is and what it takes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from config.hook import Url
from config.setting import (
    Country,
    Language,
    MarketName,
    Name,
    Positive,
    Seconds,
    SecretField,
    SomeSeconds,
    setting,
    settings,
)


@settings
class Limits:
    max_calls: Positive = setting("Calls at once; more are answered 503 with Retry-After.", default=500)
    max_calls_per_s: Positive = setting(
        "New calls a second; more are answered 503 with Retry-After.", default=50
    )
    max_call_s: SomeSeconds = setting("Longest call, in seconds; it is ended then.", default=14_400.0)


@settings
class Log:
    level: Literal["debug", "info", "warning", "error"] = setting(
        "Least severe message that is logged.", default="info"
    )
    format: Literal["text", "json"] = setting(
        "`text` for a terminal, `json` for a log collector.", default="text"
    )


@settings
class Changes:
    watch: bool = setting(
        "Apply files that changed by themselves, where they have no fault and leave no destination without a "
        "line.",
        default=False,
    )
    settle_s: Annotated[float, Ge(0.2), Le(3600)] = setting(
        "How long files must have rested before that, in seconds.", default=2.0
    )
    kept: Annotated[int, Ge(2), Le(1000)] = setting(
        "Applied configurations that are kept, to go back to.", default=50
    )


@settings
class Traces:
    url: Url | None = setting(
        "Where they are posted, by OTLP over HTTP (http://collector:4318/v1/traces); left out: nowhere.",
        default=None,
    )
    authorization: SecretField | None = setting("The Authorization header for it.", default=None)


@settings
class NodeSettings:
    name: Name = setting("This node's name, unique in the cluster; it stands in every record.")
    region: Name = setting(
        "Where the node is, in the operator's own words; calls prefer nodes of their region."
    )
    market: MarketName = setting("Market that calls belong to when neither queue nor line says so.")
    country: Country = setting("Country whose national number format is understood when dialled.")
    language: Language = setting("Language of prompts when the queue does not say.", default="en")
    data_dir: Path = setting(
        "Folder for the journal, records, generated secrets and prompts.", default=Path("var")
    )
    drain_s: Seconds = setting("How long a stopping node lets calls finish, in seconds.", default=30.0)
    limits: Limits = setting("What the node takes on before it refuses.", default=Limits())
    log: Log = setting("What is logged and how.", default=Log())
    traces: Traces = setting("OpenTelemetry traces of calls (docs/monitoring.md).", default=Traces())
    changes: Changes = setting("How the node takes another configuration.", default=Changes())
