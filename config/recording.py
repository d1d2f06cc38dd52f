"""Recording as values: of the node (media.yaml) and of a queue (queues.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from config.setting import Name, SecretField, setting, settings
from routing.queue import RecordingTerms

Format = Literal["opus", "wav"]


@settings
class RecordingSettings:
    directory: Path = setting(
        "Folder of recordings, under data_dir unless absolute; each day has a folder in it.",
        default=Path("recordings"),
    )
    format: Format = setting(
        "`opus` (Ogg, about 15 MB an hour) or `wav` (115 MB an hour at 8 kHz, and a fifth of the CPU); two "
        "channels, left the customer, right what the customer heard.",
        default="opus",
    )
    bitrate: Annotated[int, Ge(8_000), Le(64_000)] = setting(
        "Bits a second of Opus for each channel.", default=28_000
    )
    sync_s: Annotated[float, Ge(0), Le(60)] = setting(
        "How often what was recorded is forced to the disk, in seconds; 0 leaves it to the system.",
        default=1.0,
    )
    key: Name | None = setting(
        "Name of the key that recordings are sealed with (AES-256-GCM); not sealed when left out.",
        default=None,
    )
    keys: Mapping[Name, SecretField] = setting(
        "Secrets by name, of 32 characters or more. Keep those that old recordings were sealed with.",
        default={},
    )


@settings
class QueueRecording:
    mode: Literal["off", "on", "announce"] = setting(
        "Record the queue's calls, whole, from the answer on: `off`, `on`, or `announce`, which plays the "
        "prompt recording-notice to the caller first.",
        default="off",
    )
    format: Format | None = setting("As in media.yaml when left out.", default=None)
    directory: Path | None = setting("As in media.yaml when left out.", default=None)
    key: Name | None = setting("As in media.yaml when left out.", default=None)

    def terms(self) -> RecordingTerms:
        """As routing sees it."""
        return RecordingTerms(
            mode=self.mode,
            format=self.format or "",
            directory=str(self.directory) if self.directory else "",
            key=self.key or "",
        )
