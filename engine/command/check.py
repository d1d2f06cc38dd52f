"""`isogloss check`: whether a configuration is sound, and who would put its calls into words."""

from __future__ import annotations

import argparse
import json
import os

from config.fault import ConfigError
from config.load import load
from config.schema import Config
from engine.command.fault import DONE, FAULTY


def run(options: argparse.Namespace) -> int:
    try:
        config = load(options.config, os.environ)
    except ConfigError as error:
        if not options.json:
            raise
        print(json.dumps({"ok": False, "faults": [str(fault) for fault in error.faults]}))
        return FAULTY
    speech = _speech(config)
    if options.json:
        print(json.dumps({"ok": True, "faults": [], "speech": speech}))
    else:
        print(f"{options.config}: no fault found")
        for does, who in speech.items():
            print(f"speech {does}: {who}")
    return DONE


def _speech(config: Config) -> dict[str, str]:
    """Who would put calls into words here; nobody where no queue wants it."""
    from engine.speech import house
    from engine.speech.present import present

    return present(config) if house.wanted(config) else {}
