"""What was said in calls that are over, and what was made of it: kept, found by its words, let go of.

One row a call in `transcripts` and one in `reviews`; a call of which nothing was written down has a review
all the same. Words are indexed beside them (engine/store/search.py): by FTS5 in SQLite, as a tsvector in
PostgreSQL. Erasing takes the words and what quotes them, and leaves the marks that a call was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    Select,
    TextClause,
    bindparam,
    delete,
    insert,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from engine.access.principal import EVERYTHING, Reach
from engine.store.errors import StoreUnavailable
from engine.store.paged import at_key, cursor_of
from engine.store.rows import clean
from engine.store.schema import reviews, transcripts
from engine.store.search import indexed, matches, phrases
from engine.store.within import within

MAX_PAGE = 200
FOUND = 3  # lines of a call that are shown with it
PARTS = 200  # calls that are let go of in one transaction
# Asked once a call: to put them together anew would take most of the time, under the interpreter's lock.
CALLS: BindParameter[Any] = bindparam("calls", expanding=True)
IDS_OF = select(transcripts.c.id).where(transcripts.c.call.in_(CALLS))
DROP_REVIEWS = delete(reviews).where(reviews.c.call.in_(CALLS))
ADD_REVIEW, ADD_LINES = insert(reviews), insert(transcripts)
REVIEW_OF = select(reviews).where(reviews.c.call == bindparam("id"))
LINES_OF = select(transcripts.c.lines).where(transcripts.c.call == bindparam("id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An utterance. begin, end: s since the call arrived."""

    side: str
    begin: float
    end: float
    language: str
    text: str
    translation: str = ""
    low: bool = False
    gist: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One rule of quality. passed: None where it could not be judged. share: of the score. quote: words of
    the call; seconds: what was measured.
    """

    rule: str
    passed: bool | None
    share: float
    seconds: float | None = None
    quote: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Felt:
    """How a side felt: at the end, at worst, and the words that weighed most."""

    last: float
    worst: float
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What was made of a call. score: 0 to 100, None where no rule could be judged. by: what wrote the
    summary.
    """

    call: str
    ended_at: float
    market: str = ""
    language: str = ""
    queue: str = ""
    agent: str = ""
    outcome: str = ""
    score: float | None = None
    summary: str = ""
    by: str = ""
    topics: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    moods: dict[str, Felt] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFilter:
    """Which calls; None asks nothing. words: all of them were said. below: score less than that."""

    words: str | None = None
    since: float | None = None
    until: float | None = None
    market: str | None = None
    language: str | None = None
    queue: str | None = None
    agent: str | None = None
    outcome: str | None = None
    topic: str | None = None
    below: float | None = None
    written: bool | None = None
    reach: Reach = EVERYTHING


@dataclass(frozen=True, slots=True)
class Hit:
    """A call that was found, and lines in which the words are."""

    review: Review
    lines: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class HitPage:
    items: tuple[Hit, ...]
    next: str | None


