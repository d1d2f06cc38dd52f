"""A small node in memory behind the API's own protocol, for the tests of the API and the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from random import Random

from config.people import AgentSettings
from config.secret import Secret
from config.service import ApiRole
from engine.access.principal import Directory, Place
from engine.access.role import Permission
from engine.agent_desk import TooManyPages, Watch
from engine.api.settings import PERMISSIONS, Callers, PageTerms, Settings, token
from engine.assist_views import Help, HelpKind
from engine.call_filter import ALL_CALLS, CallFilter
from engine.caller_line import LineWatch
from engine.cluster.sight import ClusterSight
from engine.drill import Ask, Report, reported
from engine.events import CallRecord
from engine.guest_views import GuestView
from engine.hook_views import HookTrial, HookView
from engine.ice import Told
from engine.judging import Judging
from engine.metrics import Metrics
from engine.sharing import Sharing
from engine.signin import SignIn
from engine.speech_views import NodeSpeechView, SpeechPairView, SpeechWorkerView
from engine.store.errors import StoreUnavailable
from engine.store.outbox import Letter
from engine.store.records import BadCursor, RecordFilter, RecordPage
from engine.store.rows import Entry
from engine.views import (
    AgentAsk,
    AgentView,
    CallView,
    Caption,
    Check,
    DeskCall,
    DeskQueue,
    DeskView,
    Health,
    HealthView,
    IceTerms,
    IllegalState,
    LegSide,
    LegView,
    LineView,
    LoadView,
    Note,
    PhoneTerms,
    QueueView,
    RegistrationView,
    SoundView,
    UnknownAgent,
    UnknownCall,
    WorkerView,
    worst,
)
from media.outline import Outline
from media.speech.transcript import Line
from sip.guard import Guard
from tests.engine.card_samples import FORM, Cards
from tests.engine.cluster.clusters import alone
from tests.engine.hand_samples import Hands
from tests.engine.insight.samples import Insights
from tests.engine.share_samples import Links
from tests.engine.store_samples import NODE, T0, record
from tests.engine.transcript_samples import Kept
from tests.engine.trunk_samples import Trunks

READ = "reader-token-0123456789"
WRITE = "writer-token-0123456789"
STALE = "stale-token-01234567890"
SETTINGS = Settings(
    tokens=(
        token("wallboard", READ, *PERMISSIONS[ApiRole.VIEWER]),
        token("supervisor", WRITE, *PERMISSIONS[ApiRole.OPERATOR] - {Permission.CALLERS}),
        token("former", STALE, *PERMISSIONS[ApiRole.VIEWER], expires_at=1.0),
    ),
    pages=PageTerms("", ("resolved", "other"), ("lunch",), ("support",)),
    callers=Callers(origins=frozenset({"https://shop.example.com"})),
)


def call_view(id: str, **changes: object) -> CallView:
    leg = LegView(id=1, side=LegSide.CUSTOMER, remote="192.0.2.7:4000", codec="PCMA", state="open", loss=0.01)
    made = CallView(
        id=id,
        contact=id,
        customer="+4930123456",
        number="+498001234",
        market="de",
        region="eu",
        language="de",
        state="talking",
        queue="support",
        agent="alice",
        since=T0,
        legs=(leg,),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def desk_call(id: str) -> DeskCall:
    """A call as its agent's page shows it."""
    return DeskCall(
        id=id,
        state="talking",
        outgoing=False,
        who="+4930123456",
        name="",
        number="+498001234",
        queue="support",
        title="Support",
        language="de",
        market="de",
        since=T0,
        connected=T0,
        waited_s=0.0,
        why=None,
        misses=0,
        held_by=(),
        recording="",
        legs=(),
    )


HELP = Help(
    call="c1",
    kind=HelpKind.ANSWER,
    at=T0,
    title="Where a parcel is",
    text="Look it up by its number.",
    language="en",
    source="service.en.md",
)


