"""One YAML file as plain values that remember their lines.

YAML 1.2: yes and no are words, not booleans, and a number written as a key is a number; both are caught here
or by validation with the advice to use true, false and quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from config import fault
from config.fault import Fault, dotted

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 12
QUOTE = "put it in quotes"


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content: `tree` of dict, list, str, int, float, bool and None; `lines` by path, from 1.

    broken: nothing could be read, so nothing is known of what the file holds.
    """

    file: str
    tree: dict[str, Any] = field(default_factory=dict)
    lines: Mapping[fault.Path, int] = field(default_factory=dict)
    broken: bool = False

    def line(self, path: fault.Path) -> int:
        """The line of `path`, or of the nearest thing around it that is written down."""
        for end in range(len(path), 0, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def fault(self, path: fault.Path, problem: str, remedy: str) -> Fault:
        return Fault(self.file, self.line(path), dotted(path), problem, remedy)


def read(path: Path, file: str) -> tuple[Document, list[Fault]]:
    """The document at `path`, called `file` in faults; an empty one with faults when it cannot be read."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        text = data.decode()
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        return Document(file, broken=True), [
            Fault(file, 0, "", reason, "check that it is there and readable")
        ]
    except UnicodeDecodeError:
        return Document(file, broken=True), [Fault(file, 0, "", "is not UTF-8 text", "save it as UTF-8")]
    if len(data) > MAX_BYTES:
        return Document(file, broken=True), [
            Fault(file, 0, "", f"is over {MAX_BYTES} bytes", "split it or shorten it")
        ]
    return parse(text, file)


def parse(text: str, file: str) -> tuple[Document, list[Fault]]:
    """The document that `text` holds, and what is wrong with it as YAML."""
    try:
        loaded = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        return Document(file, broken=True), [_syntax(error, file, text)]
    except (YAMLError, ValueError, RecursionError) as error:
        return Document(file, broken=True), [
            Fault(file, 0, "", f"is not YAML ({type(error).__name__})", "check its form")
        ]
    if loaded is None:
        return Document(file), []
    if not isinstance(loaded, CommentedMap):
        return Document(file, broken=True), [
            Fault(file, 1, "", "must hold settings by name", "write `name: value` lines")
        ]
    reader = _Reader()
    document = Document(file, reader.block(loaded, ()), reader.lines)
    return document, [document.fault(*wrong) for wrong in reader.wrong]


class _Reader:
    """Takes ruamel's types off a tree; notes lines, and what no setting could mean."""

    def __init__(self) -> None:
        self.lines: dict[fault.Path, int] = {}
        self.wrong: list[tuple[fault.Path, str, str]] = []

    def block(self, node: CommentedMap, path: fault.Path) -> dict[str, Any]:
        written = node.lc.data or {}
        block: dict[str, Any] = {}
        for key, value in node.items():
            below = (*path, str(key))
            if key in written:
                self.lines[below] = written[key][0] + 1
            if isinstance(key, str):
                block[str(key)] = self.plain(value, below)
            else:
                self.wrong.append((below, "this name is not text", QUOTE))
        return block

    def plain(self, node: object, path: fault.Path) -> Any:
        if isinstance(node, CommentedMap | CommentedSeq) and len(path) >= MAX_DEPTH:
            self.wrong.append((path, f"is nested over {MAX_DEPTH} deep", "write it flatter"))
            return None
        if isinstance(node, CommentedMap):
            return self.block(node, path)
        if isinstance(node, CommentedSeq):
            self.lines.update({(*path, at): place[0] + 1 for at, place in (node.lc.data or {}).items()})
            return [self.plain(each, (*path, at)) for at, each in enumerate(node)]
        if isinstance(node, bool | ScalarBoolean):
            return bool(node)
        for kind in (str, int, float):
            if isinstance(node, kind) and not (isinstance(node, float) and not math.isfinite(node)):
                return kind(node)
        if node is not None:
            self.wrong.append((path, "is neither text, a number, true nor false", QUOTE))
        return None


def _syntax(error: MarkedYAMLError, file: str, text: str) -> Fault:
    """A fault for text that is not YAML. Never shows values: they may be secrets."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or error.context or "no reason known"
    written = (text.splitlines()[line - 1 : line] or [""])[0]
    duplicate = re.match(r'found duplicate key "?([^"]{1,80}?)"? with value', problem)
    if duplicate:
        return Fault(file, line, duplicate[1], "is written twice", "keep one of the two")
    if "\t" in written:
        return Fault(file, line, "", "a tab is not allowed here", "indent with spaces")
    if "alias" in problem or re.search(r"(^|[:\[,{-])\s*\*", written):
        return Fault(file, line, "", "what begins with * is read as an alias", QUOTE)
    problem = f"is not YAML ({problem.splitlines()[0][:120]})"
    return Fault(file, line, "", problem, "check indentation, colons and quotes")
