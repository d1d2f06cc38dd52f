"""Pages of what is in memory, found by key: what comes and goes meanwhile moves nothing else."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from engine.api.problem import Problem

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
MAX_CURSOR = 4096

T = TypeVar("T")


class PageQuery(BaseModel):
    """The query of a list. A parameter that is not known is refused: misspelt, a filter would filter
    nothing.
    """

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(
        default=None,
        max_length=MAX_CURSOR,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="`next` of the page before; leave out for the first.",
    )
    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="Most items to answer with.")

    @property
    def after(self) -> str | None:
        """The key that the page comes behind, None for the first. Raises Problem for a strange cursor."""
        return _decode(self.cursor) if self.cursor else None


def cut(items: Iterable[T], key: Callable[[T], str], query: PageQuery) -> tuple[Sequence[T], str | None]:
    """One page in the order of `key`, and the cursor of the one after it. Raises Problem for a strange
    cursor.
    """
    after = query.after
    return begun(sorted((item for item in items if after is None or key(item) > after), key=key), key, query)


def begun(ordered: Sequence[T], key: Callable[[T], str], query: PageQuery) -> tuple[Sequence[T], str | None]:
    """The same of items that are in order and behind the cursor, one more than a page where there are."""
    page = ordered[: query.limit]
    return page, _encode(key(page[-1])) if len(ordered) > query.limit else None


def bad_cursor() -> Problem:
    return Problem(422, "bad-cursor", "this cursor was not given out here; begin without one")


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _decode(cursor: str) -> str:
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "utf-8", "surrogatepass"
        )
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error
