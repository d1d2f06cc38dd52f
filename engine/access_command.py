"""`isogloss users …` and `isogloss audit verify`: on the store itself, whether or not a node runs.

Whoever can read the store's file or knows its URL may do this; the audit log says which user of the machine
it was.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from sqlalchemy.exc import DBAPIError

from config.fault import ConfigError
from config.load import load
from config.schema import Config
from config.secret import SecretMissing
from engine.access.access import ANCHOR, SPILL
from engine.access.audit import read_anchor
from engine.access.chain import Entry, Verdict, detail_of, verify
from engine.access.desk import NAME
from engine.access.errors import AccessError, IllegalNow, UnknownUser
from engine.access.passwords import Passwords, checked, new_password
from engine.access.principal import How
from engine.access.role import Role
from engine.store import database
from engine.store.accounts import Accounts, User
from engine.store.errors import StoreError
from engine.store.migrate import upgrade
from engine.store.trail import Trail

BROKEN, FAULTY = 1, 2  # exit status: the log is not whole; something is wrong
Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Books:
    """The store, open."""

    accounts: Accounts
    trail: Trail
    node: str
    data: Path


def run(options: argparse.Namespace) -> int:
    try:
        books = _open(options)
        if options.command == "audit":
            return _verify(options, books)
        return USERS[options.action](options, books)
    except ConfigError as error:
        print(error, file=sys.stderr)
    except (AccessError, StoreError, SecretMissing, DBAPIError, OSError) as error:
        print(f"isogloss {options.command}: {error}", file=sys.stderr)
    return FAULTY


def _open(options: argparse.Namespace) -> Books:
    config: Config = load(options.config, os.environ)
    if options.data is not None:
        config = replace(config, node=replace(config.node, data_dir=options.data))
    engine = database.connect(database.url_of(config))
    upgrade(engine)
    return Books(Accounts(engine), Trail(engine), config.node.name, config.node.data_dir)


# --- users ----------------------------------------------------------------------------------------


def _list(options: argparse.Namespace, books: Books) -> int:
    found = [_told(each) for each in books.accounts.users()]
    _print(options, {"items": found}, [_line(each) for each in found] or ["Nobody may sign in yet."])
    return 0


def _add(options: argparse.Namespace, books: Books) -> int:
    if not NAME.fullmatch(options.name):
        raise IllegalNow("a name has letters a to z, digits, '_', '.', '@' and '-', 64 at most")
    kept, made_up = _password(options)
    now = time.time()
    user = User(
        name=options.name,
        role=Role(options.role),
        display=options.display,
        markets=tuple(options.market),
        teams=tuple(options.team),
        password=kept,
        made_at=now,
        changed_at=now,
    )
    books.accounts.add(user)
    _audit(books, "create_user", options.name, {"role": options.role, "markets": options.market})
    _done(options, user, made_up, f"{user.name} may sign in as {user.role}.")
    return 0


def _passwd(options: argparse.Namespace, books: Books) -> int:
    found = books.accounts.user(options.name)
    if found is not None and found.subject is not None:
        raise IllegalNow("the OIDC provider vouches for this user; there is no password here")
    kept, made_up = _password(options)
    user = _change(books, "reset_password", options.name, password=kept)
    _done(options, user, made_up, f"{user.name} has another password.")
    return 0


def _disable(options: argparse.Namespace, books: Books) -> int:
    user = _change(books, "change_user", options.name, disabled=not options.end)
    said = f"{user.name} may sign in again." if options.end else f"{user.name} is shut out."
    _done(options, user, "", said)
    return 0


def _totp_reset(options: argparse.Namespace, books: Books) -> int:
    user = _change(books, "remove_totp", options.name, totp="", totp_on=False)
    books.accounts.set_recovery(options.name, ())
    _done(options, user, "", f"{user.name} signs in with the password alone.")
    return 0


USERS: dict[str, Callable[[argparse.Namespace, Books], int]] = {
    "list": _list,
    "add": _add,
    "passwd": _passwd,
    "disable": _disable,
    "totp-reset": _totp_reset,
}


def _change(books: Books, what: str, name: str, **values: Any) -> User:
    user = books.accounts.change(name, time.time(), ends=True, **values)
    if user is None:
        raise UnknownUser(f"there is no user {name!r}")
    _audit(books, what, name, {key: value for key, value in values.items() if key == "disabled"})
    return user


def _password(options: argparse.Namespace) -> tuple[str, str]:
    """What is kept of it, and the password itself where it was made up."""
    made_up = "" if options.ask else new_password()
    given = made_up or checked(_typed(), options.name)
    passwords = Passwords()
    try:
        return asyncio.run(passwords.keep(given)), made_up
    finally:
        passwords.close()


def _typed() -> str:
    """From the terminal, twice; from a pipe, its first line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("The same again: "):
        raise IllegalNow("the two are not the same")
    return first


