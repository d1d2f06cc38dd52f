"""What the operator's commands take; engine/operate.py does them. Light: a command's help must not wait."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parent.parent / "config"
COMMANDS = ("plan", "apply", "rollback", "history")
NODES = ("nodes", "drain")
ACCESS = ("users", "audit")
ROLES = ("agent", "supervisor", "operator", "auditor", "admin")


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


def add_access(commands: Any) -> None:
    """Commands on users and the audit log; engine/access_command.py does them."""
    users = commands.add_parser("users", help="list, make and change the people who may sign in")
    actions = users.add_subparsers(dest="action", required=True, metavar="ACTION")
    _own(actions, "list", "say who may sign in, as what, and with what limits")
    add = _own(actions, "add", "make somebody who may sign in")
    passwd = _own(actions, "passwd", "give somebody another password; who is signed in has to sign in again")
    disable = _own(actions, "disable", "shut somebody out at once")
    disable.add_argument("--end", action="store_true", help="let somebody in again")
    reset = _own(actions, "totp-reset", "take somebody's second factor away, who has lost it")
    for each in (add, passwd, disable, reset):
        each.add_argument("name", metavar="NAME", help="the user's name")
    add.add_argument("--role", required=True, choices=ROLES, help="what somebody is here for")
    add.add_argument("--display", default="", help="what people call her")
    for what in ("market", "team"):
        told = f"limit her to this {what}; may stand several times"
        add.add_argument(f"--{what}", action="append", default=[], help=told)
    for each in (add, passwd):
        each.add_argument("--ask", action="store_true", help="ask for the password instead of making one up")
    audit = commands.add_parser("audit", help="prove the audit log")
    proofs = audit.add_subparsers(dest="action", required=True, metavar="ACTION")
    _own(proofs, "verify", "say whether the audit log is whole, and which row is the first that is not")


def _own(actions: Any, name: str, about: str) -> argparse.ArgumentParser:
    """A command on the store itself, whether or not a node runs."""
    made: argparse.ArgumentParser = actions.add_parser(name, help=about)
    config_option(made)
    made.add_argument("--data", type=Path, help="the node's folder for data, instead of the configured one")
    made.add_argument("--json", action="store_true", help="print it as JSON")
    return made


def _command(commands: Any, name: str, about: str, *, folder: bool = True) -> argparse.ArgumentParser:
    """folder: whether that of the configuration may stand by itself."""
    made: argparse.ArgumentParser = commands.add_parser(name, help=about)
    config_option(made, bare=folder and name != "rollback")
    made.add_argument("--data", type=Path, help="the node's folder for data, instead of the configured one")
    made.add_argument("--api", help="the node's API, such as http://127.0.0.1:8080, where it cannot be found")
    made.add_argument("--json", action="store_true", help="print what the node answers as JSON")
    return made
