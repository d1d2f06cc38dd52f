"""What a route gets handed: the node's view, and a caller who may do what the route does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Request

from config.form import FormSettings
from engine.access.access import Access
from engine.access.principal import Directory, Principal
from engine.access.role import Permission
from engine.access.seen import Seen
from engine.agent_desk import Watch
from engine.api.identify import access_of, identified, require, settings_of, unauthorized
from engine.api.problem import Problem
from engine.assist_views import Help
from engine.call_filter import ALL_CALLS, CallFilter
from engine.caller_line import LineWatch
from engine.cluster.sight import ClusterSight
from engine.drill import Ask, Report
from engine.events import CallRecord
from engine.guest_views import GuestView
from engine.hook_views import HookTrial, HookView
from engine.ice import Told
from engine.insight.insight import Refused as RefusedRequest
from engine.insight.sources import SourceView
from engine.insight.trace import Look, Trace
from engine.line_events import LineProbed
from engine.line_views import LineStandView, ProbeView, ReportView
from engine.page_phones import PagePhone
from engine.scorecards import CardFilter, CardPage, Scorecard
from engine.sharing import Share, Wish
from engine.signin import SignIn
from engine.speech_views import NodeSpeechView
from engine.steering import Order
from engine.store.outbox import Letter
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import HitPage, Review, Said, TextFilter
from engine.supervision_views import SupervisorView
from engine.tokens import Claims
from engine.views import (
    AgentAsk,
    AgentView,
    CallView,
    Caption,
    DeskView,
    HealthView,
    IceTerms,
    LegSide,
    LineView,
    LoadView,
    PhoneTerms,
    PlaceView,
    QueueView,
    RegistrationView,
    SoundView,
)
from engine.whip import Outcome, Refused
from media.outline import Outline
from media.speech.transcript import Line


class EngineView(Protocol):
    """A node as the API sees it.

    Methods above the line are called on the event loop and must be quick. Those below ask the store: they
    block, are called from a worker thread, and raise StoreUnavailable.
    """

    def calls(
        self, wanted: CallFilter = ALL_CALLS, *, after: str = "", limit: int | None = None
    ) -> Sequence[CallView]:
        """By id, which is the order they arrived in; those behind `after`, `limit` of them."""

    def call(self, id: str) -> CallView | None: ...
    def queues(self) -> Sequence[QueueView]: ...
    def agents(self) -> Sequence[AgentView]: ...
    def registrations(self) -> Sequence[RegistrationView]: ...
    def health(self) -> HealthView: ...
    def load(self) -> LoadView: ...

    def metrics(self) -> bytes:
        """What `engine.metrics.Metrics.render` gives."""

    def set_agent_state(self, name: str, ask: AgentAsk, reason: str, by: str = "") -> None:
        """by: who else wants it, "" for the agent herself. Raises UnknownAgent, IllegalState."""

    def hangup(self, id: str) -> None:
        """Begin to end the call, as if the engine hung up. Raises UnknownCall."""

    def pause_recording(self, call: str, paused: bool, by: str) -> None:
        """Raises UnknownCall, IllegalState where nothing is recorded."""

    @property
    def cluster(self) -> ClusterSight:
        """The nodes, and which one is near."""

    @property
    def sign_in(self) -> SignIn:
        """Who may sign in at an agent's page."""

    def phone_terms(self) -> PhoneTerms: ...
    def ice_terms(self, agent: str) -> IceTerms: ...

    def desk(self, agent: str) -> DeskView:
        """Raises UnknownAgent."""

    def watch_desk(self, agent: str, wake: Callable[[], None]) -> Watch:
        """Have `wake` called when the desk may have changed. Raises TooManyPages."""

    def leave_desk(self, watch: Watch) -> None: ...

    def wrap_up(self, agent: str, call: str, outcome: str, notes: str) -> None:
        """Raises UnknownCall."""

    def tell_agent(self, agent: str, text: str, by: str) -> int:
        """Say it on every page of the agent; how many there are. Raises UnknownAgent."""

    def given_help(self, call: str) -> Sequence[Help]:
        """What the agent of a call was told of by itself, the newest last."""

    def look_up(self, agent: str, call: str, words: str) -> Sequence[Help]:
        """What is known of some words. call: "" for none; agent: in whose language, "" for the node's."""

    def show_caption(self, caption: Caption, readers: Collection[LegSide]) -> int:
        """Show it on the pages of these sides; how many there are. Raises UnknownCall."""

    def minutes(self, call: str) -> Sequence[Line]:
        """What was said in a call in progress, as far as it stands; s since the call arrived."""

    def speech(self) -> NodeSpeechView:
        """Who puts calls into words here."""

    def choose_interpreter(self, call: str, side: LegSide, voice: str) -> None:
        """How a side hears the other. Raises UnknownCall, IllegalState."""

    def guest(self, call: str) -> GuestView | None:
        """Who was asked into a call. Raises UnknownCall."""

    def ask_guest(self, call: str, to: str, by: str) -> None:
        """Raises UnknownCall, IllegalState."""

    def send_off_guest(self, call: str) -> None:
        """Raises UnknownCall, IllegalState."""

    def directory(self) -> Directory:
        """Where agents, queues and lines belong."""

    def title(self, destination: str) -> str:
        """What people call a number or name of the plan."""

    def line(self, token: str) -> LineView | None:
        """How the call stands that this token began; None where there is none now."""

    def watch_line(self, token: str, wake: Callable[[], None]) -> LineWatch:
        """Have `wake` called when the token's call may have changed. Raises IllegalState for too many."""

    def leave_line(self, watch: LineWatch) -> None: ...

    def rate(self, token: str, stars: int, comment: str) -> None:
        """Keep what a caller thinks of her call. Raises UnknownCall, IllegalState for a second time."""

    def hooks(self) -> Sequence[HookView]: ...

    @property
    def trunks(self) -> TrunkView:
        """Lines to the telephone network."""

    @property
    def insight(self) -> InsightView:
        """Why a call was bad."""

    @property
    def hand(self) -> HandView:
        """A supervisor's, on calls."""

    # ------------------------------------------------------------------------------------------ the store

    def records(self, wanted: RecordFilter, *, cursor: str | None, limit: int) -> RecordPage:
        """Raises BadCursor."""

    def record(self, call: str) -> CallRecord | None: ...
    def events(self, call: str) -> Sequence[Entry]: ...

    @property
    def transcripts(self) -> TranscriptView:
        """What was said in calls that are over, and how well they went."""

    @property
    def cards(self) -> CardView:
        """Calls as supervisors judged them."""

    @property
    def shares(self) -> SharingView:
        """Links to recordings for people outside."""

    def report(self, ask: Ask) -> Report:
        """What calls came to, added up. Raises TooManyRows."""

    def dead_letters(self, hook: str) -> Sequence[Letter]:
        """What a hook did not take in time."""

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        """Tell it again, all or some; how many there are."""

    async def try_hook(self, hook: str) -> HookTrial:
        """Post one event to it now. Raises LookupError, IllegalState."""

    def recording(self, name: str) -> SoundView | None:
        """A recording's file by its name in a record. Its pieces raise SealBroken, OSError."""

    def outline(self, name: str) -> Outline | None:
        """How loud its sides are. Raises SealBroken, OSError, Unreadable."""


