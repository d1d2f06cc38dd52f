"""Every page is drawn in every language, and says what it is given as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from markupsafe import Markup

from engine.console import pages
from engine.console.files import CallFile, Found, Wave, Words
from engine.console.look import Look, Page
from engine.console.markup import text_of
from engine.console.views import agents, call, calls, frame, queues, sign_in, sound, wallboard
from engine.console.views.config import ConfigFile, Step
from engine.console.views.lines import LineFile
from engine.console.views.said import captions
from engine.history import Version
from engine.languages import NAMES
from engine.latency import Latencies
from engine.operating import Plan, Status
from engine.scorecards import judged
from engine.sharing import Share
from engine.speech_events import MoodTurned
from engine.store.records import RecordPage
from engine.store.rows import Entry, encode
from engine.store.transcripts import Hit
from engine.views import PlaceView
from media.outline import Outline
from tests.engine.card_samples import FORM, GOOD
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import VIEWER, look, snapshot
from tests.engine.console.samples import Authored, entries, said
from tests.engine.store_samples import T0, record
from tests.engine.transcript_samples import review
from tests.engine.transcript_samples import said as line
from tests.engine.trunk_samples import Trunks

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
AUTHORED = Authored(T0)
LIVE = CallFile(
    id="c4",
    entries=tuple(entries("c4", T0)),
    said=tuple(
        Words(each.side, each.begin, each.language, each.text, each.translation) for each in said("c4")
    ),
    ladder=AUTHORED.ladder(),
    quality=tuple(AUTHORED.quality() or ()),
    findings=tuple(AUTHORED.findings() or ()),
)
OVER = replace(LIVE, id="r1", entries=tuple(entries("r1", T0, ended=214.0)), record=record("r1", T0 + 214))
FILES = tuple(f"2026-03-02/r1-{part}.opus" for part in (1, 2, 3))
SHARE = Share(
    id="9f2c61d07be4a358", digest="", recording=FILES[0], call="r1", made_by="sue", made_at=T0,
    expires_at=T0 + 1e9, note="claim 4471", most=3,
)  # fmt: skip
HIT = Hit(review("r1"), (line("I want a refund", translation="Ich will mein Geld"),))
RECORDED = replace(
    OVER,
    record=record("r1", T0 + 214, recording=" ".join(FILES)),
    waves=(
        Wave(FILES[0], Outline(214.0, (0.0, 0.5, 1.0), (0.2, 0.0, 0.1))),
        Wave(FILES[1], fault="key 2025 is not there"),
        Wave(FILES[2]),
    ),
    shares=(SHARE, replace(SHARE, id="0" * 16, revoked_at=T0), replace(SHARE, id="1" * 16, uses=3)),
    link="/shared/9f2c61d07be4a358.x",
    forms=(FORM,),
    cards=(
        judged(FORM, record("r1"), GOOD, id="a", at=T0, by="sue", comment="Kind."),
        judged(FORM, record("r1"), GOOD | {"identity": 0}, id="b", at=T0 - 9, by="ann"),
    ),
)
WAITING = CallFile(
    id="w0",
    place=PlaceView(queue="support", position=1, waited_s=0.0, priority=5, agent="bruno", offered_to=""),
)
LINES = LineFile(Trunks().report(T0 - 86_400, T0 + 60), tuple(Trunks().probes("carrier")))


def configured(tmp: Any) -> ConfigFile:
    versions = tuple(Version(number=n, at=T0, by="ana", why="a line", changes=("x",)) for n in (2, 1))
    status = Status(versions[0], tmp, ("sip.listen waits",), ())
    return ConfigFile(status, versions, Step.PLANNED, (), Plan(2, (), ("x is left without a line",), ()))


@pytest.fixture
def places(tmp_path: Any) -> Mapping[str, tuple[Page, Any]]:
    return {
        "/console/wallboard": (pages.WALLBOARD, None),
        "/console/calls": (pages.CALLS, None),
        "/console/calls?when=ended": (
            pages.CALLS,
            RecordPage((record("r1"), record("r2", customer="")), "on"),
        ),
        "/console/calls?when=ended&queue=nowhere": (pages.CALLS, RecordPage((), None)),
        "/console/calls/c4": (pages.CALL, LIVE),
        "/console/calls/r1": (pages.CALL, OVER),
        "/console/calls/gone": (pages.CALL, CallFile(id="gone")),
        "/console/recordings": (pages.RECORDINGS, RecordPage((record("r1"), record("r2")), "on")),
        "/console/recordings?day=2026-03-02": (pages.RECORDINGS, RecordPage((), None)),
        "/console/recordings?said=refund": (pages.RECORDINGS, Found((HIT,), "on")),
        "/console/recordings?said=nothing": (pages.RECORDINGS, Found()),
        "/console/recordings?said=4111": (pages.RECORDINGS, Found(refused=True)),
        "/console/recordings/r1": (pages.RECORDING, RECORDED),
        "/console/recordings/r2": (pages.RECORDING, None),
        "/console/calls/w0": (pages.CALL, WAITING),
        "/console/queues": (pages.QUEUES, None),
        "/console/queues/support": (pages.QUEUES, None),
        "/console/queues/none": (pages.QUEUES, None),
        "/console/agents": (pages.AGENTS, None),
        "/console/agents/emre": (pages.AGENTS, RECORDED.cards),
        "/console/agents/nobody": (pages.AGENTS, None),
        "/console/lines": (pages.LINES, LINES),
        "/console/lines/singtel": (pages.LINES, LINES),
        "/console/lines/none": (pages.LINES, LINES),
        "/console/nodes": (pages.NODES, None),
        "/console/config": (pages.CONFIG, configured(tmp_path)),
    }


def drawn(page: Page, at: Look) -> str:
    return Markup("").join([frame.shell(at), *(view(at) for view in page.parts.values())])


@pytest.mark.parametrize("code", NAMES)
def test_every_page_is_drawn_in_every_language(code: str, places: Mapping[str, tuple[Page, Any]]) -> None:
    now = snapshot()
    for address, (page, loaded) in places.items():
        made = drawn(page, look(address, say=code, now=now, loaded=loaded))
        keys = re.findall(r">((?:[a-z_]+\.)+[a-z_]+)<", made)
        assert [key for key in keys if not key.startswith(("call.", "leg.", "recording."))] == [], address
        assert "style=" not in made and not re.search(r"\son[a-z]+=", made), address
        assert made.count("<h1") == 1 and "data-title=" in made, address
        ids = re.findall(r'\sid="([^"]+)"', made)
        assert len(ids) == len(set(ids)), address


def test_a_node_without_anything_teaches_what_comes_next(places: Mapping[str, tuple[Page, Any]]) -> None:
    empty = replace(snapshot(), calls=(), queues=(), agents=(), lines=())
    for address, (page, _) in places.items():
        made = text_of(drawn(page, look(address, now=empty)))
        assert "None" not in made, address
    assert "queues.yaml" in text_of(drawn(pages.QUEUES, look("/console/queues", now=empty)))
    assert "numbers.yaml" in text_of(drawn(pages.CALLS, look("/console/calls", now=empty)))


def test_how_somebody_feels_is_told_with_the_words_that_tell() -> None:
    turned = MoodTurned(
        at=T0, call="c4", side="customer", level="upset", score=-0.8, worse=True, reasons=("dos semanas",)
    )
    data, person = map(json.loads, encode(turned))  # as the journal keeps it
    told = Entry(node="n1", seq=99, at=T0, call="c4", kind=turned.kind, data=data, person=person)
    made = captions(look("/console/calls/c4", loaded=replace(LIVE, entries=(*LIVE.entries, told))))
    assert '<q dir="auto">dos semanas</q>' in made and "upset" in text_of(made)


def hostile() -> BusyNode:
    node = BusyNode()
    node.live = {
        id: replace(each, customer=HOSTILE, queue=HOSTILE, language=HOSTILE, market=HOSTILE, number=HOSTILE)
        for id, each in node.live.items()
    }
    node.team = {name: replace(each, name=HOSTILE, reason=HOSTILE) for name, each in node.team.items()}
    node.lots = [replace(each, name=HOSTILE) for each in node.lots]
    return node


def test_names_of_callers_are_text_on_every_page(places: Mapping[str, tuple[Page, Any]]) -> None:
    now = snapshot(hostile())
    words = [replace(each, text=HOSTILE, translation=HOSTILE, language=HOSTILE) for each in LIVE.said or ()]
    found = [replace(each, what=HOSTILE, remedy=HOSTILE, evidence=(HOSTILE,)) for each in LIVE.findings or ()]
    told = [replace(each, data=dict.fromkeys(each.data, HOSTILE)) for each in LIVE.entries[:3]]
    file = replace(LIVE, said=tuple(words), findings=tuple(found), entries=tuple(told))
    fields = dict.fromkeys(("customer", "source", "queue", "recording"), HOSTILE)
    ended = replace(file, record=record("c4", **fields))
    for address, (page, loaded) in places.items():
        for given in (file, ended) if page is pages.CALL else (loaded,):
            made = drawn(page, look(address.replace("emre", HOSTILE), now=now, loaded=given))
            assert "<script" not in made and "<img src=x" not in made, address


def test_a_calls_record_says_how_late_its_words_were_where_it_had_some() -> None:
    late = Latencies(30, 812.4, (0,) * 7 + (30,) + (0,) * 6)
    made = text_of(drawn(pages.CALL, look("/console/calls/r1", loaded=OVER)))
    assert "ASR" not in made and "MT" not in made
    spoken = replace(OVER, record=record("r1", T0 + 214, asr_latency=late))
    made = text_of(drawn(pages.CALL, look("/console/calls/r1", loaded=spoken)))
    assert "812 ms, 95 % within 988 ms" in re.sub("[\u2066-\u2069]", "", made)
    assert "ASR" in made and "MT" not in made


def test_what_changes_something_is_offered_to_those_alone_who_may() -> None:
    for address, page, loaded in (
        ("/console/calls/c4", pages.CALL, LIVE),
        ("/console/agents/emre", pages.AGENTS, None),
        ("/console/nodes", pages.NODES, None),
        ("/console/lines/singtel", pages.LINES, LINES),
    ):
        given = {act for act, (right, _) in page.acts.items() if right}
        for who, there in ((VIEWER, False), (None, True)):
            more = {"who": who} if who else {}
            made = "".join(view(look(address, loaded=loaded, **more)) for view in page.parts.values())
            assert any(f'data-do="{act}"' in made for act in given) is there, address


def test_what_cannot_be_undone_is_asked_twice() -> None:
    made = call.head(look("/console/calls/c4", loaded=LIVE))
    assert made.index('data-opens="hangup"') < made.index("<dialog") < made.index('data-do="hangup"')


def test_tiles_add_up_what_queues_tell() -> None:
    now = snapshot()
    share, offered = wallboard.service_level(now)
    counted = sum(each.answered + each.abandoned for each in now.queues if each.service_level is not None)
    assert (offered, round(share or 0, 3)) == (counted, 0.809)
    assert wallboard.service_level(replace(now, queues=())) == (None, 0)
    told = text_of(wallboard.tiles(look()))
    assert "Waiting7" in told and "81%" in told


def test_tiles_and_queues_tell_of_those_who_wait_and_serve_at_other_nodes() -> None:
    """Agents and callers of other nodes are in the queues' figures alone."""
    out = tuple(replace(each, state="logged_out") for each in snapshot().agents)
    busy = replace(snapshot().queues[0], name="support", waiting=4, longest_wait_s=75.0)
    there = replace(snapshot(), calls=(), agents=out, queues=(busy,))
    assert (busy.agents_available, busy.agents_busy) == (2, 6)
    told = text_of(wallboard.tiles(look(now=there)))
    assert "Waiting4in one queue" in told and "support" in told and "nobody waits" not in told
    crew = wallboard.staff(look(now=there), busy)
    assert "2 free, 6 busy, 0 away" in crew and text_of(crew) == "2"
    nobody = replace(busy, agents_available=0, agents_busy=0)
    assert text_of(wallboard.staff(look(now=there), nobody)) == "nobody here"