class Transcripts:
    """Safe from any thread; raises StoreUnavailable when the store does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sqlite = engine.dialect.name == "sqlite"

    # --- writing ------------------------------------------------------------------------------------

    def keep(self, review: Review, lines: Sequence[Said]) -> None:
        """A call's, in place of what was kept of it before; one transaction."""
        with self._asking(writes=True) as connection:
            self._drop(connection, [review.call])
            connection.execute(ADD_REVIEW, _review_row(review))
            if lines:
                row = {
                    "call": review.call,
                    "ended_at": review.ended_at,
                    "lines": [_plain(each) for each in lines],
                }
                (id,) = connection.execute(ADD_LINES, row).inserted_primary_key or (0,)
                said = indexed(part for each in lines for part in (each.text, each.translation))
                connection.execute(self._index(), {"id": id, "words": said})

    def draft(self, call: str, lines: Sequence[Said], now: float) -> None:
        """What was said so far in a call that goes on, in place of the draft before; nobody finds it before
        the call is kept. now: epoch seconds, which the lines' times are, too.
        """
        with self._asking(writes=True) as connection:
            self._drop(connection, [call], reviews_too=False)
            row = {"call": call, "ended_at": now, "lines": [_plain(each) for each in lines]}
            connection.execute(ADD_LINES, row)

    def settle(self, call: str, outcome: str) -> None:
        """What came of a call, as its agent says."""
        self._change(call, outcome=clean(outcome))

    def sum_up(self, call: str, summary: str, by: str) -> None:
        """Another summary, of a call whose words were not erased meanwhile."""
        self._change(call, of_words=True, summary=clean(summary), by=clean(by))

    def _change(self, call: str, *, of_words: bool = False, **values: str) -> None:
        change = update(reviews).where(reviews.c.call == call).values(values)
        if of_words:
            change = change.where(select(transcripts.c.id).where(transcripts.c.call == call).exists())
        with self._asking(writes=True) as connection:
            connection.execute(change)

    def erase(self, call: str) -> bool:
        """What was said is gone for good; the marks stay. Whether there was anything."""
        with self._asking(writes=True) as connection:
            return self._erase(connection, [call]) > 0

    def erase_before(self, before: float) -> int:
        """The same for calls that ended before then, epoch seconds; how many were. A few at a time, so that
        nobody waits long for the store.
        """
        erased = 0
        while True:
            with self._asking(writes=True) as connection:
                query = select(transcripts.c.call).where(transcripts.c.ended_at < before).limit(PARTS)
                calls = list(connection.scalars(query))
                erased += self._erase(connection, calls)
            if len(calls) < PARTS:
                return erased

    def _erase(self, connection: Connection, calls: Sequence[str]) -> int:
        erased = self._drop(connection, calls, reviews_too=False)
        query = select(reviews).where(reviews.c.call.in_(calls))
        for row in connection.execute(query).mappings().all():
            marks = [{**mark, "quote": "", "missing": []} for mark in row["marks"]]
            moods = {side: {**felt, "reasons": []} for side, felt in row["moods"].items()}
            bare = {"summary": "", "by": "", "marks": marks, "moods": moods}
            connection.execute(update(reviews).where(reviews.c.call == row["call"]).values(bare))
            erased += not erased and bool(row["summary"])
        return erased

    def _drop(self, connection: Connection, calls: Sequence[str], *, reviews_too: bool = True) -> int:
        ids = list(connection.scalars(IDS_OF, {"calls": calls}))
        for id in ids:
            connection.execute(text("DELETE FROM transcript_words WHERE " + self._id + " = :id"), {"id": id})
        if ids:
            connection.execute(delete(transcripts).where(transcripts.c.id.in_(ids)))
        if reviews_too:
            connection.execute(DROP_REVIEWS, {"calls": calls})
        return len(ids)

    # --- reading ------------------------------------------------------------------------------------

    def review(self, call: str) -> Review | None:
        with self._asking() as connection:
            row = connection.execute(REVIEW_OF, {"id": call}).mappings().first()
        return _review(row) if row else None

    def lines(self, call: str) -> tuple[Said, ...] | None:
        """What was said, in its order; None where nothing was written down, or it is gone."""
        with self._asking() as connection:
            found = connection.scalar(LINES_OF, {"id": call})
        return None if found is None else tuple(Said(**each) for each in found)

    def page(self, wanted: TextFilter, *, cursor: str | None = None, limit: int = 50) -> HitPage:
        """Newest first. Raises BadCursor."""
        limit = max(1, min(limit, MAX_PAGE))
        asked = phrases(wanted.words) if wanted.words is not None else []
        if wanted.words is not None and not asked:
            return HitPage((), None)
        query = _filtered(wanted)
        if asked:
            query = query.where(self._matching(asked))
        if cursor:
            query = query.where(tuple_(reviews.c.ended_at, reviews.c.call) < at_key(cursor))
        query = query.order_by(reviews.c.ended_at.desc(), reviews.c.call.desc()).limit(limit + 1)
        with self._asking() as connection:
            rows = connection.execute(query).mappings().all()
        hits = [Hit(_review(row), _found(row["lines"] or (), asked)) for row in rows[:limit]]
        last = hits[-1].review if len(rows) > limit else None
        return HitPage(tuple(hits), cursor_of(last.ended_at, last.call) if last else None)

    def _matching(self, asked: list[list[str]]) -> TextClause:
        if self._sqlite:
            match = " AND ".join('"' + " ".join(phrase) + '"' for phrase in asked)
            inside = "SELECT rowid FROM transcript_words WHERE transcript_words MATCH :match"
            return text(f"transcripts.id IN ({inside})").bindparams(match=match)
        parts = {f"part{at}": " ".join(phrase) for at, phrase in enumerate(asked)}
        match = " && ".join(f"phraseto_tsquery('simple', :{name})" for name in parts)
        inside = f"SELECT id FROM transcript_words WHERE words @@ ({match})"
        return text(f"transcripts.id IN ({inside})").bindparams(**parts)

    def _index(self) -> TextClause:
        words = ":words" if self._sqlite else "to_tsvector('simple', :words)"
        return text(f"INSERT INTO transcript_words ({self._id}, words) VALUES (:id, {words})")

    @property
    def _id(self) -> str:
        return "rowid" if self._sqlite else "id"

    @contextmanager
    def _asking(self, *, writes: bool = False) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                if writes and self._sqlite:  # or another writer could come between our reading and writing
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
        except DBAPIError as error:
            raise StoreUnavailable(f"{type(error.orig).__name__}: {error.orig}") from error


