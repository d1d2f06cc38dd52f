"""Our own registration with somebody's registrar, kept alive (RFC 3261 section 10.2, RFC 5626), sans-IO.

The table is the specification: `next_request` feeds DUE, `receive` what an answer means, `stop` STOP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from sip.digest import Authorizer
from sip.hop import Hop
from sip.line import LineDown as LineDown
from sip.line import LineLeft as LineLeft
from sip.line import LineUp as LineUp
from sip.line import RegistrationEvent as RegistrationEvent
from sip.line import RegistrationSettings as RegistrationSettings
from sip.line import identities, refusal
from sip.message import NameAddr, Request, Response
from sip.outbound import OPTION
from sip.table import INITIAL, TERMINATED, Table
from sip.uri import Uri

WAITING, ASKING, REGISTERED = "waiting", "asking", "registered"
STOPPING, LEAVING, REMOVING = "stopping", "leaving", "removing"

START, DUE, STOP = "start", "due", "stop"
OK, CHALLENGED, TOO_BRIEF, UNAVAILABLE, REFUSED = "ok", "challenged", "too brief", "unavailable", "refused"
FLOW_LOST, NO_OUTBOUND, TAKEN_BACK = "flow lost", "no outbound", "taken back"

NOW, ASK, ASK_REMOVAL, CONFIRM, NEXT_HOP, REST, LOSE_FLOW, REPORT_LEFT, LOSE_BINDING = (
    "now", "ask", "ask removal", "confirm", "next hop", "rest", "lose flow", "report left", "lose binding",
)  # fmt: skip

TABLE: Table = {
    # state       event            next state   actions
    (INITIAL, START): (WAITING, (NOW,)),
    (WAITING, DUE): (ASKING, (ASK,)),
    (WAITING, STOP): (LEAVING, (NOW,)),
    (ASKING, OK): (REGISTERED, (CONFIRM,)),
    (ASKING, CHALLENGED): (WAITING, (NOW,)),
    (ASKING, TOO_BRIEF): (WAITING, (NOW,)),
    (ASKING, UNAVAILABLE): (WAITING, (NEXT_HOP,)),
    (ASKING, NO_OUTBOUND): (WAITING, (NOW,)),  # then without: an address is registered, not a connection
    (ASKING, REFUSED): (WAITING, (REST,)),  # asking again soon would only get us blocked
    (ASKING, STOP): (STOPPING, ()),  # what is on its way may still make a binding
    (REGISTERED, DUE): (ASKING, (ASK,)),
    (REGISTERED, FLOW_LOST): (WAITING, (LOSE_FLOW,)),
    (REGISTERED, TAKEN_BACK): (WAITING, (LOSE_BINDING,)),  # RFC 3680 section 3, TS 24.229 section 5.1.1.7
    (REGISTERED, STOP): (LEAVING, (NOW,)),
    (STOPPING, OK): (LEAVING, (NOW,)),
    (STOPPING, CHALLENGED): (LEAVING, (NOW,)),
    (STOPPING, TOO_BRIEF): (LEAVING, (NOW,)),
    (STOPPING, UNAVAILABLE): (LEAVING, (NOW,)),
    (STOPPING, NO_OUTBOUND): (TERMINATED, (REPORT_LEFT,)),
    (STOPPING, REFUSED): (TERMINATED, (REPORT_LEFT,)),
    (LEAVING, DUE): (REMOVING, (ASK_REMOVAL,)),
    (LEAVING, UNAVAILABLE): (TERMINATED, (REPORT_LEFT,)),  # there is nowhere to send it
    (REMOVING, OK): (TERMINATED, (REPORT_LEFT,)),
    (REMOVING, CHALLENGED): (LEAVING, (NOW,)),
    (REMOVING, TOO_BRIEF): (TERMINATED, (REPORT_LEFT,)),
    (REMOVING, UNAVAILABLE): (TERMINATED, (REPORT_LEFT,)),
    (REMOVING, NO_OUTBOUND): (TERMINATED, (REPORT_LEFT,)),
    (REMOVING, REFUSED): (TERMINATED, (REPORT_LEFT,)),
}

KEEP_ALIVE = (
    120  # seconds between signs of life, unless the registrar wants them sooner (RFC 5626 section 4.4.1)
)

_MAX_EXPIRES = 604_800  # a week; IMS asks for 600,000 s (TS 24.229 section 5.1.1.2.1)
_SETTLED = 30.0  # seconds after which a binding has held
_MAX_CHALLENGES = 4  # in a row; a registrar that finds every nonce stale is not to be argued with
_ELSEWHERE = frozenset({408, 480, 500, 502, 503, 504})


class Registration:
    """Call `next_request` at `next_timeout`, send what it gives to `hop`, hand each answer to `receive`.

    An answer that never came is handed in as the 408 or 503 the user agent makes up for it. One request is on
    its way at most. hops: in the order of preference, as `sip.resolve` plans them; `use` replaces them.
    """

    def __init__(
        self, settings: RegistrationSettings, hops: Sequence[Hop], *, rng: Random, now: float
    ) -> None:
        self.settings = settings
        self.state = INITIAL
        self.hop: Hop | None = None  # where the last request went
        self.service_route: tuple[str, ...] = ()  # RFC 3608: Route of requests through this registrar
        self.identities: tuple[NameAddr, ...] = ()  # P-Associated-URI: the first is the default one
        self.flow_timer = 0  # seconds within which the connection has to show life; 0: it is not registered
        self.hurried: Callable[[], None] = lambda: None  # told when `next_timeout` has become earlier
        self._outbound = bool(settings.instance)  # whether the first hop keeps connections, as far as we know
        self._hops = tuple(hops)
        self._barred: dict[Hop, float] = {}  # until when: by failing in this round, or for `bar_hop`
        self._told: dict[Hop, float] = {}  # until when: by a Retry-After, which outlives the round
        self._rng = rng
        self._authorizer = None if settings.credentials is None else Authorizer(settings.credentials, rng)
        self._call_id = f"{rng.getrandbits(128):032x}"
        self._tag = f"{rng.getrandbits(64):016x}"
        self._cseq = rng.randrange(1, 1000)
        self._expires = settings.expires
        self._due: float | None = None
        self._challenges = 0
        self._rounds = 0  # in which every hop failed, since the last success
        self._up_over: Hop | None = None
        self._response: Response | None = None
        self._request: Request | None = None
        self._loss = (480, "Deregistered", 0.0)
        self._confirmed = now
        self._events: list[RegistrationEvent] = []
        self._feed(START, now)

    @property
    def registered(self) -> bool:
        """Whether the registrar knew us at the last answer."""
        return self._up_over is not None

    @property
    def entry(self) -> Hop | None:
        """The proxy of an IMS network that knows us: the first of every route."""
        return self._up_over if self.settings.home else None

    @property
    def route(self) -> tuple[str, ...]:
        """Route of requests through this registrar, first hop first (TS 24.229 section 5.1.2A.1.1)."""
        hop = self.entry
        if hop is None:
            return self.service_route
        entry = Uri.sip("", hop.host, hop.port).with_params(
            transport=None if hop.transport == "udp" else hop.transport, lr=""
        )
        return (f"<{entry}>", *self.service_route)

    def use(self, hops: Sequence[Hop]) -> None:
        """Other hops from now on, after names were looked up again; the first ones are tried at once."""
        first = bool(hops) and not self._hops and self.state == WAITING
        self._hops = tuple(hops)
        if first:
            self._due, self._rounds = 0.0, 0
            self.hurried()
        self._barred = {hop: until for hop, until in self._barred.items() if hop in self._hops}
        self._told = {hop: until for hop, until in self._told.items() if hop in self._hops}

    def next_timeout(self) -> float | None:
        """When `next_request` has something to send; None while an answer is awaited, and after the end."""
        return self._due

    def next_request(self, now: float) -> Request | None:
        """The REGISTER that is due, without Via, to go to `self.hop`; None when none is."""
        if self._due is None or now < self._due:
            return None
        if not self._hops and self.state == LEAVING and self.hop is None:
            self._feed(UNAVAILABLE, now)
            return None
        if not self._hops and self.state != LEAVING:
            self._back_off(503, "No Hop", now)
            return None
        self._due, self._request = None, None
        self._feed(DUE, now)
        return self._request

    def receive(self, response: Response, now: float) -> list[RegistrationEvent]:
        """Take in the final answer; provisional ones mean nothing."""
        if response.status >= 200:
            self._response = response
            self._feed(self._meaning(response), now)
        return self.events()

    def stop(self, now: float) -> None:
        """Take our binding away, then rest for good; `LineLeft` says when."""
        self._feed(STOP, now)

    def flow_lost(self, now: float) -> None:
        """The connection that is registered is gone: register over another, this hop the last to be tried."""
        if self.flow_timer:
            self._feed(FLOW_LOST, now)

    def unreachable(self, hop: Hop, now: float) -> None:
        """The proxy of an IMS network says nothing any more: register through another, where there is one."""
        if hop == self.entry and any(each != hop for each in self._hops):
            self._feed(FLOW_LOST, now)
            self.hurried()

    def taken_back(self, reason: str, wait: float | None, now: float) -> None:
        """The network has ended the binding: register again in `wait` seconds, after `rest` when None."""
        settings = self.settings
        wait = settings.rest if wait is None else wait
        if now < self._confirmed + _SETTLED:  # a network that takes back what it gives is not to be hurried
            wait = max(wait, settings.first_back_off)
        self._loss = (480, reason, wait)
        self._feed(TAKEN_BACK, now)

    def shortened(self, seconds: float, now: float) -> None:
        """The binding lasts no longer than that: renew it by half of it (TS 24.229 section 5.1.1.5.1)."""
        if self.state == REGISTERED:
            self._due = min(self._due or now, now + seconds / 2)

    def events(self) -> list[RegistrationEvent]:
        """What happened since the last call, drained."""
        drained, self._events = self._events, []
        return drained

    def _feed(self, event: str, now: float) -> None:
        row = TABLE.get((self.state, event))
        if row is None:
            return
        self.state = row[0]
        for action in row[1]:
            _ACTIONS[action](self, now)

    def _meaning(self, response: Response) -> str:
        status = response.status
        if status < 300:
            return OK
        if status in (401, 407):
            self._challenges += 1
            answerable = self._authorizer is not None and self._authorizer.challenged(response)
            return CHALLENGED if answerable and self._challenges <= _MAX_CHALLENGES else REFUSED
        if status == 423:
            wanted = response.number("Min-Expires")
            if wanted is None or not self._expires < wanted <= _MAX_EXPIRES:
                return REFUSED
            self._expires = wanted
            return TOO_BRIEF
        if status == 439 and self._outbound:
            self._outbound = False
            return NO_OUTBOUND
        return UNAVAILABLE if status in _ELSEWHERE else REFUSED

    def _now(self, now: float) -> None:
        self._due = now

    def _ask(self, now: float) -> None:
        if self._challenges == 0 or self.hop is None or self.hop not in self._hops:
            self.hop = self._choose_hop(now)
        self._request = self._build(self.hop, self._expires)

    def _ask_removal(self, now: float) -> None:
        if self.hop is None:
            self.hop = self._choose_hop(now)
        self._request = self._build(self.hop, 0)

    def _choose_hop(self, now: float) -> Hop:
        """The first that is not barred; when all are, the one whose time is up soonest."""
        return next(
            (hop for hop in self._hops if self._barred_until(hop, now) <= now),
            min(self._hops, key=lambda hop: self._barred_until(hop, now)),
        )

    def _barred_until(self, hop: Hop, now: float) -> float:
        return max(self._barred.get(hop, now), self._told.get(hop, now))

    def _confirm(self, now: float) -> None:
        response, hop = self._response, self.hop
        if response is None or hop is None:
            return
        granted = self._granted(response, hop)
        self.service_route = tuple(response.headers.all("Service-Route"))
        kept = hop.reliable and self._outbound and OPTION in response.headers.tokens("Require")
        self.flow_timer = min(response.number("Flow-Timer") or KEEP_ALIVE, KEEP_ALIVE) if kept else 0
        self.identities = identities(response)
        self._challenges = self._rounds = 0
        self._barred.pop(hop, None)
        self._told.pop(hop, None)
        self._confirmed = now
        self._due = now + self._life(granted)
        if self._up_over != hop:
            self._up_over = hop
            self._events.append(LineUp(self.settings.line, hop, granted, self.identities))

    def _life(self, granted: int) -> float:
        """Seconds until a binding is renewed: of IMS 600 before its end, or at half of it."""
        if self.settings.home:
            return granted - 600 if granted > 1200 else granted / 2
        return granted * self.settings.refresh_after * self._rng.uniform(0.9, 1.0)

    def _granted(self, response: Response, hop: Hop) -> int:
        """Seconds the registrar keeps our contact, by what it says of it (section 10.2.4)."""
        contact = self.settings.contact(hop)
        ours = [entry for entry in response.contacts if entry.uri.matches(contact)] or response.contacts
        said = ours[0].param("expires") if len(ours) == 1 else None
        if said is not None and said.isdecimal() and len(said) < 10:
            return min(max(1, int(said)), _MAX_EXPIRES)
        expires = response.expires
        return min(max(1, self._expires if expires is None else expires), _MAX_EXPIRES)

    def _next_hop(self, now: float) -> None:
        response = self._response
        if response is None or self.hop is None:
            return
        self._barred[self.hop] = now + self.settings.bar_hop
        told = response.number("Retry-After")
        if told is not None:
            self._told[self.hop] = now + min(told, 3600)
        self._challenges = 0
        if any(self._barred_until(hop, now) <= now for hop in self._hops):
            self._due = now
            return
        self._barred.clear()
        self._back_off(response.status, response.reason, now)

    def _lose_flow(self, now: float) -> None:
        """Section 4.5: at once by another hop; after some time, ever longer, by the only one."""
        if self.hop is not None:
            self._barred[self.hop] = now + self.settings.bar_hop
        self._challenges = self.flow_timer = 0
        if any(self._barred_until(hop, now) <= now for hop in self._hops):
            self._up_over, self._due = None, now
        else:
            self._barred.clear()
            self._back_off(430, "Flow Failed", now)

    def _lose_binding(self, now: float) -> None:
        status, reason, wait = self._loss
        self._challenges = 0
        self._go_down(status, reason, wait, now)

    def _back_off(self, status: int, reason: str, now: float) -> None:
        settings = self.settings
        longest = settings.first_back_off * 2.0 ** min(self._rounds, 20)
        self._rounds += 1
        wait = min(settings.longest_back_off, longest) * self._rng.uniform(0.5, 1.0)
        if self._hops:
            wait = max(wait, min(self._barred_until(hop, now) for hop in self._hops) - now)
        self._go_down(status, reason, wait, now)

    def _rest(self, now: float) -> None:
        response = self._response
        self._challenges = 0
        if self.settings.credentials is not None:
            self._authorizer = Authorizer(self.settings.credentials, self._rng)
        if response is not None:
            self._go_down(response.status, refusal(response), self.settings.rest, now)

    def _go_down(self, status: int, reason: str, wait: float, now: float) -> None:
        self._due = now + wait
        self._up_over = None
        self.flow_timer = 0
        self._events.append(LineDown(self.settings.line, status, reason, wait))

    def _report_left(self, now: float) -> None:
        self._due = self._up_over = None
        self.flow_timer = 0
        self._events.append(LineLeft(self.settings.line))

    def _build(self, hop: Hop, expires: int) -> Request:
        settings = self.settings
        self._cseq += 1
        request = Request(
            "REGISTER",
            settings.registrar,
            [
                ("Max-Forwards", "70"),
                ("From", str(settings.account.with_tag(self._tag))),
                ("To", str(settings.account.with_tag(None))),
                ("Call-ID", self._call_id),
                ("CSeq", f"{self._cseq} REGISTER"),
                ("Contact", self._contact(hop, expires)),
                ("Expires", str(expires)),
                ("User-Agent", settings.user_agent),
                *settings.manner.always,
            ],
        )
        options = ["path"] if self._outbound or settings.home else []
        options += [OPTION] if self._outbound else []
        if options:
            request.headers.add("Supported", ", ".join(options))
        if self._authorizer is not None:
            uri = str(settings.registrar)
            opening = self._authorizer.opening(uri, settings.home) if settings.home else ()
            for name, value in opening or self._authorizer.headers("REGISTER", uri):
                request.headers.add(name, value)
        return request

    def _contact(self, hop: Hop, expires: int) -> str:
        settings = self.settings
        features = f"{self._flow_params(hop)}{settings.manner.contact_params}"
        return f"<{settings.contact(hop)}>;expires={expires}{features}"

    def _flow_params(self, hop: Hop) -> str:
        settings = self.settings
        if not self._outbound or not hop.reliable:  # datagrams would want STUN to keep them open
            return ""
        return f';reg-id={settings.reg_id};+sip.instance="<{settings.instance}>"'


_ACTIONS: dict[str, Callable[[Registration, float], None]] = {
    NOW: Registration._now,
    ASK: Registration._ask,
    ASK_REMOVAL: Registration._ask_removal,
    CONFIRM: Registration._confirm,
    NEXT_HOP: Registration._next_hop,
    REST: Registration._rest,
    LOSE_FLOW: Registration._lose_flow,
    REPORT_LEFT: Registration._report_left,
    LOSE_BINDING: Registration._lose_binding,
}
