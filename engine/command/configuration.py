"""The operator's commands on a configuration: `isogloss plan|apply|rollback|history`.

They ask the node that runs. `plan` does without one: then it compares with a version that is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from config.load import load
from config.reload import Effect
from config.schema import Config
from engine.command.fault import REFUSED, NotDone, Told, Unreachable
from engine.command.node import Node
from engine.command.terminal import plain
from engine.history import History
from engine.operating import Plan, weigh

CONFLICT = 409


def run(options: argparse.Namespace) -> int:
    act = {"plan": _plan, "apply": _apply, "rollback": _rollback, "history": _history}[options.command]
    try:
        return act(options)
    except NotDone as error:
        if error.problem.get("status") != CONFLICT:
            raise
        print(f"isogloss {options.command}: {error}", file=sys.stderr)
        return REFUSED


# --- the commands ---------------------------------------------------------------------------------


def _plan(options: argparse.Namespace) -> int:
    declared = load(options.config, os.environ)  # faults first, and without a node
    if options.since is not None:
        return _compare(options, declared, options.since)
    try:
        node = Node(options)
        status = node.ask("GET", "/v1/config")
    except Unreachable as fault:
        print(f"{fault}; compared with the version that is kept", file=sys.stderr)
        return _compare(options, declared, None)
    if Path(status["folder"]) != options.config.resolve():
        print(f"the node reads {status['folder']}; compared with the version that is kept", file=sys.stderr)
        return _compare(options, declared, None)
    told = node.ask("POST", "/v1/config/plan", {})
    _print(options, told, _described(told, status["restart"]))
    return REFUSED if told["refusals"] else 0


def _compare(options: argparse.Namespace, declared: Config, since: int | None) -> int:
    """With what is kept beside the node, which need not run."""
    history = History(options.data or declared.node.data_dir, kept=1)
    current = history.current()
    number = since if since is not None else current.number if current is not None else 0
    if history.find(number) is None:
        what = f"no version {number}" if since is not None else "no version"
        remedy = "start a node from this folder, or name its --data"
        raise Unreachable(f"{what} is kept under {history.folder}; {remedy}")
    told = _as_told(weigh(load(options.config, os.environ, history.texts(number)), declared, number))
    _print(options, told, _described(told, ()))
    return REFUSED if told["refusals"] else 0


def _as_told(plan: Plan) -> Told:
    changes = [
        {"setting": each.path, "words": each.words, "effect": each.effect.name.lower()}
        for each in plan.changes
    ]
    return {"version": plan.version, "changes": changes, "refusals": list(plan.refusals), "warnings": []}


def _apply(options: argparse.Namespace) -> int:
    node = Node(options)
    status = node.ask("GET", "/v1/config")
    if Path(status["folder"]) != options.config.resolve():
        remedy = "put the files there, or name that folder"
        raise Unreachable(f"the node reads {status['folder']}, not {options.config}; {remedy}")
    told = node.change("/v1/config/apply", {"why": options.why, "force": options.force}, status)
    _print(options, told, _done(told, "nothing changed"))
    return 0


def _rollback(options: argparse.Namespace) -> int:
    node = Node(options)
    status = node.ask("GET", "/v1/config")
    wish = {"version": options.version, "why": options.why, "force": options.force}
    told = node.change("/v1/config/rollback", wish, status)
    _print(options, told, _done(told, "it ran already"))
    return 0


def _history(options: argparse.Namespace) -> int:
    versions = list(Node(options).pages("/v1/config/versions"))
    _print(options, {"items": versions}, _listed(versions))
    return 0


# --- what is said ---------------------------------------------------------------------------------


def _print(options: argparse.Namespace, told: Told, said: Iterable[str]) -> None:
    print(json.dumps(told, ensure_ascii=False) if options.json else "\n".join(said))


def _described(told: Told, restart: Iterable[str]) -> Iterator[str]:
    """A plan, in the order in which it is felt. restart: what was applied before, and waits for one."""
    waiting = list(restart)
    new = [each for each in told["changes"] if each["words"] not in waiting]
    if new:
        yield f"What these files change, from version {told['version']}:"
    else:
        yield f"Version {told['version']} has all that these files say."
    yield from _changes(new)
    yield from _block("Look out", told["warnings"])
    yield from _block("Refused without --force", told["refusals"])
    yield from _block("Applied before, and waiting for a restart", waiting)


def _done(told: Told, otherwise: str) -> Iterator[str]:
    number = told["version"]["number"]
    yield f"Version {number} runs." if told["changes"] else f"Version {number} runs; {otherwise}."
    yield from _changes(told["changes"])
    yield from _block("Look out", told["warnings"])


def _changes(changes: list[Told]) -> Iterator[str]:
    for effect in Effect:
        words = [each["words"] for each in changes if each["effect"] == effect.name.lower()]
        yield from _block(effect.value.capitalize(), words)


def _block(title: str, lines: Iterable[str]) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield f"{title}:"
    yield from (f"  {line}" for line in lines)


def _listed(versions: list[Told]) -> Iterator[str]:
    for each in versions:
        at = datetime.fromisoformat(each["at"]).astimezone()
        how = f"back to {each['of']}" if each["of"] else each["how"]
        forced = ", forced" if each["forced"] else ""
        why = f": {each['why']}" if each["why"] else ""
        yield plain(f"{each['number']:>5}  {at:%Y-%m-%d %H:%M:%S}  {how}{forced} by {each['by']}{why}")
        yield from (f"         {plain(change)}" for change in each["changes"])
