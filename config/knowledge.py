"""The folder `knowledge/`: what agents are shown while a customer speaks, a Markdown file each subject and
language.

`NAME.LANGUAGE.md` has answers, `upgrades.LANGUAGE.md` what may be offered (media/speech/knowledge.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from config.fault import Fault
from media.speech import knowledge
from media.speech.knowledge import BadKnowledge, Passage, Use

MAX_FILES = 500
MAX_BYTES = 1_000_000
UPGRADES = "upgrades"

NAMED = re.compile(r"([A-Za-z0-9_-]{1,64})\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\.md")


@dataclass
class Read:
    """What was read."""

    files: dict[str, tuple[Passage, ...]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read_knowledge(texts: Path, named: Path) -> Read:
    """The passages of a folder's files. named: how it is called in faults."""
    found = Read()
    files = sorted(texts.glob("*.md"))
    if len(files) > MAX_FILES:
        problem = f"holds over {MAX_FILES} files"
        found.faults.append(Fault(str(named), 0, "", problem, "use fewer, longer ones"))
    for path in files[:MAX_FILES]:
        found.files[path.name] = tuple(_file(path, named / path.name, found.faults))
    if sum(map(len, found.files.values())) > knowledge.MOST:
        problem = f"holds over {knowledge.MOST} passages"
        found.faults.append(Fault(str(named), 0, "", problem, "leave out what nobody asks for"))
    return found


def _file(path: Path, named: Path, faults: list[Fault]) -> list[Passage]:
    name = NAMED.fullmatch(path.name)
    if name is None:
        remedy = "call it NAME.LANGUAGE.md, as in billing.en.md"
        faults.append(Fault(str(named), 0, "", "has no language in its name", remedy))
        return []
    try:
        if path.stat().st_size > MAX_BYTES:
            faults.append(Fault(str(named), 0, "", f"is over {MAX_BYTES:,} bytes", "make several of it"))
            return []
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(str(named), 0, "", f"cannot be read ({error})", "save it as UTF-8 text"))
        return []
    try:
        use = Use.UPGRADE if name[1] == UPGRADES else Use.ANSWER
        return knowledge.parse(text, path.name, name[2], use)
    except BadKnowledge as bad:
        faults.append(Fault(str(named), bad.line, "", bad.problem, bad.remedy))
        return []
