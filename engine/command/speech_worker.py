"""`isogloss speech-worker`: hear, translate or speak for nodes elsewhere."""

from __future__ import annotations

import argparse

from media.speech.io import far


def run(options: argparse.Namespace) -> int:
    return far.main(["--redis", options.redis, "--crafts", options.crafts])
