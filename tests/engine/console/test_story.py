"""A call's life is told from its journal."""

from __future__ import annotations

from engine.console.story import Lane, Story, told
from tests.engine.console.looks import entry
from tests.engine.console.samples import entries


def lane(story: Story, kind: str, name: str = "") -> Lane:
    return next(each for each in story.lanes if (each.kind, each.name) == (kind, name))


def spans(found: Lane, t0: float = 0.0) -> list[tuple[str, float, float]]:
    return [(span.kind, round(span.begin - t0, 1), round(span.end - t0, 1)) for span in found.spans]


def test_the_caller_goes_from_state_to_state_and_the_last_one_goes_on() -> None:
    story = told(entries("c1", 1000.0), 1210.0)
    assert spans(lane(story, "caller"), 1000.0) == [
        ("arrived", 0.0, 0.3),
        ("greeting", 0.3, 6.2),
        ("queued", 6.2, 66.8),
        ("talking", 66.8, 162.0),
        ("held", 162.0, 178.0),
        ("talking", 178.0, 210.0),
    ]


def test_each_agent_who_was_asked_has_a_lane() -> None:
    story = told(entries("c1", 1000.0), 1210.0)
    assert spans(lane(story, "agent", "dalia"), 1000.0) == [("offered", 41.0, 61.0), ("missed", 61.0, 61.0)]
    assert [kind for kind, *_ in spans(lane(story, "agent", "emre"))] == [
        "offered",
        "talking",
        "held",
        "talking",
    ]


def test_who_hands_a_caller_on_to_a_queue_talks_no_more() -> None:
    story = told(
        [
            entry("call.arrived", 0.0),
            entry("call.connected", 10.0, {"agent": "emre"}),
            entry("call.transferred", 60.0),
            entry("call.queued", 61.0, {"queue": "billing"}),
            entry("call.offered", 80.0, {"agent": "dalia"}),
            entry("call.connected", 90.0, {"agent": "dalia"}),
        ],
        100.0,
    )
    assert spans(lane(story, "agent", "emre")) == [("talking", 10.0, 61.0)]
    assert spans(lane(story, "agent", "dalia")) == [("offered", 80.0, 90.0), ("talking", 90.0, 100.0)]


def test_trouble_lasts_from_when_it_began_to_when_it_was_over() -> None:
    story = told(entries("c1", 1000.0), 1210.0)
    assert spans(lane(story, "sound", "customer"), 1000.0) == [("loss", 118.0, 149.0)]
    assert "8 %" in lane(story, "sound", "customer").spans[0].note


def test_a_call_that_is_over_ends_when_it_did() -> None:
    story = told(entries("c1", 1000.0, ended=200.0), 9999.0)
    assert (story.begin, story.end, story.seconds) == (1000.0, 1200.0, 200.0)
    assert spans(lane(story, "recording"), 1000.0) == [("on", 67.0, 200.0)]


def test_decisions_keep_their_reasons() -> None:
    story = told(entries("c1", 1000.0), 1210.0)
    assert [(each.kind, each.what) for each in story.decisions] == [
        ("call.offered", "dalia"),
        ("call.offered", "emre"),
        ("leg.codec_wished", "opus 16 kbit/s"),
    ]
    assert story.decisions[0].why.startswith("idle 62 s")


def test_what_a_journal_may_hold_breaks_nothing() -> None:
    odd = [
        entry("call.offered", 5.0),
        entry("leg.troubled", 6.0, {"since": None}),
        entry("x.y", 7.0, {"why": 1}),
    ]
    assert told(odd, 10.0).decisions == ()
    assert told([], 10.0).lanes == ()


def test_a_call_that_was_taken_over_goes_on_from_its_state() -> None:
    story = told([entry("call.taken", 5.0, {"state": "talking"})], 9.0)
    assert spans(lane(story, "caller")) == [("talking", 5.0, 9.0)]
