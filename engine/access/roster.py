"""Users and tokens as people manage them: oneself, others, and what programs are given.

Who asks is looked at here, whatever way it came: nobody gives more than they have, nobody changes their own
role, and the last administrator stays.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.access import rights, totp
from engine.access.desk import NAME, TOKEN, AccessDesk, digest_of
from engine.access.errors import IllegalNow, Refused, UnknownToken, UnknownUser
from engine.access.lockbox import Locked
from engine.access.passwords import checked, new_password
from engine.access.principal import Principal
from engine.access.role import Permission, Role
from engine.store.accounts import ApiKey, Session, User

OWN = frozenset({"role", "markets", "teams", "disabled"})  # what nobody changes of themselves
HARMLESS = frozenset({"display", "disabled"})  # give nobody more, unless somebody is shut out no longer
LONGEST_TOKEN_S = 366 * 86_400.0
MOST_TOKENS = 50  # of one user that are good


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app for codes is given. uri: to be shown as a QR code."""

    secret: str
    uri: str


class Roster:
    """Over the desk, on the event loop. Raises AccessError, StoreUnavailable."""

    def __init__(self, desk: AccessDesk) -> None:
        self._desk = desk
        self._accounts = desk.accounts

    # --- users --------------------------------------------------------------------------------------

    async def users(self) -> list[User]:
        return await asyncio.to_thread(self._accounts.users)

    async def user(self, name: str) -> User:
        found = await asyncio.to_thread(self._accounts.user, name)
        if found is None:
            raise UnknownUser(f"there is no user {name!r}")
        return found

    async def create(
        self,
        principal: Principal,
        name: str,
        role: Role,
        *,
        display: str = "",
        markets: Sequence[str] = (),
        teams: Sequence[str] = (),
        password: str = "",
    ) -> tuple[User, str]:
        """A new user, and her password where one was made up. Raises NameTaken, WeakPassword, Refused."""
        rights.may_let_in(principal, role)
        if not NAME.fullmatch(name):
            raise IllegalNow("a user's name has letters a to z, digits, '_', '.', '@' and '-', 64 at most")
        made_up = "" if password else new_password()
        kept = await self._desk.passwords.keep(made_up or checked(password, name))
        now = self._desk.wall()
        user = User(
            name=name,
            role=role,
            display=display,
            markets=tuple(markets),
            teams=tuple(teams),
            password=kept,
            made_at=now,
            changed_at=now,
        )
        await asyncio.to_thread(self._accounts.add, user)
        return user, made_up

    async def change(
        self, principal: Principal, name: str, expected: int | None, values: dict[str, Any]
    ) -> User:
        """Give a user other values; sessions end where rights change. Raises OtherVersion, LastAdmin."""
        found = await self.user(name)
        gives = bool(values.keys() - HARMLESS) or values.get("disabled") is False
        allowed = rights.may_let_in if gives else rights.may_manage
        allowed(principal, found.role)
        if "role" in values:
            allowed(principal, values["role"])
        if name == principal.who and OWN & values.keys():
            raise Refused("nobody changes their own role, limits or standing; ask another administrator")
        return await self._change(name, expected=expected, ends=bool(OWN & values.keys()), **values)

    async def reset_password(self, principal: Principal, name: str, password: str) -> str:
        """Another password for somebody else, made up where none is given; the one that was made up."""
        found = await self.user(name)
        rights.may_let_in(principal, found.role)
        if name == principal.who:
            raise Refused("change your own password as one who knows it")
        return await self._set_password(found, password)

    async def _set_password(self, user: User, password: str) -> str:
        if user.subject is not None:
            raise IllegalNow("another house vouches for this user; there is no password here")
        made_up = "" if password else new_password()
        kept = await self._desk.passwords.keep(made_up or checked(password, user.name))
        await self._change(user.name, ends=True, password=kept)
        return made_up

    async def remove_totp(self, principal: Principal, name: str) -> User:
        """For somebody else who has lost it."""
        found = await self.user(name)
        rights.may_let_in(principal, found.role)
        if name == principal.who:
            raise Refused("remove your own second factor as one who has it")
        return await self._without_totp(name)

    async def _without_totp(self, name: str) -> User:
        await asyncio.to_thread(self._accounts.set_recovery, name, ())
        return await self._change(name, ends=True, totp="", totp_on=False)

    async def _change(
        self, name: str, *, expected: int | None = None, ends: bool = False, **values: Any
    ) -> User:
        now = self._desk.wall()
        changed = await asyncio.to_thread(
            self._accounts.change, name, now, expected=expected, ends=ends, **values
        )
        self._desk.forget(name)
        if changed is None:
            raise UnknownUser(f"there is no user {name!r}")
        return changed

    async def sessions(self, principal: Principal, name: str) -> list[Session]:
        """Somebody's sessions that are not over: one's own, or those of who one may manage."""
        await self._may_end(principal, name)
        now, idle_s = self._desk.wall(), self._desk.terms.idle_s
        found = await asyncio.to_thread(self._accounts.sessions_of, name)
        return [each for each in found if now < each.expires_at and now - each.seen_at < idle_s]

    async def end_sessions(self, principal: Principal, name: str, id: str = "") -> int:
        """All of them, or one; how many ended."""
        await self._may_end(principal, name)
        ended = await asyncio.to_thread(self._accounts.end_sessions, name, id)
        self._desk.forget(name)
        return ended

    async def _may_end(self, principal: Principal, name: str) -> None:
        if name != principal.who:
            rights.may_manage(principal, (await self.user(name)).role)

    # --- oneself ------------------------------------------------------------------------------------

    async def change_password(self, principal: Principal, old: str, new: str) -> None:
        """All sessions of hers end, this one too. Raises WrongCredentials, WeakPassword, TooSoon."""
        user = await self._proved(principal, old)
        await self._set_password(user, checked(new, user.name))

    async def enrol(self, principal: Principal, password: str) -> Enrolment:
        """Begin with a second factor; it counts once a code of it was shown."""
        user = await self._proved(principal, password)
        if user.totp_on:
            raise IllegalNow("there is a second factor already; remove it first")
        secret = totp.new_secret()
        await self._change(user.name, totp=self._desk.lockbox.seal(user.name, secret))
        return self._enrolment(user.name, secret)

    async def enrolment(self, principal: Principal) -> Enrolment | None:
        """A second factor of hers that waits for its first code."""
        user = await self.user(principal.who)
        if user.totp_on or not user.totp:
            return None
        try:
            return self._enrolment(user.name, self._desk.lockbox.open(user.name, user.totp))
        except Locked:
            return None

    def _enrolment(self, name: str, secret: str) -> Enrolment:
        return Enrolment(secret, totp.uri(secret, name, self._desk.terms.issuer))

    async def confirm(self, principal: Principal, code: str) -> list[str]:
        """The second factor counts from now on; codes for when it is lost, told once."""
        user = await self.user(principal.who)
        if user.totp_on or not user.totp:
            raise IllegalNow("nothing waits to be confirmed")
        await self._desk.prove(user.name, lambda: self._desk.takes(user, code))
        codes = totp.new_recovery_codes()
        digests = [digest for code in codes if (digest := totp.recovery_digest(code))]
        await asyncio.to_thread(self._accounts.set_recovery, user.name, digests)
        await self._change(user.name, totp_on=True)
        return codes

    async def give_up_totp(self, principal: Principal, code: str) -> None:
        """All sessions of hers end, this one too."""
        user = await self.user(principal.who)
        if not user.totp_on:
            raise IllegalNow("there is no second factor")
        await self._desk.prove(user.name, lambda: self._desk.takes(user, code))
        await self._without_totp(user.name)

    async def _proved(self, principal: Principal, password: str) -> User:
        user = await self.user(principal.who)
        if user.subject is not None:
            raise IllegalNow("another house vouches for you; there is nothing to change here")
        await self._desk.prove(user.name, lambda: self._desk.passwords.matches(user.password, password))
        return user

    # --- tokens -------------------------------------------------------------------------------------

    async def mint(
        self,
        principal: Principal,
        name: str,
        scopes: Sequence[Permission],
        *,
        markets: Sequence[str] = (),
        teams: Sequence[str] = (),
        life_s: float = 90 * 86_400.0,
    ) -> tuple[ApiKey, str]:
        """A token for a program, and its secret, told once. Raises Refused."""
        rights.may_mint(principal, scopes, markets, teams)
        now = self._desk.wall()
        mine = await asyncio.to_thread(self._accounts.keys, principal.who)
        if sum(each.revoked_at is None and each.expires_at > now for each in mine) >= MOST_TOKENS:
            raise IllegalNow(f"you have {MOST_TOKENS} tokens; revoke one first")
        secret = TOKEN + secrets.token_urlsafe(32)
        key = ApiKey(
            id=secrets.token_hex(8),
            digest=digest_of(secret),
            owner=principal.who,
            name=name,
            scopes=tuple(sorted(set(scopes))),
            markets=tuple(markets),
            teams=tuple(teams),
            made_at=now,
            expires_at=now + min(life_s, LONGEST_TOKEN_S),
        )
        await asyncio.to_thread(self._accounts.add_key, key)
        return key, secret

    async def tokens(self, principal: Principal) -> list[ApiKey]:
        """One's own; everybody's for those who manage users."""
        whose = None if principal.may(Permission.MANAGE_USERS) else principal.who
        return await asyncio.to_thread(self._accounts.keys, whose)

    async def revoke(self, principal: Principal, id: str) -> None:
        """It is good for nothing at once."""
        if all(each.id != id for each in await self.tokens(principal)):
            raise UnknownToken(f"there is no token {id!r}")
        await asyncio.to_thread(self._accounts.revoke_key, id, self._desk.wall())
        self._desk.forget()
