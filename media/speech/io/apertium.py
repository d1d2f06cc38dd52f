"""Apertium: translation by rules, in child processes that stay; quality for the gist.

What `apertium` runs for a pair is a pipeline of a dozen programs that a mode file names (wiki.apertium.org,
"Apertium stream format" and "NUL flush"). Started once, with `-z` in every stage, each passes on what it has
at a NUL; a sentence takes milliseconds then instead of a tenth of a second. Text is escaped here, as
`apertium-destxt` would. Unknown words come back marked; their share says how much to believe.

A pipeline that dies or is late is started again at the next text. The programs are GPL: they run as processes
of their own and nothing of theirs is linked.
"""

from __future__ import annotations

import re
import selectors
import shlex
import shutil
import subprocess
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from media.speech.alpha3 import SHORT
from media.speech.language import primary
from media.speech.translator import Brief, Pair, Reach, TranslatorFault, Version

MODES = (Path("/usr/share/apertium/modes"), Path("/usr/local/share/apertium/modes"))
NAMED = re.compile(r"([a-z]{2,3})(?:_\w+)?-([a-z]{2,3})(_\w+)?\.mode")
SPECIAL = re.compile(r"[\\^$/<>{}*@#+~\[\]]")
MARKED = re.compile(r"(?<![\\\w])[*@#](?=[^\W_])")
SLOTTED = re.compile(r"Xq[0-9]", re.IGNORECASE)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
END = "[][\n]"  # an empty format blank: what follows is no part of the sentence
OPEN = 6  # pipelines at once; of more pairs, the one that was not used for longest is closed
TIMEOUT_S = 3.0  # for a batch
ALONE_S = 12.0  # for all its texts one by one, where that fails: less than a worker may stand still
MOST = 256 * 1024  # bytes of an answer


