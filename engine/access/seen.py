"""The node as somebody may see it: what is not theirs is not there, and numbers of people are masked for who
may not read them; cards, accounts and papers for everybody, wherever somebody said or wrote them.

Every route, page and live view asks this and never the node itself, so that a route cannot forget it; a
method of the node's view that is missing here cannot be reached by anybody. What is out of somebody's reach
is unknown to them, in lists and by name, read or changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from engine.access import addresses, mask
from engine.access.errors import Refused
from engine.access.principal import Directory, Principal, reach
from engine.access.role import Permission
from engine.access.seen_cards import SeenCards
from engine.access.seen_hand import SeenHand
from engine.access.seen_insight import SeenInsight
from engine.access.seen_shares import SeenShares
from engine.access.seen_texts import SeenTranscripts
from engine.access.seen_trunks import SeenTrunks
from engine.agent_desk import Watch
from engine.assist_views import Help
from engine.call_filter import ALL_CALLS, CallFilter
from engine.caller_line import LineWatch
from engine.cluster.sight import ClusterSight
from engine.drill import Ask, Report
from engine.events import CallRecord
from engine.guest_views import GuestView
from engine.hook_views import HookTrial, HookView
from engine.signin import SignIn
from engine.speech_views import NodeSpeechView
from engine.store.outbox import Letter
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.views import (
    AgentAsk,
    AgentView,
    CallView,
    Caption,
    DeskView,
    HealthView,
    IceTerms,
    LegSide,
    LegView,
    LineView,
    LoadView,
    PhoneTerms,
    QueueView,
    RegistrationView,
    SoundView,
    UnknownAgent,
    UnknownCall,
)
from media.outline import Outline
from media.speech.transcript import Line

if TYPE_CHECKING:
    from engine.api.deps import EngineView

RECORDED = re.compile(r"(.+)-\d+\.(?:opus|wav)(?:\.sealed)?")


class Seen:
    """See engine.api.deps.EngineView, which this is, of one principal and one moment."""

    def __init__(self, view: EngineView, principal: Principal) -> None:
        self._view = view
        self.principal = principal
        self.reach = reach(principal, view.directory())
        self.unmasked = principal.may(Permission.PERSONAL)

    def minutes(self, call: str) -> Sequence[Line]:
        """Of calls that are seen, for those who may read what was said."""
        if not self.principal.may(Permission.LISTEN):
            return ()
        self._hers(call)
        found = self._view.minutes(call)
        hidden = mask.sides(found, mask.papers if self.unmasked else mask.text)
        return [each._replace(text=text, translation=other) for each, (text, other) in zip(found, hidden)]

    def _hers(self, call: str) -> None:
        """Raises UnknownCall."""
        found = self._view.call(call)
        if found is None or not self.reach.sees_call(found.market, found.queue, found.agent):
            raise UnknownCall(f"no call {call} is in progress")

    def _her_agent(self, name: str) -> None:
        """Raises UnknownAgent."""
        if not self.reach.sees_agent(name):
            raise UnknownAgent(f"no agent is called {name}")

    # --- on the event loop --------------------------------------------------------------------------

    def directory(self) -> Directory:
        return self._view.directory()

    def calls(
        self, wanted: CallFilter = ALL_CALLS, *, after: str = "", limit: int | None = None
    ) -> Sequence[CallView]:
        found = self._view.calls(replace(wanted, reach=self.reach), after=after, limit=limit)
        return found if self.unmasked else [_masked_call(each) for each in found]

    def call(self, id: str) -> CallView | None:
        found = self._view.call(id)
        if found is None or not self.reach.sees_call(found.market, found.queue, found.agent):
            return None
        return found if self.unmasked else _masked_call(found)

    def queues(self) -> Sequence[QueueView]:
        return [each for each in self._view.queues() if self.reach.sees_queue(each.name)]

    def agents(self) -> Sequence[AgentView]:
        return [self._agent(each) for each in self._view.agents() if self.reach.sees_agent(each.name)]

    def _agent(self, agent: AgentView) -> AgentView:
        """Her call is named to those who see it."""
        hidden = agent.call and self.principal.limited and self.call(agent.call) is None
        return replace(agent, call="") if hidden else agent

    def registrations(self) -> Sequence[RegistrationView]:
        found = self._view.registrations()
        if self.principal.limited:
            found = [each for each in found if self.reach.sees_agent(_user(each.aor))]
        if self.unmasked:
            return found
        return [replace(each, contact=addresses.without(each.contact)) for each in found]

    def health(self) -> HealthView:
        return self._view.health()

    def load(self) -> LoadView:
        found, reach = self._view.load(), self.reach
        if not self.principal.limited:
            return found
        sees = {"queue": reach.sees_queue, "line": reach.sees_line}
        recent = tuple(each for each in found.recent if sees[each.kind](each.name))
        return replace(found, recent=recent, turned_away={})

    def metrics(self) -> bytes:
        return self._view.metrics()

    def set_agent_state(self, name: str, ask: AgentAsk, reason: str, by: str = "") -> None:
        self._her_agent(name)
        self._view.set_agent_state(name, ask, reason, by)

    def hangup(self, id: str) -> None:
        self._hers(id)
        self._view.hangup(id)

    def pause_recording(self, call: str, paused: bool, by: str) -> None:
        self._hers(call)
        self._view.pause_recording(call, paused, by)

    @property
    def cluster(self) -> ClusterSight:
        return self._view.cluster

    @property
    def sign_in(self) -> SignIn:
        return self._view.sign_in

    def phone_terms(self) -> PhoneTerms:
        return self._view.phone_terms()

    def ice_terms(self, agent: str) -> IceTerms:
        if agent != self.principal.who:
            self._her_agent(agent)
        return self._view.ice_terms(agent)

    def desk(self, agent: str) -> DeskView:
        self._her_agent(agent)
        found = self._view.desk(agent)
        if self.unmasked:
            return found
        calls = tuple(
            replace(
                each,
                who=mask.who(each.who),
                name=mask.who(each.name),
                pop="",
                legs=tuple(map(_masked_leg, each.legs)),
            )
            for each in found.calls
        )
        last = found.last
        if last is not None:
            last = replace(last, who=mask.who(last.who), name=mask.who(last.name))
        return replace(found, calls=calls, last=last)

    def watch_desk(self, agent: str, wake: Callable[[], None]) -> Watch:
        self._her_agent(agent)
        return self._view.watch_desk(agent, wake)

    def leave_desk(self, watch: Watch) -> None:
        self._view.leave_desk(watch)

    def wrap_up(self, agent: str, call: str, outcome: str, notes: str) -> None:
        self._her_agent(agent)
        self._view.wrap_up(agent, call, outcome, notes)

    def tell_agent(self, agent: str, text: str, by: str) -> int:
        self._her_agent(agent)
        return self._view.tell_agent(agent, text, by)

    def given_help(self, call: str) -> Sequence[Help]:
        self._hers(call)
        return self._helped(self._view.given_help(call))

    def look_up(self, agent: str, call: str, words: str) -> Sequence[Help]:
        agent = agent if self.reach.sees_agent(agent) else ""
        call = call if call and self.call(call) is not None else ""
        return self._helped(self._view.look_up(agent, call, words))

    def _helped(self, found: Sequence[Help]) -> Sequence[Help]:
        if self.unmasked:
            return found
        return [replace(each, title=mask.text(each.title), text=mask.text(each.text)) for each in found]

    def show_caption(self, caption: Caption, readers: Collection[LegSide]) -> int:
        self._hers(caption.call)
        return self._view.show_caption(caption, readers)

    def speech(self) -> NodeSpeechView:
        return self._view.speech()

    def choose_interpreter(self, call: str, side: LegSide, voice: str) -> None:
        self._hers(call)
        self._view.choose_interpreter(call, side, voice)

    def guest(self, call: str) -> GuestView | None:
        self._hers(call)
        found = self._view.guest(call)
        return found if self.unmasked or found is None else replace(found, to=mask.text(found.to))

    def ask_guest(self, call: str, to: str, by: str) -> None:
        self._hers(call)
        self._view.ask_guest(call, to, by)

    def send_off_guest(self, call: str) -> None:
        self._hers(call)
        self._view.send_off_guest(call)

    def title(self, destination: str) -> str:
        return self._view.title(destination)

    def line(self, token: str) -> LineView | None:
        return self._view.line(token)

    def watch_line(self, token: str, wake: Callable[[], None]) -> LineWatch:
        return self._view.watch_line(token, wake)

    def leave_line(self, watch: LineWatch) -> None:
        self._view.leave_line(watch)

    def rate(self, token: str, stars: int, comment: str) -> None:
        self._view.rate(token, stars, comment)

    def hooks(self) -> Sequence[HookView]:
        """They tell of all markets, so who is limited to some has none."""
        return () if self.principal.limited else self._view.hooks()

    @cached_property
    def hand(self) -> SeenHand:
        return SeenHand(self._view.hand, self)

    @cached_property
    def insight(self) -> SeenInsight:
        return SeenInsight(self._view.insight, self)

    @cached_property
    def trunks(self) -> SeenTrunks:
        return SeenTrunks(
            self._view.trunks, self.reach, self.unmasked, self.principal.may(Permission.READ_CONFIG)
        )

    # --- the store ----------------------------------------------------------------------------------

    def records(self, wanted: RecordFilter, *, cursor: str | None, limit: int) -> RecordPage:
        """Raises Refused for who looks for somebody whose number they may not read."""
        if wanted.customer is not None and not self.unmasked:
            raise Refused("looking for a customer needs the permission 'personal'")
        line = wanted.line  # where a call came from is a number or an address else; a line may be gone
        known = line is None or line in self.directory().lines
        if line is not None and not (self.reach.sees_line(line) if known else self.unmasked):
            return RecordPage((), None)
        page = self._view.records(replace(wanted, reach=self.reach), cursor=cursor, limit=limit)
        return page if self.unmasked else replace(page, items=tuple(map(_masked_record, page.items)))

    def record(self, call: str) -> CallRecord | None:
        found = self._view.record(call)
        if found is None or not self.reach.sees_call(found.market, found.queue, found.agent):
            return None
        return found if self.unmasked else _masked_record(found)

    def events(self, call: str) -> Sequence[Entry]:
        found = self._view.events(call)
        if self.principal.limited and not self.reach.sees_call(*_place(found)):
            return []
        if self.unmasked:
            return [replace(each, person=mask.own_words(each.person)) for each in found]
        return [replace(each, person=mask.person(each.person), data=mask.data(each.data)) for each in found]

    @cached_property
    def cards(self) -> SeenCards:
        return SeenCards(self._view.cards, self)

    @cached_property
    def shares(self) -> SeenShares:
        return SeenShares(self._view.shares, self)

    @cached_property
    def transcripts(self) -> SeenTranscripts:
        return SeenTranscripts(self._view.transcripts, self.reach, self.unmasked)

    def report(self, ask: Ask) -> Report:
        return self._view.report(replace(ask, within=self.reach))

    def dead_letters(self, hook: str) -> Sequence[Letter]:
        return () if self.principal.limited else self._view.dead_letters(hook)

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        return 0 if self.principal.limited else self._view.replay(hook, seqs)

    async def try_hook(self, hook: str) -> HookTrial:
        if self.principal.limited:
            raise LookupError(hook)
        return await self._view.try_hook(hook)

    def recording(self, name: str) -> SoundView | None:
        return self._view.recording(name) if self.sees_recording(name) else None

    def outline(self, name: str) -> Outline | None:
        return self._view.outline(name) if self.sees_recording(name) else None

    def sees_recording(self, name: str) -> bool:
        """By the call that the file is named after (engine/recording.py): one that is over, or goes on."""
        if not self.principal.limited:
            return True
        named = RECORDED.fullmatch(name.rpartition("/")[2])
        if named is None:
            return False
        return self.record(named[1]) is not None or bool(self.events(named[1]))


def _masked_call(call: CallView) -> CallView:
    return replace(call, customer=mask.who(call.customer), legs=tuple(map(_masked_leg, call.legs)))


def _masked_leg(leg: LegView) -> LegView:
    troubles = tuple(replace(each, cause=addresses.without(each.cause)) for each in leg.troubles)
    return replace(leg, remote=addresses.without(leg.remote), troubles=troubles)


def _masked_record(record: CallRecord) -> CallRecord:
    return replace(record, customer=mask.who(record.customer), source=mask.source(record.source))


def _place(entries: Iterable[Entry]) -> tuple[str, str, str]:
    """Where a call belongs by what happened to it: market, queue and agent."""
    found = {"market": "", "queue": "", "agent": ""}
    for each in entries:
        found |= {name: each.data[name] for name in found if each.data.get(name)}
    return found["market"], found["queue"], found["agent"]


def _user(aor: str) -> str:
    return aor.partition(":")[2].partition("@")[0]