class HandView(Protocol):
    """What a supervisor does to calls, on the event loop. Everything raises UnknownCall. at: the account of a
    phone, `page` for the asker's. by: who asks.
    """

    def phone(self, by: str) -> PagePhone:
        """An account for the asker's page. Raises IllegalState."""

    def supervisors(self, call: str) -> Sequence[SupervisorView]: ...

    def supervise(self, call: str, at: str, mode: str, by: str, *, auto_answer: bool) -> SupervisorView:
        """Ring her. Raises IllegalState."""

    def change_mode(self, call: str, at: str, mode: str, by: str) -> SupervisorView:
        """Raises IllegalState."""

    def send_off(self, call: str, at: str, by: str) -> None:
        """Raises IllegalState."""

    def place(self, call: str) -> PlaceView | None:
        """How a caller waits; None where she does not."""

    def steer(self, call: str, order: Order) -> None:
        """Change how she waits. Raises UnknownAgent, IllegalState."""


class TrunkView(Protocol):
    """The node's lines. The first three on the event loop; what asks the store blocks and raises
    StoreUnavailable.
    """

    def stands(self) -> Sequence[LineStandView]: ...

    def begin_probe(self, line: str, number: str, by: str) -> ProbeView:
        """Raises IllegalState where it is not to be probed now."""

    def probe(self, line: str, id: str) -> ProbeView | None: ...

    def report(self, since: float, until: float) -> ReportView:
        """Epoch seconds."""

    def probes(self, line: str) -> Sequence[LineProbed]:
        """Those that are over, the newest first."""


class RefusedSight(Protocol):
    """A request that was refused, before it is read; `read` blocks."""

    def read(self) -> RefusedRequest: ...


