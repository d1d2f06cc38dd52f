"""Piper as a voice: neural, by a model's path, in a process of its own that has it loaded.

Piper is GPL, so its program is run and never imported. It takes a line of text and writes a file, whose path
it then says; so a text goes in sentence by sentence, and is heard while the next is made. The program of
both its lines (the one in C++ and the one that is a Python package) is talked to in the same way.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import subprocess
import tempfile
import time
import wave
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from media.speech.voice import I16, VoiceFault, nearest

MOST_MODELS = 16
SENTENCES = re.compile(r"(?<=[.!?…;:])\s+|(?<=[。！？；])")
PATH = re.compile(rb"(/[^\0\r\n]*\.wav)\s*$")
MOST_SAID = 65_536  # bytes of what a process says without an end of line
STUCK_S = 5.0  # without a sound while it has lines, after which another process is begun
STAT_TIMES = slice(11, 13)  # of /proc/PID/stat after the name: ticks in user and system mode


class PiperModel(msgspec.Struct, frozen=True):
    """path: of the .onnx, beside which there is its .onnx.json. language: BCP 47, "" as that file has it.
    gender: of the voice. speaker: number of one, where the model has several.
    """

    path: str
    language: str = ""
    gender: str = ""
    speaker: int | None = None


class _Language(msgspec.Struct):
    code: str = ""


class _Espeak(msgspec.Struct):
    voice: str = ""


class _Audio(msgspec.Struct):
    sample_rate: int = 22_050


class _Described(msgspec.Struct):
    """What is read of a model's description."""

    audio: _Audio = msgspec.field(default_factory=_Audio)
    language: _Language = msgspec.field(default_factory=_Language)
    espeak: _Espeak = msgspec.field(default_factory=_Espeak)


@dataclass(slots=True)
class _Speaker:
    """A model that speaks, and the process that has it, once there is one."""

    model: PiperModel
    name: str
    language: str
    rate: int
    process: PiperProcess | None = None


class PiperVoice:
    """A `Voice` (media/speech/voice.py) over models. program: command of Piper, with options of its own such
    as `--cuda`. Raises VoiceFault where the program or a model is not there.
    """

    def __init__(self, models: Sequence[PiperModel], program: Sequence[str] = ("piper",)) -> None:
        found = shutil.which(program[0])
        if found is None:
            raise VoiceFault(f"{program[0]} is not there; install Piper, or give its path", ever=True)
        if not 0 < len(models) <= MOST_MODELS:
            raise VoiceFault(f"{len(models)} voices; Piper takes 1 to {MOST_MODELS}", ever=True)
        self._command = [found, *program[1:]]
        self._speakers = [_described(model) for model in models]
        self.name = "piper " + " ".join(each.name for each in self._speakers)
        self.languages = tuple(sorted({each.language for each in self._speakers}))
        self.why = f"Piper and {len(models)} of its voices are there"
        for each in self._speakers:
            self._process(each)

    def say(self, text: str, language: str, gender: str = "", voice: str = "") -> PiperSaying:
        """voice: name of a model's file without its end."""
        speaker = self._speaker(language, gender, voice)
        process = self._process(speaker)
        lines = [each for each in SENTENCES.split(text) if any(map(str.isalnum, each))]
        return PiperSaying(f"piper {speaker.name}", process, [each.strip() for each in lines], speaker.rate)

    def close(self) -> None:
        for each in self._speakers:
            if each.process is not None:
                each.process.close()

    def _speaker(self, language: str, gender: str, voice: str) -> _Speaker:
        named = [each for each in self._speakers if each.name == voice] if voice else []
        tag = nearest(language, {each.language: each.language for each in self._speakers})
        base = language.lower().partition("-")[0]
        near = [each for each in self._speakers if each.language == tag]
        near = near or [each for each in self._speakers if each.language.partition("-")[0] == base]
        suits = [each for each in near if each.model.gender == gender]
        found = named or (near if voice and not near else suits or near)
        if not found:
            raise VoiceFault(f"Piper has no voice for {(voice or language)[:40]!r} here", ever=True)
        return found[0]

    def _process(self, speaker: _Speaker) -> PiperProcess:
        """The one that has the model; another where it has ended."""
        if speaker.process is None or not speaker.process.alive:
            if speaker.process is not None:
                speaker.process.close()
            model = speaker.model
            which = [] if model.speaker is None else ["--speaker", str(model.speaker)]
            speaker.process = PiperProcess([*self._command, "--model", model.path, *which])
        return speaker.process


