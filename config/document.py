"""One YAML file as plain values that remember their lines.

Scalars are read by the core schema of YAML 1.2, here and nowhere else: true, false, null and numbers in their
plain spelling. Everything else is text, yes and no among it. A name is always text, as it is written: `1001`
and `+442071838750` are names as good as `"1001"`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from config import fault
from config.fault import Fault, dotted

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 12
FLAT = 100  # levels
MAX_VALUES = 200_000  # anchors can make a short file hold any number of them
QUOTE = "put it in quotes"
OWN_TAGS = "tag:yaml.org,2002:"
LIBYAML = getattr(yaml, "CSafeLoader", None)
SCALARS = (ScalarNode, yaml.ScalarNode)
MAPPINGS = (MappingNode, yaml.MappingNode)
SEQUENCES = (SequenceNode, yaml.SequenceNode)
CONSTANTS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
FRACTION = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,2})?")


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


class Known:
    """Documents that were read before, by their text: of files that are read again, what is new alone
    is parsed. Keeps those of this reading and of the one before.
    """

    def __init__(self) -> None:
        self._before: dict[bytes, Document] = {}
        self._now: dict[bytes, Document] = {}

    def begin(self) -> None:
        """Another reading begins."""
        self._before, self._now = self._now, {}

    def parse(self, text: str, file: str) -> tuple[Document, list[Fault]]:
        digest = sha256(text.encode()).digest()
        known = self._now.get(digest) or self._before.get(digest)
        if known is not None:
            self._now[digest] = known
            return replace(known, file=file), []
        read, faults = parse(text, file)
        if not faults:
            self._now[digest] = read
        return read, faults


def read(path: Path, file: str, known: Known | None = None) -> tuple[Document, list[Fault]]:
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
    return parse(text, file) if known is None else known.parse(text, file)


def parse(text: str, file: str) -> tuple[Document, list[Fault]]:
    """The document that `text` holds, and what is wrong with it as YAML."""
    try:
        root = _composed(text)
    except MarkedYAMLError as error:
        return Document(file, broken=True), [_syntax(error, file, text)]
    except (YAMLError, ValueError, RecursionError) as error:
        problem = f"is not YAML ({type(error).__name__})"
        return Document(file, broken=True), [Fault(file, 0, "", problem, "compare it with the shipped one")]
    if root is None:
        return Document(file), []
    if not isinstance(root, MAPPINGS):
        fault = Fault(file, 1, "", "must hold settings by name", "write `name: value` lines")
        return Document(file, broken=True), [fault]
    reader = _Reader()
    document = Document(file, reader.block(root, ()), reader.lines)
    return document, [document.fault(*wrong) for wrong in reader.wrong]


def _composed(text: str) -> Any:
    """The nodes of a text, by libyaml, in a twentieth of the time. It knows YAML 1.1: of what it
    refuses, such as `[::1]`, ruamel says whether it is YAML 1.2, and what is wrong with it. Raises YAMLError.
    """
    try:
        if LIBYAML is not None and _is_flat(text):
            return yaml.compose(text, Loader=LIBYAML)
    except yaml.YAMLError:
        pass
    return YAML(typ="safe", pure=True).compose(text)


def _is_flat(text: str) -> bool:
    """Whether libyaml's composer, which calls itself, has stack enough. Raises yaml.YAMLError."""
    depth = 0
    for event in yaml.parse(text, Loader=LIBYAML):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > FLAT:
                return False
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return True


class _Reader:
    """Makes plain values of nodes; notes their lines, and what no setting could mean."""

    def __init__(self) -> None:
        self.lines: dict[fault.Path, int] = {}
        self.wrong: list[tuple[fault.Path, str, str]] = []
        self.values = 0

    def block(self, node: Any, path: fault.Path) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, SCALARS) else "?"
            below = (*path, name)
            twice = name in block
            self.lines[below] = key.start_mark.line + 1
            if not isinstance(key, SCALARS):
                self.wrong.append((below, "a name must be text", "write one name, then a colon"))
            elif twice:
                self.wrong.append((below, "is written twice", "keep one of the two"))
            else:
                block[name] = self.plain(value, below)
        return block

    def plain(self, node: Any, path: fault.Path) -> Any:
        self.values += 1
        if len(path) > MAX_DEPTH or self.values == MAX_VALUES:
            self.wrong.append((path, "is nested too deep, or holds too much", "write it flatter or shorter"))
        if len(path) > MAX_DEPTH or self.values >= MAX_VALUES:
            return None
        if isinstance(node, MAPPINGS):
            return self.block(node, path)
        if isinstance(node, SEQUENCES):
            return [self.item(each, (*path, at)) for at, each in enumerate(node.value)]
        if not isinstance(node, SCALARS) or not str(node.tag).startswith(OWN_TAGS):
            self.wrong.append((path, f"has a tag, {node.tag}, that means nothing here", "remove the tag"))
            return None
        return str(node.value) if node.style else scalar(node.value)

    def item(self, node: Any, path: fault.Path) -> Any:
        self.lines[path] = node.start_mark.line + 1
        return self.plain(node, path)


def scalar(written: str) -> str | int | float | bool | None:
    """What a value without quotes means."""
    if written in CONSTANTS:
        return CONSTANTS[written]
    if INTEGER.fullmatch(written):
        return int(written)
    if FRACTION.fullmatch(written):
        return float(written)
    return written


def _syntax(error: MarkedYAMLError, file: str, text: str) -> Fault:
    """A fault for text that is not YAML. Never shows values: they may be secrets."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or error.context or "no reason known"
    written = (text.splitlines()[line - 1 : line] or [""])[0]
    if "\t" in written:
        return Fault(file, line, "", "a tab is not allowed here", "indent with spaces")
    if "alias" in problem or re.search(r"(^|[:\[,{-])\s*\*", written):
        return Fault(file, line, "", "what begins with * is read as an alias", QUOTE)
    problem = f"is not YAML ({problem.splitlines()[0][:120]})"
    return Fault(file, line, "", problem, "check indentation, colons and quotes")
