"""`isogloss serve`: run a node until it is stopped."""

from __future__ import annotations

import argparse
import os

from engine.beginning import begin
from engine.log import configure
from engine.serve import serve


def run(options: argparse.Namespace) -> int:
    configure()  # as the files say once they are read; what is wrong with them is told before
    begun = begin(options.config, os.environ, options.data)
    return serve(begun, data=options.data, free_ports=options.free_ports, announce_json=options.json)