@pytest.mark.parametrize("code", NAMES)
def test_what_is_of_one_node_alone_says_so_where_there_are_several(code: str) -> None:
    now = snapshot()
    views = (
        ("/console/wallboard", wallboard.head),
        ("/console/queues/support", queues.head),
        ("/console/agents", agents.head),
        ("/console/calls", calls.head),
    )
    single = tuple(each for each in now.nodes if each.here or each.state == "gone")
    for address, head in views:
        told = text_of(head(look(address, now=now, say=code)))
        assert "dublin-1" in told and "frankfurt-1" in told and "nairobi-1" not in told  # which is gone
        assert "dublin-1" not in text_of(head(look(address, now=replace(now, nodes=single), say=code)))


def test_nobody_waits_is_not_said_of_nodes_that_are_not_looked_at() -> None:
    now = replace(snapshot(), calls=())
    assert text_of(wallboard.waits(look(now=now))).endswith("Nobody waits at this node.")
    single = replace(now, nodes=tuple(each for each in now.nodes if each.here))
    assert text_of(wallboard.waits(look(now=single))).endswith("Nobody waits.")
    assert "Nobody waits at this node." in text_of(queues.body(look("/console/queues/support", now=now)))


def test_a_long_list_of_nodes_has_an_end() -> None:
    more = tuple(replace(snapshot().nodes[1], name=f"node-{n}") for n in range(40))
    now = replace(snapshot(), nodes=(*snapshot().nodes, *more))
    assert text_of(wallboard.head(look(now=now))).count("node-") < 10 and "…" in wallboard.head(look(now=now))


