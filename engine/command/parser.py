"""What the commands take, all of it: `isogloss --help` is made from it, docs/cli.md is held against it, and
shells complete by it. Light: a command's help must not wait.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).resolve().parents[2] / "config"
ROLES = ("agent", "supervisor", "operator", "auditor", "admin")
DIMENSIONS = (
    *("region", "market", "queue", "line", "language", "agent", "node", "reason"),
    *("hour", "day", "hour_of_day"),
)
FORMULAS = ("of_handled", "of_offered", "less_short")
LANGUAGES = ("en", "es", "zh", "ar")
SHELLS = ("bash", "zsh", "fish")
NARROWED = ("region", "market", "queue", "line", "language", "agent", "node")

# The module of engine/command that does a command.
MODULES: Mapping[str, str] = {
    "serve": "serve",
    "demo": "demo",
    "check": "check",
    "plan": "configuration",
    "apply": "configuration",
    "rollback": "configuration",
    "history": "configuration",
    "trunk": "trunk",
    "calls": "calls",
    "call": "call",
    "queues": "queues",
    "agents": "agents",
    "report": "report",
    "nodes": "nodes",
    "drain": "nodes",
    "blocked": "blocked",
    "users": "users",
    "audit": "audit",
    "recordings": "recordings",
    "backup": "backup",
    "restore": "restore",
    "speech-worker": "speech_worker",
    "completion": "completion",
}

Commands = Any  # what `add_subparsers` gives, whose class has a private name


def made() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isogloss", description="A self-hosted, multilingual VoIP contact-centre engine."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the release and end")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _running(commands)
    _configuration(commands)
    _lines(commands)
    _live(commands)
    _report(commands)
    _nodes(commands)
    _access(commands)
    _files(commands)
    _others(commands)
    return parser


class _Version(argparse.Action):
    """As argparse's own, which would have to know the release before it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from engine.release import VERSION

        print(f"isogloss {VERSION}")
        parser.exit()


# --- by noun --------------------------------------------------------------------------------------


def _running(commands: Commands) -> None:
    serve = commands.add_parser("serve", help="run a node until it is stopped")
    _config(serve)
    serve.add_argument(
        "--data", type=Path, metavar="DIR", help="folder for data, instead of the configured one"
    )
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
    _config(demo)
    demo.add_argument(
        "--speech",
        type=Path,
        metavar="FILE",
        help="WAV file the customer speaks, instead of a synthesised one",
    )
    demo.add_argument("--keep", type=Path, metavar="DIR", help="folder to keep the recordings in")
    demo.add_argument("--json", action="store_true", help="print what was checked as one JSON line")


def _configuration(commands: Commands) -> None:
    check = commands.add_parser(
        "check", help="say whether a configuration is sound, and what is wrong with it"
    )
    _config(check, bare=True)
    _json(check)
    plan = commands.add_parser("plan", help="say what the files would change, before they are applied")
    plan.add_argument("--since", type=int, metavar="VERSION", help="compare with a version that is kept")
    apply = commands.add_parser("apply", help="have the running node take the files; no call is dropped")
    rollback = commands.add_parser(
        "rollback", help="have the running node go back to a version it ran before"
    )
    rollback.add_argument(
        "version", type=int, nargs="?", metavar="VERSION", help="which one (default: the one before this)"
    )
    history = commands.add_parser("history", help="list what was applied, when, by whom and why")
    for each in (apply, rollback):
        each.add_argument("--why", default="", metavar="WORDS", help="for the history")
        each.add_argument("--force", action="store_true", help="although a destination loses its last line")
    for each in (plan, apply, rollback, history):
        _asks(each, bare=each is not rollback)


def _lines(commands: Commands) -> None:
    trunk = commands.add_parser("trunk", help="try a line out, or tell how lines did")
    actions = trunk.add_subparsers(dest="action", required=True, metavar="ACTION")
    test = actions.add_parser("test", help="place a call over a line and compare what comes back")
    test.add_argument("line", metavar="LINE", help="the line's name")
    test.add_argument(
        "number", nargs="?", default="", metavar="NUMBER", help="number to call (default: the line's `probe`)"
    )
    report = actions.add_parser("report", help="latency, loss, connect rate, drops and MOS by line")
    report.add_argument(
        "--hours", type=int, default=24, metavar="N", help="so many hours back (default: 24, most: 168)"
    )
    report.add_argument("--by", choices=("line", "region", "hour"), default="line", help="a row for each")
    for each in (test, report):
        _asks(each)


