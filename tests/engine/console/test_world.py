"""Regions have a place on the map; what has none is told of beside it."""

from __future__ import annotations

import re
from itertools import combinations
from random import Random

import pytest

from engine.console.markup import text_of
from engine.console.views.world import (
    HEIGHT,
    REGIONS,
    WIDTH,
    Mark,
    _disc,
    _meet,
    _names,
    countries,
    marked,
    projected,
    unprojected,
    where,
    world,
)
from tests.engine.console.looks import look


@pytest.mark.parametrize("place", [(0.0, 0.0), (-77.5, 39.0), (151.2, -33.9), (18.1, 59.3)])
def test_the_projection_is_undone_by_its_inverse(place: tuple[float, float]) -> None:
    x, y = projected(*place)
    assert 0 <= x <= WIDTH and 0 <= y <= HEIGHT
    assert unprojected(x, y) == pytest.approx(place)


def test_what_lies_beyond_the_map_is_at_its_edge() -> None:
    assert projected(0.0, 90.0)[1] == pytest.approx(0.0)
    assert projected(0.0, -90.0)[1] == pytest.approx(HEIGHT, abs=0.1)


@pytest.mark.parametrize(
    ("region", "country", "near"),
    [
        ("eu-west", "", "IE"),
        ("eu-west-1", "", "IE"),
        ("EU-Central2", "", "DE"),
        ("africa-east", "", "KE"),
        ("", "BR", "BR"),
        ("ke", "", "KE"),
        ("jp-tokyo", "", "JP"),
    ],
)
def test_usual_names_of_regions_and_countries_are_known(region: str, country: str, near: str) -> None:
    found, there = where(region, country), countries()[near]
    assert found is not None
    assert abs(found[0] - there[0]) < 12 and abs(found[1] - there[1]) < 14


def test_a_name_that_says_no_place_has_none() -> None:
    assert where("basement") is None and where("") is None


def test_every_region_is_on_the_map() -> None:
    assert all(-56 <= latitude <= 76 for latitude, _ in REGIONS.values())
    assert len(countries()) > 240


def test_nodes_and_lines_are_marked_where_they_are() -> None:
    placed, lost = marked(look())
    assert [mark.title for mark in lost] == ["Node \u2068lab\u2069 in \u2068basement\u2069: 0 calls"]
    kinds = {mark.kind for mark in placed[REGIONS["eu-central"]]}
    assert kinds == {"node", "line"}
    placed, lost = marked(look(places={"basement": (10.0, 20.0)}))
    assert lost == [] and (10.0, 20.0) in placed


def test_the_map_tells_in_words_what_it_draws() -> None:
    drawn = world(look())
    told = text_of(drawn)
    assert "One node is lost" in told and "One line is down" in told and "basement" in told
    assert re.findall(r'class="called[^"]*"[^>]*>([^<]+)', drawn) == ["nairobi-1", "singapore-1"], (
        "what is not well"
    )
    assert "style=" not in drawn


def far(name: str, level: str = "bad", kind: str = "node") -> Mark:
    return Mark(kind, name, name, level, 0.5, "/")


def test_names_are_in_the_way_of_no_other_name_or_node() -> None:
    rng = Random(7)
    for _ in range(200):
        placed = {
            (rng.uniform(-50, 70), rng.uniform(-180, 180)): [
                far(
                    "n" * rng.randrange(3, 20),
                    rng.choice(["bad", "warn", "good"]),
                    rng.choice(["node", "line"]),
                )
            ]
            for _ in range(30)
        }
        boxes = [name.box(projected(at[1], at[0])[1]) for at, name in _names(placed).items()]
        assert len(boxes) >= 3 and not any(_meet(*pair) for pair in combinations(boxes, 2))
        discs = {at: _disc(at) for at, (mark,) in placed.items() if mark.kind == "node"}
        for at, name in _names(placed).items():
            box = name.box(projected(at[1], at[0])[1])
            assert name.fits and not any(_meet(box, disc) for other, disc in discs.items() if other != at)


def test_the_worse_has_its_name_before_the_other_and_each_on_the_side_that_is_free() -> None:
    dublin, frankfurt, auckland = (53.3, -6.3), (50.1, 8.7), (-36.8, 174.8)
    placed = {dublin: [far("doubtful", "warn")], frankfurt: [far("dead"), far("late", "warn")]}
    names = _names({**placed, auckland: [far("auckland-1")]})
    assert names[frankfurt].words == "dead +1" and not names[frankfurt].before
    assert names[dublin].before and names[auckland].before