def test_waiting_callers_are_told_with_their_reasons() -> None:
    told = text_of(wallboard.waits(look()))
    assert "hugo\u2069’s phone rings" in told and "nobody serves this queue" in told


def test_long_lists_have_an_end_and_say_so() -> None:
    node = BusyNode()
    node.live |= {f"x{n}": replace(node.live["w0"], id=f"x{n}") for n in range(500)}
    now = snapshot(node)
    assert "and 495 more" in text_of(wallboard.waits(look(now=now)))
    assert calls.listed(look("/console/calls", now=now)).count("<tr data-key") == calls.MOST_LIVE


def test_filters_choose_among_live_calls_and_stay_in_the_address() -> None:
    found = calls.wanted(look("/console/calls?queue=sales&state=queued"))
    assert found and all((each.queue, each.state) == ("sales", "queued") for each in found)
    made = calls.filters(look("/console/calls?queue=sales"))
    assert '<option value="sales" selected>' in made and "Clear filters" in made


def test_pages_lead_on_with_the_filters_that_are_set() -> None:
    made = calls.listed(look("/console/calls?when=ended&queue=q", loaded=RecordPage((record("r1"),), "on/2")))
    assert 'href="/console/calls?when=ended&amp;queue=q&amp;cursor=on%2F2"' in made


