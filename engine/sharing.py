"""Links by which people outside hear one recording: at random, for a time, for so many uses, until revoked.

A link is `ID.SECRET`. What is kept of it is an HMAC under its secret of what it is for: who has the store has
no link, and who changes a row there (another recording, a later end) has a link that proves nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.views import IllegalState

LEAST_S, MOST_S, USUAL_S = 300, 90 * 86_400, 7 * 86_400
MOST_USES = 1000
EACH = 50  # of one recording that lead somewhere
LINK = re.compile(r"([a-f0-9]{16})\.([A-Za-z0-9_-]{43})")
CALL = re.compile(r"(.+)-\d+\.(?:opus|wav)(?:\.sealed)?")  # of a recording's file (engine/recording.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """recording: its name in call records. note: whom it is for. transcript: whether what was said is shown,
    with numbers masked. most: uses, 0 for any number. Times are epoch seconds.
    """

    id: str
    digest: str
    recording: str
    call: str
    made_by: str
    made_at: float
    expires_at: float
    note: str = ""
    transcript: bool = False
    most: int = 0
    uses: int = 0
    used_at: float | None = None
    revoked_at: float | None = None
    revoked_by: str = ""

    def leads(self, now: float) -> bool:
        """Whether it still leads to the recording."""
        left = not self.most or self.uses < self.most
        return self.revoked_at is None and now < self.expires_at and left


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """lasts_s: between LEAST_S and MOST_S."""

    lasts_s: float = USUAL_S
    most: int = 0
    transcript: bool = False
    note: str = ""


class ShareStore(Protocol):
    """Blocks; raises StoreUnavailable."""

    def add(self, share: Share) -> None: ...
    def of(self, recording: str) -> Sequence[Share]: ...
    def get(self, id: str) -> Share | None: ...

    def use(self, id: str, now: float) -> bool:
        """Count one use; False where it leads nowhere by now."""

    def revoke(self, recording: str, id: str, by: str, now: float) -> Share | None: ...


class Sharing:
    """A node's. wall: epoch s. Everything blocks, and raises StoreUnavailable."""

    def __init__(self, store: ShareStore, wall: Callable[[], float]) -> None:
        self._store = store
        self._wall = wall

    def make(self, recording: str, wish: Wish, by: str) -> tuple[Share, str]:
        """A share, and its link, which nobody can be told again. Raises IllegalState for too many."""
        now = self._wall()
        if sum(each.leads(now) for each in self._store.of(recording)) >= EACH:
            raise IllegalState(f"{EACH} links lead to this recording already; revoke some")
        id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        until = float(int(now + wish.lasts_s))
        named = CALL.fullmatch(recording.rpartition("/")[2])
        made = Share(
            id=id,
            digest=proof(secret, id, recording, until),
            recording=recording,
            call=named[1] if named else "",
            made_by=by,
            made_at=now,
            expires_at=until,
            note=wish.note,
            transcript=wish.transcript,
            most=wish.most,
        )
        self._store.add(made)
        return made, f"{id}.{secret}"

    def of(self, recording: str) -> Sequence[Share]:
        """All that there were, the newest first."""
        return self._store.of(recording)

    def revoke(self, recording: str, id: str, by: str) -> Share | None:
        """None for one that is none of this recording's."""
        return self._store.revoke(recording, id, by, self._wall())

    def open(self, link: str, *, use: bool) -> Share | None:
        """What a link leads to; None where it leads nowhere, or nowhere any more. use: count it."""
        found = LINK.fullmatch(link)
        share = self._store.get(found[1]) if found else None
        if found is None or share is None:
            return None
        proven = proof(found[2], share.id, share.recording, share.expires_at)
        if not hmac.compare_digest(proven, share.digest):
            return None
        now = self._wall()
        if use:
            return share if share.leads(now) and self._store.use(share.id, now) else None
        begun = share.revoked_at is None and now < share.expires_at  # its last use goes on
        return share if begun else None


def proof(secret: str, id: str, recording: str, until: float) -> str:
    """What is kept of a link."""
    words = f"{id}\n{recording}\n{until:.0f}".encode()
    return hmac.digest(secret.encode(), words, hashlib.sha256).hex()
