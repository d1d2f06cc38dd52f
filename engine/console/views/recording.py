"""A call's recording: drawn, played beside what was said, which follows it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.files import Wave
from engine.console.language import clock
from engine.console.look import BASE, Look, address
from engine.console.markup import tag
from engine.console.views.one_call import file_of
from engine.console.views.pieces import card, icon, link, name

WIDE, TALL = 1000, 48  # of each side's drawing
SOFTEST = 0.6  # power that lifts what is quiet into sight


def recording(look: Look) -> Markup:
    """Nothing where there is none, or for who may not listen."""
    say, file = look.say, file_of(look)
    files = file.record.recording.split() if file.record is not None else []
    if not files or not look.who.may(Permission.LISTEN):
        return Markup("")
    players = [_player(look, place, each) for place, each in enumerate(files)]
    follows = tag("p", say("recording.follows"), class_="soft") if file.said else None
    alone = look.place.page == "recordings"
    more = None if alone else link(say("recording.open"), address("recordings", file.id), class_="button")
    return card(
        say("recording.title"), tag("div", players, class_="stack-s"), follows, more=more, key="recording"
    )


def _player(look: Look, place: int, file: str) -> Markup:
    """begins: s since the call arrived, so that captions know when they were said."""
    entries = file_of(look).entries
    began = [entry.at for entry in entries if entry.kind == "recording.began"]
    begins = began[place] - entries[0].at if place < len(began) else 0.0
    source = f"{BASE}/sound/{quote(file, safe='/:')}"
    audio = tag(
        "audio",
        controls=True,
        preload="none",
        src=source,
        data_begins=round(begins, 2),
        data_own=True,
        data_key="sound",
        aria_label=file,
    )
    save = tag(
        "a", icon("download"), look.say("recording.download"), href=f"{source}?save=1", class_="button",
        download=file.rpartition("/")[2].removesuffix(".sealed"),
    )  # fmt: skip
    below = tag("figcaption", name(file, class_="soft small"), save, class_="row", data_key="about")
    return tag("figure", _wave(look, file), audio, below, data_key=file, class_="player")


def _wave(look: Look, file: str) -> Markup | None:
    """What of it is seen: nothing on pages that do not draw it."""
    if look.place.page != "recordings":
        return None
    waves = file_of(look).waves
    found = next((each for each in waves if each.name == file), None)
    if found is None or found.outline is None:
        return tag("p", _unseen(look, found), class_="wave none soft", aria_busy=not waves, data_key="wait")
    say, seen = look.say, found.outline
    sides = [
        tag("path", d=_shape(loud, middle), class_=side)
        for side, loud, middle in (("customer", seen.left, TALL / 2), ("agent", seen.right, TALL * 1.5))
    ]
    drawn = tag(
        "svg", sides, viewbox=f"0 0 {WIDE} {2 * TALL}", preserveaspectratio="none", aria_hidden="true"
    )
    keys = [tag("li", tag("i", class_=f"sign {side}"), say(f"side.{side}")) for side in ("customer", "agent")]
    slider = tag(
        "div",
        drawn,
        tag("i", class_="played", data_own=True),
        class_="wave",
        role="slider",
        tabindex=0,
        aria_label=say("recording.position"),
        aria_valuemin=0,
        aria_valuemax=round(seen.seconds),
        aria_valuenow=0,
        aria_valuetext=clock(0),
        data_wave=seen.seconds,
        dir="ltr",
    )
    times = tag(
        "div", [tag("span", clock(seen.seconds * each / 4)) for each in range(5)], class_="axis", dir="ltr"
    )
    return tag("div", tag("ul", keys, class_="legend"), slider, times, class_="stack-s", data_key="wave")


def _unseen(look: Look, found: Wave | None) -> str:
    if found is None:
        return look.say("recording.drawing")
    return (
        look.say("recording.elsewhere") if not found.fault else look.say("recording.broken", why=found.fault)
    )


def _shape(loud: Sequence[float], middle: float) -> str:
    """An area as high as the side was loud, to both sides of its middle."""
    if not loud:
        return ""
    step = WIDE / len(loud)
    high = [max(each**SOFTEST * (TALL / 2 - 2), 0.4) for each in loud]
    upper = [f"{place * step:.1f},{middle - each:.1f}" for place, each in enumerate(high)]
    lower = [f"{place * step:.1f},{middle + each:.1f}" for place, each in enumerate(high)]
    return f"M{' '.join(upper)} {' '.join(reversed(lower))}Z"
