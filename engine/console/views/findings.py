"""What went wrong in a call, in plain words, with what it is seen by."""

from __future__ import annotations

from markupsafe import Markup

from engine.console.insight import Finding
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card, icon, name, pill, prose


def findings(look: Look) -> Markup:
    say, found = look.say, file_of(look).findings
    title = say("findings.title")
    if found is None:
        return card(title, _legs_troubles(look) or pieces.empty(say, "findings.none"), key="findings")
    if not found:
        return card(
            title, tag("div", icon("good"), tag("p", say("findings.well")), class_="calm"), key="findings"
        )
    return card(
        title, tag("ul", [_finding(look, each) for each in found], class_="rows findings"), key="findings"
    )


LEVELS = {"fault": "bad", "likely": "warn", "note": "soft"}


def _finding(look: Look, found: Finding) -> Markup:
    say = look.say
    level = LEVELS[found.weight]
    evidence = (
        tag("ul", [tag("li", name(each)) for each in found.evidence], class_="evidence")
        if found.evidence
        else None
    )
    return tag(
        "li",
        icon("warning"),
        tag(
            "div",
            tag(
                "p",
                tag("span", found.what, class_="strong", dir="auto"),
                pill(say(f"findings.{found.weight}"), level),
            ),
            tag("p", tag("span", prose(found.remedy), dir="auto"), class_="remedy") if found.remedy else None,
            evidence,
        ),
        class_=level,
        data_key=f"{found.kind}-{found.what}",
    )


def _legs_troubles(look: Look) -> Markup | None:
    """What the engine itself says of a live call's sound."""
    call = live_of(look)
    if call is None:
        return None
    rows = [
        tag(
            "li",
            icon("warning"),
            tag(
                "div",
                tag("p", look.say.known(f"trouble.{trouble.kind}", trouble.kind), class_="strong"),
                tag("p", trouble.cause, class_="soft", lang="en", dir="ltr"),
            ),
            class_="warn",
            data_key=f"{leg.id}-{trouble.kind}",
        )
        for leg in call.legs
        for trouble in leg.troubles
    ]
    return tag("ul", rows, class_="rows alerts") if rows else None
