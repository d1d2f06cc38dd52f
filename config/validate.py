"""The edge: pydantic turns plain values into the schema's dataclasses; its errors become faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from config import fault
from config.document import Document
from config.fault import Fault, did_you_mean
from config.outline import Setting, find, settings_of
from config.secret import Secret

T = TypeVar("T")

# What pydantic says of a value of the wrong type, in an operator's words.
WRONG_TYPE = {
    "string_type": ("must be text", "put it in quotes"),
    "int_type": ("must be a whole number", "write it without quotes or fraction"),
    "float_type": ("must be a number", "write it without quotes"),
    "bool_type": ("must be true or false", "write true or false, without quotes"),
    "tuple_type": ("must be a list", "write [one, two] or a line with '- ' for each"),
    "dict_type": ("must hold settings by name", "write `name: value` lines below it"),
    "mapping_type": ("must hold settings by name", "write `name: value` lines below it"),
    "dataclass_type": ("must hold settings by name", "write `name: value` lines below it"),
    "path_type": ("must be a path", "put it in quotes"),
}


def validate(
    kind: type[T],
    document: Document,
    path: fault.Path,
    *,
    env: Mapping[str, str],
    folder: Path,
    name: str | None = None,
) -> tuple[T | None, list[Fault]]:
    """The value of type `kind` that the document holds at `path`, or None and its faults.

    name: the value's own name where it comes from a key or a file. folder: what secret files are relative to.
    """
    tree: Any = document.tree
    for step in path:
        tree = tree[step]
    if name is not None and isinstance(tree, dict):
        if "name" in tree:
            problem = "is no setting here"
            return None, [
                document.fault((*path, "name"), problem, f"remove it: the name is '{name}' already")
            ]
        tree = {**tree, "name": name}
    root: type = kind
    try:
        text = json.dumps(tree, allow_nan=False)
        value: T = _adapter(root).validate_json(text, strict=True, context={"env": env, "folder": folder})
    except ValidationError as error:
        found = [_fault(kind, document, path, each) for each in error.errors(include_url=False)]
        return None, found
    return value, []


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _fault(kind: type, document: Document, path: fault.Path, error: ErrorDetails) -> Fault:
    below = tuple(step for step in error["loc"] if step != "[key]")
    problem, remedy = _said(kind, below, error)
    where = () if below == ("name",) and "name" not in settings_of(kind) else below
    return document.fault((*path, *where), problem, remedy)


def _said(kind: type, below: fault.Path, error: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what to do; shows the value only where it cannot be a secret."""
    code, context = error["type"], error.get("ctx", {})
    setting = find(kind, below)
    if code == "isogloss":
        return context["problem"], context["remedy"]
    if code == "missing":
        sentence = f": {setting.help}" if setting else ""
        return "is missing", f"add `{below[-1]}`{sentence}"
    if code in ("unexpected_keyword_argument", "extra_forbidden"):
        return "is no setting here", _unknown(kind, below)
    if error["input"] is None and code in WRONG_TYPE:
        return "has no value", "give it one, or remove the line"
    if code in WRONG_TYPE:
        problem, remedy = WRONG_TYPE[code]
        return problem, f"{remedy} ({_expected(setting)})"
    if code in ("literal_error", "enum"):
        return f"cannot be {_shown(error['input'])}", f"write {_expected(setting)}"
    return f"{_shown(error['input'])}: {error['msg'].lower()}", f"write {_expected(setting)}"


def _unknown(kind: type, below: fault.Path) -> str:
    around = find(kind, below[:-1])
    block = around.block if around and around.block else kind
    return did_you_mean(str(below[-1]), settings_of(block))


def _expected(setting: Setting | None) -> str:
    return setting.words if setting else "what the reference says"


def _shown(value: object) -> str:
    if isinstance(value, Secret | dict | list):
        return "this"
    return json.dumps(value, ensure_ascii=False)[:60]
