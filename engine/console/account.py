"""One's own account: password, second factor, tokens for programs, and where one is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from engine.access.principal import How
from engine.access.role import PEOPLE_ONLY, Permission
from engine.access.roster import LONGEST_TOKEN_S, Enrolment
from engine.console import roster
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Fields, Place, Told
from engine.console.roster import attempted, limits_of, several
from engine.store.accounts import ApiKey, Session, User

EVERY_S = 10.0
DAY_S = 86_400.0
MOST_DAYS = int(LONGEST_TOKEN_S // DAY_S)
MOST_NAME = 64


@dataclass(frozen=True, slots=True)
class AccountFile:
    """user: None for who came with a token of the configuration. form: which of the page's `faults` and
    `given` are of. enrolment: a second factor that waits for its first code. codes: for when it is lost;
    secret: of a token that was made; both are shown this once.
    """

    user: User | None = None
    sessions: tuple[Session, ...] = ()
    tokens: tuple[ApiKey, ...] = ()
    scopes: tuple[Permission, ...] = ()
    markets: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    form: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    enrolment: Enrolment | None = None
    codes: tuple[str, ...] = ()
    secret: str = ""

    def faults_of(self, form: str) -> Mapping[str, str]:
        return self.faults if form == self.form else {}

    def given_in(self, form: str) -> Mapping[str, str]:
        return self.given if form == self.form else {}


async def load(desk: Desk, place: Place, before: Any) -> AccountFile:
    if desk.access is None or desk.who.how not in (How.PASSWORD, How.OIDC):
        return AccountFile()
    theirs, known = desk.access.roster, desk.who.known
    tokens: list[ApiKey] = []
    if desk.who.may(Permission.MAKE_TOKENS):
        tokens = [each for each in await theirs.tokens(known) if each.owner == desk.who.name]
    markets, teams = limits_of(desk)
    found = AccountFile(
        user=await theirs.user(desk.who.name),
        sessions=tuple(await theirs.sessions(known, desk.who.name)),
        tokens=tuple(tokens),
        scopes=tuple(each for each in Permission if desk.who.may(each) and each not in PEOPLE_ONLY),
        markets=tuple(sorted(desk.who.markets)) or markets,
        teams=tuple(sorted(desk.who.teams)) or teams,
    )
    if isinstance(before, AccountFile):
        kept = ("form", "faults", "given", "enrolment", "codes", "secret")
        found = replace(found, **{name: getattr(before, name) for name in kept})
    return before if found == before else found


async def _known(
    desk: Desk, place: Place, form: str = "", given: Fields = MappingProxyType({})
) -> AccountFile:
    """As it is now that something was filled in. What her page shows this once stays on it, a second factor
    that she is about to scan say.
    """
    return replace(await load(desk, place, desk.shown), form=form, faults={}, given=given)


async def change_password(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """All her sessions end, this one too, so that she is at the door next."""
    assert desk.access is not None
    known = await _known(desk, place, "password")
    if given.get("new", "") != given.get("again", ""):
        return Told("form.wrong", bad=True, keep=replace(known, faults={"again": "account.fault.again"}))
    changing = desk.access.roster.change_password(who.known, given.get("old", ""), given.get("new", ""))
    return await _proved(changing, known, "old", "new") or Told("account.password.changed")


async def enrol(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Begin with a second factor: what an app reads is shown."""
    assert desk.access is not None
    known = await _known(desk, place, "enrol")
    made, fault = await _tried(
        desk.access.roster.enrol(who.known, given.get("password", "")), known, "password"
    )
    return fault or Told("account.totp.scan", keep=replace(known, enrolment=made))


async def confirm(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """It counts from now on; codes for when the phone is lost are shown once. secret, uri: that were shown,
    to be shown again where the code was not right.
    """
    assert desk.access is not None
    known = await _known(desk, place, "confirm")
    known = replace(known, enrolment=await desk.access.roster.enrolment(who.known))
    code = given.get("code", "").replace(" ", "")
    codes, fault = await _tried(desk.access.roster.confirm(who.known, code), known, "code")
    if fault is not None:
        return fault
    found = await _known(desk, place)
    return Told("account.totp.on", keep=replace(found, enrolment=None, codes=tuple(codes)))


async def give_up(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Takes a code of it; all her sessions end."""
    assert desk.access is not None
    known = await _known(desk, place, "give_up")
    doing = desk.access.roster.give_up_totp(who.known, given.get("code", "").replace(" ", ""))
    return await _proved(doing, known, "code", "code") or Told("account.totp.off")


async def end(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Her own sessions, all or the one named, whatever the address says."""
    return await roster.end(desk, who, replace(place, id=who.name), given)


async def mint(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """A token for a program; its secret is shown once."""
    assert desk.access is not None
    known = await _known(desk, place, "mint", given)
    faults, scopes = _token_faults(given, known), several(given.get("scopes", ""))
    if faults:
        return Told("form.wrong", bad=True, keep=replace(known, faults=faults))
    minting = desk.access.roster.mint(
        who.known,
        given["name"].strip(),
        [Permission(each) for each in scopes],
        markets=several(given.get("markets", "")),
        teams=several(given.get("teams", "")),
        life_s=int(given["days"]) * DAY_S,
    )
    made, fault = await attempted(minting, lambda at: replace(known, faults=at))
    if fault is not None:
        return fault
    found = replace(await _known(desk, place), secret=made[1])
    return Told("token.made", keep=found, of=f"tokens/{made[0].id}")


def _token_faults(given: Fields, known: AccountFile) -> dict[str, str]:
    faults = {}
    name = given.get("name", "").strip()
    if not name or len(name) > MOST_NAME or not name.isprintable():
        faults["name"] = "token.fault.name"
    scopes = several(given.get("scopes", ""))
    if not scopes or not set(scopes) <= set(known.scopes):
        faults["scopes"] = "token.fault.scopes"
    days = given.get("days", "")
    if not (days.isascii() and days.isdecimal() and len(days) < 4 and 1 <= int(days) <= MOST_DAYS):
        faults["days"] = "token.fault.days"
    for field_, there in (("markets", known.markets), ("teams", known.teams)):
        if not set(several(given.get(field_, ""))) <= set(there):
            faults[field_] = "user.fault.limits"
    return faults


async def _tried(doing: Any, known: AccountFile, proof: str, weak: str = "") -> tuple[Any, Told | None]:
    """What came of it. proof: the field that is at fault where what proves her does not; weak: where the new
    password could be guessed.
    """
    made, fault = await attempted(
        doing, lambda at: replace(known, faults={weak or proof: "access.weak-password"})
    )
    if fault is not None and fault.key == "access.wrong-credentials":
        fault = Told("form.wrong", bad=True, keep=replace(known, faults={proof: f"account.fault.{proof}"}))
    return made, fault


async def _proved(doing: Any, known: AccountFile, proof: str, weak: str) -> Told | None:
    return (await _tried(doing, known, proof, weak))[1]
