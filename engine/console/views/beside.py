"""A supervisor beside a call: what she can be there, who is, and the bar that follows her over all pages."""

from __future__ import annotations

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.hand import mine
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.one_call import live_of
from engine.console.views.pieces import card, dot, icon, link, name, pill, since
from engine.page_phones import ACCOUNT
from engine.supervision import Mode
from engine.supervision_views import SupervisorView
from engine.views import CallView

TALKS = ("talking", "held")
STAYS = (*TALKS, "transferring", "queued", "offered")
LEVELS = {Mode.LISTEN: "soft", Mode.WHISPER: "busy", Mode.BARGE: "warn"}


def beside(look: Look) -> Markup:
    """Nothing for who may not supervise, nor while there is nobody to sit beside."""
    say, call = look.say, live_of(look)
    if call is None or not look.who.may(Permission.SUPERVISE):
        return Markup("")
    me = mine(call, look.who.name)
    if me is None and call.state not in TALKS:
        return Markup("")
    if me is None and call.agent == look.who.name:
        return card(say("beside.title"), tag("p", say("beside.yours"), class_="calm-line"), key="beside")
    return card(
        say("beside.title"),
        _modes(look, call, me),
        _where(look, me),
        _others(look, call, me),
        _sure(look, call, me),
        more=_manner(look, call, me),
        key="beside",
    )


def _modes(look: Look, call: CallView, me: SupervisorView | None) -> Markup:
    say = look.say
    buttons = []
    for mode in (Mode.LISTEN, Mode.WHISPER, Mode.BARGE):
        here = me is not None and me.mode == mode
        words = [icon(mode), tag("span", say(f"beside.{mode}"))]
        buttons.append(
            tag(
                "button", words, type="button", title=say(f"beside.{mode}.more"), data_mode=str(mode),
                aria_pressed="true" if here else "false", **_does(mode, me),
            )
        )  # fmt: skip
    group = tag("div", buttons, class_="modes", role="group", aria_label=say("beside.title"))
    told = tag("p", _told(look, call, me), class_="soft small", role="status")
    over = tag(
        "button", icon("take_over"), say("beside.take_over"), type="button", class_="danger",
        data_opens="take-over", disabled=call.state not in TALKS,
    )  # fmt: skip
    leave = None
    if me is not None:
        leave = tag("button", icon("out"), say("beside.leave"), type="button", data_do="leave")
    return tag("div", group, told, tag("div", leave, over, class_="row"), class_="hand")


def _does(mode: Mode, me: SupervisorView | None) -> dict[str, str]:
    """Who is in the call changes there; who is not has a phone to be rung first, in the page or elsewhere."""
    return {"data_here": "sit"} if me is None else {"data_do": str(mode)}


def _where(look: Look, me: SupervisorView | None) -> Markup | None:
    if me is not None:
        return None
    say = look.say
    box = tag(
        "input", id="beside-at", name="at", maxlength=64, autocomplete="off", spellcheck="false",
        placeholder=say("beside.at.page"), aria_describedby="beside-at-more", dir="ltr",
    )  # fmt: skip
    more = tag("span", say("beside.at.more"), id="beside-at-more", class_="soft small")
    return tag("div", tag("label", say("beside.at"), for_="beside-at"), box, more, class_="where")


def _told(look: Look, call: CallView, me: SupervisorView | None) -> str:
    if me is None:
        return look.say("beside.none.announced" if call.announced else "beside.none.silent")
    return look.say("beside.ringing" if me.standing == "ringing" else f"beside.{me.mode}.more")


def _manner(look: Look, call: CallView, me: SupervisorView | None) -> Markup:
    """Whether the two are told of her, or will be, as their market has it."""
    announced = call.announced if me is None else me.announced
    key = "beside.will_be" if me is None else "beside"
    return pill(look.say(f"{key}.{'announced' if announced else 'silent'}"), "warn" if announced else "soft")


def _others(look: Look, call: CallView, me: SupervisorView | None) -> Markup | None:
    """Everybody who sits there, who looks among them."""
    rows = [_seat(look, each, me) for each in call.supervisors]
    return tag("ul", rows, class_="seats") if rows else None


def _seat(look: Look, each: SupervisorView, me: SupervisorView | None) -> Markup:
    say, rings = look.say, each.standing == "ringing"
    return tag(
        "li",
        dot("warn" if rings else "good"),
        tag("b", name(each.by)),
        tag("span", say("beside.you"), class_="soft") if each is me else None,
        pill(say(f"beside.{each.mode}"), LEVELS.get(Mode(each.mode), "soft")),
        tag("span", say("beside.rings"), class_="soft") if rings else since(each.since),
        tag("span", name(each.at), class_="soft small") if not each.at.startswith(ACCOUNT) else None,
        data_key=each.at,
    )


def _sure(look: Look, call: CallView, me: SupervisorView | None) -> Markup:
    say = look.say
    sure = tag(
        "button", say("beside.take_over"), type="button", class_="stop", data_mode=str(Mode.TAKE_OVER),
        data_closes=True, **_does(Mode.TAKE_OVER, me),
    )  # fmt: skip
    who = call.agent or say("side.agent")
    return pieces.confirm("take-over", say, "beside.take_over.sure", sure, who=who)


def on_air(look: Look) -> Content:
    """The call that she sits beside, or took over, wherever she looks by now. What only her browser knows,
    web/hand.js has it show.
    """
    if not look.who.may(Permission.SUPERVISE):
        return None
    call = next((each for each in look.now.calls if mine(each, look.who.name)), None)
    taken = call is None
    call = call or next((each for each in look.now.calls if each.agent == look.who.name), None)
    if call is None:
        return None
    say, me = look.say, mine(call, look.who.name)
    how = "taken" if me is None else "ringing" if me.standing == "ringing" else me.mode
    mute = tag(
        "button",
        tag("span", icon("mute"), say("on_air.mute"), class_="open"),
        tag("span", icon("muted"), say("on_air.unmute"), class_="shut"),
        type="button", data_here="mute", class_="of-line",
    )  # fmt: skip
    level = tag("span", tag("i"), class_="own-level of-line", data_own=True, aria_hidden="true")
    leave = tag("button", say("beside.leave"), type="button", data_do="leave", data_call=call.id)
    return tag(
        "section",
        dot("good live"),
        link(say(f"on_air.{how}", who=pieces.called(say, call.customer)), address("calls", call.id)),
        level,
        mute,
        None if taken else leave,
        class_="on-air",
        aria_label=say("on_air.title"),
        data_key="on-air",
    )
