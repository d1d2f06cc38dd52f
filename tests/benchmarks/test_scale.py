"""The plan for many calls: its tables are computed from what was measured, and add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import scale
from benchmarks.scale import Plan

RESULTS = scale.kept()


def test_the_documents_tables_are_those_of_the_newest_figures():
    text = scale.DOCUMENT.read_text("utf-8")
    assert scale.placed(text, scale.document(Plan(), RESULTS)) == text, "run: make table"


@pytest.mark.parametrize("calls", [900, 20_000, 100_000, 250_000])
def test_with_a_node_down_in_each_region_the_others_take_all_calls(calls: int):
    plan = replace(Plan(), calls=calls)
    found = scale.nodes(plan, RESULTS)
    left = found.count - plan.regions
    assert left * found.each >= calls
    assert (left - plan.regions) * found.each < calls  # and not a node more than that takes
    assert found.each * scale.mixed_ms(plan, RESULTS) / 1000 <= plan.node_cores * plan.core_use


def test_with_a_front_down_in_each_region_the_others_take_all_set_ups():
    plan = Plan()
    found = scale.fronts(plan, RESULTS)
    left = found.count - plan.regions
    assert left * plan.front_calls_s >= scale.arrivals(plan)
    assert left * plan.front_cores >= found.cores
    assert left * plan.front_sockets >= plan.phones


def test_a_node_takes_no_more_recordings_than_its_recorder():
    plan = replace(Plan(), node_cores=64, node_calls=10_000)
    found = scale.nodes(plan, RESULTS)
    assert found.each == found.by_recorder < found.by_cpu


def test_what_costs_more_makes_the_mix_dearer():
    plain = replace(Plan(), browser=0.0, rendered=0.0, recorded=0.0, encrypted=0.0)
    least = scale.mixed_ms(plain, RESULTS)
    assert least == pytest.approx(
        RESULTS["calls"]["relayed_ms"] + RESULTS["sip"]["cpu_ms_per_call"] / plain.mean_call_s
    )
    for share in ("browser", "rendered", "recorded", "encrypted"):
        assert scale.mixed_ms(replace(plain, **{share: 0.5}), RESULTS) > least, share


def test_a_packet_is_its_sound_and_its_headers():
    ip, wire = scale.codecs()["G.711, G.722"]
    assert (ip, wire) == (80.0, pytest.approx(91.2))


def test_what_ends_is_told_in_its_order():
    numbers = [calls for calls, _, _ in scale.bounds(Plan(), RESULTS)]
    assert numbers == sorted(numbers)
    assert all(number > 0 for number in numbers)
