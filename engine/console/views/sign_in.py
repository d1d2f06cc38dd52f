"""The page that lets people in: plain HTML, for nothing else of the console is given to who is not in."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.door import Refusal
from engine.console.language import Words
from engine.console.look import BASE
from engine.console.markup import tag
from engine.languages import NAMES


def page(say: Words, then: str, refusal: Refusal | None) -> str:
    """A whole document. then: where to go on, "" for the first page."""
    fault = None
    if refusal is not None:
        wait = max(1, round(refusal.wait_s / 60))
        fault = tag("p", say(f"sign_in.{refusal.reason}", n=wait), class_="fault", role="alert")
    form = tag(
        "form",
        tag(
            "div",
            tag("img", src=f"{BASE}/web/mark.svg", alt="", width=44, height=44),
            tag("div", tag("h1", "Isogloss"), tag("p", say("sign_in.title"), class_="soft")),
            class_="brand",
        ),
        _field(say, "name", "username", hint=True),
        _field(say, "password", "current-password", kind="password", required=True),
        _field(say, "totp", "one-time-code", hint=True),
        tag("input", type="hidden", name="then", value=then),
        fault,
        tag("button", say("sign_in"), type="submit", class_="first"),
        class_="door-card",
        method="post",
        action=f"{BASE}/sign-in",
    )
    others = [
        tag(
            "a",
            words,
            href=f"{BASE}/sign-in?lang={code}",
            lang=code,
            aria_current="true" if code == say.code else None,
        )
        for code, words in NAMES.items()
    ]
    return Markup("<!doctype html>") + tag(
        "html",
        tag(
            "head",
            Markup(
                '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            ),
            tag("title", f"{say('sign_in')} · Isogloss"),
            Markup(f'<link rel="icon" href="{BASE}/web/mark.svg">'),
            Markup(f'<link rel="stylesheet" href="{BASE}/web/style.css">'),
            Markup(f'<link rel="stylesheet" href="{BASE}/web/console.css">'),
        ),
        tag("body", tag("main", form, tag("p", others, class_="languages"), class_="door")),
        lang=say.code,
        dir=say.direction,
    )


def _field(
    say: Words, name: str, complete: str, kind: str = "text", hint: bool = False, required: bool = False
) -> Markup:
    box = tag(
        "input",
        id=name,
        name=name,
        type=kind,
        autocomplete=complete,
        maxlength=256,
        spellcheck="false",
        dir="ltr",
        required=required,
        autofocus=required,
        inputmode="numeric" if name == "totp" else None,
        aria_describedby=f"{name}-hint" if hint else None,
    )
    more = tag("p", say(f"sign_in.{name}.more"), id=f"{name}-hint", class_="soft small") if hint else None
    return tag("div", tag("label", say(f"sign_in.{name}"), for_=name), box, more)
