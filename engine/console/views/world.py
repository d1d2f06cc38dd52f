"""Nodes and lines on a map of the world without tiles: dots for land (web/world.svg), marks by region."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup

from engine.console.language import Words
from engine.console.look import Look, address
from engine.console.markup import joined, tag
from engine.console.views.pieces import link
from engine.line_views import Standing

NORTH, SOUTH = 76.0, -56.0  # what lies beyond has no nodes
WIDTH = 360.0
BESIDE, LETTER = 11.0, 4.6  # from a place to its name; what a letter of a name takes, as console.css has it

Place = tuple[float, float]  # latitude and longitude
Box = tuple[float, float, float, float]  # left, top, right and bottom in the drawing


def miller(latitude: float) -> float:
    """Miller's cylindrical projection (1942), in degrees: the north is drawn less high than Mercator's."""
    radians = math.radians(latitude)
    return math.degrees(1.25 * math.log(math.tan(math.pi / 4 + 0.4 * radians)))


TOP = miller(NORTH)
HEIGHT = round(TOP - miller(SOUTH), 1)


def projected(longitude: float, latitude: float) -> tuple[float, float]:
    """Where it is in the drawing, WIDTH by HEIGHT, which begins in the north-west."""
    return longitude + 180.0, TOP - miller(min(max(latitude, SOUTH), NORTH))


def unprojected(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a point in the drawing."""
    radians = math.radians(TOP - y)
    return x - 180.0, math.degrees(2.5 * math.atan(math.exp(0.8 * radians)) - 0.625 * math.pi)


# Regions as many name them: latitude, longitude. A number at the end says no more than which of several.
REGIONS: Mapping[str, tuple[float, float]] = {
    "eu": (50.1, 8.7),
    "eu-west": (53.3, -6.3),
    "eu-central": (50.1, 8.7),
    "eu-north": (59.3, 18.1),
    "eu-south": (45.5, 9.2),
    "eu-east": (52.2, 21.0),
    "us": (39.0, -95.0),
    "us-east": (39.0, -77.5),
    "us-west": (37.4, -122.0),
    "us-central": (41.3, -95.9),
    "us-south": (29.4, -98.5),
    "ca": (45.5, -73.6),
    "sa": (-23.5, -46.6),
    "sa-east": (-23.5, -46.6),
    "sa-west": (-33.4, -70.6),
    "latam": (19.4, -99.1),
    "africa": (1.0, 20.0),
    "east-africa": (-1.3, 36.8),
    "west-africa": (6.5, 3.4),
    "north-africa": (30.0, 31.2),
    "south-africa": (-26.2, 28.0),
    "af-south": (-33.9, 18.4),
    "me": (25.2, 55.3),
    "me-south": (26.1, 50.6),
    "me-central": (25.2, 55.3),
    "asia": (22.3, 114.2),
    "asia-east": (25.0, 121.5),
    "asia-south": (19.1, 72.9),
    "asia-southeast": (1.35, 103.8),
    "asia-northeast": (35.7, 139.7),
    "ap-south": (19.1, 72.9),
    "ap-southeast": (1.35, 103.8),
    "ap-northeast": (35.7, 139.7),
    "ap-east": (22.3, 114.2),
    "oceania": (-33.9, 151.2),
    "au": (-33.9, 151.2),
    "uk": (51.5, -0.1),
}


@cache
def countries() -> Mapping[str, tuple[float, float]]:
    """Latitude and longitude by ISO 3166 code; made by scripts/world.py."""
    read = json.loads(Path(__file__).parent.with_name("countries.json").read_text("utf-8"))
    return {code: (float(latitude), float(longitude)) for code, (latitude, longitude) in read.items()}


def where(region: str, country: str = "") -> tuple[float, float] | None:
    """Latitude and longitude of a region, or of a country where nothing is known of it."""
    name = region.lower().rstrip("0123456789").rstrip("-")
    parts = name.split("-")
    for known in (name, "-".join(parts[:2]), "-".join(reversed(parts[:2])), parts[0]):
        if known in REGIONS:
            return REGIONS[known]
    codes = countries()
    return codes.get(country.upper()) or codes.get(name.upper()) or codes.get(parts[0].upper())


