"""Webhooks: how each does on this node, trying one, and telling it once more what it did not take."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views import pieces
from engine.console.views.nodes_file import NodesFile
from engine.console.views.pieces import card, cell, moment, name, pill, row, table
from engine.hook_views import HookView

LEVELS = {"well": "good", "aside": "warn", "out": "bad", "off": "soft", "trying": "busy"}


def hooks(look: Look) -> Markup:
    """Nothing for who may not read the configuration, which names them."""
    say = look.say
    if not look.who.may(Permission.READ_CONFIG) or not isinstance(look.loaded, NodesFile):
        return Markup("")
    if not look.loaded.hooks:
        return card(say("hooks.title"), pieces.empty(say, "hooks.none"), key="hooks")
    may = look.who.may(Permission.CONFIGURE)
    heads = [
        (say("hooks.hook"), ""),
        (say("calls.state"), ""),
        (say("hooks.waiting"), "number"),
        (say("hooks.told"), "number"),
        (say("hooks.dead"), "number"),
        (say("hooks.last"), ""),
        *([("", "number")] if may else []),
    ]
    rows = [_row(look, each, may) for each in look.loaded.hooks]
    about = tag("p", say("hooks.about"), class_="soft small")
    return card(say("hooks.title"), table(heads, rows, label=say("hooks.title")), about, key="hooks")


def _row(look: Look, hook: HookView, may: bool) -> Markup:
    say, how = look.say, _how(hook)
    why = tag("p", hook.error, class_="soft small", lang="en", dir="auto") if hook.error else None
    cells = [
        cell(
            [
                tag("b", name(hook.name)),
                tag("p", tag("code", hook.place, dir="ltr"), class_="soft small target"),
            ]
        ),
        cell([pill(say(f"hooks.{how}"), LEVELS[how]), why]),
        cell(say.number(hook.waiting), "number"),
        cell(say.number(hook.told), "number"),
        cell(say.number(hook.dead), "number"),
        cell(moment(hook.last_at, "day")),
    ]
    if may:
        cells.append(cell(_acts(look, hook), "number"))
    return row(hook.name, *cells)


def _how(hook: HookView) -> str:
    if hook.trying:
        return "trying"
    if not hook.enabled:
        return "off"
    return "out" if hook.failures else "aside" if hook.dead or hook.error else "well"


def _acts(look: Look, hook: HookView) -> Markup:
    acts = ["replay_hook", "try_hook"] if hook.dead else ["try_hook"]
    return tag("div", [_button(look, act, hook) for act in acts], class_="row end")


def _button(look: Look, act: str, hook: HookView) -> Markup:
    words = [look.say(f"hooks.{act.partition('_')[0]}"), tag("span", f" {hook.name}", class_="quiet")]
    return tag(
        "button", words, type="button", data_do=act, data_hook=hook.name,
        disabled=act == "try_hook" and hook.trying,
    )  # fmt: skip