def modes(folders: Sequence[Path] = MODES) -> dict[Pair, Path]:
    """The pairs that can really be translated here: their programs and data are there. Of several modes of a
    pair, the plain one.
    """
    found: dict[Pair, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*-*.mode"), key=lambda path: len(path.name)):
            named = NAMED.fullmatch(path.name)
            if named is None:
                continue
            pair = Pair(*(primary(SHORT.get(each, each)) for each in named.group(1, 2)))
            if pair not in found and _complete(path):
                found[pair] = path
    return found


def stages(mode: str) -> list[list[str]]:
    """The commands of a mode file, to be connected. Raises ValueError for what is no such file."""
    commands: list[list[str]] = [[]]
    for word in shlex.split(mode):
        if word == "|":
            commands.append([])
        elif word == "$1":
            commands[-1].append("-g")  # unknown words are marked
        elif word != "$2":
            commands[-1].append(word)
    if not all(commands):
        raise ValueError("a stage without a program")
    return [[command[0], "-z", *command[1:]] for command in commands]


def escaped(text: str) -> str:
    """Text for the pipeline's first program, with a sentence end after it, at which all programs let go of
    what they have.
    """
    return f"{SPECIAL.sub(lambda found: chr(92) + found[0], text.replace(chr(0), ' '))}.{END}"


def understood(answer: str) -> Version:
    """What the pipeline's last program wrote. sure: by how many words it knew."""
    text = answer.rsplit("[][", 1)[0].strip().removesuffix(".")
    unknown = sum(not SLOTTED.match(text, found.end()) for found in MARKED.finditer(text))
    words = max(1, len(text.split()))
    plain = ESCAPED.sub(r"\1", MARKED.sub("", text))
    return Version(" ".join(plain.split()), sure=max(0.0, 1.0 - unknown / words))


def begun(text: str, version: Version) -> Version:
    """What begins within a sentence has no capital, which Apertium puts there, and a sentence has one."""
    first, rest = version.text[:1], version.text[1:]
    if text[:1].islower() and not re.match(r"I\b|\w[A-Z]", version.text):
        return version._replace(text=first.lower() + rest)
    return version._replace(text=first.upper() + rest) if text[:1].isupper() else version


def opened(version: Version) -> Version:
    """Spanish questions and exclamations, with the marks that they begin with; Apertium leaves them out."""
    sentences = re.split(r"(?<=[.?!…])\s+", version.text)
    for at, sentence in enumerate(sentences):
        mark = {"?": "¿", "!": "¡"}.get(sentence[-1:], "")
        if mark and mark not in sentence:
            sentences[at] = f"{mark}{sentence}"
    return version._replace(text=" ".join(sentences))


class Pipeline:
    """The processes of a pair, started when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pids(self) -> list[int]:
        """Of the programs, in their order; none before the first text."""
        return [each.pid for each in self._processes]

    def translate(self, texts: Sequence[str], timeout_s: float = TIMEOUT_S) -> list[Version]:
        """Raises TranslatorFault; the processes are gone then."""
        if any(each.poll() is not None for each in self._processes):
            self.close()
        try:
            if not self._processes:
                self._start()
            answers = self._exchange(texts, time.monotonic() + timeout_s)
            versions = [begun(text, understood(each)) for text, each in zip(texts, answers, strict=True)]
            return [opened(each) for each in versions] if self._path.stem.endswith("-spa") else versions
        except (OSError, ValueError) as error:
            self.close()
            raise TranslatorFault(f"Apertium's {self._path.stem}: {error}; it is started again") from error

    def close(self) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        self._processes = []

    def _start(self) -> None:
        before: int = subprocess.PIPE
        for command in stages(self._path.read_text("utf-8")):
            process = subprocess.Popen(
                command, stdin=before, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
            if self._processes and (taken := self._processes[-1].stdout) is not None:
                taken.close()  # the next program's now; who writes to a dead one is to notice
            self._processes.append(process)
            assert process.stdout is not None, "it is a pipe"
            before = process.stdout.fileno()

    def _exchange(self, texts: Sequence[str], until: float) -> list[str]:
        """Write and read as the pipes take and give. Raises OSError for a program that died or is late."""
        first, last = self._processes[0].stdin, self._processes[-1].stdout
        assert first is not None and last is not None, "they are pipes"
        todo = memoryview("".join(f"{escaped(text)}\0" for text in texts).encode())
        told = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(first, selectors.EVENT_WRITE)
            selector.register(last, selectors.EVENT_READ)
            while told.count(0) < len(texts):
                for key, _ in selector.select(max(0.0, until - time.monotonic())):
                    if key.fileobj is last:
                        told += _some(last.read(65536))
                    else:
                        todo = todo[first.write(todo[:4096]) or 0 :]
                if not todo and first in selector.get_map():
                    selector.unregister(first)
                if time.monotonic() > until:
                    raise OSError("it did not answer in time")
                if len(told) > MOST:
                    raise OSError("it answers without end")
        answers = told.decode("utf-8", "replace").split("\0")[: len(texts)]
        if not all("[][" in answer for answer in answers):
            raise OSError("one of its programs died")  # those after it end their own sentences then
        return answers


class Apertium:
    """Those pairs whose modes are installed."""

    name = "Apertium"
    gist = True
    slot = "xq{}x"
    minds = False

    def __init__(self, folders: Sequence[Path] = MODES) -> None:
        self._modes = modes(folders)
        self._open: OrderedDict[Pair, Pipeline] = OrderedDict()
        self.reach = Reach(frozenset(self._modes))

    def translate(self, texts: Sequence[str], briefs: Sequence[Brief]) -> list[Version | TranslatorFault]:
        """When the pipeline dies over them, they are asked one by one: it may be one text's doing. Those for
        which there is no time then may be asked again.
        """
        pair = briefs[0].pair
        if pair not in self._modes:
            raise TranslatorFault(f"Apertium has no mode from {pair.source} to {pair.target}", ever=True)
        try:
            return [*self.pipeline(pair).translate(texts, TIMEOUT_S)]
        except TranslatorFault:
            until = time.monotonic() + ALONE_S
            return [self._alone(pair, text, until) for text in texts]

    def _alone(self, pair: Pair, text: str, until: float) -> Version | TranslatorFault:
        left = until - time.monotonic()
        if left <= 0:
            return TranslatorFault("Apertium is too slow; try again")
        try:
            return self.pipeline(pair).translate([text], min(left, TIMEOUT_S))[0]
        except TranslatorFault as fault:
            return fault

    def pipeline(self, pair: Pair) -> Pipeline:
        """The pair's, the newest of those that are kept open."""
        pipeline = self._open.setdefault(pair, Pipeline(self._modes[pair]))
        self._open.move_to_end(pair)
        while len(self._open) > OPEN:
            self._open.popitem(last=False)[1].close()
        return pipeline

    def close(self) -> None:
        for pipeline in self._open.values():
            pipeline.close()
        self._open.clear()


def _complete(path: Path) -> bool:
    try:
        commands = stages(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    programs = all(shutil.which(command[0]) for command in commands)
    return programs and all(Path(word).exists() for each in commands for word in each if word[:1] == "/")


def _some(data: bytes | None) -> bytes:
    if not data:
        raise OSError("it ended")
    return data
