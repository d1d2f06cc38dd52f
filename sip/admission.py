"""Who may ask for what: digest, per-source guard and line sources put together, one verdict a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request is from, as proved: a user by digest, a line by its address, or nobody in particular."""

    kind: Literal["user", "line", "anonymous"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may go on."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Challenged:
    """Answer with `status` and these headers, `after` seconds from now (0.0: at once; a slowed source waits)."""

    headers: tuple[tuple[str, str], ...]
    status: int = 401
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with `status`, `after` seconds from now (0.0: at once)."""

    status: int
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Answer nothing at all: the source is blocked or over its rate."""


Verdict = Admitted | Challenged | Refused | Dropped
