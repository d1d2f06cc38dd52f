"""Our subscription to the state of our own registration (RFC 3680, TS 24.229 section 5.1.1.3).

The network tells by it that it has taken a registration back, shortened it, or wants it made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.dialog import MAX_ROUTES
from sip.digest import Authorizer
from sip.errors import Malformed
from sip.headers import Headers, parse_params
from sip.message import Request, Response
from sip.outgoing import Outgoing
from sip.reginfo import TYPE, Binding, MalformedReginfo, Registered, read
from sip.table import INITIAL, TERMINATED, Table
from sip.timeouts import Timeout
from sip.transaction import Transaction
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from sip.registration import Registration
    from sip.stack import Stack

ASKING, ACTIVE, RESTING = "asking", "active", "resting"
START, GRANTED, REFUSED, ENDED, DUE, STOP = "start", "granted", "refused", "ended", "due", "stop"
ASK, ASK_ANEW, LAST, REST, FORGET = "ask", "ask anew", "last", "rest", "forget"

WATCH: Table = {
    # state     event      next state   actions
    (INITIAL,   START):    (ASKING,     (ASK_ANEW,)),
    (ASKING,    GRANTED):  (ACTIVE,     (LAST,)),
    (ASKING,    REFUSED):  (RESTING,    (REST,)),
    (ASKING,    ENDED):    (RESTING,    (REST,)),
    (ASKING,    STOP):     (TERMINATED, (FORGET,)),
    (ACTIVE,    DUE):      (ASKING,     (ASK,)),
    (ACTIVE,    ENDED):    (RESTING,    (REST,)),
    (ACTIVE,    STOP):     (TERMINATED, (FORGET,)),
    (RESTING,   DUE):      (ASKING,     (ASK_ANEW,)),
    (RESTING,   STOP):     (TERMINATED, (FORGET,)),
}  # fmt: skip

_LONGEST = 3600.0  # seconds between tries
_SHORTEST = 5.0
_REFUSED = 600.0
# Seconds until it is asked for again, by the reason the network gave (RFC 6665 section 4.1.3).
_ENDS = {"deactivated": _SHORTEST, "timeout": _SHORTEST, "probation": _REFUSED, "giveup": _REFUSED}
# What becomes of the registration, by the event of our contact (RFC 3680 section 4.7.2): seconds until it is
# made anew, None for when it has rested.
_LOST: dict[str, float | None] = {"deactivated": 0.0, "expired": 0.0, "probation": 0.0}


class Watch:
    """One subscription, from the answer to our REGISTER until the line goes down."""

    __slots__ = (
        "_authorizer", "_call_id", "_cseq", "_hop", "_lost", "_registration", "_remote", "_remote_seq",
        "_routes", "_stack", "_tag", "_target", "_timeout", "_version", "_wait", "state",
    )  # fmt: skip

    def __init__(self, stack: Stack, registration: Registration, lost: Callable[[float], None]) -> None:
        """lost: called when the registration has changed by what the network said."""
        self._stack = stack
        self._registration = registration
        self._lost = lost
        settings = registration.settings
        known = settings.credentials
        self._authorizer = Authorizer(known, stack.rng) if known is not None else None
        self._hop = registration.hop
        self._timeout: Timeout | None = None
        self._wait = _REFUSED
        self._cseq = stack.rng.randrange(1, 2**16)
        self._call_id = self._tag = ""
        self._remote: NameAddr | None = None
        self._remote_seq = -1
        self._routes: tuple[str, ...] = ()
        self._target: Uri = settings.account.uri
        self._version = -1
        self.state = INITIAL

    def start(self, now: float) -> None:
        """Subscribe."""
        self._feed(START, now)

    def stop(self, now: float) -> None:
        """The binding it watched is no more."""
        self._feed(STOP, now)

    def fire(self, name: str, now: float) -> None:
        """Time to ask, for the first time or again."""
        self._timeout = None
        self._feed(DUE, now)

    def _feed(self, event: str, now: float) -> None:
        row = WATCH.get((self.state, event))
        if row is None:
            return
        self.state = row[0]
        for action in row[1]:
            _ACTIONS[action](self, now)

    # ----------------------------------------------------------------------------------------------- asking

    def _ask_anew(self, now: float) -> None:
        self._forget(now)
        stack, registration = self._stack, self._registration
        self._call_id, self._tag = stack.new_call_id(), stack.new_tag()
        self._remote, self._remote_seq, self._version = None, -1, -1
        identities = registration.identities or (registration.settings.account,)
        self._target, self._routes = identities[0].uri, registration.route
        stack.watches[(self._call_id, self._tag)] = self
        self._ask(now)

    def _ask(self, now: float) -> None:
        registration, hop = self._registration, self._hop
        if hop is None:
            self._feed(REFUSED, now)
            return
        settings = registration.settings
        us = (registration.identities or (settings.account,))[0]
        self._cseq += 1
        fields = Headers()
        for route in self._routes:
            fields.add("Route", route)
        fields.add("Max-Forwards", "70")
        fields.add("From", str(NameAddr("", us.uri).with_tag(self._tag)))
        fields.add("To", str(self._remote or NameAddr("", us.uri)))
        fields.add("Call-ID", self._call_id)
        fields.add("CSeq", f"{self._cseq} SUBSCRIBE")
        fields.add("Contact", f"<{settings.contact(hop)}>")
        fields.add("Event", "reg")
        fields.add("Accept", TYPE)
        fields.add("Expires", str(settings.expires))
        fields.add("User-Agent", settings.user_agent)
        for name, value in settings.manner.always:
            fields.add(name, value)
        request = Request("SUBSCRIBE", self._target, fields)
        Outgoing(self._stack, request, (hop,), self._on_answer, authorizer=self._authorizer).start(now)

    def _on_answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        if response.status < 200 or outgoing.request.call_id != self._call_id:
            return
        self._cseq = outgoing.request.cseq[0]
        if response.status >= 300:
            self._wait = min(float(response.number("Retry-After") or _REFUSED), _LONGEST)
            self._feed(REFUSED, now)
            return
        if response.to.tag is not None:
            self._meet(response.to, response, reverse=True)
        granted = response.expires
        self._wait = float(self._registration.settings.expires if granted is None else granted)
        self._feed(GRANTED, now)

    def _meet(self, remote: NameAddr, message: Request | Response, *, reverse: bool) -> None:
        """The far end of the dialog, as the first message with its tag shows it (RFC 6665 section 4.4.1)."""
        if self._remote is not None:
            return
        try:
            routes, contacts = message.headers.values("Record-Route")[:MAX_ROUTES], message.contacts
        except Malformed:
            return  # it is asked for anew when this one has run out
        self._remote = remote
        self._routes = tuple(reversed(routes) if reverse else routes)
        if contacts:
            self._target = contacts[0].uri

    def _last(self, now: float) -> None:
        """Renewed 600 s before its end, or at half of it (TS 24.229 section 5.1.1.3)."""
        life = self._wait - 600 if self._wait > 1200 else self._wait / 2
        self._set(max(life, _SHORTEST), now)

    def _rest(self, now: float) -> None:
        self._forget(now)
        self._set(max(self._wait, _SHORTEST), now)

    def _set(self, seconds: float, now: float) -> None:
        self._stack.timeouts.cancel(self._timeout)
        self._timeout = self._stack.timeouts.start(now + seconds, self, "watch")

    def _forget(self, now: float) -> None:
        self._stack.timeouts.cancel(self._timeout)
        self._timeout = None
        self._stack.watches.pop((self._call_id, self._tag), None)

    # ------------------------------------------------------------------------------------------ being told

    def notified(self, request: Request, transaction: Transaction, now: float) -> None:
        """A NOTIFY of ours by its tags; answered first, since what it says may end the subscription."""
        tag = request.from_.tag
        package = (request.headers.get("Event") or "").partition(";")[0].strip().lower()
        if package != "reg" or tag is None or (self._remote is not None and tag != self._remote.tag):
            transaction.respond(request.respond(481 if package == "reg" else 489), now)
            return
        if request.cseq[0] <= self._remote_seq:
            transaction.respond(request.respond(500, "CSeq Out Of Order"), now)
            return
        try:
            version, told = read(request.body) if request.body else (self._version, ())
            self._meet(request.from_, request, reverse=False)
            state, params = _state(request)
        except MalformedReginfo:
            transaction.respond(request.respond(400, "Bad Body"), now)
            return
        self._remote_seq = request.cseq[0]
        transaction.respond(request.respond(200), now)
        news = told if version > self._version else ()
        self._version = max(version, self._version)
        if state == "terminated":
            after = params.get("retry-after") or ""
            named = float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else None
            self._wait = min(named or _ENDS.get(params.get("reason") or "", _REFUSED), _LONGEST)
            self._feed(ENDED, now)
        self._apply(news, now)

    def _apply(self, news: tuple[Registered, ...], now: float) -> None:
        registration, hop = self._registration, self._hop
        if hop is None:
            return
        ours = registration.settings.contact(hop)
        bindings = [each for row in news for each in row.bindings]
        mine = [each for each in bindings if _same(each.uri, ours)]
        if any(each.state == "active" for each in mine):
            for each in mine:
                if each.event == "shortened" and each.expires is not None:
                    registration.shortened(float(each.expires), now)
                    self._lost(now)
        elif mine:
            self._taken_back(mine[0], now)
        elif news and not bindings and all(row.state == "terminated" for row in news):
            registration.taken_back("Terminated", 0.0, now)
            self._lost(now)

    def _taken_back(self, binding: Binding, now: float) -> None:
        wait = _LOST.get(binding.event)
        if wait is not None and binding.retry_after is not None:
            wait = min(float(binding.retry_after), _LONGEST)
        self._registration.taken_back(binding.event.capitalize()[:64] or "Terminated", wait, now)
        self._lost(now)


def _state(request: Request) -> tuple[str, dict[str, str | None]]:
    word, _, rest = (request.headers.get("Subscription-State") or "").partition(";")
    try:
        return word.strip().lower(), dict(parse_params(";" + rest)) if rest else {}
    except Malformed:
        return word.strip().lower(), {}


def _same(theirs: Uri, ours: Uri) -> bool:
    """Whether a contact is ours: networks add and drop parameters."""
    return (theirs.user, theirs.host, theirs.port or 5060) == (ours.user, ours.host, ours.port or 5060)


_ACTIONS: dict[str, Callable[[Watch, float], None]] = {
    ASK: Watch._ask,
    ASK_ANEW: Watch._ask_anew,
    LAST: Watch._last,
    REST: Watch._rest,
    FORGET: Watch._forget,
}
