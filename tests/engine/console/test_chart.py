"""Charts: paths within their bounds, gaps where nothing was measured, the worst kept."""

from __future__ import annotations

import re

from engine.console.views.chart import Scale, Series, chart, path_of, span_of, spark, thinned


def test_a_path_goes_from_edge_to_edge_and_breaks_where_nothing_was_measured() -> None:
    points = [(0.0, 1.0), (5.0, None), (10.0, 3.0), (20.0, 2.0)]
    assert path_of(points, 0.0, 20.0, 1.0, 3.0) == "M0.0 100.0M500.0 0.0L1000.0 50.0"


def test_the_scale_grows_with_what_is_measured_and_never_shrinks() -> None:
    series = [Series("a", "A", ((0.0, 9.0), (1.0, None)))]
    assert span_of(series, Scale(1.0, 5.0)) == (1.0, 9.0)


def test_a_single_bad_moment_survives_thinning() -> None:
    points = [(float(at), 4.4) for at in range(10_000)]
    points[7777] = (7777.0, 1.0)
    kept = thinned(points)
    assert len(kept) == 300 and (7777.0, 1.0) in kept
    assert thinned(points[:10]) == points[:10]


def test_a_chart_says_what_it_is_of() -> None:
    drawn = chart(
        "MOS", [Series("customer", "<b>", ((0.0, 4.0), (9.0, 3.0)))] * 2, Scale(1, 5, ((4, "4.0"),)), 0, 9
    )
    assert (
        'aria-label="MOS"' in drawn and "&lt;b&gt;" in drawn and "<b>" not in drawn.replace("<b>MOS</b>", "")
    )
    assert "style=" not in drawn


def test_bars_fill_the_width_and_the_lowest_is_still_seen() -> None:
    drawn = spark([("a", "good", 0.0), ("b", "bad", 1.0)], "hours")
    heights = [float(each) for each in re.findall(r' height="([\d.]+)%"', drawn)]
    assert heights == [4.0, 100.0]
