"""The node as somebody may see it has all that routes ask for, and nothing that is not theirs."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from json import loads
from typing import Any

import pytest

from engine.access.errors import Refused
from engine.access.principal import Directory, How, Principal
from engine.access.role import Permission
from engine.access.seen import Seen
from engine.access.seen_texts import SeenTranscripts
from engine.access.seen_trunks import SeenTrunks
from engine.api.deps import EngineView, TranscriptView, TrunkView
from engine.drill import Ask, Dimension
from engine.guest_events import GuestAsked
from engine.recent_views import RecentView
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry, encode
from engine.store.transcripts import Hit, HitPage, TextFilter
from engine.views import LegSide, LegView, LoadView, TroubleView, UnknownAgent, UnknownCall
from media.speech.transcript import Line
from routing.cost import Cost
from tests.engine.api_node import T0, Node, call_view, desk_call
from tests.engine.store_samples import NODE, record
from tests.engine.transcript_samples import review, said


def names(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "seen"), [(EngineView, Seen), (TrunkView, SeenTrunks), (TranscriptView, SeenTranscripts)]
)
def test_all_that_a_route_may_ask_of_the_node_is_asked_by_way_of_this(protocol: type, seen: type) -> None:
    assert names(protocol) <= {name for name in dir(seen) if not name.startswith("_")}
    for name in names(protocol):
        asked, has = getattr(protocol, name), getattr(seen, name)
        if inspect.isfunction(asked) and inspect.isfunction(has):
            assert inspect.signature(asked).parameters.keys() == inspect.signature(has).parameters.keys(), (
                name
            )


def seen(node: Node, *permissions: Permission, **limits: Any) -> Seen:
    given = {name: frozenset(value) for name, value in limits.items()}
    who = Principal(who="maria", permissions=frozenset(permissions), how=How.TOKEN, **given)
    return Seen(node, who)


@pytest.fixture
def node() -> Node:
    made = Node()
    made.live["u1"] = call_view("u1", market="us", queue="sales", agent="carol")
    return made


def test_what_is_said_in_a_call_is_masked_for_who_may_not_read_numbers(node: Node) -> None:
    said_ = "llame al 612, 345, 678"
    node.said["u1"] = [Line("u1", "customer", 1, 0.0, 4.0, "es", said_, f"[en] {said_}")]
    whole = seen(node, Permission.LISTEN, Permission.PERSONAL).minutes("u1")
    (masked,) = seen(node, Permission.LISTEN).minutes("u1")
    assert [each.text for each in whole] == [said_]
    assert masked.text == "llame al *******78" and masked.translation == "[en] llame al *******78"
    assert seen(node, Permission.PERSONAL).minutes("u1") == ()


WHO_LISTENS = [(Permission.LISTEN,), (Permission.LISTEN, Permission.PERSONAL), tuple(Permission)]
PIECES = ["mi tarjeta es 4111", "1111 1111,", "1111. ¿Vale?"]


@pytest.mark.parametrize("may", WHO_LISTENS)
def test_a_card_that_is_told_in_pieces_is_read_by_nobody(node: Node, may: tuple[Permission, ...]) -> None:
    """While it is being said, afterwards, and among what a search for it finds."""
    node.said["u1"] = [
        Line("u1", side, at, at, at + 1.0, "es", text, text)
        for at, each in enumerate(PIECES)
        for side, text in (("customer", each), ("agent", "sí"))
    ]
    lines = tuple(said(each, begin=float(at)) for at, each in enumerate(PIECES))
    node.transcripts.said["r1"] = lines
    node.transcripts.reviews["r1"] = review("r1", summary="customer: 4111, 1111, 1111, 1111")
    view = seen(node, *may)
    hit = Hit(node.transcripts.reviews["r1"], lines[1:2])
    node.transcripts.page = lambda *_, **__: HitPage((hit,), None)  # type: ignore[method-assign]
    told = [each for each in view.minutes("u1") if each.side == "customer"]
    kept = view.transcripts.lines("r1")
    assert kept is not None
    for found in (told, kept):
        assert [each.text for each in found] == ["mi tarjeta es ****", "********", "1111. ¿Vale?"]
    (line,) = view.transcripts.page(TextFilter(words="vale"), cursor=None, limit=9).items[0].lines
    assert line.text == "********"
    shown = view.transcripts.review("r1")
    assert shown is not None and shown.summary == "customer: ************1111"


@pytest.mark.parametrize("words", ["tarjeta 600", '"600 123"', "six zero zero", "四一一", "٦٠٠", "call 12"])
def test_numbers_are_looked_for_by_whom_they_are_shown_to(node: Node, words: str) -> None:
    """Found group by group they would be known whole."""
    wanted = TextFilter(words=words)
    with pytest.raises(Refused):
        seen(node, Permission.LISTEN).transcripts.page(wanted, cursor=None, limit=9)
    seen(node, Permission.LISTEN, Permission.PERSONAL).transcripts.page(wanted, cursor=None, limit=9)
    for plain in ("tarjeta", "one moment", "一样"):
        seen(node, Permission.LISTEN).transcripts.page(TextFilter(words=plain), cursor=None, limit=9)


def test_cards_in_what_an_agent_wrote_are_read_by_nobody_and_numbers_by_role(node: Node) -> None:
    notes = "612, 345, 678, card: 4111, 1111, 1111, 1111"
    person = {"customer": "+34600123456", "notes": notes}
    node.journal["r1"] = [Entry(node=NODE, seq=1, at=T0, call="r1", kind="x", data={}, person=person)]
    (plain,) = seen(node, Permission.PERSONAL).events("r1")
    assert plain.person == {"customer": "+34600123456", "notes": "612, 345, 678, card: ************1111"}


def test_the_number_of_who_was_asked_into_a_call_is_masked_in_its_events(node: Node) -> None:
    asked = GuestAsked(at=T0, call="u1", guest="+34600123456", by="alice")
    data, told = encode(asked)  # as the journal keeps it
    assert "600123" not in data, "it goes to hooks and collectors as it is"
    entry = Entry(
        node=NODE, seq=1, at=T0, call="u1", kind=asked.kind, data=loads(data), person=loads(told or "{}")
    )
    node.events = lambda call: [entry]  # type: ignore[method-assign]
    (masked,), (plain,) = (seen(node, *may).events("u1") for may in ((), (Permission.PERSONAL,)))
    assert plain.event() == asked and "600123" not in str(masked)


def test_a_limit_that_is_set_while_a_call_goes_on_counts_at_the_next_look(node: Node) -> None:
    assert seen(node, teams=["south"]).call("u1") is not None
    node.teams["carol"] = "north"
    assert seen(node, teams=["south"]).call("u1") is None


@pytest.mark.parametrize(
    "act",
    [
        lambda view: view.hangup("u1"),
        lambda view: view.pause_recording("u1", True, "maria"),
        lambda view: view.given_help("u1"),
        lambda view: view.choose_interpreter("u1", "agent", "off"),
        lambda view: view.guest("u1"),
        lambda view: view.ask_guest("u1", "bob", "maria"),
        lambda view: view.send_off_guest("u1"),
        lambda view: view.set_agent_state("carol", "paused", ""),
        lambda view: view.tell_agent("carol", "hello", "maria"),
        lambda view: view.desk("carol"),
        lambda view: view.ice_terms("carol"),
        lambda view: view.watch_desk("carol", lambda: None),
        lambda view: view.wrap_up("carol", "u1", "", ""),
    ],
)
def test_nothing_is_done_to_what_is_out_of_reach(node: Node, act: Any) -> None:
    with pytest.raises((UnknownCall, UnknownAgent)):
        act(seen(node, *Permission, markets=["de"]))
    assert not node.hung_up and not node.asked and not node.guests and not node.interpreters


def test_what_is_looked_up_has_nothing_of_a_call_that_is_out_of_reach(node: Node) -> None:
    limited, all_of_it = seen(node, markets=["de"]), seen(node)
    assert [each.call for each in limited.look_up("carol", "u1", "parcel")] == [""]
    assert [each.call for each in limited.look_up("alice", "c1", "parcel")] == ["c1"]
    assert [each.call for each in all_of_it.look_up("", "u1", "parcel")] == ["u1"]


def test_an_agents_call_is_not_named_to_who_does_not_see_it(node: Node) -> None:
    node.live["c1"] = call_view("c1", market="us", queue="sales")  # alice helps out
    (alice, *_) = seen(node, markets=["de"]).agents()
    assert (alice.name, alice.call) == ("alice", "")
    (alice, *_) = seen(node).agents()
    assert alice.call == "c1"


def test_a_report_adds_up_what_is_within_reach_and_hooks_are_for_those_who_see_all(node: Node) -> None:
    ask = Ask(since=T0, until=T0 + 60, by=(Dimension.QUEUE,))
    limited, all_of_it = seen(node, markets=["de"]), seen(node)
    assert limited.report(ask).ask.within == limited.reach != all_of_it.report(ask).ask.within
    for view, some in ((limited, False), (all_of_it, True)):
        assert [bool(view.hooks()), bool(view.dead_letters("crm")), bool(view.replay("crm", None))] == [
            some
        ] * 3
    assert asyncio.run(all_of_it.try_hook("crm")).status == 503
    with pytest.raises(LookupError):
        asyncio.run(limited.try_hook("crm"))


def test_what_calls_came_to_lately_is_of_queues_and_lines_within_reach(node: Node) -> None:
    view = seen(node, markets=["de"])
    queue, line = (next(iter(sorted(each))) for each in (view.reach.queues or {""}, view.reach.lines or {""}))
    recent = tuple(
        RecentView(kind=kind, name=name)
        for kind, name in (("queue", queue), ("line", line), ("queue", "elsewhere"), ("line", "elsewhere"))
    )
    node.load = lambda: LoadView(recent=recent, turned_away={"blocked": 3})  # type: ignore[method-assign]
    assert seen(node).load().recent == recent and seen(node).load().turned_away
    mine = view.load()
    assert {each.name for each in mine.recent} <= {queue, line} - {""} and not mine.turned_away


def test_calls_are_looked_for_by_lines_alone_and_not_by_where_they_came_from(node: Node) -> None:
    everything = seen(node)
    for line, some in (("carrier", True), ("192.0.2.7:5060", False), ("+34600123456", False)):
        assert bool(everything.records(RecordFilter(line=line), cursor=None, limit=9).items) is some
    node.records = lambda wanted, **_: RecordPage((wanted.line,), None)  # type: ignore[method-assign, assignment, arg-type]
    gone = RecordFilter(line="a line that was taken down")
    assert seen(node, Permission.CALLS, Permission.PERSONAL).records(gone, cursor=None, limit=9).items
    assert not everything.records(gone, cursor=None, limit=9).items
    hers = seen(node, Permission.CALLS, Permission.PERSONAL, markets=["de"])
    assert not hers.records(RecordFilter(line="gateway"), cursor=None, limit=9).items, "of another market"


def test_what_lines_cost_is_for_who_may_read_the_configuration(node: Node) -> None:
    cost = Cost(2, 60.0, 0.1, 0.1)
    kept = node.trunks.report
    node.trunks.report = lambda since, until: replace(  # type: ignore[method-assign]
        kept(since, until), lines=tuple(replace(each, cost=cost) for each in kept(since, until).lines)
    )
    for permissions, told in (((Permission.READ_CONFIG,), cost), ((Permission.BOARD,), None)):
        found = seen(node, *permissions).trunks.report(T0, T0 + 60)
        assert found.lines and {each.cost for each in found.lines} == {told}


def test_numbers_and_words_are_masked_for_who_may_not_read_them(node: Node) -> None:
    node.transcripts.said["r1"] = (said("my number is 600 12 34 56", translation="call 600 99 88 77"),)
    node.transcripts.reviews["r1"] = review("r1", summary="Call +34600123456 back.")
    person = {"customer": "+34600123456", "notes": "try 600 11 22 33"}
    node.journal["r1"] = [Entry(node=NODE, seq=1, at=T0, call="r1", kind="x", data={}, person=person)]
    node.hers = (replace(desk_call("c1"), pop="https://crm.example.com/600123456"),)
    masked, plain = seen(node), seen(node, Permission.PERSONAL)
    for view, shown in ((masked, False), (plain, True)):
        text = repr(
            [
                view.calls(),
                view.call("c1"),
                view.record("r1"),
                view.events("r1"),
                view.transcripts.lines("r1"),
                view.transcripts.review("r1"),
                view.desk("alice"),
            ]
        )
        for number in (
            "600 12 34 56",
            "600 99 88 77",
            "600123456",
            "600 11 22 33",
            "30123456",
        ):
            assert (number in text) is shown, number


def test_addresses_are_cut_for_who_may_not_read_numbers(node: Node) -> None:
    whole, cut = "203.0.113.9", "203.0.113.x"
    trouble = TroubleView(kind="clipping", cause=f"the sound from {whole}:40012 is clipped", since=T0)
    leg = LegView(id=1, side=LegSide.CUSTOMER, remote=f"{whole}:40012", codec="PCMA", state="talking")
    node.live["c1"] = replace(call_view("c1"), legs=(replace(leg, troubles=(trouble,)),))
    node.hers = (replace(desk_call("c1"), legs=node.live["c1"].legs),)
    node.finished.append(record("r9", source=f"{whole}:5060"))
    node.journal["r9"] = [
        Entry(node=NODE, seq=1, at=T0, call="r9", kind="call.arrived", data={}, person={"source": whole}),
        Entry(node=NODE, seq=2, at=T0, call="r9", kind="leg.troubled", data={"cause": trouble.cause}),
    ]
    for view, is_cut in ((seen(node), True), (seen(node, Permission.PERSONAL), False)):
        looks = [view.calls(), view.call("c1"), view.record("r9"), view.events("r9"), view.desk("alice")]
        looks.append(view.records(RecordFilter(), cursor=None, limit=9))
        for look in map(repr, looks):
            assert (whole in look, cut in look) == (not is_cut, is_cut)
        assert ("192.0.2.9" in repr(view.registrations())) is not is_cut
    hers = seen(node, markets=["de"])
    assert hers.ice_terms("maria").servers, "her own page is a phone, whatever she is limited to"


def test_a_recording_is_its_calls(node: Node) -> None:
    node.finished.append(record("s1", market="us", queue="sales", agent="carol"))
    node.journal["live-1"] = [
        Entry(node=NODE, seq=1, at=T0, call="live-1", kind="call.arrived", data={"market": "de"})
    ]
    files = ["2026-01-01/r1-1.opus", "2026-01-01/s1-1.opus.sealed", "n2:2026-01-01/live-1-2.wav", "odd.opus"]
    node.sounds = {name: [b"x"] for name in files}
    found = {name: seen(node, markets=["de"]).recording(name) is not None for name in files}
    assert found == dict(zip(files, (True, False, True, False)))
    assert all(seen(node).recording(name) is not None for name in files)


def test_who_is_not_limited_does_not_depend_on_what_is_configured() -> None:
    class Bare(Node):
        def directory(self) -> Directory:
            return Directory()

    assert len(seen(Bare()).calls()) == 2 and seen(Bare(), markets=["de"]).queues() == []
