"""Outlines of recordings, made when somebody looks at one first, and kept while they are wanted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from engine import unseal
from media.outline import Outline, outline

KEPT = 200  # outlines, of some 30 kB each

Key = tuple[str, int, int]  # path, ns of its last change, bytes


class Outlines:
    """Safe from any thread. One is made at a time: sound of an hour takes a core some seconds."""

    def __init__(self) -> None:
        self._made: OrderedDict[Key, Outline] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path, keys: Mapping[str, str]) -> Outline:
        """keys: secrets by key id. Raises SealBroken, OSError, Unreadable."""
        found = path.stat()
        key = (str(path), found.st_mtime_ns, found.st_size)
        with self._lock:
            made = self._made.get(key)
            if made is None:
                format = unseal.plain_name(path).rpartition(".")[2]
                made = self._made[key] = outline(unseal.sound(path, keys), format)
            self._made.move_to_end(key)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
            return made
