"""A call's recording: played beside what was said, which follows it."""

from __future__ import annotations

from urllib.parse import quote

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import BASE, Look
from engine.console.markup import tag
from engine.console.views.one_call import file_of
from engine.console.views.pieces import card, name


def recording(look: Look) -> Markup:
    """Nothing where there is none, or for who may not listen."""
    say, file = look.say, file_of(look)
    files = file.record.recording.split() if file.record is not None else []
    if not files or not look.who.may(Permission.LISTEN):
        return Markup("")
    players = [_player(look, place, each) for place, each in enumerate(files)]
    more = tag("p", say("recording.follows"), class_="soft") if file.said else None
    return card(say("recording.title"), tag("div", players, class_="stack-s"), more, key="recording")


def _player(look: Look, place: int, file: str) -> Markup:
    """begins: s since the call arrived, so that captions know when they were said."""
    entries = file_of(look).entries
    began = [entry.at for entry in entries if entry.kind == "recording.began"]
    begins = began[place] - entries[0].at if place < len(began) else 0.0
    audio = tag(
        "audio",
        controls=True,
        preload="none",
        src=f"{BASE}/sound/{quote(file, safe='/:')}",
        data_begins=round(begins, 2),
        data_own=True,
        aria_label=file,
    )
    return tag("figure", audio, tag("figcaption", name(file), class_="soft small"), data_key=file)
