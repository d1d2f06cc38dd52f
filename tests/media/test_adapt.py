"""The adaptation table, row by row; how its rows are come by: down at once, up slowly, never to and fro."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest

from media.codecs import adapt
from media.codecs.adapt import CAPS, LOSS, MODES, NARROWER, SPEECH, Choice, Grade, Link, Sight, State
from media.messages import Profile

PROFILES: tuple[Profile, ...] = get_args(Profile)
ALL = ("OPUS", "PCMA", "PCMU", "AMR")


def after(link: Link, *seen: Sight, state: State | None = None) -> State:
    state = state or adapt.begin(link)
    for sight in seen:
        state = adapt.decide(link, state, sight)
    return state


@pytest.mark.parametrize("key", SPEECH, ids=str)
def test_every_row_of_the_table_fits_under_its_profile_as_it_stands(key):
    profile, _, _ = key
    link, row = Link(profile, red=True), SPEECH[key]
    choice = Choice(row.bitrate, row.fec, row.ptime, row.copies)
    assert adapt.fitted(link, choice, CAPS[profile][0]) == choice


def test_there_is_a_row_for_every_profile_and_grade_and_mode():
    assert set(SPEECH) == {(p, g, b) for p in PROFILES for g in Grade for b in (False, True)}
    assert set(MODES) == {(c, g) for c in ("AMR", "AMR-WB") for g in Grade}


@pytest.mark.parametrize("key", SPEECH, ids=str)
def test_reports_that_stay_lead_to_the_row_that_the_table_names(key):
    profile, grade, bursty = key
    loss = {Grade.CLEAN: 0.0, Grade.LIGHT: 0.03, Grade.LOSSY: 0.08, Grade.HEAVY: 0.25}[grade]
    link = Link(profile, agreed=ALL, red=True)
    state = after(
        link, *[Sight(max(loss, 0.003) if bursty else loss, 4.0 if bursty else 1.0, 80.0, 5.0)] * 12
    )
    row = SPEECH[key]
    assert (state.grade, state.bursty) == (grade, bursty)
    assert state.choice == Choice(row.bitrate, row.fec, row.ptime, row.copies)


@pytest.mark.parametrize("headers", [40, 50, 60, 70], ids=["IPv4", "SRTP", "IPv6", "IPv6 and SRTP"])
@pytest.mark.parametrize("loss", [0.0, 0.03, 0.08, 0.3])
def test_on_mobile_2g_the_whole_stream_stays_under_16_kbps(headers, loss):
    link = Link("mobile-2g", headers=headers, red=True)
    state = adapt.begin(link)
    for _ in range(20):
        assert adapt.cost(link, state.choice) < 15.5
        state = adapt.decide(link, state, Sight(loss, 3.0, 300.0, 20.0))


def test_more_loss_is_met_with_more_protection_on_a_wide_path():
    link = Link("standard", red=True)
    choices = [after(link, *[Sight(loss)] * 6).choice for loss in (0.0, 0.03, 0.08, 0.3)]
    assert [choice.fec for choice in choices] == [5, 10, 20, 30]
    assert [choice.copies for choice in choices] == [0, 0, 0, 1]


def test_bursts_are_met_with_copies_and_without_their_agreement_with_none():
    assert after(Link("standard", red=True), *[Sight(0.08, 4.0)] * 6).choice.copies == 2
    assert after(Link("standard", red=False), *[Sight(0.08, 4.0)] * 6).choice.copies == 0


def test_loss_is_believed_after_one_report():
    assert after(Link(), Sight(0.2)).grade is Grade.LOSSY
    assert after(Link(), Sight(0.2), Sight(0.2)).grade is Grade.HEAVY


def test_recovery_goes_down_the_grades_slowly_and_ends_where_it_began():
    link = Link("hd", red=True)
    state = after(link, *[Sight(0.3)] * 5)
    grades = []
    for _ in range(20):
        state = adapt.decide(link, state, Sight(0.0))
        grades.append(state.grade)
    assert grades == sorted(grades, reverse=True) and grades[1] is Grade.HEAVY
    assert state.choice == adapt.begin(link).choice


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("centre", [0.008, 0.015, 0.025, 0.045, 0.08, 0.12])
def test_noisy_reports_around_a_threshold_do_not_make_it_flap(seed, centre):
    """A report covers 250 packets, so what it says is off by as much as chance has it."""
    rng, link = Random(seed), Link("standard", red=True)
    state, changes = adapt.begin(link), 0
    for _ in range(120):
        loss = sum(rng.random() < centre for _ in range(250)) / 250
        before = state.choice
        state = adapt.decide(link, state, Sight(loss, rng.uniform(0.9, 1.2), 60.0 + 20 * rng.random(), 4.0))
        changes += state.choice != before
    assert changes <= 6


def test_a_single_lost_packet_now_and_then_changes_nothing():
    link = Link("standard")
    state = after(link, *[Sight(0.004 * (i % 2)) for i in range(50)])
    assert state.choice == adapt.begin(link).choice


def test_congestion_shrinks_the_stream_and_calm_gives_it_back():
    link = Link("standard")
    calm = after(link, *[Sight(0.0, rtt_ms=80.0)] * 3)
    jammed = after(link, *[Sight(0.1, rtt_ms=500.0)] * 4, state=calm)
    assert adapt.cost(link, jammed.choice) < 0.5 * adapt.cost(link, calm.choice)
    again = after(link, *[Sight(0.0, rtt_ms=80.0)] * 25, state=jammed)
    assert again.choice == calm.choice


def test_loss_without_delay_is_not_taken_for_congestion():
    link = Link("standard")
    state = after(link, *[Sight(0.0, rtt_ms=80.0)] * 3, *[Sight(0.1, rtt_ms=85.0, jitter_ms=6.0)] * 6)
    assert state.cap == CAPS["standard"][0] and state.choice.bitrate == 24_000


def test_what_the_path_is_known_to_carry_is_kept_to():
    link = Link("hd")
    state = after(link, *[Sight(0.0, kbps=30.0)] * 2)
    assert adapt.cost(link, state.choice) <= 27.0


@pytest.mark.parametrize("codec", ["PCMA", "G722", "L16"])
def test_an_agreed_codec_that_costs_much_is_left_alone_on_a_wide_network(codec):
    link = Link("standard", codec)
    assert after(link, *[Sight(0.0, rtt_ms=80.0)] * 5).choice == Choice(None, 0, 20, 0)


def test_no_packet_gets_so_long_that_it_is_cut_up_on_its_way():
    link = Link("standard", "L16")
    choice = after(link, *[Sight(0.0, rtt_ms=80.0)] * 2, *[Sight(0.2, rtt_ms=900.0)] * 9).choice
    assert adapt.cost(link, choice) * choice.ptime / 8 <= adapt.LARGEST


def test_what_has_to_fit_gives_up_copies_then_packets_then_bits():
    link = Link("standard", red=True)
    choice = Choice(24_000, 20, 20, 2)
    steps = [adapt.fitted(link, choice, cap) for cap in (100.0, 60.0, 35.0, 30.0, 16.0)]
    assert [step.copies for step in steps] == [2, 0, 0, 0, 0]
    assert [step.ptime for step in steps] == [20, 20, 40, 60, 60]
    assert [step.bitrate for step in steps] == [24_000, 24_000, 24_000, 24_000, 10_667]


@pytest.mark.parametrize(("loss", "mode", "copies"), [(0.0, 7, 0), (0.03, 5, 0), (0.08, 2, 1), (0.3, 0, 2)])
def test_amr_gives_its_mode_for_copies(loss, mode, copies):
    choice = after(Link("standard", "AMR", red=True), *[Sight(loss)] * 6).choice
    assert (choice.mode, choice.copies, choice.bitrate) == (mode, copies, None)


def test_amr_on_mobile_2g_takes_the_mode_that_fits():
    link = Link("mobile-2g", "AMR")
    choice = adapt.begin(link).choice
    assert adapt.cost(link, choice) < 15.5 and choice.ptime == 60 and choice.mode == 5


def test_g_711_where_the_profile_is_narrower_wishes_for_opus_at_the_first_report():
    state = after(Link("mobile-2g", "PCMA", ALL), Sight(0.0))
    assert state.wish == "OPUS"


@pytest.mark.parametrize(
    ("agreed", "wish"), [(("PCMA", "AMR"), "AMR"), (("PCMA", "G729"), "G729"), (("PCMA",), "")]
)
def test_only_what_the_far_end_takes_is_wished_for(agreed, wish):
    assert after(Link("mobile-3g", "PCMA", agreed), Sight(0.0)).wish == wish


def test_g_711_on_a_wide_path_is_wished_away_when_it_is_congested():
    link = Link("standard", "PCMA", ALL)
    assert after(link, *[Sight(0.0, rtt_ms=80.0)] * 5).wish == ""
    assert after(link, Sight(0.0, rtt_ms=80.0), *[Sight(0.15, rtt_ms=600.0)] * 3).wish == "OPUS"


def test_the_codec_that_was_left_is_wished_for_again_only_when_all_has_long_been_well():
    link = Link("standard", "PCMA", ALL)
    state = after(link, Sight(0.0, rtt_ms=80.0), *[Sight(0.15, rtt_ms=600.0)] * 3)
    link = Link("standard", "OPUS", ALL)
    wishes = []
    for _ in range(30):
        state = adapt.decide(link, state, Sight(0.0, rtt_ms=80.0))
        wishes.append(state.wish)
    assert wishes[: adapt.CALM - 1] == [""] * (adapt.CALM - 1)
    assert wishes.count("PCMA") == 1


@pytest.mark.parametrize("name", NARROWER)
def test_what_is_wished_for_costs_less_than_g_711(name):
    assert adapt.least_cost(Link(), name) < adapt.cost(Link(codec="PCMA"), Choice(None, 0, 60, 0)) / 3


def test_thresholds_to_leave_are_under_those_to_enter():
    assert all(leave < enter for enter, leave in LOSS.values())


@pytest.mark.parametrize("seed", range(4))
def test_no_report_however_strange_leads_out_of_bounds(seed):
    rng = Random(seed)
    for profile in PROFILES:
        for codec in ("OPUS", "AMR", "AMR-WB", "PCMA", "G722", "G729"):
            link = Link(profile, codec, ALL, red=True)
            state = adapt.begin(link)
            for _ in range(60):
                kbps = rng.choice([None, 0.0, 1e9, rng.uniform(1, 200)])
                seen = Sight(
                    rng.uniform(-1, 2), rng.uniform(0, 64), rng.uniform(0, 30_000), rng.uniform(0, 1e4), kbps
                )
                state = adapt.decide(link, state, seen)
                choice = state.choice
                assert choice.ptime in (20, 40, 60) and 0 <= choice.copies <= 2 and 0 <= choice.fec <= 100
                assert choice.bitrate is None or 6_000 <= choice.bitrate <= 32_000
                least, most = adapt.bounds(link)
                assert least <= state.cap <= most
