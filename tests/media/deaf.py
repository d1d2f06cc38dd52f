"""`python -m tests.media.deaf --socket PATH`: a process that is ready, and answers nothing."""

from __future__ import annotations

import logging
import os
import sys
import threading

from media.io.link import Link
from media.messages import WorkerReady


def hears_nothing() -> None:
    threading.Event().wait()


if __name__ == "__main__":
    link = Link.connect(sys.argv[sys.argv.index("--socket") + 1], logging.getLogger())
    link.tell([WorkerReady(os.getpid(), 0, "")])
    hears_nothing()
