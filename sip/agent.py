"""The user agent: bytes and time in, bytes and events out.

RFC 3261), without a socket or a clock of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from sip import lastword
from sip import snapshot as snapshots
from sip.caller import Caller
from sip.digest import Account, Authorizer
from sip.errors import Malformed, MalformedMessage
from sip.events import Event
from sip.hop import Hop
from sip.inbound import Gate, Inbound
from sip.keeper import Keeper
from sip.lastword import Word
from sip.manner import PLAIN, Manner
from sip.matching import reply_hop
from sip.message import Headers, NameAddr, Request, Response, Uri, parse
from sip.outgoing import Answer, Outgoing
from sip.question import Question
from sip.registrar import Binding, Registrar, RegistrarEvent
from sip.registration import Registration, RegistrationEvent, RegistrationSettings
from sip.session import Session
from sip.settings import AgentSettings
from sip.snapshot import Snapshot
from sip.stack import ACCEPT, Resolve, Stack

AgentEvent = Event | RegistrarEvent | RegistrationEvent


class UserAgent:
    """Calls, registrations and questions of one SIP element, as many as there are.

    The loop around it: `receive` what comes, `timeout` at `next_timeout`, then send `outgoing` and act on
    `events`. None of these raises, whatever the network brings. resolve: URI -> hops, at once, for requests
    inside dialogs whose Contact or Route is a name; without it numeric addresses are taken, and names
    reached where they came from.
    """

    def __init__(
        self,
        settings: AgentSettings,
        *,
        rng: Random,
        admission: Gate,
        registrar: Registrar | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self.settings = settings
        self._stack = Stack(settings, rng, resolve)
        self._registrar = registrar
        if registrar is not None:
            self._stack.flow_to = registrar.flow_to
        self._keepers: dict[Registration, Keeper] = {}
        self._inbound = Inbound(self._stack, admission, registrar)

    # ------------------------------------------------------------------------------------------- from below

    def receive(self, data: bytes, hop: Hop, now: float) -> None:
        """One datagram that came from `hop` at `now` (monotonic seconds)."""
        if not data.strip(b"\r\n\0 "):
            return  # keep-alive (RFC 5626 section 4.4.1 and what phones send for it)
        try:
            message = parse(data)
        except MalformedMessage as fault:
            self.receive_parsed(fault, hop, now)
            return
        self.receive_parsed(message, hop, now)

    def receive_parsed(self, message: Request | Response | MalformedMessage, hop: Hop, now: float) -> None:
        """One message out of a stream's `Framer`."""
        stack = self._stack
        stack.traffic.received(message)
        if isinstance(message, Request):
            try:
                self._inbound.receive(message, hop, now)
            except Malformed:
                stack.dropped["malformed"] += 1  # what nobody needed until now could not be read
        elif isinstance(message, Response):
            if len(message.vias) != 1:
                stack.dropped["response not for us"] += 1  # section 18.1.2: it was routed here by mistake
            elif not stack.transactions.receive_response(message, now):
                stack.dropped["stray response"] += 1
        elif message.request is not None and message.request.method != "ACK":
            request = message.request
            request.stamp(hop.host, hop.port)
            stack.dropped["malformed, answered"] += 1
            stack.transmit(request.respond(message.status, message.reason).encode(), reply_hop(request, hop))
        else:
            stack.dropped["malformed"] += 1

    def transport_failed(self, hop: Hop, reason: str, now: float) -> None:
        """Nothing can be sent to `hop`, or its connection closed: what is on its way there fails now."""
        self._stack.transactions.transport_failed(hop, now)
        if self._registrar is not None:
            self._stack.events += self._registrar.flow_failed(hop, now)
        for keeper in list(self._keepers.values()):
            keeper.failed(hop, now)

    def ponged(self, hop: Hop, now: float) -> None:
        """The peer has answered a ping of ours (RFC 5626 section 4.4.1)."""
        for keeper in list(self._keepers.values()):
            keeper.answered(hop, now)

    def next_timeout(self) -> float | None:
        """When `timeout` is to be called, or None."""
        ours = self._stack.timeouts.next()
        theirs = self._registrar.next_timeout() if self._registrar is not None else None
        if ours is None or theirs is None:
            return theirs if ours is None else ours
        return min(ours, theirs)

    def timeout(self, now: float) -> None:
        """Do what is due."""
        self._stack.timeouts.run(now)
        if self._registrar is not None:
            self._stack.events += self._registrar.timeout(now)

    def outgoing(self) -> list[tuple[bytes, Hop]]:
        """What is to be sent, drained."""
        stack = self._stack
        drained, stack.outgoing = stack.outgoing, []
        return drained

    def events(self) -> list[AgentEvent]:
        """What happened, drained."""
        stack = self._stack
        drained, stack.events = stack.events, []
        return drained

    # ------------------------------------------------------------------------------------------- from above

    def invite(
        self,
        target: Uri,
        hops: Sequence[Hop],
        *,
        from_: NameAddr,
        to: NameAddr,
        offer: bytes | None,
        headers: Sequence[tuple[str, str]] = (),
        route: Sequence[str] = (),
        credentials: Account | None = None,
        manner: Manner = PLAIN,
        ring_timeout: float | None = None,
        now: float,
    ) -> Session:
        """Call `target`, trying `hops` in order (none: those of the first route or the target, when numeric).

        headers: further ones of the INVITE (P-Asserted-Identity, Privacy, Diversion…). route: Route values,
        first hop first (the Path of a binding, the Service-Route of a registration, an outbound proxy).
        credentials: for challenges of the INVITE and of every later request of the call. manner: what the
        line wants of all of them. ring_timeout: seconds until an answer, by default the settings'. What
        becomes of it is told by events, failures at once included.
        """
        stack = self._stack
        session = Session(
            stack, "out", stack.new_call_id(), from_.with_tag(stack.new_tag()), to.with_tag(None)
        )
        session.authorizer = Authorizer(credentials, stack.rng) if credentials is not None else None
        session.manner = manner
        session.caller = Caller(session)
        if not hops:
            hops = stack.hops_to(NameAddr.parse(route[0]).uri if route else target)
        fields = [*(("Route", value) for value in route), *headers]
        wait = self.settings.ring_timeout if ring_timeout is None else ring_timeout
        session.caller.start(target, hops, offer, fields, wait, now)
        return session

    def snapshot(self, session: Session) -> Snapshot | None:
        """The session written down, for another user agent to go on with; None where none could."""
        return snapshots.take(session)

    def last_word(self, session: Session) -> Word | None:
        """What ends its INVITE, for another user agent to say; None once that is answered."""
        return lastword.take(session)

    def say_last(self, word: Word) -> None:
        """Say it for one that is gone. Raises BadSnapshot."""
        lastword.say(self._stack, word)

    def restore(self, snapshot: Snapshot, credentials: Account | None = None, *, now: float) -> Session:
        """Go on with a session of another user agent: `reoffer` at once, so that the far end knows.

        credentials: for proxies that ask for them again. Raises WrongState where the dialog is here already.
        """
        session = snapshots.restore(self._stack, snapshot, now)
        session.authorizer = Authorizer(credentials, self._stack.rng) if credentials is not None else None
        return session

    def request(
        self,
        method: str,
        target: Uri,
        hops: Sequence[Hop],
        *,
        from_: NameAddr,
        to: NameAddr,
        final: Answer,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        credentials: Account | None = None,
        now: float,
    ) -> None:
        """Any request outside of dialogs but INVITE.

        final: called with its one final response; when no hop gave one, that is a 408 or 503 made up here and
        `Outgoing.failure` says why.
        """
        stack = self._stack
        fields = Headers()
        fields.add("Max-Forwards", "70")
        fields.add("From", str(from_.with_tag(stack.new_tag())))
        fields.add("To", str(to.with_tag(None)))
        fields.add("Call-ID", stack.new_call_id())
        fields.add("CSeq", f"{stack.rng.randrange(1, 2**16)} {method}")
        for name, value in (*headers, ("User-Agent", self.settings.user_agent)):
            fields.add(name, value)

        def answered(outgoing: Outgoing, response: Response, at: float) -> None:
            if response.status >= 200:
                final(outgoing, response, at)

        authorizer = Authorizer(credentials, stack.rng) if credentials is not None else None
        request = Request(method, target, fields, body)
        hops = hops or stack.hops_to(target)
        Outgoing(stack, request, hops, answered, authorizer=authorizer).start(now)

    def register(self, settings: RegistrationSettings, hops: Sequence[Hop], *, now: float) -> Registration:
        """Register with `settings.registrar` and stay registered; told by `LineUp` and `LineDown`."""
        registration = Registration(settings, hops, rng=self._stack.rng, now=now)
        keeper = self._keepers[registration] = Keeper(self._stack, registration)
        keeper.attend(now)
        return registration

    def adopt(self, aor: str, binding: Binding, *, now: float) -> None:
        """A phone that another registrar of this domain knew is rung from here, too."""
        if self._registrar is not None:
            self._stack.events += self._registrar.adopt(aor, binding, now)

    def unregister(self, registration: Registration, *, now: float) -> None:
        """Take our binding away; `LineLeft` says when it is done."""
        keeper = self._keepers.pop(registration, None)
        if keeper is not None:
            registration.stop(now)
            keeper.attend(now)

    def contact(self, user: str, hop: Hop) -> Uri:
        """Our address as the far end of `hop` reaches it: what `RegistrationSettings.contact` wants."""
        return NameAddr.parse(self._stack.contact(user, hop)).uri

    def options(
        self,
        target: Uri,
        hops: Sequence[Hop],
        now: float,
        *,
        from_: NameAddr | None = None,
        headers: Sequence[tuple[str, str]] = (),
        credentials: Account | None = None,
        patience: float | None = None,
    ) -> int:
        """Ask whether `target` is there.

        The answer comes as `OptionsAnswered` with the number returned here, its absence after `patience`
        seconds, by default when the transaction ends (32 s). from_: who asks, by default our address.
        headers: further ones, such as Route.
        """
        stack, number = self._stack, self._stack.next_id()
        question = Question(stack, number, patience, now)
        self.request(
            "OPTIONS",
            target,
            hops,
            from_=from_ or NameAddr("", stack.own_uri(hops[0] if hops else None)),
            to=NameAddr("", target),
            final=question.answered,
            headers=[*headers, ("Accept", ACCEPT)],
            credentials=credentials,
            now=now,
        )
        return number

    # --------------------------------------------------------------------------------------- looking inside

    def sessions(self) -> list[Session]:
        """Those not yet over and done with."""
        return list(self._stack.sessions.values())

    def counts(self) -> dict[str, int]:
        """Rows of each table; all zero again 32 s after the last message of the last call."""
        stack = self._stack
        return {
            "transactions": len(stack.transactions),
            "dialogs": len(stack.dialogs),
            "sessions": len(stack.sessions),
            "watches": len(stack.watches),
            "timers": len(stack.timeouts),
            "pending": sum(stack.pending.values()),
        }

    def messages(self) -> dict[tuple[str, str], int]:
        """Messages since the start, by direction ("in", "out") and method or status class ("2xx")."""
        return self._stack.traffic.counts()

    def dropped(self) -> dict[str, int]:
        """Messages that went nowhere, by why, since the start."""
        return dict(self._stack.dropped)