def _filtered(wanted: TextFilter) -> Select[Any]:
    columns = reviews.c
    query = select(reviews, transcripts.c.lines).outerjoin(transcripts, transcripts.c.call == columns.call)
    query = query.where(*within(columns, wanted.reach))
    if wanted.since is not None:
        query = query.where(columns.ended_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.ended_at < wanted.until)
    if wanted.below is not None:
        query = query.where(columns.score < wanted.below)
    if wanted.topic is not None:
        query = query.where(columns.topics.contains(f" {wanted.topic} ", autoescape=True))
    if wanted.written is not None:
        query = query.where((transcripts.c.id != None) == wanted.written)  # noqa: E711
    for name in ("market", "language", "queue", "agent", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(columns[name] == value)
    return query


def _found(lines: Sequence[dict[str, Any]], asked: list[list[str]]) -> tuple[Said, ...]:
    """The first lines that any of the phrases is in."""
    found: list[Said] = []
    for each in lines if asked else ():
        if matches(each["text"], asked) or matches(each["translation"], asked):
            found.append(Said(**each))
        if len(found) == FOUND:
            break
    return tuple(found)


def _plain(said: Said) -> dict[str, Any]:
    return {**asdict(said), "text": clean(said.text), "translation": clean(said.translation)}


def _review_row(review: Review) -> dict[str, Any]:
    row = {each.name: getattr(review, each.name) for each in fields(Review)}
    row["summary"] = clean(review.summary)
    row["topics"] = f" {' '.join(review.topics)} " if review.topics else ""
    row["marks"] = [{**asdict(each), "quote": clean(each.quote)} for each in review.marks]
    row["moods"] = {side: asdict(felt) for side, felt in review.moods.items()}
    return row


def _review(row: Any) -> Review:
    values = {each.name: row[each.name] for each in fields(Review)}
    values["topics"] = tuple(row["topics"].split())
    values["marks"] = tuple(Mark(**{**each, "missing": tuple(each["missing"])}) for each in row["marks"])
    values["moods"] = {
        side: Felt(**{**felt, "reasons": tuple(felt["reasons"])}) for side, felt in row["moods"].items()
    }
    return Review(**values)
