"""What a route gets handed: the node's view, and a caller who may do what the route does."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Annotated, Protocol, cast

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from engine.agent_desk import Watch
from engine.api.problem import Problem
from engine.api.settings import Scope, Settings, Token
from engine.assist_views import Help
from engine.caller_line import LineWatch
from engine.cluster.sight import ClusterSight
from engine.drill import Ask, Report
from engine.events import CallRecord
from engine.guest_views import GuestView
from engine.hook_views import HookView
from engine.ice import Told
from engine.line_events import LineProbed
from engine.line_views import LineStandView, ProbeView, ReportView
from engine.signin import SignIn
from engine.speech_views import NodeSpeechView
from engine.store.outbox import Letter
from engine.store.records import RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.store.transcripts import HitPage, Review, Said, TextFilter
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
    QueueView,
    RegistrationView,
    SoundView,
)
from engine.whip import Outcome, Refused

log = structlog.get_logger("api")


class EngineView(Protocol):
    """A node as the API sees it.

    Methods above the line are called on the event loop and must be quick. Those below ask the store: they
    block, are called from a worker thread, and raise StoreUnavailable.
    """

    def calls(self) -> Sequence[CallView]: ...
    def call(self, id: str) -> CallView | None: ...
    def queues(self) -> Sequence[QueueView]: ...
    def agents(self) -> Sequence[AgentView]: ...
    def registrations(self) -> Sequence[RegistrationView]: ...
    def health(self) -> HealthView: ...
    def load(self) -> LoadView: ...

    def metrics(self) -> bytes:
        """What `engine.metrics.Metrics.render` gives."""

    def set_agent_state(self, name: str, ask: AgentAsk, reason: str) -> None:
        """Raises UnknownAgent, IllegalState."""

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

    # ------------------------------------------------------------------------------------------ the store

    def records(self, wanted: RecordFilter, *, cursor: str | None, limit: int) -> RecordPage:
        """Raises BadCursor."""

    def record(self, call: str) -> CallRecord | None: ...
    def events(self, call: str) -> Sequence[Entry]: ...

    @property
    def transcripts(self) -> TranscriptView:
        """What was said in calls that are over, and how well they went."""

    def report(self, ask: Ask) -> Report:
        """What calls came to, added up. Raises TooManyRows."""

    def dead_letters(self, hook: str) -> Sequence[Letter]:
        """What a hook did not take in time."""

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        """Tell it again, all or some; how many there are."""

    def recording(self, name: str) -> SoundView | None:
        """A recording's file by its name in a record. Its pieces raise SealBroken, OSError."""


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


class TranscriptView(Protocol):
    """Asks the store, all of it: blocks, and raises StoreUnavailable."""

    def page(self, wanted: TextFilter, *, cursor: str | None, limit: int) -> HitPage:
        """Raises BadCursor."""

    def review(self, call: str) -> Review | None: ...
    def lines(self, call: str) -> Sequence[Said] | None: ...

    def erase(self, call: str) -> bool:
        """Whether there was anything."""


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


bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token from the node's configuration. `read` may look, `write` may also change, `listen` "
    "may have recordings, `callers` may have tokens made for callers.",
)

Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]


def view_of(request: Request) -> EngineView:
    return cast(EngineView, request.app.state.view)


def settings_of(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


View = Annotated[EngineView, Depends(view_of)]


def desk_of(request: Request) -> CallerDesk:
    """Raises Problem where nobody calls from a page."""
    desk: CallerDesk | None = request.app.state.desk
    if desk is None or not settings_of(request).callers.keys:
        raise Problem(404, "unknown-destination", "nobody calls this node from a page")
    return desk


Desk = Annotated[CallerDesk, Depends(desk_of)]


def identified(request: Request, credentials: Credentials) -> Token | None:
    """Whose token came with the request, None when there was none. Raises Problem for one that is
    nobody's.
    """
    if credentials is None:
        if request.headers.get("authorization"):
            raise unauthorized(
                "the Authorization header must be of the form: Bearer TOKEN", "invalid_request"
            )
        return None
    token = settings_of(request).holder(credentials.credentials, time.time())
    if token is None:
        client = request.client.host if request.client else ""
        log.warning("an unknown API token was refused", source=client, path=request.url.path)
        raise unauthorized("the token is unknown or has expired", "invalid_token")
    return token


def require(scope: Scope) -> Callable[..., Awaitable[Token]]:
    """The dependency of a route that only holders of a token with this scope may use."""

    async def check(caller: Annotated[Token | None, Depends(identified)]) -> Token:
        if caller is None:
            raise unauthorized("this needs a token", "")
        if scope not in caller.scopes:
            challenge = f'Bearer realm="isogloss", error="insufficient_scope", scope="{scope}"'
            raise Problem(
                403,
                "forbidden",
                f"the token of {caller.name!r} does not have the scope {scope!r}",
                headers={"WWW-Authenticate": challenge},
            )
        return caller

    return check


def unauthorized(detail: str, error: str) -> Problem:
    """RFC 6750 section 3: the challenge names the error only when there was a token."""
    challenge = 'Bearer realm="isogloss"' + (f', error="{error}"' if error else "")
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": challenge})


Reader = Annotated[Token, Depends(require(Scope.READ))]
Writer = Annotated[Token, Depends(require(Scope.WRITE))]
Listener = Annotated[Token, Depends(require(Scope.LISTEN))]
Site = Annotated[Token, Depends(require(Scope.CALLERS))]
