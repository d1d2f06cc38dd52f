"""How late a call's words are, as the ear tells it: what was said to its text, and a text to its translation.

    ASR   from the end of an utterance (VAD's) to its last text, of utterances that have one
    MT    from when a clause's text stands to its translation, of clauses that were translated

A call's record has the sums of both (engine/ledger.py), Prometheus a histogram of each
(engine/speech/meters.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from media.speech.messages import Rendered, Said, SpeechEvent
from media.speech.utterance import Stage

if TYPE_CHECKING:
    from engine.speech.talk import Talk


def heard_s(event: SpeechEvent) -> float | None:
    """Of an utterance whose last text this is; None of anything else."""
    if isinstance(event, Said) and event.over and event.stands:
        return event.lags.get(Stage.WRITTEN)
    return None


def translated_s(event: SpeechEvent) -> Sequence[float]:
    """Of each clause whose translation this tells."""
    return event.took_s if isinstance(event, Rendered) else ()


def count(talk: Talk, event: SpeechEvent) -> None:
    """Add what it tells to its call's."""
    if (seconds := heard_s(event)) is not None:
        talk.call.asr_latency.add(seconds)
    for seconds in translated_s(event):
        talk.call.mt_latency.add(seconds)
