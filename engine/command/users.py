"""`isogloss users …`: on the store itself, whether or not a node runs."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from secrets import token_hex
from typing import Any

from engine.access.chain import Entry, detail_of
from engine.access.desk import NAME
from engine.access.errors import IllegalNow, UnknownUser
from engine.access.passwords import Passwords, checked, new_password
from engine.access.principal import How
from engine.access.role import Role
from engine.command import terminal
from engine.command.books import Books, opened, show
from engine.command.fault import DONE, Told
from engine.command.terminal import Cell, Column
from engine.store.accounts import User

COLUMNS = (
    *(Column("name"), Column("role"), Column("display", gives=True), Column("markets", gives=True)),
    *(Column("teams", gives=True), Column("")),
)


def run(options: argparse.Namespace) -> int:
    with opened(options) as books:
        return USERS[options.action](options, books)


def _list(options: argparse.Namespace, books: Books) -> int:
    found = [_told(each) for each in books.accounts.users()]
    table = terminal.of().table(COLUMNS, map(_row, found))
    show(options, {"items": found}, table if found else ["Nobody may sign in yet: isogloss users add"])
    return DONE


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
    return DONE


def _passwd(options: argparse.Namespace, books: Books) -> int:
    found = books.accounts.user(options.name)
    if found is not None and found.subject is not None:
        raise IllegalNow("the OIDC provider vouches for this user; there is no password here")
    kept, made_up = _password(options)
    user = _change(books, "reset_password", options.name, password=kept)
    _done(options, user, made_up, f"{user.name} has another password.")
    return DONE


def _disable(options: argparse.Namespace, books: Books) -> int:
    user = _change(books, "change_user", options.name, disabled=not options.end)
    said = f"{user.name} may sign in again." if options.end else f"{user.name} is shut out."
    _done(options, user, "", said)
    return DONE


def _totp_reset(options: argparse.Namespace, books: Books) -> int:
    user = _change(books, "remove_totp", options.name, totp="", totp_on=False)
    books.accounts.set_recovery(options.name, ())
    _done(options, user, "", f"{user.name} signs in with the password alone.")
    return DONE


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
    entry = Entry(
        token_hex(12),
        time.time(),
        books.node,
        _who(),
        How.COMMAND,
        what,
        f"users/{name}",
        "done",
        detail_of(detail),
    )
    books.trail.append([entry])


def _who() -> str:
    """The user of the machine; one without a name, as in a container under any number, by that."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _told(user: User) -> Told:
    """No hash, no secret."""
    hidden = {"password", "totp", "totp_last", "subject"}
    return {name: value for name, value in asdict(user).items() if name not in hidden}


def _done(options: argparse.Namespace, user: User, made_up: str, said: str) -> None:
    told = _told(user) | ({"password": made_up} if made_up else {})
    show(options, told, [said, *([f"Password, shown this once: {made_up}"] if made_up else [])])


def _row(user: Told) -> list[Cell | str]:
    marks = [*(["shut out"] if user["disabled"] else []), *(["second factor"] if user["totp_on"] else [])]
    limits = [", ".join(user[what]) or "all" for what in ("markets", "teams")]
    shut = "bad" if user["disabled"] else ""
    return [user["name"], user["role"], user["display"], *limits, Cell(", ".join(marks), shut)]
