"""The operator's commands on a configuration: `isogloss plan|apply|rollback|history`.

They ask the node that runs, by its API, with the token of an operator: ISOGLOSS_API_TOKEN, or the first that
the configuration has. Where the node is to be found is in its data folder (engine/running.py). `plan` does
without a node: then it compares with a version that is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from config.fault import ConfigError
from config.load import data_dir, load
from config.reload import Effect
from config.schema import Config
from config.service import ApiRole
from engine.history import History
from engine.operating import Plan, weigh
from engine.running import Running

PATIENCE_S = 120.0  # prompts may have to be spoken
REFUSED, FAULTY = 1, 2  # exit status: it takes --force; something is wrong
Told = dict[str, Any]


class Unreachable(Exception):
    """No node answers, or none that lets us in; says what to do."""


class NotDone(Exception):
    """The node answered with a problem."""

    def __init__(self, problem: Told) -> None:
        super().__init__(problem.get("detail", "the node refused it"))
        self.problem = problem


def run(options: argparse.Namespace) -> int:
    act = {"plan": _plan, "apply": _apply, "rollback": _rollback, "history": _history}[options.command]
    try:
        return act(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
    except Unreachable as error:
        print(f"isogloss {options.command}: {error}", file=sys.stderr)
    except NotDone as error:
        print(f"isogloss {options.command}: {error}", file=sys.stderr)
        for each in error.problem.get("errors", ()):
            print(f"  {each['where']}: {each['what']}", file=sys.stderr)
        return REFUSED if error.problem.get("status") == 409 else FAULTY
    return FAULTY


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


# --- the node -------------------------------------------------------------------------------------


class Node:
    """The one that runs from this folder. Raises Unreachable, NotDone."""

    def __init__(self, options: argparse.Namespace) -> None:
        config = _known(options.config, options.data)
        data = options.data or (config.node.data_dir if config is not None else None)
        found = Running(data).look() if data is not None else None
        self.base = options.api or (found.api if found is not None else "")
        if not self.base and config is not None and config.api.enabled:
            host = config.api.address
            self.base = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{config.api.port}"
        if not self.base:
            raise Unreachable("where the node is cannot be told from these files; name --api or --data")
        self._token = os.environ.get("ISOGLOSS_API_TOKEN") or _token(config, data)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        asked = urllib.request.Request(
            self.base + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
            | dict(headers or {}),
            method=method,
        )
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _not_done(error) from error
        except (OSError, ValueError) as error:
            raise Unreachable(f"no node answers at {self.base} ({error})") from error

    def change(self, path: str, wish: Told, status: Told) -> Told:
        """Once, and only where what runs is what was looked at."""
        headers = {"If-Match": f'"{status["version"]["number"]}"', "Idempotency-Key": uuid4().hex}
        answer: Told = self.ask("POST", path, wish, headers)
        return answer

    def pages(self, path: str) -> Iterator[Told]:
        after = ""
        while True:
            page = self.ask("GET", path + (f"?cursor={after}" if after else ""))
            yield from page["items"]
            after = page["next"]
            if not after:
                return


def _not_done(error: urllib.error.HTTPError) -> NotDone:
    try:
        return NotDone(dict(json.loads(error.read())))
    except (ValueError, TypeError):
        return NotDone({"status": error.code, "detail": f"the node answered {error.code}"})


def _known(folder: Path, data: Path | None) -> Config | None:
    """The files, or where they have faults the version that runs: it says who may ask the node, and where."""
    try:
        return load(folder, os.environ)
    except ConfigError:
        where = data or data_dir(folder)
    history = History(where, kept=1) if where is not None else None
    current = history.current() if history is not None else None
    if history is None or current is None:
        return None
    try:
        return load(folder, os.environ, history.texts(current.number))
    except ConfigError:
        return None


def _token(config: Config | None, data: Path | None) -> str:
    """An operator's, as configured or as the node made it up."""
    for name, each in config.api.tokens.items() if config is not None else ():
        if each.role is not ApiRole.OPERATOR:
            continue
        if not each.token.generated:
            return each.token.reveal()
        try:
            return ((data or Path()) / "secrets" / "api" / name).read_text().strip()
        except OSError:
            continue
    raise Unreachable(
        "no operator's token is at hand; set ISOGLOSS_API_TOKEN, or run this as the node's user"
    )


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
        yield f"{each['number']:>5}  {at:%Y-%m-%d %H:%M:%S}  {how}{forced} by {each['by']}{why}"
        yield from (f"         {change}" for change in each["changes"])
