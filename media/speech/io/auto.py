"""The best recogniser that is really there, and why it is that one.

What is configured by its kind is taken or refused. Left to be found, the order is: a Whisper model that is on
this machine, a server, the Sphinx model that is named, and the one that comes with the program. What better
ones lack is said in words, for the log, `isogloss check`, the API and captions.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from media.speech.io.sphinx import SphinxRecogniser, files
from media.speech.io.vosk import VoskRecogniser
from media.speech.io.whisper import WhisperRecogniser
from media.speech.recogniser import Recogniser, RecogniserFault
from media.speech.settings import RecogniserSettings

KINDS = ("auto", "whisper", "sphinx", "vosk")
ADVICE = (
    "give recogniser.model the folder of a Whisper model (CTranslate2), or the name of one that was fetched"
)


class Choice(NamedTuple):
    """kind: whisper, vosk or sphinx. why: in words."""

    kind: str
    why: str


class Chosen(NamedTuple):
    """With the model loaded."""

    recogniser: Recogniser
    why: str


def choice(settings: RecogniserSettings) -> Choice:
    """What would be taken, without loading it: files are looked at, nothing more. Raises RecogniserFault."""
    if settings.kind not in KINDS:
        raise RecogniserFault(f"no recogniser '{settings.kind}': it is one of {', '.join(KINDS)}")
    if settings.kind != "auto":
        return Choice(settings.kind, f"{settings.kind} is configured")
    lacking = _lacking(settings.model)
    if not lacking:
        return Choice("whisper", f"the Whisper model {settings.model} is there")
    if settings.url:
        return Choice("vosk", f"the server {settings.url}; {lacking}")
    if settings.model and _is_sphinx(settings.model):
        return Choice("sphinx", f"the Sphinx model {settings.model}, English with low accuracy; {ADVICE}")
    return Choice("sphinx", f"what comes with the program, English with low accuracy; {lacking}: {ADVICE}")


def best(settings: RecogniserSettings) -> Chosen:
    """The one that is chosen, or where it is left to be found and cannot be loaded, the next. Raises
    RecogniserFault.
    """
    kind, why = choice(settings)
    try:
        return Chosen(_made(kind, settings), why)
    except RecogniserFault as fault:
        if settings.kind != "auto" or kind == "sphinx":
            raise
        known = SphinxRecogniser(files("", settings.language_model, settings.dictionary))
        return Chosen(known, f"what comes with the program, English with low accuracy; {fault}")


def _made(kind: str, settings: RecogniserSettings) -> Recogniser:
    if kind == "vosk":
        return VoskRecogniser(settings.url)
    if kind == "sphinx":
        model = settings.model if settings.kind == "sphinx" or _is_sphinx(settings.model) else ""
        return SphinxRecogniser(files(model, settings.language_model, settings.dictionary))
    return WhisperRecogniser(
        settings.model,
        settings.device,
        settings.compute,
        settings.threads,
        fetch=settings.kind == "whisper",
    )


def _lacking(model: str) -> str:
    """What a Whisper model lacks; nothing where it is there."""
    if not model:
        return "no Whisper model is named"
    if find_spec("faster_whisper") is None:
        return "faster-whisper is not installed (extra `speech`)"
    if _is_sphinx(model):
        return f"{model} is a Sphinx model"
    if os.path.isdir(model):
        return "" if Path(model, "model.bin").is_file() else f"{model} has no model.bin"
    if os.sep in model and not _is_name(model):
        return f"there is no folder {model}"
    from faster_whisper.utils import download_model

    try:
        download_model(model, local_files_only=True)
    except (OSError, ValueError):
        return f"the Whisper model '{model}' was not fetched to this machine"
    return ""


def _is_name(model: str) -> bool:
    """As hubs have them: an owner and a name."""
    return model.count("/") == 1 and not model.startswith((".", "/", "~"))


def _is_sphinx(model: str) -> bool:
    return bool(model) and Path(model, "mdef").is_file()
