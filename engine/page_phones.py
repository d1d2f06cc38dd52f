"""Phones in pages whose people have no SIP password there: an account each, made for the page and soon gone.

Such a phone registers over a WebSocket and is rung like any other; it can call nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from sip.digest import Secret

ACCOUNT = "page-"
LIFE_S = 12 * 3600.0  # a shift
MOST = 500  # of a node
EACH = 5  # of one person: pages


@dataclass(frozen=True, slots=True)
class PagePhone:
    """owner: whose page it is in. until: in the node's time."""

    account: str
    password: str = field(repr=False)
    owner: str
    until: float


class PagePhones:
    """Those of a node. A page that wants one more than EACH takes the place of that person's oldest."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._phones: dict[str, PagePhone] = {}  # the oldest first

    def __len__(self) -> int:
        return len(self._phones)

    def __contains__(self, account: str) -> bool:
        return account in self._phones

    def open(self, owner: str, now: float) -> PagePhone | None:
        """A new one; None where there are enough of other people's."""
        for each in [each for each in self._phones.values() if each.until <= now]:
            del self._phones[each.account]
        mine = self.of(owner)
        if len(mine) >= EACH:
            del self._phones[mine[-1]]
        if len(self._phones) >= MOST:
            return None
        account = f"{ACCOUNT}{self._rng.getrandbits(48):012x}"
        made = PagePhone(account, f"{self._rng.getrandbits(128):032x}", owner, now + LIFE_S)
        self._phones[account] = made
        return made

    def of(self, owner: str) -> list[str]:
        """That person's accounts, the newest first."""
        return [each.account for each in reversed(self._phones.values()) if each.owner == owner]

    def owner(self, account: str) -> str:
        """Whose page it is in, "" for an account that is none of these."""
        found = self._phones.get(account)
        return found.owner if found is not None else ""

    def accounts(self) -> list[str]:
        return list(self._phones)

    def secret(self, account: str) -> Secret | None:
        """What it proves that it knows."""
        found = self._phones.get(account)
        return Secret(found.password) if found is not None else None