@dataclass(frozen=True, slots=True)
class Mark:
    """kind: node or line. level: of pieces.LEVELS. title: all of it, in words."""

    kind: str
    name: str
    title: str
    level: str
    weight: float
    to: str
    here: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """x: where it begins, or ends where it is before its place."""

    words: str
    x: float
    before: bool = False

    @property
    def _left(self) -> float:
        return self.x - len(self.words) * LETTER if self.before else self.x

    @property
    def fits(self) -> bool:
        return self._left >= 0 and self._left + len(self.words) * LETTER <= WIDTH

    def box(self, y: float) -> Box:
        return self._left, y - 4.5, self._left + len(self.words) * LETTER, y + 4.5

    def drawn(self, y: float) -> Markup:
        kind = "called before" if self.before else "called"
        return tag("text", self.words, x=self.x, y=y + 2.6, class_=kind, aria_hidden="true")


NODE_LEVELS = {"up": "good", "draining": "warn", "gone": "bad"}
LINE_LEVELS: Mapping[Standing, str] = {
    Standing.FIT: "good",
    Standing.INCOMING: "good",
    Standing.DOUBTED: "warn",
    Standing.RETURNING: "warn",
    Standing.OFF: "soft",
    Standing.RESTING: "bad",
    Standing.DEAD: "bad",
    Standing.UNREGISTERED: "bad",
}
WORST = ("bad", "warn", "good", "soft")
NAMED = ("bad", "warn")


def marked(look: Look) -> tuple[dict[Place, list[Mark]], list[Mark]]:
    """Marks by place (latitude, longitude), and those whose place nobody knows."""
    say = look.say
    placed: dict[Place, list[Mark]] = {}
    lost: list[Mark] = []
    for node in look.now.nodes:
        level = "bad" if not node.well else NODE_LEVELS.get(node.state, "soft")
        title = say("world.node", name=node.name, region=node.region, n=node.calls)
        mark = Mark("node", node.name, title, level, node.load, address("nodes"), node.here)
        _put(mark, look.places.get(node.region) or where(node.region), placed, lost)
    for line in look.now.lines:
        title = say("world.line", name=line.name, state=say(f"line.{line.state}"))
        level, to = LINE_LEVELS[line.state], address("lines", line.name)
        mark = Mark("line", line.name, title, level, float(line.active), to)
        place = look.places.get(line.region) or where(line.region, line.country)
        _put(mark, place, placed, lost)
    return placed, lost


def _put(
    mark: Mark,
    place: Place | None,
    placed: dict[Place, list[Mark]],
    lost: list[Mark],
) -> None:
    if place is None:
        lost.append(mark)
    else:
        placed.setdefault(place, []).append(mark)


def world(look: Look) -> Markup:
    """The map, a legend with counts, and what has no place on it. West is left in every language."""
    say = look.say
    placed, lost = marked(look)
    everybody = [mark for marks in placed.values() for mark in marks]
    names = _names(placed)
    drawn = [_place(place, marks, names.get(place)) for place, marks in sorted(placed.items())]
    label = say("world.label", nodes=len(look.now.nodes), lines=len(look.now.lines))
    over = tag("svg", drawn, viewbox=f"0 0 {WIDTH:g} {HEIGHT:g}", role="group", aria_label=label)
    land = tag("div", class_="land", aria_hidden="true")
    nowhere = None
    if lost:
        told = [tag("li", link(mark.title, mark.to), data_key=mark.title) for mark in lost[:8]]
        nowhere = tag("div", tag("p", say("world.nowhere"), class_="soft"), tag("ul", told), class_="nowhere")
    return joined(
        tag("div", land, over, class_="world", dir="ltr"), _legend(say, [*everybody, *lost]), nowhere
    )


def _place(place: Place, marks: Sequence[Mark], name: Name | None) -> Markup:
    """One place: nodes as discs with a ring for how full they are, lines as diamonds around them."""
    x, y = projected(place[1], place[0])
    nodes = [mark for mark in marks if mark.kind == "node"]
    lines = [mark for mark in marks if mark.kind == "line"]
    drawn = [_lines(x, y, lines, beside=bool(nodes))] if lines else []
    drawn += [_node(x, y, nodes)] if nodes else []
    drawn += [name.drawn(y)] if name else []
    return tag("g", drawn, data_key=f"{x:.1f}-{y:.1f}")


