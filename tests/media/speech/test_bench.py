"""A worker among its crafts: a fault of its own ends it, and is not taken for a lost connection."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from media.speech.io.worker import Bench
from media.speech.jobs import AnyJob, AnyResult, Broken, Offer


class Odd:
    """A craft that breaks at its first piece of work."""

    offer = Offer("translate", "odd")
    busy = True

    def __init__(self) -> None:
        self.works = 0

    def take(self, job: AnyJob, now: float) -> None: ...

    def work(self, now: float) -> Sequence[AnyResult]:
        self.works += 1
        if self.works > 1:
            raise SystemExit("it was asked again")
        raise ValueError("nothing that was said stands here")

    def close(self) -> None: ...


@pytest.mark.timeout(10)
def test_a_craft_that_breaks_ends_its_worker(tmp_path: Path) -> None:
    supervised: Any = SimpleNamespace(since=None)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ear:
        ear.bind(str(tmp_path / "ear"))
        ear.listen()
        with pytest.raises(Broken, match="odd: ValueError"):
            Bench(str(tmp_path / "ear"), [Odd()], supervised).run()
    assert supervised.since is None
