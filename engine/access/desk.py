"""The desk where everybody shows who they are: people with a password and a second factor or by the word of
another house, browsers with a session's cookie, programs with a token.

What was found in the store counts for two seconds, so a right that another node took ends that much later
here; what this node takes ends at once. Consoles, which cannot wait, have it asked again before that, and go
on for some seconds more while it does not answer. Secrets of cookies and tokens are 256 random bits and kept
as their SHA-256 alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from engine.access import rights, totp
from engine.access.attempts import OF_ACCOUNT, OF_SOURCE, Attempts, source_key
from engine.access.audit import Audit
from engine.access.errors import AccessError, CodeWanted, TooSoon, WrongCredentials
from engine.access.lockbox import Lockbox, Locked
from engine.access.passwords import Passwords
from engine.access.principal import How, Principal
from engine.store.accounts import Accounts, Session, User
from engine.store.errors import StoreUnavailable

KNOWN_S = 2.0  # that what the store said counts
GRACE_S = 5.0  # and for how long after that, for who cannot wait
MOST_KNOWN = 5000
SEEN_S = 60.0  # at most so late is a session's last use known
TOKEN = "isot_"
_TOKEN = re.compile(TOKEN + r"[A-Za-z0-9_-]{43}")
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
NAME = re.compile(r"[a-z0-9][a-z0-9_.@-]{0,63}")

log = structlog.get_logger("access")


@dataclass(frozen=True, slots=True)
class Terms:
    """idle_s: without a request a session ends. longest_s: it ends in any case. issuer: what apps for codes
    call this place.
    """

    idle_s: float = 1800.0
    longest_s: float = 43_200.0
    issuer: str = "Isogloss"


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that began. secret: the cookie's value. csrf: what writes have to bring along."""

    secret: str
    csrf: str
    principal: Principal


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def csrf_of(secret: str) -> str:
    """What a page of ours knows of its session, and a page of others does not."""
    return hashlib.sha256(b"csrf " + secret.encode()).hexdigest()


