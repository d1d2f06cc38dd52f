"""Two regions far apart, each with its front: calls land nearest, and a node that dies under them ends none.

What is told here once, and how soon, `python -m tests.interop.two_regions` prints and judges by the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.browser.chromium import missing
from tests.interop.conftest import prompts_of
from tests.interop.regions import SALES, TCP, TwoRegions
from tests.interop.two_regions import ENOUGH, Story, Told, browsers, lacking, words
from tests.interop.wire import node_of

LONGEST_S = 240.0  # Playwright's loop would swallow a signal

pytestmark = pytest.mark.timeout(LONGEST_S, method="thread")
seen_by_browsers = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)
    prompts = prompts_of(request.config.cache)
    with browsers() as chromium:
        world = TwoRegions(tmp_path_factory.mktemp("regions"), prompts)
        try:
            story = Story(world, chromium, prompts / "en" / "music.wav").tell()
        finally:
            world.close()
        capturing = request.config.pluginmanager.getplugin("capturemanager")
        with capturing.global_and_fixture_disabled():
            print("", *words(story), sep="\n")
        yield story


def test_calls_land_at_the_nearest_node_whichever_front_they_come_to(told: Told) -> None:
    over_sip = [each for each in told.landings if not each.who.startswith("page")]
    assert len(over_sip) == len(SALES) + 6
    assert [each for each in over_sip if each.at != each.near] == []


def test_a_front_follows_302_to_the_nearer_node_and_no_caller_sees_it(told: Told) -> None:
    wrong = [each for each in told.landings if each.first == f"front {'us' if each.near == 'eu' else 'eu'}"]
    assert (len(wrong), told.sent_on, told.refused) == (4, len(wrong) + len(SALES) // 2, 0)
    assert {"measured" in each.why for each in wrong if each.who.startswith("carrier")} == {True}
    assert {"measured" in each.why for each in wrong if each.who.startswith("traveller")} == {False}


@seen_by_browsers
def test_pages_that_are_loaded_far_away_call_at_the_node_that_they_measured_to_be_near(told: Told) -> None:
    pages = {each.near: each for each in told.landings if each.who.startswith("page")}
    assert {near: each.at for near, each in pages.items()} == {"eu": "eu", "us": "us"}
    assert {"measured" in each.why for each in pages.values()} == {True}


def test_fronts_and_nodes_speak_tls_and_nothing_else(told: Told) -> None:
    assert told.said[TCP, False] > 0
    assert set(told.said) == {(TCP, False)}


def test_legs_behind_fronts_have_audio_again_after_kill_9(told: Told) -> None:
    """Who hears nothing within LONGEST_S of two_regions.py does not again. How soon: the program says."""
    assert told.legs == 2 * len(SALES)
    assert len(told.heard_s) >= ENOUGH * told.legs


def test_who_waits_keeps_her_place_at_whichever_node_she_was(told: Told) -> None:
    assert 0 < told.lost < len(told.before)
    assert told.after == told.before


@seen_by_browsers
def test_the_page_of_the_dead_node_was_told_where_to_resume_and_does(told: Told) -> None:
    (call,) = (each.id for each in told.landings if each.who == "page in us")
    assert node_of(1) in told.links["us"]
    assert told.resumed == [(f"http://{node_of(1)}:8080", call)]
    assert told.page_hears_music
    assert not told.page_waited, "it asks who lives before its connection breaks"


def test_every_call_has_one_record_once_the_dead_node_is_back(told: Told) -> None:
    assert told.records == Counter(told.ids)
    assert len(told.ids) == len(set(told.ids))
