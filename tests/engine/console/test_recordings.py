"""A recording's page: its outline comes after the rest; it is shared, judged, and heard in pieces."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.access.errors import AuditUnavailable
from engine.access.role import Permission
from engine.api.sounds import MOST_HEARD, ONCE_S, Heard, NoSuchRange, cut, wanted
from engine.console import judge, share
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.files import CallFile, Found, agent_cards, recording_file, recordings
from engine.console.look import Place, Told
from tests.engine.card_samples import GOOD
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import OPERATOR, VIEWER
from tests.engine.console.test_screen import Door
from tests.engine.store_samples import T0, record

NAME = "2026-01-01/r1-1.opus"
AT = Place("recordings", "r1")
ANSWERS = {f"answer-{name}": str(value) for name, value in GOOD.items()} | {"answer-offer": ""}


class Page:
    """Of a recorded call."""

    def __init__(self) -> None:
        self.node = BusyNode()
        self.node.finished = [record("r1", T0, recording=f"{NAME} 2026-01-01/r1-2.opus", queue="support")]
        self.node.sounds = {NAME: [b"OggS"]}
        self.desk = Desk(self.node, Door(OPERATOR), lambda: T0 + 99).of(OPERATOR)  # type: ignore[arg-type]

    def load(self, before: CallFile | None = None) -> CallFile:
        return asyncio.run(recording_file(self.desk, AT, before))

    def does(self, act: Any, **given: str) -> Told:
        told: Told = asyncio.run(act(self.desk, OPERATOR, AT, given))
        return told


def test_the_outline_is_drawn_when_the_rest_is_shown() -> None:
    page = Page()
    first = page.load()
    assert first.record is not None and first.waves == ()
    second = page.load(first)
    assert [(each.name, each.outline is not None) for each in second.waves] == [
        (NAME, True),
        ("2026-01-01/r1-2.opus", False),
    ]
    assert page.load(second) is second, "what has not changed is not drawn anew"


def test_a_file_that_is_not_whole_yet_is_looked_at_again() -> None:
    page = Page()
    page.desk = replace(page.desk, wall=lambda: T0 + 3)
    sounds, page.node.sounds = page.node.sounds, {}
    early = page.load(page.load())
    assert [each.outline for each in early.waves] == [None, None]
    page.node.sounds = sounds
    assert page.load(early).waves[0].outline is not None


def test_who_may_not_listen_has_no_outline() -> None:
    page = Page()
    page.desk = page.desk.of(VIEWER)
    assert page.load(page.load()).waves == ()


def test_calls_are_found_by_what_was_said_within_what_else_is_asked_for() -> None:
    page = Page()

    def ask(address: str, who: Principal = OPERATOR) -> Found:
        place = Place.of(f"/console/recordings?{address}")
        found = asyncio.run(recordings(page.desk.of(who), place, None))
        assert isinstance(found, Found)
        return found

    (hit,) = ask("said=el+paquete").items
    assert hit.review.call == "r1" and any("paquete" in each.text for each in hit.lines)
    assert ask("said=zeppelin") == Found() and ask("said=paquete&cursor=second").items == ()
    asked = page.node.transcripts.wanted[-1]
    assert asked.words == "paquete" and asked.written
    ask("said=paquete&queue=sales&day=2026-03-02&region=eu")
    asked = page.node.transcripts.wanted[-1]
    assert (asked.queue, asked.until - asked.since) == ("sales", 86_400.0)
    masked = replace(OPERATOR, rights=OPERATOR.rights - {Permission.PERSONAL})
    assert ask("said=4111+1111", masked) == Found(refused=True)


def test_a_link_is_made_shown_once_and_revoked() -> None:
    page = Page()
    made = page.does(
        share.share, recording=NAME, lasts="86400", uses="3", note=" claim\x07 ", transcript="yes"
    )
    assert made.key == "share.done" and made.keep.link.startswith("/shared/")
    (kept,) = page.node.shares.of(NAME)
    assert (kept.most, kept.note, kept.transcript, kept.made_by) == (3, "claim", True, OPERATOR.name)
    assert made.keep.waves and made.keep.shares == (kept,)
    gone = page.does(share.revoke, recording=NAME, share=kept.id)
    assert gone.key == "share.gone" and gone.keep.shares[0].revoked_by == OPERATOR.name
    assert gone.keep.link == ""


def test_noughts_before_how_often_make_it_no_link_for_ever() -> None:
    page = Page()
    page.does(share.share, recording=NAME, lasts="3600", uses="0000002")
    assert [each.most for each in page.node.shares.of(NAME)] == [2]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"recording": "2026-01-01/r9-1.opus"}, "share.nowhere"),  # another call's
        ({"recording": "2026-01-01/r1-2.opus"}, "share.nowhere"),  # not on this disk
        ({"lasts": "999999999"}, "share.odd"),
        ({"uses": "-1"}, "share.odd"),
        ({"uses": "1001"}, "share.odd"),
        ({"uses": "0"}, "share.odd"),
    ],
)
def test_a_link_that_cannot_be_is_refused(given: dict[str, str], key: str) -> None:
    page = Page()
    told = page.does(share.share, **({"recording": NAME, "lasts": "3600", "uses": ""} | given))
    assert (told.key, told.bad) == (key, True) and page.node.shares.of(NAME) == []


def test_a_call_is_judged_at_its_recording() -> None:
    page = Page()
    assert [each.name for each in page.load().forms] == ["service"]
    told = page.does(judge.judge, form="service", comment="Kind.\x07\nQuick.", **ANSWERS)
    (card,) = told.keep.cards
    assert told.key == "judge.done" and (card.score, card.comment) == (90.0, "Kind.\nQuick.")
    found = asyncio.run(agent_cards(page.desk, Place("agents", card.agent), None))
    assert found == (card,)
    assert page.does(judge.judge, form="service").bad and page.does(judge.judge, form="other").bad
    assert page.does(judge.judge, form="service", **(ANSWERS | {"answer-solved": "9"})).bad
    assert len(page.node.judged.all) == 1


def test_the_list_is_of_recorded_calls_of_a_day() -> None:
    page = Page()
    asked: list[Any] = []
    records = page.node.records

    def listened(wanted_: Any, **more: Any) -> Any:
        asked.append(wanted_)
        return records(wanted_, **more)

    page.node.records = listened  # type: ignore[method-assign,assignment]
    for day in ("2026-03-02", "nonsense"):
        asyncio.run(recordings(page.desk, Place("recordings", "", {"day": day, "queue": "support"}), None))
    first, second = asked
    assert first.recorded and first.queue == "support" and first.until - first.since == 86_400
    assert (second.since, second.until) == (None, None)


def test_a_day_of_recordings_is_one_of_who_looks_and_as_long_as_it_was_there() -> None:
    page = Page()
    page.desk = replace(page.desk, zone="Europe/Madrid")
    day = replace(AT, id="", asked={"day": "2026-03-29"})  # summer time begins
    asked: list[Any] = []
    page.node.records = lambda wanted_, **more: asked.append(wanted_)  # type: ignore[method-assign,assignment,misc]
    asyncio.run(recordings(replace(page.desk, view=page.node), day, None))
    begins, ends = (datetime(2026, 3, each, tzinfo=ZoneInfo("Europe/Madrid")) for each in (29, 30))
    assert (asked[0].since, asked[0].until) == (begins.timestamp(), ends.timestamp())
    assert asked[0].until - asked[0].since == 23 * 3600


def test_who_may_not_read_numbers_looks_for_none_among_recordings() -> None:
    page = Page()
    listener = replace(OPERATOR, rights=frozenset({Permission.LISTEN, Permission.CALLS}))
    found = asyncio.run(
        recordings(page.desk.of(listener), Place("recordings", "", {"customer": "+49301234"}), None)
    )
    assert [each.call for each in found.items] == ["r1"]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("", None),
        ("bytes=0-", (0, 9)),
        ("bytes=3-5", (3, 5)),
        ("bytes=3-99", (3, 9)),
        ("bytes=-4", (6, 9)),
        ("bytes=-40", (0, 9)),
        ("bytes=0-1,4-5", None),
        ("bytes=5-3", None),
        ("bytes=-", None),
        ("lines=1-2", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_a_range_is_read_as_it_is_meant(header: str, part: tuple[int, int] | None) -> None:
    assert wanted(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=99-100", "bytes=-0"])
def test_what_is_beyond_the_end_is_no_range(header: str) -> None:
    with pytest.raises(NoSuchRange):
        wanted(header, 10)


def test_a_range_is_cut_out_of_pieces_anyhow() -> None:
    data = bytes(range(20))
    for size in (1, 3, 7, 20):
        pieces = [data[at : at + size] for at in range(0, 20, size)]
        for first in range(20):
            for last in range(first, 20):
                assert b"".join(cut(iter(pieces), first, last)) == data[first : last + 1]


def test_listening_in_pieces_is_listening_once() -> None:
    now, begun = [0.0], [0]
    heard = Heard(lambda: now[0])

    async def begin() -> bool:
        begun[0] += 1
        return True

    async def listen(*who: str) -> int:
        """How often it was begun by then."""
        assert all([await heard.once(each, NAME, begin) for each in who])
        return begun[0]

    assert asyncio.run(listen("sue", "sue", "ann")) == 2
    now[0] = ONCE_S
    assert asyncio.run(listen("sue", "sue")) == 3
    others = [str(each) for each in range(MOST_HEARD)]
    assert asyncio.run(listen(*others, "sue")) == 3 + MOST_HEARD + 1, "the oldest are forgotten"


def test_pieces_that_are_asked_for_at_once_wait_until_the_listening_is_told() -> None:
    heard, told = Heard(), []

    async def listen() -> list[object]:
        gate = asyncio.Event()

        async def begin() -> bool:
            told.append("begun")
            await gate.wait()
            return True

        asked = [asyncio.create_task(heard.once("sue", NAME, begin)) for _ in range(5)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert told == ["begun"] and not any(each.done() for each in asked)
        asked[0].cancel()  # who began it goes, and it is told all the same
        gate.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    gone, *others = asyncio.run(listen())
    assert isinstance(gone, asyncio.CancelledError) and others == [True] * 4 and told == ["begun"]


@pytest.mark.parametrize("ends", [False, AuditUnavailable("away")])
def test_what_could_not_be_begun_is_begun_by_nobody_who_waited(ends: bool | AuditUnavailable) -> None:
    heard, asked = Heard(), [0]

    async def begin() -> bool:
        asked[0] += 1
        await asyncio.sleep(0)
        if isinstance(ends, AuditUnavailable):
            raise ends
        return ends

    async def listen() -> list[object]:
        tries = (heard.once("sue", NAME, begin) for _ in range(3))
        return await asyncio.gather(*tries, return_exceptions=True)

    assert asyncio.run(listen()) == [ends] * 3
    assert asyncio.run(listen()) == [ends] * 3 and asked == [2], "the next time it is tried anew"