def test_a_recording_is_offered_to_those_alone_who_may_listen() -> None:
    file = replace(OVER, record=record("r1", recording="2026-11-22/r1-1.opus"))
    made = call.recording(look("/console/calls/r1", loaded=file))
    assert 'src="/console/sound/2026-11-22/r1-1.opus"' in made and 'data-begins="67' in made
    assert call.recording(look("/console/calls/r1", loaded=file, who=VIEWER)) == ""
    assert call.recording(look("/console/calls/c4", loaded=LIVE)) == ""


def test_a_queue_shows_its_own_people_and_callers() -> None:
    told = text_of(queues.body(look("/console/queues/billing")))
    assert "nadia" in told and "hugo" not in told and "+49 30 1234567" in told


def test_the_door_keeps_where_one_was_going_and_says_why_not() -> None:
    from engine.console.door import Refusal

    made = sign_in.page(look(say="ar").say, "/console/calls?x=\"'>", Refusal("wrong"))
    assert (
        'dir="rtl"' in made and 'value="/console/calls?x=&#34;&#39;&gt;"' in made and 'role="alert"' in made
    )
    assert "<script" not in made


def test_who_sits_beside_an_agent_is_called_what_she_is() -> None:
    now = snapshot()
    talks = now.by_call["c4"]
    beside = replace(talks.legs[1], id=3, role="supervisor")
    seen = look("/console/calls/c4", now=replace(now, calls=(replace(talks, legs=(*talks.legs, beside)),)))
    told = text_of(sound.legs(seen))
    assert [told.count(word) for word in ("Customer", "Agent", "Supervisor")] == [1, 1, 1]