class Node:
    """What a test puts in its lists is what the API shows; `hung_up` and `asked` are what the API did."""

    def __init__(self) -> None:
        self.trunks = Trunks()
        self.live = {
            "c1": call_view("c1"),
            "c2": call_view("c2", state="queued", agent="", waiting_position=1),
        }
        self.finished = [record("r1", T0), record("r2", T0 + 1)]
        self.journal = {
            "r1": [Entry(node=NODE, seq=1, at=T0, call="r1", kind="call.held", data={"by": "agent"})]
        }
        self.team = {
            "alice": self._agent("alice", "talking", call="c1"),
            "bob": self._agent("bob", "available"),
            "carol": self._agent("carol", "logged_out", queues=("sales",)),
        }
        self.teams = {"alice": "north", "bob": "north", "carol": "south"}
        self.markets = {"support": "de", "sales": "us"}
        self.checks = [Check(name="journal", status=Health.OK)]
        self.store_answers = True
        self.trying = False  # a hook
        self.hung_up: list[str] = []
        self.paused: list[tuple[str, bool, str]] = []
        self.sounds: dict[str, Iterable[bytes]] = {}
        self.asked: list[tuple[str, AgentAsk, str]] = []
        self.ordered_by: list[str] = []
        self.hand = Hands(self.live)
        self.watches: list[Watch] = []
        self.lines: dict[str, LineView] = {}
        self.rated: list[tuple[str, int, str]] = []
        self.renewed_s = 600.0  # after which relays have new passwords
        self.wrapped: list[tuple[str, str, str, str]] = []
        alice = AgentSettings(name="alice", password=Secret("test", "secret of alice"))
        self.hers: tuple[DeskCall, ...] = ()  # alice's, as her page shows them
        self.interpreters: dict[tuple[str, LegSide], str] = {}
        self.guests: dict[str, GuestView] = {}
        self.said: dict[str, list[Line]] = {}
        self.captions: list[tuple[Caption, frozenset[LegSide]]] = []
        self.sign_in = SignIn({"alice": alice}, "example.com", Guard(), Random(1))
        self.transcripts = Kept(self._ask_store)
        self.insight = Insights(self._ask_store)
        self.judged = Cards(self._ask_store)
        self.cards = Judging(self.judged, lambda: {"service": FORM}, self.record, time.time)
        self.shares = Sharing(Links(self._ask_store), time.time)
        self.cluster = ClusterSight(alone(), lambda: 0.0, lambda draining: None)
        self._metrics = Metrics(self)

    def calls(
        self, wanted: CallFilter = ALL_CALLS, *, after: str = "", limit: int | None = None
    ) -> Sequence[CallView]:
        calls = (self.live[id] for id in sorted(self.live) if id > after)
        return [each for each in calls if wanted.wants(each.market, each.queue, each.agent, each.state)][
            :limit
        ]

    def call_states(self) -> Iterable[str]:
        return [each.state for each in self.live.values()]

    def call(self, id: str) -> CallView | None:
        return self.live.get(id)

    def queues(self) -> Sequence[QueueView]:
        support = QueueView(
            name="support",
            waiting=1,
            agents_available=1,
            agents_busy=1,
            longest_wait_s=12.5,
            answered=9,
            abandoned=1,
            service_level=0.9,
        )
        return [support, replace(support, name="sales", waiting=0, service_level=None)]

    def agents(self) -> Sequence[AgentView]:
        return list(self.team.values())

    def agent_states(self) -> Iterable[str]:
        return [each.state for each in self.team.values()]

    def registrations(self) -> Sequence[RegistrationView]:
        phone = RegistrationView(
            aor="sip:alice@example.com", contact="sip:alice@192.0.2.9", transport="udp", expires_in_s=60.0
        )
        return [phone, replace(phone, aor="sip:bob@example.com", user_agent="Phone/1")]

    def pause_recording(self, call: str, paused: bool, by: str) -> None:
        if call != "c1":
            raise IllegalState("this call is not recorded")
        self.paused.append((call, paused, by))

    def recording(self, name: str) -> SoundView | None:
        if name not in self.sounds:
            return None
        pieces = self.sounds[name]
        size = sum(map(len, pieces)) if isinstance(pieces, list) else None
        kind = ("r1-1.wav", "audio/wav") if name.endswith(".wav") else ("r1-1.opus", "audio/ogg")
        return SoundView(file=kind[0], type=kind[1], pieces=iter(pieces), size=size)

    def outline(self, name: str) -> Outline | None:
        return Outline(2.4, (0.0, 0.5), (0.25, 0.0)) if name in self.sounds else None

    def set_agent_state(self, name: str, ask: AgentAsk, reason: str, by: str = "") -> None:
        if name not in self.team:
            raise UnknownAgent(name)
        if ask is AgentAsk.WRAP_UP_OVER and self.team[name].state != "wrap_up":
            raise IllegalState(f"{name} is not in wrap-up; ask for available instead")
        self.asked.append((name, ask, reason))
        self.ordered_by.append(by)
        self.team[name] = replace(self.team[name], state=str(ask), reason=reason)

    def hangup(self, id: str) -> None:
        if id not in self.live:
            raise UnknownCall(id)
        self.hung_up.append(id)

    def directory(self) -> Directory:
        agents = {name: Place(self.teams.get(name, ""), each.queues) for name, each in self.team.items()}
        return Directory(agents, self.markets, {"carrier": "de", "gateway": "us"})

    # --- callers' pages ---------------------------------------------------------------------------

    def title(self, destination: str) -> str:
        return destination.title()

    def line(self, token: str) -> LineView | None:
        return self.lines.get(token)

    def watch_line(self, token: str, wake: Callable[[], None]) -> LineWatch:
        return LineWatch(token, wake)

    def leave_line(self, watch: LineWatch) -> None:
        """Nothing is kept of it."""

    def rate(self, token: str, stars: int, comment: str) -> None:
        self.rated.append((token, stars, comment))

    # --- desks ------------------------------------------------------------------------------------

    def phone_terms(self) -> PhoneTerms:
        return PhoneTerms(domain="example.com", scheme="wss", port=7443)

    def ice_terms(self, agent: str) -> IceTerms:
        server = Told(("turn:turn.example.com:3478",), f"1:{agent}", "made")
        return IceTerms(servers=(server,), policy="relay", renewed_s=self.renewed_s)

    def desk(self, agent: str) -> DeskView:
        if agent not in self.team:
            raise UnknownAgent(agent)
        seen = self.team[agent]
        return DeskView(
            agent=agent,
            name=agent.title(),
            state=seen.state,
            since=seen.since,
            until=None,
            reason=seen.reason,
            pending="",
            registered=True,
            misses=0,
            calls=self.hers,
            last=None,
            queues=(DeskQueue(name="support", title="Support", waiting=1, oldest=T0),),
        )

    def watch_desk(self, agent: str, wake: Callable[[], None]) -> Watch:
        if len(self.watches) >= 2:
            raise TooManyPages("two pages are signed in")
        self.watches.append(Watch(agent, wake))
        return self.watches[-1]

    def leave_desk(self, watch: Watch) -> None:
        self.watches.remove(watch)

    def wrap_up(self, agent: str, call: str, outcome: str, notes: str) -> None:
        if call != "c1":
            raise UnknownCall(call)
        self.wrapped.append((agent, call, outcome, notes))

    def tell_agent(self, agent: str, text: str, by: str) -> int:
        if agent not in self.team:
            raise UnknownAgent(agent)
        hers = [watch for watch in self.watches if watch.agent == agent]
        for watch in hers:
            watch.notes.append(Note(by=by, text=text, at=T0))
            watch.wake()
        return len(hers)

    def given_help(self, call: str) -> Sequence[Help]:
        return [HELP]

    def look_up(self, agent: str, call: str, words: str) -> Sequence[Help]:
        return [replace(HELP, call=call)] if "parcel" in words else []

    def show_caption(self, caption: Caption, readers: Collection[LegSide]) -> int:
        if caption.call not in self.live:
            raise UnknownCall(caption.call)
        self.captions.append((caption, frozenset(readers)))
        return len(readers)

    def minutes(self, call: str) -> Sequence[Line]:
        return self.said.get(call, [])

    def speech(self) -> NodeSpeechView:
        worker = SpeechWorkerView(
            craft="hear", name="ears", languages=("en",), closed=("es",), low_accuracy=True, why="alone"
        )
        pair = SpeechPairView(source="es", target="en", gist=True)
        return NodeSpeechView(
            wanted=True, workers=(worker,), pairs=(pair,), any_pair=False, level="all", says="", talks=1
        )

    def choose_interpreter(self, call: str, side: LegSide, voice: str) -> None:
        if call not in self.live:
            raise UnknownCall(call)
        if self.live[call].state != "talking":
            raise IllegalState("the two do not talk")
        self.interpreters[call, side] = voice

    def guest(self, call: str) -> GuestView | None:
        if call not in self.live:
            raise UnknownCall(call)
        return self.guests.get(call)

    def ask_guest(self, call: str, to: str, by: str) -> None:
        if call not in self.live:
            raise UnknownCall(call)
        if call in self.guests:
            raise IllegalState("somebody was asked already")
        self.guests[call] = GuestView(to=to, standing="ringing", agent="")

    def send_off_guest(self, call: str) -> None:
        if call not in self.live:
            raise UnknownCall(call)
        if self.guests.pop(call, None) is None:
            raise IllegalState("nobody was asked")

    def health(self) -> HealthView:
        return HealthView(
            status=worst(tuple(self.checks)), node=NODE, version="1.2", checks=tuple(self.checks)
        )

    def load(self) -> LoadView:
        return LoadView(
            legs=3,
            registrations=2,
            sip_messages={("in", "INVITE"): 4, ("in", "XYZZY"): 1, ("in", "PLUGH"): 2, ("out", "2xx"): 4},
            workers=(WorkerView(name="0", load=0.25, legs=3),),
            journal_lag_s=0.01,
        )

    def metrics(self) -> bytes:
        return self._metrics.render()

    def records(self, wanted: RecordFilter, *, cursor: str | None, limit: int) -> RecordPage:
        self._ask_store()
        if cursor not in (None, "", "second"):
            raise BadCursor(cursor)
        found = [
            item
            for item in reversed(self.finished)
            if (wanted.queue is None or item.queue == wanted.queue)
            and (wanted.since is None or item.ended_at >= wanted.since)
            and (wanted.until is None or item.ended_at < wanted.until)
            and (wanted.reason is None or item.reason == wanted.reason)
            and (wanted.customer is None or item.customer == wanted.customer)
            and (wanted.arrived_since is None or item.offered_at >= wanted.arrived_since)
            and (wanted.arrived_until is None or item.offered_at < wanted.arrived_until)
            and wanted.reach.sees_call(item.market, item.queue, item.agent)
        ]
        if cursor == "second":
            return RecordPage(tuple(found[1:]), None)
        return RecordPage(tuple(found[:limit]), "second" if len(found) > limit else None)

    def record(self, call: str) -> CallRecord | None:
        self._ask_store()
        return next((item for item in self.finished if item.call == call), None)

    def events(self, call: str) -> Sequence[Entry]:
        self._ask_store()
        return self.journal.get(call, [])

    def report(self, ask: Ask) -> Report:
        self._ask_store()
        sums = {"offered": 4.0, "answered": 3.0, "queued": 4.0, "queue_answered": 3.0, "in_time": 3.0}
        keys = {
            "hour": str(T0),
            "day": str(T0),
            "hour_of_day": str(T0),
            "queue": "support",
            "agent": "=alice",
        }
        return reported(ask, [(tuple(keys.get(each, "") for each in ask.by), sums)])

    def hooks(self) -> Sequence[HookView]:
        url = "https://crm.example.com/in?key=1"
        return [HookView(name="crm", url=url, enabled=True, kinds=("call.*",), dead=1)]

    def dead_letters(self, hook: str) -> Sequence[Letter]:
        self._ask_store()
        return [Letter(hook, NODE, 7, T0, "r1", "call.ended", "{}", 9, T0, "answered 410")]

    def replay(self, hook: str, seqs: Sequence[int] | None) -> int:
        self._ask_store()
        return 1 if seqs is None else len(set(seqs) & {7})

    async def try_hook(self, hook: str) -> HookTrial:
        if hook != "crm":
            raise LookupError(hook)
        if self.trying:
            raise IllegalState("crm is tried already; wait for that")
        return HookTrial("n1-trial-7", False, 503, "answered 503", 0.25)

    def _ask_store(self) -> None:
        if not self.store_answers:
            raise StoreUnavailable(
                "OperationalError: could not connect to server at 10.0.0.1, password hunter2"
            )

    def _agent(
        self, name: str, state: str, queues: tuple[str, ...] = ("support",), call: str = ""
    ) -> AgentView:
        return AgentView(
            name=name,
            state=state,
            since=T0,
            reason="",
            registered=True,
            queues=queues,
            misses=0,
            call=call,
        )
