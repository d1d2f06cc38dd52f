"""The console's door where users sign in by name, password and code, and without a name by a token."""

from __future__ import annotations

from engine.access.desk import AccessDesk
from engine.access.errors import Busy, CodeWanted, TooSoon, WrongCredentials
from engine.access.principal import Principal as Known
from engine.access.role import Permission
from engine.console.door import Detail, Principal, Refusal, Session, TokenDoor, signed_in


class UserDoor:
    """See Door. A session is the API's as well: who signs in here may ask there, and the other way round. The
    console is for those who may see calls.
    """

    def __init__(self, desk: AccessDesk, tokens: TokenDoor) -> None:
        self._desk = desk
        self._tokens = tokens

    async def login(
        self, name: str, password: str, totp: str, source: str, client: str = ""
    ) -> Session | Refusal:
        name = name.strip()
        if not name:
            return await self._tokens.login(name, password, totp, source)
        try:
            opened = await self._desk.login(name, password, totp.strip(), source, client)
        except WrongCredentials:
            return Refusal("wrong")
        except CodeWanted:
            return Refusal("more")
        except (TooSoon, Busy) as wait:
            return Refusal("locked", wait.retry_s)
        if not opened.principal.may(Permission.CALLS):
            await self._desk.logout(opened.secret)
            return Refusal("barred")
        return Session(opened.secret, signed_in(opened.principal), self._desk.terms.longest_s)

    async def look(self, cookie: str) -> Principal | None:
        return self._tokens.who(cookie) or _admitted(await self._desk.principal_of_session(cookie))

    def who(self, cookie: str) -> Principal | None:
        return self._tokens.who(cookie) or _admitted(self._desk.principal_now(cookie))

    async def logout(self, cookie: str) -> None:
        if self._tokens.who(cookie) is not None:
            await self._tokens.logout(cookie)
        else:
            await self._desk.logout(cookie)

    def note(
        self, who: Principal, what: str, object: str, outcome: str = "done", detail: Detail | None = None
    ) -> None:
        log = self._desk.log
        log.note(log.entry(who.name, who.how, what, object, outcome, detail))

    async def keep(self, who: Principal, what: str, object: str, detail: Detail | None = None) -> None:
        await self._desk.audit(who.known, what, object, read=True, detail=detail)


def _admitted(known: Known | None) -> Principal | None:
    return signed_in(known) if known is not None and known.may(Permission.CALLS) else None
