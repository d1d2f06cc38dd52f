"""The markets that a speech worker was told, and is told anew while it works: by the file of its crafts."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from media.speech.market import Market
from media.speech.settings import CraftSettings

LOOK_S = 1.0  # between two looks at the file

log = logging.getLogger("media.speech.markets")


class ToldMarkets(Mapping[str, Market]):
    """Those of the file as it is now; as it was, while it cannot be read."""

    def __init__(self, path: Path, look_s: float = LOOK_S) -> None:
        self._path = path
        self._look_s = look_s
        self._looked = float("-inf")
        self._seen = (0, 0)
        self._markets: Mapping[str, Market] = {}

    def __getitem__(self, name: str) -> Market:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> Mapping[str, Market]:
        now = time.monotonic()
        if now - self._looked >= self._look_s:
            self._looked = now
            try:
                stat = self._path.stat()
                if (stat.st_mtime_ns, stat.st_ino) != self._seen:
                    settings = msgspec.json.decode(self._path.read_bytes(), type=CraftSettings)
                    self._markets = settings.translate.markets if settings.translate is not None else {}
                    self._seen = (stat.st_mtime_ns, stat.st_ino)
            except (OSError, msgspec.DecodeError) as error:
                log.warning("markets stay as they were: %s", error)
        return self._markets