class InsightView(Protocol):
    """SIP messages and quality of calls, and who was refused. All on the event loop but `trace`, which
    blocks, and raises StoreUnavailable.
    """

    def look(self, call: str) -> Look | None:
        """A call that goes on, or ended a moment ago."""

    def refused(
        self, *, challenges: bool, source: str | None, since: float | None, until: float | None, limit: int
    ) -> Sequence[RefusedSight]:
        """Requests that were refused, or asked for credentials, the newest first. Epoch seconds."""

    def turned_away(self) -> Sequence[SourceView]:
        """Sources that guess or scan, and are answered no more, the latest first."""

    def let_off(self, address: str, by: str) -> bool:
        """Answer one again; whether it was turned away."""

    def trace(self, call: str, look: Look | None) -> Trace | None: ...


class TranscriptView(Protocol):
    """Asks the store, all of it: blocks, and raises StoreUnavailable."""

    def page(self, wanted: TextFilter, *, cursor: str | None, limit: int) -> HitPage:
        """Raises BadCursor."""

    def review(self, call: str) -> Review | None: ...
    def lines(self, call: str) -> Sequence[Said] | None: ...

    def erase(self, call: str) -> bool:
        """Whether there was anything."""


class CardView(Protocol):
    """Calls judged by forms. Asks the store, all but `forms`: blocks, and raises StoreUnavailable."""

    def forms(self) -> Mapping[str, FormSettings]:
        """By which calls may be judged now."""

    def judge(
        self, call: str, form: str, given: Mapping[str, int | None], by: str, comment: str
    ) -> Scorecard | None:
        """None for no call that is over. Raises UnknownForm, BadAnswers, IllegalState."""

    def of_call(self, call: str) -> Sequence[Scorecard]: ...

    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage:
        """Raises BadCursor."""

    def of_agent(self, agent: str, *, cursor: str | None, limit: int) -> CardPage:
        """As she sees them herself. Raises BadCursor."""


class SharingView(Protocol):
    """Links to recordings. Asks the store, all of it: blocks, and raises StoreUnavailable."""

    def make(self, recording: str, wish: Wish, by: str) -> tuple[Share, str] | None:
        """A share and its link; None for no recording of theirs. Raises IllegalState for too many."""

    def of(self, recording: str) -> Sequence[Share]: ...
    def revoke(self, recording: str, id: str, by: str) -> Share | None: ...

    def open(self, link: str, *, use: bool) -> Share | None:
        """What a link leads to; None where it leads nowhere. use: count it."""


class CallerDesk(Protocol):
    """Callers from pages, on the event loop."""

    async def call(self, claims: Claims, offer: str, resuming: bool = False) -> Outcome:
        """Begin the token's call, or come back into it. resuming: that alone."""

    async def patch(self, session: str, token: str, fragment: str, if_match: str | None) -> Outcome:
        """More candidates, or a wish to be sought anew."""

    async def hang_up(self, session: str, token: str) -> Refused | None:
        """None when it is done."""

    def lasts(self, token: str) -> bool:
        """Whether the token's call goes on."""

    def reaches(self, destination: str) -> bool:
        """Whether anyone may call there."""

    def servers(self, whose: str, now: float) -> Sequence[Told]:
        """The STUN and TURN servers for somebody. now: epoch seconds."""

    @property
    def relayed(self) -> bool:
        """Whether nothing but relays leads here."""


async def seen_of(
    request: Request, principal: Annotated[Principal | None, Depends(identified)]
) -> EngineView:
    """The node as who asks may see it. Raises Problem for nobody known."""
    if principal is None:
        raise unauthorized("this needs a token, or somebody who signed in", "")
    return Seen(node_of(request), principal)


def node_of(request: Request) -> EngineView:
    """All of the node: for routes that let anybody in and tell nobody of people."""
    return cast(EngineView, request.app.state.view)


View = Annotated[EngineView, Depends(seen_of)]
Node = Annotated[EngineView, Depends(node_of)]


def desk_of(request: Request) -> CallerDesk:
    """Raises Problem where nobody calls from a page."""
    desk: CallerDesk | None = request.app.state.desk
    if desk is None or not settings_of(request).callers.keys:
        raise Problem(404, "unknown-destination", "nobody calls this node from a page")
    return desk


Desk = Annotated[CallerDesk, Depends(desk_of)]
Door = Annotated[Access, Depends(access_of)]


def may(permission: Permission, *, personal: bool = False) -> Any:
    """The principal of a route that only those with this permission may use: Annotated[Principal, may(…)].
    personal: see `Require`.
    """
    return Depends(require(permission, personal))
