"""A speech worker on another machine than the ear: the same crafts, asked by Redis Streams.

python -m media.speech.io.far --redis URL --crafts FILE

URL, or the path of a file of JSON (`media.speech.settings.FarSettings`), which is where secrets belong; the
crafts are as those of a worker beside the ear. It runs until it is ended, whatever becomes of Redis.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import msgspec

from media.speech.io.redis import LOST, box_of, terms_of
from media.speech.io.redis_source import RedisSource
from media.speech.jobs import Craft, Forget, Hear, Speak, Translate, worked
from media.speech.settings import CraftSettings, FarSettings

IDLE_S = 0.2  # that one look for jobs waits
LOOK_S = 0.02  # between looks while there is work: a look takes a round trip
AGAIN_S = 0.3  # after the server was lost

CRAFT_OF = {Hear: "hear", Forget: "hear", Translate: "translate", Speak: "speak"}

log = logging.getLogger("media.speech.far")


class FarBench:
    """The crafts, and where their jobs come from. name: of this worker, in this life of its."""

    def __init__(self, settings: FarSettings, crafts: Sequence[Craft], name: str) -> None:
        self._terms, self._box = terms_of(settings), box_of(settings)
        self._crafts = {craft.offer.craft: craft for craft in crafts}
        self._name = name
        self._lives = 0
        self.ended = False

    def run(self) -> None:
        """Until `ended`: at one connection after the other. Raises Broken."""
        while not self.ended:
            self._lives += 1
            offers = [craft.offer for craft in self._crafts.values()]
            source = RedisSource(self._terms, f"{self._name}-{self._lives}", offers, self._box)
            try:
                source.start()
                log.warning("here, and of pool %s", source.pool)
                self._serve(source)
            except LOST as error:
                log.warning("Redis is out of reach: %s", error)
                time.sleep(AGAIN_S)
            finally:
                source.close()
        for craft in self._crafts.values():
            craft.close()

    def _serve(self, source: RedisSource) -> None:
        looked = 0.0
        while not self.ended:
            busy = [craft for craft in self._crafts.values() if craft.busy]
            now = time.monotonic()
            if not busy or now - looked >= LOOK_S:
                looked = now
                for job in source.jobs(0.0 if busy else IDLE_S):
                    craft = self._crafts.get(CRAFT_OF[type(job)])
                    if craft is not None:
                        craft.take(job, time.monotonic())
            for craft in busy:
                source.answer(worked(craft, time.monotonic()))


def settings_of(given: str) -> FarSettings:
    """A URL's, or those of a file. Raises OSError, msgspec.DecodeError."""
    if "://" in given:
        return FarSettings(given)
    return msgspec.json.decode(Path(given).read_bytes(), type=FarSettings)


def main(arguments: list[str]) -> int:
    """Run until SIGTERM."""
    from media.speech.io.crafts import build

    logging.basicConfig(stream=sys.stderr, format="%(name)s %(levelname)s %(message)s")
    parser = argparse.ArgumentParser(
        prog="python -m media.speech.io.far", description="A speech worker on another machine than the node."
    )
    parser.add_argument(
        "--redis", required=True, help="its URL, or a file of JSON: url, ca, prefix, keys, key"
    )
    parser.add_argument("--crafts", required=True, help="what it does and with which models: a file of JSON")
    options = parser.parse_args(arguments)
    try:
        crafts = msgspec.json.decode(Path(options.crafts).read_bytes(), type=CraftSettings)
        settings = settings_of(options.redis)
        box_of(settings)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        print(f"speech-worker: {error}", file=sys.stderr)
        return 2
    bench = FarBench(settings, build(crafts), f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}")

    def end(number: int, frame: FrameType | None) -> None:
        bench.ended = True

    signal.signal(signal.SIGTERM, end)
    bench.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