def _live(commands: Commands) -> None:
    calls = commands.add_parser("calls", help="list the calls in progress")
    calls.add_argument("--market", metavar="NAME", help="only calls of this market")
    calls.add_argument("--agent", metavar="NAME", help="only calls of this agent")
    calls.add_argument("--ended", type=int, metavar="N", help="list the N newest finished calls instead")
    queues = commands.add_parser("queues", help="list the queues: who waits, and their day so far")
    agents = commands.add_parser("agents", help="list the agents and what they do")
    for each, what in ((calls, "calls"), (agents, "agents")):
        each.add_argument("--queue", metavar="NAME", help=f"only {what} of this queue")
        each.add_argument("--state", metavar="STATE", help=f"only {what} in this state")
    for each in (calls, queues, agents):
        each.add_argument(
            "--follow", action="store_true", help="print what changes, as it changes, until it is stopped"
        )
        _asks(each)
    call = commands.add_parser("call", help="look at one call, in progress or finished")
    actions = call.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="who, when, what happened and why, the sound, what went wrong")
    show.add_argument("call", metavar="ID", help="the call's id, as `isogloss calls` lists it")
    show.add_argument("--sip", action="store_true", help="print the SIP ladder as well")
    show.add_argument("--text", action="store_true", help="print the SIP messages whole, in the ladder")
    show.add_argument(
        "--pcap", metavar="FILE", help="write the SIP messages as a capture for Wireshark; - is the output"
    )
    show.add_argument(
        "--language", choices=LANGUAGES, default="en", help="that faults are told in (default: en)"
    )
    _asks(show)


def _report(commands: Commands) -> None:
    report = commands.add_parser("report", help="what calls came to, by one or two dimensions")
    report.add_argument(
        "--by",
        default="queue",
        metavar="WHAT[,WHAT]",
        help=f"a row for each: one or two of {', '.join(DIMENSIONS)} (default: queue)",
    )
    report.add_argument(
        "--from",
        dest="since",
        default="24h",
        metavar="WHEN",
        help="calls that arrived then or later: a day, a time, or how long ago (2026-03-02, "
        "2026-03-02T09:00, 36h, 7d; default: 24h)",
    )
    report.add_argument(
        "--to", dest="until", default="", metavar="WHEN", help="calls that arrived before then (default: now)"
    )
    report.add_argument(
        "--zone", default="UTC", metavar="ZONE", help="time zone of days and hours (default: UTC)"
    )
    report.add_argument(
        "--threshold",
        type=float,
        default=20.0,
        metavar="S",
        help="of the service level, seconds (default: 20)",
    )
    report.add_argument(
        "--formula", choices=FORMULAS, default="of_handled", help="of the service level (default: of_handled)"
    )
    for what in NARROWED:
        report.add_argument(f"--{what}", metavar="NAME", help=f"only calls of this {what}")
    report.add_argument("--csv", action="store_true", help="print it as a table for spreadsheets")
    _asks(report)


def _nodes(commands: Commands) -> None:
    nodes = commands.add_parser(
        "nodes", help="list the nodes of the cluster, and what speaks for and against each"
    )
    drain = commands.add_parser(
        "drain", help="have the running node take no new calls; those in progress go on"
    )
    drain.add_argument("--end", action="store_true", help="have it take some again")
    for each in (nodes, drain):
        _asks(each, bare=True)
    blocked = commands.add_parser(
        "blocked", help="list sources that are answered no more, for they guessed or scanned; or lift one"
    )
    blocked.add_argument("action", nargs="?", choices=("lift",), help="answer a source again")
    blocked.add_argument("address", nargs="?", metavar="ADDRESS", help="any address of that source")
    _asks(blocked)


def _access(commands: Commands) -> None:
    users = commands.add_parser("users", help="list, make and change the people who may sign in")
    actions = users.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="say who may sign in, as what, and with what limits")
    add = actions.add_parser("add", help="make somebody who may sign in")
    passwd = actions.add_parser(
        "passwd", help="give somebody another password; who is signed in has to sign in again"
    )
    disable = actions.add_parser("disable", help="shut somebody out at once")
    reset = actions.add_parser("totp-reset", help="take somebody's second factor away, who has lost it")
    for each in (add, passwd, disable, reset):
        each.add_argument("name", metavar="NAME", help="the user's name")
    add.add_argument("--role", required=True, choices=ROLES, help="what somebody is here for")
    add.add_argument("--display", default="", metavar="WORDS", help="what people call her")
    for what in ("market", "team"):
        told = f"limit her to this {what}; may stand several times"
        add.add_argument(f"--{what}", action="append", default=[], metavar="NAME", help=told)
    for each in (add, passwd):
        each.add_argument("--ask", action="store_true", help="ask for the password instead of making one up")
    disable.add_argument("--end", action="store_true", help="let somebody in again")
    audit = commands.add_parser("audit", help="prove the audit log")
    proofs = audit.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = proofs.add_parser(
        "verify", help="say whether the audit log is whole, and which row is the first that is not"
    )
    for each in (listed, add, passwd, disable, reset, verify):
        _own(each)