def _described(model: PiperModel) -> _Speaker:
    path = Path(model.path)
    try:
        told = msgspec.json.decode(path.with_name(path.name + ".json").read_bytes(), type=_Described)
    except (OSError, msgspec.MsgspecError) as error:
        raise VoiceFault(
            f"{path}.json cannot be read ({error}); it comes with the model", ever=True
        ) from error
    if not path.is_file():
        raise VoiceFault(f"there is no model {path}; fetch it, or correct the path", ever=True)
    language = model.language or told.language.code or told.espeak.voice or "en"
    tag = language.lower().replace("_", "-")
    return _Speaker(model, path.name.removesuffix(".onnx"), tag, told.audio.sample_rate)


class PiperProcess:
    """A running Piper: lines in, names of files out, in the same order."""

    def __init__(self, command: list[str]) -> None:
        self._folder = tempfile.mkdtemp(prefix="isogloss-piper-")
        try:
            self._process = subprocess.Popen(
                [*command, "--output_dir", self._folder],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self._folder,
            )  # fmt: skip
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise VoiceFault(f"{command[0]} cannot be run: {error}", ever=False) from error
        assert self._process.stdin is not None and self._process.stdout is not None
        self._lines, self._said = self._process.stdin, self._process.stdout
        self._broken = False
        self._part = b""
        self._last = b""  # line that was no file's name: what it says of its end
        self._asked = self._came = 0
        self._moved = time.monotonic()  # when it last had something to do, or did it
        self._files: deque[tuple[int, Path]] = deque()

    @property
    def alive(self) -> bool:
        stuck = self._came < self._asked and time.monotonic() - self._moved > STUCK_S
        return not (self._broken or stuck) and self._process.poll() is None

    @property
    def cost_s(self) -> float:
        """Seconds of a core that it has taken."""
        try:
            told = Path(f"/proc/{self._process.pid}/stat").read_text("ascii", "replace")
        except OSError:
            return 0.0
        return sum(map(int, told.rpartition(")")[2].split()[STAT_TIMES])) / os.sysconf("SC_CLK_TCK")

    def ask(self, lines: Sequence[str]) -> int:
        """Have them spoken; the number of the first. Raises VoiceFault."""
        first = self._asked
        if self._came == first:
            self._moved = time.monotonic()
        try:
            self._lines.write("".join(f"{each}\n" for each in lines).encode("utf-8", "replace"))
            self._lines.flush()
        except OSError as error:
            raise self._fault() from error
        self._asked += len(lines)
        return first

    def next(self, number: int, patience_s: float) -> Path | None:
        """The file of a line, None while there is none; those of lines before it are nobody's any more."""
        self._listen(patience_s if not self._files else 0.0)
        while self._files and self._files[0][0] < number:
            self._files.popleft()[1].unlink(missing_ok=True)
        return self._files.popleft()[1] if self._files else None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._lines, self._said):
            try:
                pipe.close()
            except BrokenPipeError:
                pass  # what nobody read of a line
        shutil.rmtree(self._folder, ignore_errors=True)

    def _listen(self, patience_s: float) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._said, selectors.EVENT_READ)
            if not waiting.select(patience_s):
                return
        data = os.read(self._said.fileno(), MOST_SAID)
        if not data:
            raise self._fault()
        *lines, self._part = (self._part + data).split(b"\n")
        self._part = self._part[-MOST_SAID:]
        for line in lines:
            found = PATH.search(line)
            if found is None or not found[1].startswith(os.fsencode(self._folder)):
                self._last = line or self._last
                continue
            self._files.append((self._came, Path(os.fsdecode(found[1]))))
            self._came, self._moved = self._came + 1, time.monotonic()

    def _fault(self) -> VoiceFault:
        self._broken = True
        said = self._last.decode("utf-8", "replace").strip()[:200]
        return VoiceFault(f"Piper ended{': ' + said if said else ''}", ever=False)


class PiperSaying:
    """One text, a file a sentence."""

    def __init__(self, by: str, process: PiperProcess, lines: list[str], rate: int) -> None:
        self.by, self.rate, self.cost_s = by, rate, 0.0
        self._process = process
        self._cost_before = process.cost_s
        self._next = process.ask(lines)
        self._end = self._next + len(lines)

    def read(self, patience_s: float) -> I16 | None:
        """See `media.speech.voice.Saying`."""
        if self._next == self._end:
            return None
        path = self._process.next(self._next, patience_s)
        if path is None:
            return np.zeros(0, np.int16)
        self._next += 1
        if self._next == self._end:
            self.cost_s = max(0.0, self._process.cost_s - self._cost_before)
        try:
            with wave.open(str(path)) as file:
                return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
        except (OSError, EOFError, wave.Error) as error:
            raise VoiceFault(f"what Piper wrote cannot be read: {error}", ever=False) from error
        finally:
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """What is still made of it is thrown away when it comes."""
