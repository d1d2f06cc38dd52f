"""What settings there are, read from the schema: for the reference, and for the remedies in faults."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le

from config.setting import Words


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its sentence, its type in words, its default, and the block below it if it has one."""

    name: str
    help: str
    words: str
    required: bool
    default: Any
    block: type | None


@cache
def settings_of(block: type) -> Mapping[str, Setting]:
    """The settings an operator may write in a block, by name."""
    hints = get_type_hints(block, include_extras=True)
    return {each.name: setting for each in dataclasses.fields(block) for setting in _setting(each, hints)}


def find(root: type, path: tuple[str | int, ...]) -> Setting | None:
    """The setting at `path` below a block; indices and names of entries are stepped over."""
    found: Setting | None = None
    block: type | None = root
    for name in path:
        if block is None:
            break
        setting = settings_of(block).get(str(name))
        if setting is not None:
            found, block = setting, setting.block
    return found


def block_below(annotation: Any) -> type | None:
    """The dataclass that a type holds: itself, its items, its values."""
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return annotation if hasattr(annotation, "__pydantic_config__") else None
    if get_origin(annotation) is Literal:
        return None
    return next((block for each in get_args(annotation) if (block := block_below(each))), None)


def words(annotation: Any) -> str:
    """A type as an operator would say it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments)
    if origin is Literal:
        return either([str(each) for each in arguments])
    if origin in (Union, types.UnionType):
        return words(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return f"list of {words(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"{words(arguments[1])} by {words(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return either([each.value for each in annotation])
    plain = {bool: "true or false", int: "number", float: "number", str: "text", Path: "path"}
    return plain.get(annotation, "block")


def either(choices: list[str]) -> str:
    quoted = [f"`{each}`" if each else "empty" for each in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _setting(each: dataclasses.Field[Any], hints: Mapping[str, Any]) -> Iterator[Setting]:
    if each.metadata.get("derived"):
        return
    default = each.default
    if each.default_factory is not dataclasses.MISSING:
        default = each.default_factory()
    required = default is dataclasses.MISSING
    annotation = hints[each.name]
    yield Setting(
        name=each.name,
        help=each.metadata.get("help", ""),
        words=words(annotation),
        required=required,
        default=None if required else default,
        block=block_below(annotation),
    )


def _annotated(arguments: tuple[Any, ...]) -> str:
    name = next((each.text for each in arguments if isinstance(each, Words)), words(arguments[0]))
    above = next((each.gt for each in arguments if isinstance(each, Gt)), None)
    low = next((each.ge for each in arguments if isinstance(each, Ge)), None)
    high = next((each.le for each in arguments if isinstance(each, Le)), None)
    if low is None and above is None:
        return name
    start = f"from {low:,}" if low is not None else f"over {above:,}"
    return f"{name} {start} to {high:,}"
