"""What is within somebody's reach, as a query finds it and as a look at a row does."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from engine.access.principal import Directory, How, Place, Principal, Reach, reach
from engine.journal import Journal
from engine.store.records import RecordFilter
from engine.store.transcripts import TextFilter
from tests.engine.store_samples import NODE, T0, ended, record
from tests.engine.transcript_samples import review

DIRECTORY = Directory(
    agents={"alice": Place("north", ("support",)), "carol": Place("south", ("sales",))},
    queues={"support": "de", "sales": "us"},
)
LIMITS = {"de": ("de", ""), "north": ("", "north"), "south": ("", "south")}


def limited(markets: str, teams: str) -> Reach:
    who = Principal(
        who="maria",
        permissions=frozenset(),
        how=How.PASSWORD,
        markets=frozenset(markets.split()),
        teams=frozenset(teams.split()),
    )
    return reach(who, DIRECTORY)


def within_reach(journal: Journal) -> dict[str, str]:
    """Calls by limit, newest first."""
    found = {
        name: journal.records(RecordFilter(reach=limited(*limits))).items for name, limits in LIMITS.items()
    }
    return {name: " ".join(each.call for each in items) for name, items in found.items()}


def test_a_query_finds_what_a_look_at_each_row_would(tmp_path: Path) -> None:
    places = list(product(("de", "us", ""), ("support", "sales", ""), ("alice", "carol", "one who left", "")))
    with Journal(f"sqlite:///{tmp_path}/isogloss.db", NODE) as journal:
        for number, (market, queue, agent) in enumerate(places):
            call, here = f"c{number:02}", {"market": market, "queue": queue, "agent": agent}
            journal.finish(ended(call), record(call, T0 + number, **here))
            journal.transcripts.keep(review(call, T0 + number, **here), ())
        assert journal.flush()
        for markets, teams in product(("", "de", "de us", "fr"), ("", "north", "north south", "west")):
            sees = limited(markets, teams)
            expected = [f"c{n:02}" for n, place in enumerate(places) if sees.sees_call(*place)][::-1]
            records = journal.records(RecordFilter(reach=sees), limit=100).items
            reviews = journal.transcripts.page(TextFilter(reach=sees), limit=100).items
            assert [each.call for each in records] == expected, (markets, teams)
            assert [each.review.call for each in reviews] == expected, (markets, teams)