def _files(commands: Commands) -> None:
    recordings = commands.add_parser("recordings", help="check sealed recordings, and open them")
    actions = recordings.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="say whether recordings are whole and as they were written")
    verify.add_argument("files", type=Path, nargs="+", metavar="FILE", help="recordings")
    decrypt = actions.add_parser("decrypt", help="write a sealed recording as a file that plays")
    decrypt.add_argument("files", type=Path, nargs=1, metavar="FILE", help="the recording")
    decrypt.add_argument(
        "--to", type=Path, metavar="FILE", help="file to write (default: beside it, without .sealed)"
    )
    for each in (verify, decrypt):
        _config(each)  # its media.yaml has the keys
        _json(each)

    backup = commands.add_parser("backup", help="write all that a node needs to be the same node into a file")
    backup.add_argument("file", type=Path, metavar="FILE", help="file to write")
    backup.add_argument(
        "--recordings",
        choices=("list", "whole", "none"),
        default="list",
        help="recordings: a list of them, the files themselves, or neither (default: list)",
    )
    backup.add_argument(
        "--without-secrets", action="store_true", help="leave secrets and keys out, and seal nothing"
    )
    backup.add_argument("--force", action="store_true", help="although the file is there already")
    restore = commands.add_parser("restore", help="make a node of a backup, or check one")
    restore.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore.add_argument("--check", action="store_true", help="read and verify it, and restore nothing")
    restore.add_argument(
        "--into",
        type=Path,
        metavar="DIR",
        help="put it there: DIR/config and DIR/data (default: where it came from)",
    )
    restore.add_argument(
        "--store-file",
        type=Path,
        metavar="FILE",
        help="file with the URL of the PostgreSQL database to fill, instead of the configured one",
    )
    restore.add_argument(
        "--force", action="store_true", help="although something is there: it is set aside, and named"
    )
    restore.add_argument("--json", action="store_true", help="print it as JSON")
    for each in (backup, restore):
        each.add_argument(
            "--passphrase-file",
            type=Path,
            metavar="FILE",
            help="file with the passphrase (default: ISOGLOSS_BACKUP_PASSPHRASE, else it is asked for)",
        )
    _own(backup)


def _others(commands: Commands) -> None:
    worker = commands.add_parser("speech-worker", help="hear, translate or speak for nodes elsewhere")
    worker.add_argument(
        "--redis",
        required=True,
        metavar="URL",
        help="its URL, or a file of JSON: url, ca, prefix, keys, key",
    )
    worker.add_argument(
        "--crafts",
        required=True,
        metavar="FILE",
        help="what it does and with which models: a file of JSON",
    )
    completion = commands.add_parser("completion", help="print what has a shell complete these commands")
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")


# --- what several take ----------------------------------------------------------------------------


def _config(parser: argparse.ArgumentParser, *, bare: bool = False) -> None:
    """bare: the folder may stand by itself as well."""
    told = "configuration folder (default: the shipped one)"
    parser.add_argument("--config", type=Path, default=SHIPPED, metavar="DIR", help=told)
    if bare:
        parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the same")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _own(parser: argparse.ArgumentParser) -> None:
    """Of a command on the node's own files and store, whether or not it runs."""
    _config(parser)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the node's folder for data, instead of the configured one"
    )
    _json(parser)


def _asks(parser: argparse.ArgumentParser, *, bare: bool = False) -> None:
    """Of a command that asks the node that runs."""
    _config(parser, bare=bare)
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the node's folder for data, instead of the configured one"
    )
    parser.add_argument(
        "--api",
        metavar="URL",
        help="the node's API, such as http://127.0.0.1:8080 (default: ISOGLOSS_API, else found in --data)",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="file with the token to show (default: ISOGLOSS_API_TOKEN, else the configuration's own)",
    )
    parser.add_argument("--json", action="store_true", help="print what the node answers as JSON")


def folder_of(options: argparse.Namespace) -> Path:
    """The configuration's, however it was named."""
    found: Path | None = getattr(options, "folder", None) or getattr(options, "config", None)
    return found or SHIPPED
