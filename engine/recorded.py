"""Recordings on this node's disk: their sound, opened, and their outlines, kept while they are wanted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from config.schema import Config
from engine import unseal
from engine.views import SoundView
from media.outline import Outline, outline

KEPT = 200  # outlines, of some 30 kB each

Key = tuple[str, int, int]  # path, ns of its last change, bytes


class Recorded:
    """By names as call records have them. Safe from any thread. config: what counts now."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._made: OrderedDict[Key, Outline] = OrderedDict()
        self._lock = threading.Lock()

    def sound(self, name: str) -> SoundView | None:
        """None for one that is not here. Its pieces raise SealBroken, OSError."""
        path = unseal.find(self._config(), name)
        if path is None:
            return None
        file = unseal.plain_name(path)
        pieces = unseal.sound(path, unseal.keys_of(self._config()))
        kind = unseal.TYPES[file.rpartition(".")[2]]
        return SoundView(file=file, type=kind, pieces=pieces, size=unseal.size(path))

    def outline(self, name: str) -> Outline | None:
        """One is made at a time, for sound of an hour takes a core a while. Raises SealBroken, OSError,
        Unreadable.
        """
        path = unseal.find(self._config(), name)
        if path is None:
            return None
        found = path.stat()
        key = (str(path), found.st_mtime_ns, found.st_size)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                sound = unseal.sound(path, unseal.keys_of(self._config()))
                format = unseal.plain_name(path).rpartition(".")[2]
                made = self._made[key] = outline(sound, format)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return made
