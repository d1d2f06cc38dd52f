"""Bodies of what is asked and told of the node's configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from config.fault import Fault
from config.reload import Change
from engine.api.plain import AT, Plain, example
from engine.editing import MOST_BYTES
from engine.history import Version
from engine.operating import Plan

FAULT = {
    "file": "config/lines/telecom-a.yaml",
    "line": 12,
    "setting": "max_calls",
    "problem": '"many": input should be a valid integer',
    "remedy": "write a number from 0 to 1,000,000",
}
CHANGE = {
    "setting": "lines.telecom-a.max_calls",
    "words": "line telecom-a: up to 60 calls instead of 30",
    "effect": "next_call",
}
VERSION = {
    "number": 7,
    "at": AT,
    "by": "console",
    "why": "telecom-a sold us more channels",
    "how": "apply",
    "of": 0,
    "forced": False,
    "changes": ["line telecom-a: up to 60 calls instead of 30"],
}
TEXT = "country: GB\naddresses: [{host: sip.carrier.example}]\ntransport: tls\nmax_calls: 60\n"
REFUSAL = "numbers that begin with +44 (GB) would have no line any more"
WARNING = "queue support: 3 callers wait in it; its agents serve them before it goes"


def wish(**values: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [values]})


class ConfigFault(BaseModel):
    """One mistake in the files."""

    model_config = example(**FAULT)

    file: str
    line: int = Field(description="From 1; 0 for the whole file.")
    setting: str = Field(description="Which one, as in `listen[1].port`; may be empty.")
    problem: str
    remedy: str = Field(description="What to do about it.")


class ConfigChecked(BaseModel):
    """What is wrong with the files of the node's folder."""

    model_config = example(ok=False, faults=[FAULT])

    ok: bool
    faults: list[ConfigFault]


class ConfigChange(BaseModel):
    """One difference, in words. Secrets are never shown."""

    model_config = example(**CHANGE)

    setting: str
    words: str
    effect: Literal["now", "next_call", "restart"] = Field(
        description="Felt by calls in progress, by the next call, or after a restart."
    )


class PlanWish(BaseModel):
    """What is to be compared with what runs."""

    model_config = wish(version=None)

    version: int | None = Field(default=None, ge=1, description="One that is kept; null for the files.")


class ConfigPlan(BaseModel):
    """What would change."""

    model_config = example(version=6, changes=[CHANGE], refusals=[REFUSAL], warnings=[WARNING])

    version: int = Field(description="The one that runs.")
    changes: list[ConfigChange]
    refusals: list[str] = Field(description="Why it is refused unless it is forced.")
    warnings: list[str] = Field(description="What is good to know before, as things are at this moment.")


class ApplyWish(BaseModel):
    """Take the files of the node's folder."""

    model_config = wish(why="telecom-a sold us more channels", force=False)

    why: Plain = Field(default="", description="For the history.")
    force: bool = Field(default=False, description="Although a destination would be left without a line.")


class RollbackWish(ApplyWish):
    """Go back to a version that ran before."""

    model_config = wish(version=6, why="callers of telecom-a hear nothing", force=False)

    version: int | None = Field(default=None, ge=1, description="Null for the one that ran before this one.")


class ConfigVersion(BaseModel):
    """A configuration that was applied."""

    model_config = example(**VERSION)

    number: int
    at: datetime
    by: str = Field(description="Whose token it was, or `node`, `watching` or `SIGHUP`.")
    why: str
    how: Literal["start", "apply", "rollback"]
    of: int = Field(description="The version that was gone back to; 0 where none was.")
    forced: bool
    changes: list[str] = Field(description="From the one that ran before, in words.")


class ConfigVersionPage(BaseModel):
    """Versions, the newest first."""

    model_config = example(items=[VERSION], next=None)

    items: list[ConfigVersion]
    next: str | None = None


class ConfigStatus(BaseModel):
    """What runs."""

    model_config = example(version=VERSION, folder="config", restart=["api.port: 8080 → 8081"], faults=[])

    version: ConfigVersion
    folder: str = Field(description="Of the files, on the node's machine.")
    restart: list[str] = Field(description="What was applied and waits for a restart.")
    faults: list[ConfigFault] = Field(description="Of the files, when they were looked at last.")


class ConfigFileName(BaseModel):
    """A file that is about calls, which may be written from here."""

    model_config = example(name="lines/telecom-a.yaml")

    name: str = Field(description="Below the node's folder.")


class ConfigFilePage(BaseModel):
    """Files by name."""

    model_config = example(items=[{"name": "lines/telecom-a.yaml"}], next=None)

    items: list[ConfigFileName]
    next: str | None = None


class ConfigText(BaseModel):
    """A file as it is written. Secrets are references in it."""

    model_config = example(name="lines/telecom-a.yaml", text=TEXT)

    name: str
    text: str


class ConfigTextWish(BaseModel):
    """A file as it is to be, whole."""

    model_config = wish(text=TEXT)

    text: str = Field(max_length=MOST_BYTES)


class ConfigWritten(ConfigChecked):
    """What is wrong with all files now that this one is written."""

    model_config = example(name="lines/telecom-a.yaml", ok=False, faults=[FAULT])

    name: str


class ConfigApplied(BaseModel):
    """What runs now."""

    model_config = example(version=VERSION, changes=[CHANGE], warnings=[])

    version: ConfigVersion
    changes: list[ConfigChange] = Field(description="Nothing where it ran already.")
    warnings: list[str]


def fault(of: Fault) -> ConfigFault:
    return ConfigFault(file=of.file, line=of.line, setting=of.path, problem=of.problem, remedy=of.remedy)


def change(of: Change) -> ConfigChange:
    said = {"setting": of.path, "words": of.words, "effect": of.effect.name.lower()}
    return ConfigChange.model_validate(said)


def version(of: Version) -> ConfigVersion:
    return ConfigVersion.model_validate(of)


def plan(of: Plan) -> ConfigPlan:
    return ConfigPlan(
        version=of.version,
        changes=[change(each) for each in of.changes],
        refusals=list(of.refusals),
        warnings=list(of.warnings),
    )
