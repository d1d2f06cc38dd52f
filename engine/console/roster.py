"""What the pages of users ask and do: as by the API, with the same rights, and faults at their field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.access import addresses
from engine.access.desk import NAME
from engine.access.errors import AccessError
from engine.access.role import Permission, Role, outranks
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Fields, Place, Told
from engine.store.accounts import ApiKey, Session, User

MOST_DISPLAY = 256
MOST_LIMITS = 200
EVERY_S = 5.0
# whose fault it is, where it is a field's
AT: Mapping[str, str] = {"name-taken": "name", "weak-password": "password"}


@dataclass(frozen=True, slots=True)
class UsersFile:
    """kept: whether anybody signs in here by name. user: the one that is looked at. markets, teams: that the
    configuration knows. faults: of what was sent last, by field; given: what it was. secret: shown this once,
    and whose.
    """

    kept: bool = True
    users: tuple[User, ...] = ()
    user: User | None = None
    sessions: tuple[Session, ...] = ()
    tokens: tuple[ApiKey, ...] = ()
    markets: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    whose: str = ""


def limits_of(desk: Desk) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Markets and teams that something belongs to."""
    known = desk.view.directory()
    markets = {*known.queues.values(), *known.lines.values()} - {""}
    teams = {place.team for place in known.agents.values()} - {""}
    return tuple(sorted(markets)), tuple(sorted(teams))


async def load(desk: Desk, place: Place, before: Any) -> UsersFile:
    if desk.access is None:
        return UsersFile(kept=False)
    markets, teams = limits_of(desk)
    roster = desk.access.roster
    found = UsersFile(users=tuple(await roster.users()), markets=markets, teams=teams)
    user = next((each for each in found.users if each.name == place.id), None)
    if user is not None:
        tokens = [each for each in await roster.tokens(desk.who.known) if each.owner == user.name]
        sessions: list[Session] = []
        if not outranks(desk.who.rights, user.role):
            sessions = await roster.sessions(desk.who.known, user.name)
        if not (user.name == desk.who.name or desk.who.may(Permission.PERSONAL)):
            sessions = [replace(each, source=addresses.cut(each.source)) for each in sessions]
        found = replace(found, user=user, sessions=tuple(sessions), tokens=tuple(tokens))
    if isinstance(before, UsersFile):
        found = replace(
            found, faults=before.faults, given=before.given, secret=before.secret, whose=before.whose
        )
    return before if found == before else found


# --- what was filled in ----------------------------------------------------------------------------


def several(text: str) -> tuple[str, ...]:
    """Values of a field that may have some, a line each."""
    return tuple(dict.fromkeys(each for each in text.split("\n") if each))[:MOST_LIMITS]


def checked(given: Fields, known: UsersFile) -> dict[str, str]:
    """What is wrong with a user as she was filled in, by field."""
    faults = {}
    if given.get("role") not in tuple(Role):
        faults["role"] = "user.fault.role"
    if len(given.get("display", "")) > MOST_DISPLAY or not given.get("display", "").isprintable():
        faults["display"] = "user.fault.display"
    held = known.user
    for name, there in (("markets", known.markets), ("teams", known.teams)):
        before = getattr(held, name) if held is not None else ()
        if not set(several(given.get(name, ""))) <= {*there, *before}:
            faults[name] = "user.fault.limits"
    return faults


# --- what is done ----------------------------------------------------------------------------------


async def attempted(doing: Awaitable[Any], keep: Callable[..., Any]) -> tuple[Any, Told | None]:
    """What came of it, or what is to be told of the fault. keep: the page with these faults."""
    try:
        return await doing, None
    except AccessError as error:
        at = AT.get(error.name)
        if at is not None:
            return None, Told("form.wrong", bad=True, keep=keep({at: f"access.{error.name}"}))
        return None, Told(f"access.{error.name}", {"why": str(error)}, bad=True)


async def create(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Somebody new. Her password is made up, unless one is given, and shown once."""
    assert desk.access is not None
    known = await load(desk, place, None)
    name = given.get("name", "").strip()
    faults = checked(given, known)
    if not NAME.fullmatch(name):
        faults["name"] = "user.fault.name"
    wrong = replace(known, given=without_secrets(given))
    if faults:
        return Told("form.wrong", bad=True, keep=replace(wrong, faults=faults))
    made, fault = await attempted(
        desk.access.roster.create(
            who.known,
            name,
            Role(given["role"]),
            display=given.get("display", "").strip(),
            markets=several(given.get("markets", "")),
            teams=several(given.get("teams", "")),
            password=given.get("password", ""),
        ),
        lambda at: replace(wrong, faults=at),
    )
    if fault is not None:
        return fault
    user, password = made
    found = replace(await load(desk, place, None), secret=password, whose=user.name)
    return Told("user.made", {"name": user.name}, keep=found, of=f"users/{user.name}")


async def change(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Role, limits and what she is called. version: of the user that was looked at."""
    assert desk.access is not None
    known = await load(desk, place, None)
    if known.user is None:
        return Told("access.unknown-user", bad=True)
    own = known.user.name == who.name
    values: dict[str, Any] = {"display": given.get("display", "").strip()}
    faults = checked({**given, "role": given.get("role", known.user.role)}, known)
    if not own:
        values["role"] = given.get("role", "")
        values |= {name: several(given.get(name, "")) for name in ("markets", "teams")}
    if faults:
        return Told("form.wrong", bad=True, keep=replace(known, faults=faults, given=given))
    if not own:
        values["role"] = Role(values["role"])
    version = given.get("version", "")
    expected = int(version) if version.isdecimal() and len(version) < 10 else -1
    values = {name: value for name, value in values.items() if value != getattr(known.user, name)}
    if not values:
        return Told("form.same")
    changing = desk.access.roster.change(who.known, known.user.name, expected, values)
    _, fault = await attempted(changing, lambda at: replace(known, faults=at, given=given))
    return fault or Told("user.changed", keep=await load(desk, place, None))


async def bar(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Shut her out, or let her in again."""
    assert desk.access is not None
    disabled = given.get("disabled") == "yes"
    changing = desk.access.roster.change(who.known, place.id, None, {"disabled": disabled})
    _, fault = await attempted(changing, lambda at: None)
    done = Told("user.barred" if disabled else "user.let_in", {"name": place.id})
    return fault or replace(done, keep=await load(desk, place, None))


async def reset(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Another password, made up and shown once; her sessions end."""
    assert desk.access is not None
    password, fault = await attempted(
        desk.access.roster.reset_password(who.known, place.id, ""), lambda at: None
    )
    if fault is not None:
        return fault
    found = await load(desk, place, None)
    return Told("user.reset", {"name": place.id}, keep=replace(found, secret=password, whose=place.id))


async def drop_totp(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    assert desk.access is not None
    _, fault = await attempted(desk.access.roster.remove_totp(who.known, place.id), lambda at: None)
    return fault or Told("user.totp.gone", {"name": place.id}, keep=await load(desk, place, None))


async def end(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Her sessions, all or the one named."""
    assert desk.access is not None
    doing = desk.access.roster.end_sessions(who.known, place.id, given.get("session", ""))
    count, fault = await attempted(doing, lambda at: None)
    return fault or Told("session.ended", {"n": count})


async def revoke(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    assert desk.access is not None
    _, fault = await attempted(desk.access.roster.revoke(who.known, given.get("token", "")), lambda at: None)
    return fault or Told("token.revoked")


def without_secrets(given: Fields) -> dict[str, str]:
    return {
        name: value for name, value in given.items() if "password" not in name and name not in ("old", "new")
    }