class AccessDesk:
    """All of it on the event loop; what asks the store does so in a thread, and raises StoreUnavailable.
    wall: epoch seconds. clock: seconds that never leap.
    """

    def __init__(
        self,
        accounts: Accounts,
        audit: Audit,
        terms: Terms | None = None,
        *,
        passwords: Passwords | None = None,
        lockbox: Lockbox | None = None,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.accounts = accounts
        self.log = audit
        self.terms = terms or Terms()
        self.passwords = passwords or Passwords()
        self.lockbox = lockbox or Lockbox()
        self.wall = wall
        self.clock = clock
        self._of_accounts = Attempts(OF_ACCOUNT)
        self._of_sources = Attempts(OF_SOURCE)
        self._of_both = Attempts(OF_SOURCE)  # whose mistakes those of a source are
        self._known: OrderedDict[str, tuple[Principal | None, float]] = OrderedDict()
        self._generation = 0
        self._asked: dict[str, None] = {}  # sessions that are to be asked about beside
        self._asking: asyncio.Task[None] | None = None

    # --- signing in and out -------------------------------------------------------------------------

    async def login(self, name: str, password: str, code: str, source: str, client: str = "") -> Opened:
        """A session by a password, and a code where the user has a second factor. source: address of who
        asks; client: with what (engine/access/client.py). Raises WrongCredentials, CodeWanted, TooSoon, Busy.
        """
        account, place = digest_of(name), source_key(source)
        self._begin(account, place)
        try:
            user = await self._proved(name, password, code)
        except WrongCredentials:
            log.warning("sign-in refused", user=name[:64], source=source)
            self._tell(name[:64], How.PASSWORD, "login", "wrong-credentials", source)
            raise
        except Exception:  # half of the way, or no fault of theirs, is no failure
            self._of_accounts.undo(account)
            self._of_sources.undo(place, self._of_both.undo(f"{place} {account}"))
            raise
        self._of_accounts.succeeded(account)
        self._of_sources.undo(place, self._of_both.succeeded(f"{place} {account}"))
        return await self.open(user, How.PASSWORD, source, client)

    def _begin(self, account: str, place: str) -> None:
        now = self.clock()
        wait = max(self._of_accounts.wait(account, now), self._of_sources.wait(place, now))
        if wait:
            raise TooSoon("too many sign-ins failed; wait a moment", wait)
        self._of_accounts.begin(account, now)
        self._of_sources.begin(place, now)
        self._of_both.begin(f"{place} {account}", now)

    async def _proved(self, name: str, password: str, code: str) -> User:
        user = await asyncio.to_thread(self.accounts.user, name) if NAME.fullmatch(name) else None
        good = await self.passwords.matches(user.password if user is not None else "", password)
        if user is None or user.disabled or not good:
            raise WrongCredentials("name, password or code are not right")
        if user.totp_on:
            if not code:
                raise CodeWanted("a code of your app, or one of those for when it is lost, is wanted")
            if not await self.takes(user, code):
                raise WrongCredentials("name, password or code are not right")
        if self.passwords.stale(user.password):
            kept = await self.passwords.keep(password)
            await asyncio.to_thread(self.accounts.change, name, self.wall(), password=kept)
        return user

    async def takes(self, user: User, code: str) -> bool:
        """Whether it is a code of the user's that was not taken yet."""
        digest = totp.recovery_digest(code)
        if digest is not None:
            return await asyncio.to_thread(self.accounts.take_recovery, user.name, digest)
        try:
            secret = self.lockbox.open(user.name, user.totp)
        except Locked as locked:
            log.error("a second factor cannot be opened", user=user.name, why=str(locked))
            return False
        step = totp.step_of(secret, code, self.wall(), user.totp_last)
        return step is not None and await asyncio.to_thread(self.accounts.take_step, user.name, step)

    async def prove(self, name: str, proof: Callable[[], Awaitable[bool]]) -> None:
        """One who is signed in proves to be the same still; who guesses is slowed as at the door. Raises
        WrongCredentials, TooSoon.
        """
        account = digest_of(name)
        wait = self._of_accounts.wait(account, self.clock())
        if wait:
            raise TooSoon("too many tries failed; wait a moment", wait)
        self._of_accounts.begin(account, self.clock())
        try:
            good = await proof()
        except Exception:  # no fault of theirs
            self._of_accounts.undo(account)
            raise
        if not good:
            raise WrongCredentials("password or code are not right")
        self._of_accounts.succeeded(account)

    async def open(self, user: User, how: How, source: str, client: str = "") -> Opened:
        """A new session of somebody who has proved to be the user; never one that a browser brought along."""
        secret, now = secrets.token_urlsafe(32), self.wall()
        expires_at = now + self.terms.longest_s
        session = Session(
            digest=digest_of(secret),
            owner=user.name,
            how=how,
            source=source,
            made_at=now,
            seen_at=now,
            expires_at=expires_at,
            client=client,
        )
        await asyncio.to_thread(self.accounts.begin_session, session, self.terms.idle_s)
        principal = rights.of_user(user, how, expires_at)
        if principal is None:
            raise WrongCredentials("name, password or code are not right")
        log.info("signed in", user=user.name, source=source, how=str(how))
        self._tell(user.name, how, "login", "done", source)
        return Opened(secret, csrf_of(secret), principal)

    async def logout(self, cookie: str) -> None:
        """End the session, if it is one."""
        principal = await self.principal_of_session(cookie)
        if principal is not None:
            await asyncio.to_thread(self.accounts.end_session, digest_of(cookie))
            self.forget(principal.who)  # after it: who asks meanwhile is told that it is there
            self._tell(principal.who, principal.how, "logout", "done", "")

    # --- who is it? ---------------------------------------------------------------------------------

    async def principal_of_session(self, cookie: str) -> Principal | None:
        """Whose session a cookie is of; None where it is none, or over."""
        if not _COOKIE.fullmatch(cookie):
            return None
        return await self._remembered(digest_of(cookie), self._session)

    def principal_now(self, cookie: str) -> Principal | None:
        """The same for who cannot wait: as the store said last, which is asked beside, one question at a
        time. Raises StoreUnavailable where it did not say lately.
        """
        if not _COOKIE.fullmatch(cookie):
            return None
        digest, now = digest_of(cookie), self.clock()
        found, until = self._known.get(digest, (None, float("-inf")))
        if now >= until - KNOWN_S / 2:
            self._ask(digest)
        if now >= until + GRACE_S:
            raise StoreUnavailable("the store has not said yet who that is")
        return found

    def _ask(self, digest: str) -> None:
        self._asked[digest] = None
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask_all(), name="who is it")

    async def _ask_all(self) -> None:
        while self._asked:
            digest = next(iter(self._asked))
            del self._asked[digest]
            try:
                await self._looked(digest, self._session)
            except StoreUnavailable as error:
                log.debug("the store does not say who is signed in", why=str(error))
                self._asked.clear()  # whoever looks asks again

    async def principal_of_token(self, token: str) -> Principal | None:
        """Whose token it is, of those that users have made; None for nobody's."""
        if not _TOKEN.fullmatch(token):
            return None
        return await self._remembered(digest_of(token), self._key)

    async def _remembered(
        self, digest: str, look: Callable[[str, float], Principal | None]
    ) -> Principal | None:
        found, until = self._known.get(digest, (None, 0.0))
        return found if self.clock() < until else await self._looked(digest, look)

    async def _looked(self, digest: str, look: Callable[[str, float], Principal | None]) -> Principal | None:
        generation = self._generation
        found = await asyncio.to_thread(look, digest, self.wall())
        if generation != self._generation:
            return await asyncio.to_thread(look, digest, self.wall())
        self._known[digest] = (found, self.clock() + KNOWN_S)
        self._known.move_to_end(digest)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return found

    def _session(self, digest: str, now: float) -> Principal | None:
        found = self.accounts.session(digest)
        if found is None:
            return None
        session, user = found
        if now >= session.expires_at or now - session.seen_at >= self.terms.idle_s:
            self.accounts.end_session(digest)
            return None
        if now - session.seen_at >= min(SEEN_S, self.terms.idle_s / 4):
            self.accounts.see_session(digest, now)
        return rights.of_user(user, How(session.how), session.expires_at)

    def _key(self, digest: str, now: float) -> Principal | None:
        found = self.accounts.key(digest)
        if found is None:
            return None
        key, user = found
        principal = rights.of_key(key, user, now)
        if principal is not None and (key.used_at is None or now - key.used_at >= SEEN_S):
            self.accounts.use_key(key.id, now)
        return principal

    def forget(self, who: str = "") -> None:
        """Somebody's rights have changed, or anybody's: look again."""
        kept = {digest: known for digest, known in self._known.items() if known[0] and known[0].who != who}
        self._known = OrderedDict(kept if who else {})
        self._generation += 1

    def csrf_right(self, cookie: str, given: str) -> bool:
        return hmac.compare_digest(csrf_of(cookie).encode(), given.encode("utf-8", "replace"))

    # --- the record of it ---------------------------------------------------------------------------

    async def audit(
        self,
        principal: Principal,
        what: str,
        object: str = "",
        *,
        read: bool = False,
        outcome: str = "done",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell the audit log what somebody did. read: of personal data, which may only be shown when this
        returns. Raises AuditUnavailable then.
        """
        told = dict(detail or {}) | ({"token": principal.via} if principal.via else {})
        entry = self.log.entry(principal.who, principal.how, what, object, outcome, told)
        if read:
            await self.log.keep(entry)
        else:
            self.log.note(entry)

    def _tell(self, who: str, how: How, what: str, outcome: str, source: str) -> None:
        detail = {"source": source} if source else {}
        self.log.note(self.log.entry(who, how, what, "session", outcome, detail))

    def refused(self, who: str, how: How, why: AccessError, source: str) -> None:
        """Somebody whom another house vouches for was not let in."""
        log.warning("sign-in refused", user=who[:64], source=source, why=str(why))
        self._tell(who[:64], how, "login", why.name, source)

    def close(self) -> None:
        self.passwords.close()
        self.log.close()
