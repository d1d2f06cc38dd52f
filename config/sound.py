"""What is done with the sound of calls, as values: of the node (media.yaml), a line and a queue."""

from __future__ import annotations

from typing import Literal

from config.setting import setting, settings
from routing.queue import SoundTerms

Inband = Literal["auto", "on", "off"]


@settings
class SoundSettings:
    noise_suppression: bool = setting(
        "Take steady noise out of what phones send. Who hears such a phone is rendered: sound comes about "
        "60 ms later than relayed, and costs more.",
        default=False,
    )
    level_normalisation: bool = setting(
        "Bring quiet and loud talkers to one loudness (-26 dBov); costs what noise suppression does.",
        default=False,
    )
    inband_dtmf: Inband = setting(
        "Listen for digits in the sound itself: `auto` where a phone negotiated no telephone-event.",
        default="auto",
    )


@settings
class LineSound:
    noise_suppression: bool | None = setting("As in media.yaml when left out.", default=None)
    level_normalisation: bool | None = setting("As in media.yaml when left out.", default=None)
    inband_dtmf: Inband | None = setting("As in media.yaml when left out.", default=None)


@settings
class QueueSound:
    noise_suppression: bool | None = setting(
        "For callers and agents of the queue; as the line or media.yaml says when left out.", default=None
    )
    level_normalisation: bool | None = setting(
        "For callers and agents of the queue; as the line or media.yaml says when left out.", default=None
    )
    barge_in: bool = setting(
        "A caller who speaks over the welcome interrupts it. The notice of a recording is always heard out.",
        default=False,
    )

    def terms(self) -> SoundTerms:
        """As routing sees it."""
        return SoundTerms(self.noise_suppression, self.level_normalisation, self.barge_in)
