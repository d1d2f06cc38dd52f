"""A caller who waits: where she stands in her queue, and a form to have her stand elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from engine.access.role import Permission
from engine.console.look import Look
from engine.console.markup import tag
from engine.console.views.one_call import file_of, live_of
from engine.console.views.pieces import card, pill
from routing.agent import AgentState

WAITS = ("greeting", "queued", "offered")
AWAY = (AgentState.LOGGED_OUT, AgentState.PAUSED)  # who takes no calls cannot be picked


def place(look: Look) -> Markup:
    """Nothing for calls that do not wait."""
    say, call, at = look.say, live_of(look), file_of(look).place
    if call is None or call.state not in WAITS or at is None:
        return Markup("")
    stands = pill(say("place.position", n=at.position), "warn") if at.position else None
    if not look.who.may(Permission.ACT_ON_CALLS):
        return card(say("place.title"), tag("p", say("place.queue"), " ", at.queue), more=stands, key="place")
    queues = [queue.name for queue in look.now.queues]
    agents = [agent.name for agent in look.now.agents if agent.state not in AWAY]
    number = tag(
        "input", id="place-priority", name="priority", type="number", min=0, max=100, value=at.priority
    )
    picks = [("", say("place.agent.next")), *((agent, agent) for agent in agents)]
    form = tag(
        "form",
        _choice("queue", say("place.queue"), [(queue, queue) for queue in queues], at.queue),
        tag("label", say("place.priority"), number),
        _choice("agent", say("place.agent"), picks, at.agent),
        tag("div", tag("button", say("place.change"), type="submit", class_="first"), class_="row end"),
        data_do="steer",
        class_="place",
        data_key=f"{at.queue}-{at.priority}-{at.agent}",  # what others change meanwhile is shown anew
    )
    return card(say("place.title"), form, more=stands, key="place")


def _choice(field: str, label: str, choices: Iterable[tuple[str, str]], now: str) -> Markup:
    options = [tag("option", words, value=value, selected=value == now) for value, words in choices]
    return tag("label", label, tag("select", options, name=field))
