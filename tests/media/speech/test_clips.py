"""Voices on the disk: none stays for longer than it could be played."""

from __future__ import annotations

import os
from pathlib import Path

from media.speech.io.ear import sweep


def test_what_nobody_deletes_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    for name, written in (("old.wav", 100.0), ("new.wav", 500.0), ("old.json", 100.0)):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (written, written))
    sweep(tmp_path, 400.0)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.wav", "old.json"]
    sweep(tmp_path / "nowhere", 400.0)