def _audit(books: Books, what: str, name: str, detail: Told) -> None:
    who = getpass.getuser()
    entry = Entry(
        token_hex(12),
        time.time(),
        books.node,
        who,
        How.COMMAND,
        what,
        f"users/{name}",
        "done",
        detail_of(detail),
    )
    books.trail.append([entry])


def _told(user: User) -> Told:
    """No hash, no secret."""
    hidden = {"password", "totp", "totp_last", "subject"}
    return {name: value for name, value in asdict(user).items() if name not in hidden}


def _done(options: argparse.Namespace, user: User, made_up: str, said: str) -> None:
    told = _told(user) | ({"password": made_up} if made_up else {})
    _print(options, told, [said, *([f"Password, shown this once: {made_up}"] if made_up else [])])


def _line(user: Told) -> str:
    limits = [f"{what}: {', '.join(user[what])}" for what in ("markets", "teams") if user[what]]
    marks = [*(["shut out"] if user["disabled"] else []), *(["second factor"] if user["totp_on"] else [])]
    told = "; ".join(filter(None, [user["display"], *limits, *marks]))
    return f"{user['name']:<20} {user['role']:<11}{told}".rstrip()


# --- the audit log --------------------------------------------------------------------------------


def _verify(options: argparse.Namespace, books: Books) -> int:
    told = proof(books)
    _print(options, told, _said(told))
    return 0 if told["whole"] else BROKEN


def proof(books: Books) -> Told:
    """Whether the log is whole: all its rows, against what was anchored on this machine."""
    anchor, changed = None, ""
    try:
        anchor = read_anchor(books.data / ANCHOR)
    except ValueError as error:
        changed = str(error)
    verdict = verify(books.trail.rows(), [anchor] if anchor else [])
    if changed and verdict.whole:
        verdict = Verdict(verdict.rows, 0, f"was changed: {changed}")
    spill = books.data / SPILL
    return {
        "whole": verdict.whole,
        "rows": verdict.rows,
        "first_bad": verdict.bad,
        "why": verdict.why,
        "anchored": anchor.seq if anchor else None,
        "spilled_bytes": spill.stat().st_size if spill.exists() else 0,
    }


def _said(told: Told) -> list[str]:
    if not told["whole"]:
        row = f"row {told['first_bad']}" if told["first_bad"] else "the anchor"
        return [f"The audit log is not whole: {row} {told['why']}. {told['rows']} rows before it are right."]
    anchored = (
        f"anchored at row {told['anchored']}" if told["anchored"] else "anchored nowhere on this machine"
    )
    lines = [f"The audit log is whole: {told['rows']} rows, {anchored}."]
    if told["spilled_bytes"]:
        lines.append("Entries wait on disk for the store; the node brings them in.")
    return lines


def _print(options: argparse.Namespace, told: Told, said: list[str]) -> None:
    print(json.dumps(told, ensure_ascii=False) if options.json else "\n".join(said))
