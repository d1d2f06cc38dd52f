"""A Dockerfile read as values: stages, each a base and the instructions that follow it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = frozenset(
    "FROM RUN COPY ENV WORKDIR USER VOLUME EXPOSE LABEL HEALTHCHECK STOPSIGNAL ENTRYPOINT CMD".split()
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: its word, what follows it, and the line it begins on."""

    word: str
    rest: str
    line: int

    def words(self) -> list[str]:
        """What follows as a list: the JSON form, or split as a shell would."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)

    def options(self) -> tuple[dict[str, str], str]:
        """The leading --name=value options, and the rest."""
        found, rest = {}, self.rest
        while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            found[match[1]] = match[2]
            rest = rest[match.end() :]
        return found, rest


@dataclass(slots=True)
class Stage:
    """What one FROM begins."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> Instruction | None:
        """The instruction that counts, where the last of several does."""
        return next((each for each in reversed(self.instructions) if each.word == word), None)


def parse(text: str) -> list[Stage]:
    """The stages of a Dockerfile. Raises ValueError for an instruction that the replay does not know."""
    stages: list[Stage] = []
    for each in _instructions(text):
        if each.word not in KNOWN:
            raise ValueError(f"line {each.line}: {each.word} is not replayed")
        if each.word == "FROM":
            base, *named = each.rest.split()
            stages.append(Stage(base, named[1] if named else str(len(stages))))
        else:
            stages[-1].instructions.append(each)
    return stages


def _instructions(text: str) -> Iterator[Instruction]:
    whole, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun or number
        whole += line.removesuffix("\\").strip() + " "
        if not line.endswith("\\"):
            word, _, rest = whole.strip().partition(" ")
            yield Instruction(word.upper(), rest.strip(), begun)
            whole, begun = "", 0


def assignments(rest: str, env: Mapping[str, str]) -> dict[str, str]:
    """NAME=value pairs of ENV, with $NAME and ${NAME} of what was set before."""
    pairs = (word.partition("=") for word in shlex.split(rest))
    return {
        name: re.sub(r"\$\{?(\w+)\}?", lambda found: env.get(found[1], ""), value) for name, _, value in pairs
    }


def ignored(patterns: str, path: Path) -> bool:
    """Whether .dockerignore keeps a path from the daemon: it matches, or a folder that holds it."""
    lines = [line.strip() for line in patterns.splitlines() if line.strip() and not line.startswith("#")]
    here = [path, *path.parents][:-1]
    return any(_matches(line, part) for line in lines for part in here)


def _matches(pattern: str, path: Path) -> bool:
    if pattern.startswith("**/"):
        return path.match(pattern[3:])
    return len(path.parts) == len(Path(pattern).parts) and path.match(pattern)
