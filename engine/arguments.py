"""What the operator's commands take; engine/operate.py does them. Light: a command's help must not wait."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parent.parent / "config"
COMMANDS = ("plan", "apply", "rollback", "history")
NODES = ("nodes", "drain")


def config_option(parser: argparse.ArgumentParser, *, bare: bool = False) -> None:
    """bare: the folder may stand by itself as well."""
    told = "configuration folder (default: the shipped one)"
    parser.add_argument("--config", type=Path, default=SHIPPED, metavar="DIR", help=told)
    if bare:
        parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the same")


def folder_of(options: argparse.Namespace) -> Path:
    """The configuration's, however it was named."""
    found: Path = getattr(options, "folder", None) or options.config
    return found


def add(commands: Any) -> None:
    """Put the commands among the others."""
    plan = _command(commands, "plan", "say what the files would change, before they are applied")
    plan.add_argument("--since", type=int, metavar="VERSION", help="compare with a version that is kept")
    apply = _command(commands, "apply", "have the running node take the files; no call is dropped")
    rollback = _command(commands, "rollback", "have the running node go back to a version it ran before")
    rollback.add_argument("version", type=int, nargs="?", help="which one (default: the one before this)")
    for each in (apply, rollback):
        each.add_argument("--why", default="", help="for the history")
        each.add_argument("--force", action="store_true", help="although a destination loses its last line")
    _command(commands, "history", "list what was applied, when, by whom and why")
    _command(commands, "nodes", "list the nodes of the cluster, and what speaks for and against each")
    drain = _command(commands, "drain", "have the running node take no new calls; those in progress go on")
    drain.add_argument("--end", action="store_true", help="have it take some again")


def add_trunk(commands: Any) -> None:
    """Commands on lines; engine/line_command.py does them."""
    trunk = commands.add_parser("trunk", help="try a line out, or tell how lines did")
    actions = trunk.add_subparsers(dest="action", required=True, metavar="ACTION")
    test = _command(actions, "test", "place a call over a line and compare what comes back", folder=False)
    test.add_argument("line", metavar="LINE", help="the line's name")
    test.add_argument(
        "number", nargs="?", default="", metavar="NUMBER", help="number to call (default: the line's `probe`)"
    )
    report = _command(actions, "report", "latency, loss, connect rate, drops and MOS by line", folder=False)
    report.add_argument("--hours", type=int, default=24, help="so many hours back (default: 24, most: 168)")
    report.add_argument("--by", choices=("line", "region", "hour"), default="line", help="a row for each")


def _command(commands: Any, name: str, about: str, *, folder: bool = True) -> argparse.ArgumentParser:
    """folder: whether that of the configuration may stand by itself."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=about)
    config_option(made, bare=folder and name != "rollback")
    made.add_argument("--data", type=Path, help="the node's folder for data, instead of the configured one")
    made.add_argument("--api", help="the node's API, such as http://127.0.0.1:8080, where it cannot be found")
    made.add_argument("--json", action="store_true", help="print what the node answers as JSON")
    return made
