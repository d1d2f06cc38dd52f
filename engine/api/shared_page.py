"""The page that a link to a recording leads to, in the visitor's language: HTML without a script, whose words
are in words/shared.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from html import escape
from pathlib import Path

from fastapi import Response

from engine.access import mask
from engine.languages import direction, texts
from engine.sharing import Share
from engine.store.transcripts import Said

FOLDER = Path(__file__).parent / "words" / "shared"
MOST_SAID = 2000
STYLE = """:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:light-dark(#f3f5f4,#0f1413)}
main{max-width:42rem;margin:8vh auto;padding:2rem;border-radius:1.25rem;background:light-dark(#fff,#171d1b);
border:1px solid light-dark(#e1e7e5,#27312f);box-sizing:border-box}
h1{font-size:1.375rem;margin:0 0 1rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}audio{width:100%}
ol{list-style:none;padding:0;margin:0}li{margin:.75rem 0}b{display:block;font-size:.8125rem}
p.soft,b span{color:light-dark(#4d5b57,#a9b7b3);font-weight:400}"""
STYLED = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLED}'; media-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}


@cache
def table(code: str) -> Mapping[str, str]:
    """All texts of a language, by their keys; none of them has plurals."""
    return {key: text for key, text in texts(FOLDER, code).items() if isinstance(text, str)}


@dataclass(frozen=True, slots=True)
class SharedPage:
    """In one language. code: of engine.languages.NAMES."""

    code: str

    def refused(self, why: str, status: int, more: Mapping[str, str] | None = None) -> Response:
        """why: the key of what is said instead of a recording."""
        return self._answer(f"<p>{self._say(why)}</p>", status, more)

    def shown(self, share: Share, link: str, said: Sequence[Said]) -> Response:
        """said: what is shown of it, as it was said; numbers are masked here."""
        hidden = mask.sides(said)
        rows = "".join(self._row(each, *both) for each, both in list(zip(said, hidden))[:MOST_SAID])
        words = f"<h2>{self._say('said')}</h2><ol>{rows}</ol>" if rows else ""
        player = (
            f'<audio controls preload="none" src="/shared/{escape(link)}/sound" '
            f'aria-label="{self._say("player")}"></audio>'
        )
        return self._answer(f'{player}<p class="soft">{self.ends(share.expires_at)}</p>{words}', 200)

    def ends(self, at: float) -> str:
        """When the link does, as the language writes a date, in UTC: whose clock it is on is not known here.
        at: epoch seconds.
        """
        when = datetime.fromtimestamp(at, UTC)
        month, time = self._say(f"month.{when.month}"), f"{when:%H:%M}"
        return self._say("ends").format(day=when.day, month=month, year=when.year, time=time)

    def _say(self, key: str) -> str:
        return escape(table(self.code)[key])

    def _side(self, side: str) -> str:
        """One that there is no word for is called as it is."""
        key = f"side.{side}"
        return self._say(key) if key in table(self.code) else escape(side.title())

    def _row(self, said: Said, text: str, other: str) -> str:
        minutes, seconds = divmod(int(said.begin), 60)
        below = f'<br><span dir="auto">{escape(other)}</span>' if other else ""
        return (
            f"<li><b>{self._side(said.side)} <span>{minutes}:{seconds:02}</span></b>"
            f'<span lang="{escape(said.language)}" dir="auto">{escape(text)}</span>{below}</li>'
        )

    def _answer(self, inner: str, status: int, more: Mapping[str, str] | None = None) -> Response:
        page = (
            f'<!doctype html><html lang="{self.code}" dir="{direction(self.code)}">'
            f'<head><meta charset="utf-8"><title>{self._say("title")}</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<style>{STYLE}</style></head>"
            f"<body><main><h1>{self._say('heading')}</h1>{inner}</main></body></html>"
        )
        headers = {**HEADERS, "Content-Language": self.code, "Vary": "Accept-Language", **(more or {})}
        return Response(page, status, headers, "text/html; charset=utf-8")
