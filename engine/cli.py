"""The command line: `isogloss serve|demo|check|plan|apply|rollback|history|recordings|trunk|users|audit|
speech-worker`. A fault says what to do, and exits with 2.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine import arguments
from engine.arguments import config_option, folder_of

if TYPE_CHECKING:
    from config.schema import Config


def main(given: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(given)
    options.config = folder_of(options)
    run = COMMANDS[options.command]
    try:
        return run(options)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isogloss", description="A self-hosted, multilingual VoIP contact-centre engine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run a node until it is stopped")
    config_option(serve)
    serve.add_argument("--data", type=Path, help="folder for data, instead of the configured one")
    serve.add_argument(
        "--free-ports",
        action="store_true",
        help="listen on free loopback ports instead of the configured ones",
    )
    serve.add_argument(
        "--json", action="store_true", help="when ready, print one JSON line that tells the ports and the pid"
    )

    demo = commands.add_parser(
        "demo", help="run a node and real softphones through a whole call, and check it"
    )
    config_option(demo)
    demo.add_argument(
        "--speech", type=Path, help="WAV file the customer speaks, instead of a synthesised one"
    )
    demo.add_argument("--keep", type=Path, help="folder to keep the recordings in")

    check = commands.add_parser(
        "check", help="say whether a configuration is sound, and what is wrong with it"
    )
    config_option(check, bare=True)
    check.add_argument("--json", action="store_true", help="print the faults as JSON")
    arguments.add(commands)
    arguments.add_trunk(commands)
    arguments.add_access(commands)
    recordings = commands.add_parser("recordings", help="check sealed recordings, and open them")
    actions = recordings.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="say whether recordings are whole and as they were written")
    verify.add_argument("files", type=Path, nargs="+", metavar="FILE")
    decrypt = actions.add_parser("decrypt", help="write a sealed recording as a file that plays")
    decrypt.add_argument("files", type=Path, nargs=1, metavar="FILE")
    decrypt.add_argument("--to", type=Path, help="file to write (default: beside it, without .sealed)")
    worker = commands.add_parser("speech-worker", help="hear, translate or speak for nodes elsewhere")
    worker.add_argument(
        "--redis", required=True, help="its URL, or a file of JSON: url, ca, prefix, keys, key"
    )
    worker.add_argument("--crafts", required=True, help="what it does and with which models: a file of JSON")
    config_option(worker)
    for each in (verify, decrypt):
        config_option(each)  # its media.yaml has the keys
    return parser


def _recordings(options: argparse.Namespace) -> int:
    from engine import unseal

    return unseal.run(options)


def _speech_worker(options: argparse.Namespace) -> int:
    from media.speech.io import far

    return far.main(["--redis", options.redis, "--crafts", options.crafts])


def _operate(options: argparse.Namespace) -> int:
    from engine import operate

    return operate.run(options)


def _trunk(options: argparse.Namespace) -> int:
    from engine import line_command

    return line_command.run(options)


def _cluster(options: argparse.Namespace) -> int:
    from engine.cluster import command

    return command.run(options)


def _access(options: argparse.Namespace) -> int:
    from engine import access_command

    return access_command.run(options)


def _check(options: argparse.Namespace) -> int:
    from config.fault import ConfigError
    from config.load import load

    try:
        config = load(options.config, os.environ)
    except ConfigError as error:
        if options.json:
            print(json.dumps({"ok": False, "faults": [str(fault) for fault in error.faults]}))
        else:
            print(error, file=sys.stderr)
        return 2
    speech = _speech(config)
    if options.json:
        print(json.dumps({"ok": True, "faults": [], "speech": speech}))
    else:
        print(f"{options.config}: no fault found")
        for does, who in speech.items():
            print(f"speech {does}: {who}")
    return 0


def _speech(config: Config) -> dict[str, str]:
    """Who would put calls into words here; nobody where no queue wants it."""
    from engine.speech import house
    from engine.speech.present import present

    return present(config) if house.wanted(config) else {}


def _serve(options: argparse.Namespace) -> int:
    from config.fault import ConfigError
    from engine.beginning import begin
    from engine.log import configure
    from engine.serve import serve

    configure()  # as the files say once they are read; what is wrong with them is told before
    try:
        begun = begin(options.config, os.environ, options.data)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return serve(begun, data=options.data, free_ports=options.free_ports, announce_json=options.json)


def _demo(options: argparse.Namespace) -> int:
    from engine.demo import demo

    return demo(options.config, speech=options.speech, keep=options.keep)


COMMANDS = {
    "serve": _serve,
    "demo": _demo,
    "check": _check,
    "recordings": _recordings,
    "trunk": _trunk,
    "speech-worker": _speech_worker,
    **dict.fromkeys(arguments.COMMANDS, _operate),
    **dict.fromkeys(arguments.NODES, _cluster),
    **dict.fromkeys(arguments.ACCESS, _access),
}
