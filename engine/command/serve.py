"""`isogloss serve`: run a node until it is stopped."""

from __future__ import annotations

import argparse
import os

import structlog

from config.load import data_dir
from engine.backup.fault import BackupFault
from engine.backup.stage import resume
from engine.beginning import begin
from engine.command.fault import CommandFault
from engine.log import configure, tell_crashes
from engine.serve import serve

log = structlog.get_logger("node")


def run(options: argparse.Namespace) -> int:
    tell_crashes()
    configure()  # as the files say once they are read; what is wrong with them is told before
    _resume(options)
    begun = begin(options.config, os.environ, options.data)
    return serve(begun, data=options.data, free_ports=options.free_ports, announce_json=options.json)


def _resume(options: argparse.Namespace) -> None:
    """A restore that was cut off is finished before anything is read. Raises CommandFault."""
    try:
        for each in resume(options.config, options.data):
            log.warning("a restore that was cut off is finished", aside=each.kept)
        for each in resume(options.config, options.data or data_dir(options.config)):
            log.warning("a restore that was cut off is finished", aside=each.kept)
    except BackupFault as error:
        raise CommandFault(str(error)) from error
