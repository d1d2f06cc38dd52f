"""A node put together on free ports and not started, with its configuration's files to change."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from config.document import Known
from config.load import SHIPPED
from config.schema import Config
from engine.app import Engine
from engine.beginning import Beginning, begin
from engine.journal import Journal
from engine.operating import Operating
from engine.serve import prepare

T = TypeVar("T")

PROMPTS = ("welcome-support", "welcome-sales", "all-busy", "leave-hint", "overloaded", "goodbye")
LINE = """\
country: GB
sources: [198.51.100.{at}/32]
addresses: [{{host: 198.51.100.{at}}}]
caller_id: {{show: caller}}
{more}
"""


class Silent:
    """Prompts that nobody hears."""

    def path(self, language: str, name: str) -> str:
        return f"{language}/{name}.wav"


EXAMPLES = ("carrier.yaml", "gateway.yaml", "ims.yaml")


def shipped(to: Path) -> Path:
    """A copy of the shipped files, with few prompts and one line."""
    left_out = shutil.ignore_patterns("*.py", "__pycache__", "prompts", *EXAMPLES)
    shutil.copytree(SHIPPED, to, ignore=left_out)
    (to / "prompts").mkdir()
    said = ", ".join(f"{name}: hm" for name in PROMPTS)
    (to / "prompts" / "en.yaml").write_text(f"voice: en\nprompts: {{{said}}}\n")
    return to


@cache
def empty_store() -> bytes:
    """A journal's database in which nothing has happened; made once, it takes as long as a node's rest."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "isogloss.db"
        Journal(f"sqlite:///{path}", "nobody", spill=Path(scratch) / "spill").close()
        return path.read_bytes()


KNOWN = Known()  # what one stand read another need not


class Stand:
    """folder: of the files; data: of the node. The node is put together when it is asked for."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        self.spoken: list[Config] = []
        self.begun = self.again()

    def again(self) -> Beginning:
        """What a node would start with now."""
        return begin(self.folder, {}, self.data, KNOWN)

    @cached_property
    def engine(self) -> Engine:
        self.data.mkdir(exist_ok=True)
        (self.data / "isogloss.db").write_bytes(empty_store())
        return Engine(self._prepared(self.begun.declared), Silent())  # type: ignore[arg-type]

    @cached_property
    def operating(self) -> Operating:
        return Operating(self.engine, self.begun, {}, self._prepared, self._speak, KNOWN)

    def _prepared(self, declared: Config) -> Config:
        return prepare(declared, self.data, True)

    def _speak(self, config: Config) -> Any:
        self.spoken.append(config)
        return Silent()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def edit(self, file: str, old: str, new: str) -> None:
        """Put `new` in the place of `old`, which must stand there once."""
        text = (self.folder / file).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.folder / file).write_text(text.replace(old, new), "utf-8")

    def line(self, name: str, more: str = "", at: int = 7) -> None:
        """Write a line that calls may go out over."""
        (self.folder / "lines" / f"{name}.yaml").write_text(LINE.format(at=at, more=more), "utf-8")

    def close(self) -> None:
        if "engine" not in vars(self):
            return
        for each in self.engine.shell.listeners:
            each.close()
        self.engine.journal.close()
