"""Agents: who does what, since when; one with her calls, and what may be asked of her."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look, address
from engine.console.markup import Content, tag
from engine.console.views import pieces
from engine.console.views.judged import of_agent
from engine.console.views.pieces import card, cell, dot, link, name, pill, row, since, table
from engine.console.views.wallboard import LEVELS, ORDER
from engine.views import AgentAsk, AgentView
from routing.agent import AgentState

# what may be asked of her, by the state that she is in
ASKS: Mapping[AgentState, tuple[AgentAsk, ...]] = {
    AgentState.LOGGED_OUT: (AgentAsk.AVAILABLE,),
    AgentState.AVAILABLE: (AgentAsk.PAUSED, AgentAsk.LOGGED_OUT),
    AgentState.OFFERED: (AgentAsk.PAUSED, AgentAsk.LOGGED_OUT),
    AgentState.TALKING: (AgentAsk.PAUSED, AgentAsk.LOGGED_OUT),
    AgentState.WRAP_UP: (AgentAsk.WRAP_UP_OVER, AgentAsk.PAUSED, AgentAsk.LOGGED_OUT),
    AgentState.PAUSED: (AgentAsk.AVAILABLE, AgentAsk.LOGGED_OUT),
}


def _one(look: Look) -> AgentView | None:
    return next((agent for agent in look.now.agents if agent.name == look.place.id), None)


def head(look: Look) -> Markup:
    say, agent = look.say, _one(look)
    if not look.place.id:
        return pieces.head(look, say("page.agents"), soft=pieces.of_here(look))
    if agent is None:
        return pieces.head(look, look.place.id, back=address("agents"))
    about = [_state(look, agent), since(agent.since, class_="number")]
    calls = link(say("agent.calls"), address("calls", when="ended", agent=agent.name), class_="button")
    edit = pieces.edit_link(look, "agents.yaml", agent.name, say("config.edit.agent"))
    report = link(say("page.reports"), address("reports", agent=agent.name, by="queue"), class_="button")
    return pieces.head(look, agent.name, edit, report, calls, back=address("agents"), soft=about)


def _state(look: Look, agent: AgentView) -> Markup:
    state = AgentState(agent.state)
    words = look.say(f"agent.{state}")
    if agent.reason:
        words = f"{words}: {look.say.known(f'pause.{agent.reason}', agent.reason)}"
    return pill([dot(LEVELS[state]), words], LEVELS[state])


def body(look: Look) -> Markup:
    say = look.say
    if not look.place.id:
        return _all(look)
    agent = _one(look)
    if agent is None:
        return tag("section", pieces.empty(say, "agent.unknown"), class_="card")
    call = look.now.by_call.get(agent.call)
    queues: Content = [pill(link(name(queue), address("queues", queue))) for queue in agent.queues] or "–"
    pairs: list[tuple[str, Content]] = [
        (
            say("agent.phone"),
            say("agent.phone.there") if agent.registered else pill(say("agent.no_phone"), "bad"),
        ),
        (say("agent.queues"), tag("span", queues, class_="row tight")),
        (say("agent.misses"), say.number(agent.misses)),
        (say("agent.call"), link(name(call.customer or call.id), address("calls", call.id)) if call else "–"),
    ]
    return tag(
        "div",
        card(say("agent.now"), pieces.facts(pairs), key="now"),
        asks(look, agent, say("agent.asks")) if look.who.may(Permission.ACT_ON_AGENTS) else None,
        class_="halves",
    )


MOST_REASON = 128  # characters


def asks(look: Look, agent: AgentView, title: str) -> Markup:
    """What may be asked of her state, and a message to her page."""
    say = look.say
    buttons = []
    for ask in ASKS[AgentState(agent.state)]:
        if ask is AgentAsk.LOGGED_OUT:
            sure = tag(
                "button",
                say("agent.ask.logged_out"),
                type="button",
                class_="stop",
                data_do="state",
                data_ask=str(ask),
                data_closes=True,
                form="why",
            )
            button = tag(
                "button",
                say("agent.ask.logged_out"),
                type="button",
                data_opens="sign-her-out",
                class_="danger",
            )
            buttons += [button, pieces.confirm("sign-her-out", say, "agent.ask.sure", sure, name=agent.name)]
        else:
            words = say(f"agent.ask.{ask}")
            buttons.append(
                tag("button", words, type="button", data_do="state", data_ask=str(ask), form="why")
            )
    box = tag("textarea", "", id="message", name="text", maxlength=500, required=True, rows=3)
    send = tag("button", say("agent.message.send"), type="submit", class_="first")
    form = tag(
        "form",
        tag("label", say("agent.message"), for_="message"),
        box,
        tag("div", send, class_="row end"),
        data_do="message",
        class_="stack-s",
    )
    # Nothing is done by Enter here: which of the buttons is meant, nobody knows.
    why = tag(
        "form",
        tag("label", say("agent.ask.why"), for_="why-words"),
        tag("input", id="why-words", name="reason", maxlength=MOST_REASON, autocomplete="off", dir="auto"),
        id="why",
        data_do="nothing",
        class_="stack-s",
    )
    return card(title, why, tag("div", buttons, class_="row"), form, key="asks")


def _all(look: Look) -> Markup:
    say = look.say
    if not look.now.agents:
        return tag("section", pieces.empty(say, "empty.agents"), class_="card")
    heads = [
        (say("calls.agent"), ""),
        (say("calls.state"), ""),
        (say("calls.time"), "number"),
        (say("agent.call"), ""),
        (say("agent.queues"), ""),
        (say("agent.phone"), ""),
        (say("agent.misses"), "number"),
    ]
    found = sorted(look.now.agents, key=lambda agent: (ORDER.index(AgentState(agent.state)), agent.name))
    return tag(
        "section",
        table(heads, [_row(look, each) for each in found], label=say("page.agents")),
        class_="card first-table",
    )


def _row(look: Look, agent: AgentView) -> Markup:
    say = look.say
    call = look.now.by_call.get(agent.call)
    there = agent.state != AgentState.LOGGED_OUT
    phone = (
        say("agent.phone.there") if agent.registered else pill(say("agent.no_phone"), "bad") if there else "–"
    )
    return row(
        agent.name,
        cell(link(name(agent.name), address("agents", agent.name), class_="strong")),
        cell(_state(look, agent)),
        cell(since(agent.since), "number"),
        cell(name(pieces.called(say, call.customer)) if call else "–"),
        cell(tag("span", [pill(name(queue)) for queue in agent.queues], class_="row tight")),
        cell(phone),
        cell(say.number(agent.misses), f"number {'' if agent.misses else 'none'}"),
        to="agent",
    )


def judged(look: Look) -> Markup:
    """How her calls were judged, for who may read that."""
    if not look.place.id or not look.who.may(Permission.LISTEN) or not isinstance(look.loaded, tuple):
        return Markup("")
    return of_agent(look, look.loaded)


PARTS = {"head": head, "body": body, "judged": judged}