def _node(x: float, y: float, nodes: Sequence[Mark]) -> Markup:
    level = min((mark.level for mark in nodes), key=WORST.index)
    here = any(mark.here for mark in nodes)
    load = max(mark.weight for mark in nodes)
    around = 2 * math.pi * 6.2
    ring = f"{max(load, 0.02) * around:.2f} {around:.2f}"
    drawn = [
        tag("title", "\n".join(mark.title for mark in nodes)),
        tag("circle", cx=x, cy=y, r=9.0, class_="halo"),
        tag("circle", cx=x, cy=y, r=6.2, class_="track"),
        tag(
            "circle",
            cx=x,
            cy=y,
            r=6.2,
            class_="load",
            stroke_dasharray=ring,
            transform=f"rotate(-90 {x:.2f} {y:.2f})",
        ),
        tag("circle", cx=x, cy=y, r=3.6, class_="core"),
        tag("text", str(len(nodes)), x=x, y=y + 1.6, class_="many") if len(nodes) > 1 else None,
    ]
    shape = tag("g", drawn, class_=f"node {level}{' here' if here else ''}")
    return tag("a", shape, href=nodes[0].to, data_go=True, aria_label="; ".join(mark.title for mark in nodes))


def _names(placed: Mapping[Place, Sequence[Mark]]) -> dict[Place, Name]:
    """What is not well has its name on the map, the worst first, on whichever side it is in the way of no
    other name or node; where it always would be, its mark's title and the alerts have it.
    """
    found: dict[Place, Name] = {}
    taken = {place: _disc(place) for place, marks in placed.items() if _nodes(marks)}
    for place, words in _to_name(placed):
        x, y = projected(place[1], place[0])
        others = [box for other, box in taken.items() if other != place] + [
            each.box(projected(at[1], at[0])[1]) for at, each in found.items()
        ]
        sides = (Name(words, x + BESIDE), Name(words, x - BESIDE, before=True))
        free = (each for each in sides if each.fits and not any(_meet(each.box(y), box) for box in others))
        name = next(free, None)
        if name is not None:
            found[place] = name
    return found


def _to_name(placed: Mapping[Place, Sequence[Mark]]) -> list[tuple[Place, str]]:
    """Of several at a place the worst, and how many more there are."""
    wanted = []
    for place, marks in placed.items():
        unwell = [each for each in _nodes(marks) or marks if each.level in NAMED]
        unwell.sort(key=lambda each: WORST.index(each.level))
        if unwell:
            more = f" +{len(unwell) - 1}" if len(unwell) > 1 else ""
            wanted.append((WORST.index(unwell[0].level), unwell[0].name + more, place))
    return [(place, words) for _, words, place in sorted(wanted)]


def _nodes(marks: Sequence[Mark]) -> list[Mark]:
    return [mark for mark in marks if mark.kind == "node"]


def _disc(place: Place) -> Box:
    x, y = projected(place[1], place[0])
    return x - 7, y - 7, x + 7, y + 7


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _lines(x: float, y: float, lines: Sequence[Mark], beside: bool) -> Markup:
    """As many diamonds as fit below the place, the worst first."""
    order = sorted(lines, key=lambda mark: (WORST.index(mark.level), mark.title))[:6]
    step, top = 6.4, y + (13.0 if beside else 0.0)
    left = x - step * (len(order) - 1) / 2
    drawn = []
    for place, mark in enumerate(order):
        cx = left + place * step
        shape = f"M{cx:.1f} {top - 3.0:.1f}l3 3-3 3-3-3z"
        inner = [tag("title", mark.title), tag("path", d=shape, class_=f"line {mark.level}")]
        drawn.append(tag("a", inner, href=mark.to, data_go=True, aria_label=mark.title, data_key=mark.title))
    return tag("g", drawn)


def _legend(say: Words, marks: Sequence[Mark]) -> Markup:
    told = []
    for kind in ("node", "line"):
        mine = [mark for mark in marks if mark.kind == kind]
        for level in WORST:
            many = sum(mark.level == level for mark in mine)
            if many:
                words = say(f"world.{kind}s.{level}", n=many)
                told.append(
                    tag(
                        "li",
                        tag("i", class_=f"sign {kind} {level}", aria_hidden="true"),
                        words,
                        data_key=words,
                    )
                )
    return tag("ul", told, class_="legend")
