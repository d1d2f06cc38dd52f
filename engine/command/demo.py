"""`isogloss demo`: a whole call between real softphones, checked."""

from __future__ import annotations

import argparse

from engine.demo import demo


def run(options: argparse.Namespace) -> int:
    return demo(options.config, speech=options.speech, keep=options.keep, as_json=options.json)
