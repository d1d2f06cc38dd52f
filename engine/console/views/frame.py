"""What is around every page: where one can go, how the node is, who is signed in."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.alerts import alerts
from engine.console.look import BASE, Look, address
from engine.console.markup import tag
from engine.console.views.beside import on_air
from engine.console.views.pieces import icon, link, name
from engine.languages import NAMES

PLACES = (
    "wallboard", "calls", "recordings", "queues", "agents", "lines", "nodes", "reports", "config", "users",
    "audit",
)  # fmt: skip
RIGHTS: Mapping[str, Permission] = {
    "recordings": Permission.LISTEN,
    "config": Permission.READ_CONFIG,
    "users": Permission.MANAGE_USERS,
    "audit": Permission.READ_AUDIT,
}


def shell(look: Look) -> Markup:
    say = look.say
    skip = tag("a", say("skip"), href="#main", class_="skip")
    menu = tag(
        "button",
        [icon("menu"), tag("span", say("menu"), class_="quiet")],
        type="button",
        class_="round plain menu",
        data_here="menu",
        aria_expanded="false",
        aria_controls="nav",
    )
    mark = tag("img", src=f"{BASE}/web/mark.svg", alt="", width=28, height=28)
    brand = tag(
        "div",
        mark,
        tag("b", "Isogloss"),
        tag("span", name(look.now.health.node), class_="soft"),
        class_="brand",
    )
    shown = [each for each in PLACES if each not in RIGHTS or look.who.may(RIGHTS[each])]
    places = tag("ul", [tag("li", _place(look, each), data_key=each) for each in shown])
    nav = tag("nav", places, _foot(look), id="nav", aria_label=say("menu"))
    head = tag("div", menu, brand, class_="brand-row")
    return tag("div", skip, head, nav, on_air(look), class_="side", data_key="side")


def _place(look: Look, page: str) -> Markup:
    here = look.place.page == page
    count = _count(look, page)
    words = [icon(page), tag("span", look.say(f"page.{page}")), count]
    return link(words, address(page), aria_current="page" if here else None)


def _count(look: Look, page: str) -> Markup | None:
    """What wants a look there, as a number."""
    if page == "wallboard":
        worst = [each.level for each in alerts(look.now)]
        if not worst:
            return None
        level = "bad" if "bad" in worst else "warn"
        told = look.say("alerts.count", n=len(worst))
        return tag("span", str(len(worst)), class_=f"count {level}", title=told, aria_label=told)
    if page == "calls" and look.now.calls:
        return tag("span", look.say.number(len(look.now.calls)), class_="count")
    return None


def _foot(look: Look) -> Markup:
    say = look.say
    options = [tag("option", NAMES[code], value=code, selected=code == say.code) for code in NAMES]
    language = tag(
        "label",
        icon("language"),
        tag("span", say("language"), class_="quiet"),
        tag("select", options, name="language", data_do="language", data_key=f"language-{say.code}"),
        class_="language",
    )
    theme = tag(
        "button",
        [icon("theme"), tag("span", say("theme"))],
        type="button",
        class_="plain",
        data_here="theme",
    )
    leave = tag(
        "form",
        tag("button", [icon("out"), tag("span", say("sign_out"))], type="submit", class_="plain"),
        method="post",
        action=f"{BASE}/sign-out",
    )
    oneself = name(look.who.name)
    if look.who.may(Permission.OWN_ACCOUNT):
        here = "page" if look.place.page == "account" else None
        oneself = link(oneself, address("account"), title=say("page.account"), aria_current=here)
    role = tag("span", say.known(f"role.{look.who.role}", look.who.role), class_="soft")
    who = tag("p", oneself, role)
    return tag("div", language, theme, tag("div", who, leave, class_="who"), class_="foot")
