"""Passwords by argon2id (RFC 9106): hashed one at a time by a thread that gives way to everything else.

A hash takes tens of milliseconds and 19 MiB on purpose. A flood of them gets one thread of the lowest
priority and a short queue, and the rest is refused; calls go on.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.access.errors import Busy, WeakPassword

# OWASP's least for argon2id with one lane.
PASSES, MEMORY_KIB, LANES = 2, 19 * 1024, 1
MOST_WAITING = 16
SHORTEST, LONGEST = 12, 256  # characters
LEAST_PRIORITY = 19

T = TypeVar("T")
log = structlog.get_logger("access")


def checked(password: str, name: str) -> str:
    """Raises WeakPassword. name: of whose it is to be."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(f"a password has {SHORTEST} to {LONGEST} characters")
    if name.lower() in password.lower() and len(name) >= 3:
        raise WeakPassword("a password has not the user's name in it")
    if len(set(password)) < 6:
        raise WeakPassword("a password has more than five different characters")
    return password


def new_password() -> str:
    """One that nobody guesses: 120 random bits."""
    return secrets.token_urlsafe(15)


class Passwords:
    """hashed: how many were worked out, of people there are and of those there are not. passes, memory_kib:
    what one costs.
    """

    def __init__(self, passes: int = PASSES, memory_kib: int = MEMORY_KIB) -> None:
        self.hashed = 0
        self._hasher = PasswordHasher(passes, memory_kib, LANES)
        self._nobody = ""
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "passwords", _give_way)

    async def matches(self, kept: str, given: str) -> bool:
        """Whether it is the password that was kept; "" for nobody's, which takes as long. Raises Busy."""
        return await self._work(lambda: self._matches(kept, given))

    async def keep(self, password: str) -> str:
        """What is kept of a password. Raises Busy."""
        return await self._work(lambda: self._hash(password))

    def stale(self, kept: str) -> bool:
        """Whether it was kept by an easier measure than today's."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _work(self, what: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Busy("too many sign in at once; try again in a moment", 2.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, what)
        finally:
            self._waiting -= 1

    def _matches(self, kept: str, given: str) -> bool:
        if not self._nobody:
            self._nobody = self._hasher.hash(secrets.token_urlsafe(24))
        self.hashed += 1
        try:
            proof = given[:LONGEST].encode("utf-8", "replace")
            return self._hasher.verify(kept or self._nobody, proof) and bool(kept)
        except InvalidHashError:
            log.error("a kept password cannot be read; set another one")
            return False
        except VerificationError:
            return False

    def _hash(self, password: str) -> str:
        self.hashed += 1
        return self._hasher.hash(password)


def _give_way() -> None:
    """Linux knows priorities of threads."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LEAST_PRIORITY)
    except OSError as why:
        log.info("hashing has the priority of the node", why=str(why))
