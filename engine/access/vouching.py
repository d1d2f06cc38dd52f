"""Somebody whom the OIDC provider vouches for becomes, and stays, a user here."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from engine.access.desk import NAME, AccessDesk, Opened
from engine.access.errors import AccessError, NameTaken, WrongCredentials
from engine.access.oidc import Oidc, Vouched
from engine.access.principal import How
from engine.store.accounts import User


class Vouching:
    """The way in by the provider's word."""

    def __init__(self, desk: AccessDesk, oidc: Oidc) -> None:
        self._desk = desk
        self._oidc = oidc
        self.origin = oidc.provider.origin

    async def begin(self, next: str) -> tuple[str, str]:
        """Where the browser goes, and the cookie that it takes along. next: page of ours to go on at
        afterwards. Raises AccessError.
        """
        return await self._oidc.begin(next)

    async def finish(
        self, cookie: str, state: str, code: str, source: str, client: str = ""
    ) -> tuple[Opened, str]:
        """A session for who came back, and the page to go on at. Raises AccessError."""
        name = ""
        try:
            vouched, next = await self._oidc.finish(cookie, state, code)
            name = vouched.name
            user = await self._user(vouched)
        except AccessError as why:
            self._desk.refused(name, How.OIDC, why, source)
            raise
        return await self._desk.open(user, How.OIDC, source, client), next

    async def _user(self, vouched: Vouched) -> User:
        """Role and limits are the provider's to say, each time; that somebody is shut out is ours. A name is
        nobody's twice: who has a password here is never taken over by the provider's word.
        """
        accounts, now = self._desk.accounts, self._desk.wall()
        found = await asyncio.to_thread(accounts.of_subject, vouched.subject)
        if found is None:
            if not NAME.fullmatch(vouched.name):
                raise WrongCredentials("the provider's name for you is none that can be used here")
            made = User(
                name=vouched.name,
                role=vouched.role,
                display=vouched.display,
                markets=vouched.markets,
                teams=vouched.teams,
                subject=vouched.subject,
                made_at=now,
                changed_at=now,
            )
            try:
                await asyncio.to_thread(accounts.add, made)
            except NameTaken as taken:
                raise WrongCredentials("another user here has your name; ask an administrator") from taken
            return made
        if found.disabled:
            raise WrongCredentials("you are shut out here; ask an administrator")
        wanted: dict[str, Any] = {"role": vouched.role, "markets": vouched.markets, "teams": vouched.teams}
        if all(getattr(found, name) == value for name, value in wanted.items()):
            return found
        changed = await asyncio.to_thread(accounts.change, found.name, now, ends=True, **wanted)
        self._desk.forget(found.name)
        return changed if changed is not None else replace(found, **wanted)
