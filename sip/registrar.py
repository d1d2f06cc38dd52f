"""The registrar and its location service (RFC 3261 section 10.3, RFC 3327, RFC 5626), sans-IO.

A REGISTER is checked whole before anything changes: it succeeds for all of its contacts or for none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sip import outbound
from sip.admission import Identity
from sip.errors import Malformed
from sip.headers import quote
from sip.hop import DEFAULT_PORTS, Hop
from sip.message import NameAddr, Request, Response
from sip.outbound import Target
from sip.timeouts import Timeout, Timeouts
from sip.uri import Uri

SUPPORTED = frozenset({"path", outbound.OPTION})
_Q = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_SECONDS = re.compile(r"\d{1,10}")
_KEPT_PARAMETERS = frozenset({"+sip.instance", "reg-id", "q", "expires"})


@dataclass(frozen=True, slots=True)
class RegistrarPolicy:
    """Expiries in seconds. domain: what stands in every address of record this registrar keeps.

    aliases: other host names and addresses that mean the same; None: whatever a phone was told to use does.
    flow_timer: what phones that keep their connection are told to say something within; 0: nothing is told.
    """

    domain: str
    aliases: frozenset[str] | None = None
    min_expires: int = 60
    max_expires: int = 3600
    default_expires: int = 600
    max_contacts: int = 10  # bindings of one address of record; one more takes the place of the oldest
    max_bindings: int = 20_000
    max_path: int = 8
    flow_timer: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """Where one device of an address of record is reached.

    hop: where its REGISTER came from, which is the way back through a NAT. path: Route values to put before
    the contact, first hop first. expires_at, updated_at: monotonic seconds.
    """

    contact: Uri
    hop: Hop
    expires_at: float
    updated_at: float
    call_id: str
    cseq: int
    q: float = 1.0
    path: tuple[str, ...] = ()
    instance: str | None = None
    reg_id: str | None = None
    user_agent: str = ""
    params: tuple[
        tuple[str, str | None], ...
    ] = ()  # the other Contact parameters, such as methods or +sip.rendering

    def is_same_device(self, other: Binding) -> bool:
        """RFC 5626 section 6: instance and reg-id name a device's flow, whatever its address is now."""
        if self.instance is not None and self.reg_id is not None:
            return (self.instance, self.reg_id) == (other.instance, other.reg_id)
        return self.contact.matches(other.contact)


@dataclass(frozen=True, slots=True)
class Registered:
    """A binding was made, or refreshed (`fresh` False)."""

    aor: str
    binding: Binding
    fresh: bool = True


@dataclass(frozen=True, slots=True)
class Unregistered:
    """A binding is gone. why: "removed", "expired", "replaced" (by a newer one) or "flow lost"."""

    aor: str
    contact: Uri
    why: str


RegistrarEvent = Registered | Unregistered
Outcome = tuple[Response, list[RegistrarEvent]]


@dataclass(slots=True, eq=False)
class _Row:
    """A binding in the table, with its timer."""

    registrar: Registrar
    aor: str
    binding: Binding
    timeout: Timeout | None = None

    def fire(self, name: str, now: float) -> None:
        self.timeout = None
        self.registrar.expire(self)


class _Refused(Exception):
    def __init__(
        self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(status)
        self.status = status
        self.reason = reason
        self.headers = headers


@dataclass(slots=True)
class Registrar:
    """`register` for each admitted REGISTER, `timeout` at `next_timeout`, `lookup` to reach somebody."""

    policy: RegistrarPolicy
    _rows: dict[str, list[_Row]] = field(default_factory=dict)  # address of record -> oldest first
    _flows: dict[Hop, list[_Row]] = field(default_factory=dict)  # by the stream they came over
    _timeouts: Timeouts = field(default_factory=Timeouts)
    _expired: list[RegistrarEvent] = field(default_factory=list)
    _size: int = 0

    def register(self, request: Request, identity: Identity, hop: Hop, now: float) -> Outcome:
        """Answer one REGISTER and say what it changed; `identity` is one that may change the To address."""
        try:
            return self._register(request, identity, hop, now)
        except _Refused as refused:
            return request.respond(refused.status, refused.reason, headers=refused.headers), []

    def adopt(self, aor: str, binding: Binding, now: float) -> list[RegistrarEvent]:
        """Take a binding that another registrar of this domain made; what this one knows of the device goes
        before it.
        """
        known = _find(self._rows.get(aor, []), binding)
        if known is not None or binding.expires_at <= now or self._size >= self.policy.max_bindings:
            return []
        return self._store(aor, None, binding, now)

    def lookup(self, aor: str, now: float) -> list[Binding]:
        """Live bindings, by q, then the newest first (RFC 3261 section 16.6 tries them in that order)."""
        live = [row.binding for row in self._rows.get(aor, ()) if row.binding.expires_at > now]
        return sorted(live, key=lambda binding: (-binding.q, -binding.updated_at))

    def targets(self, aor: str, now: float) -> list[Target]:
        """The phones to ring, best first, each once whatever it has registered over (RFC 5626 section 6)."""
        return outbound.targets(self.lookup(aor, now))

    def flow_to(self, aor: Uri, contact: Uri) -> Hop | None:
        """The connection over which a phone of `aor` is registered now; None when it is over none."""
        rows = self._rows.get(self.aor_of(aor) or "", ())
        found = [row.binding for row in rows if row.binding.contact.matches(contact)]
        newest = max(found, key=lambda binding: binding.updated_at, default=None)
        return newest.hop if newest is not None and newest.hop.connection else None

    def aor_of(self, uri: Uri) -> str | None:
        """The address of record a URI means here, None when its host is not ours."""
        policy = self.policy
        hosts = policy.aliases
        if not uri.user or (hosts is not None and uri.host != policy.domain and uri.host not in hosts):
            return None
        return replace(uri, scheme="sip", host=policy.domain).aor

    def flow_failed(self, hop: Hop, now: float) -> list[RegistrarEvent]:
        """A stream closed: its bindings are reached at their own contact where that can work, or are lost.

        Behind a NAT only the stream led there, and what was registered by RFC 5626 was the stream itself; any
        other contact at the stream's own address takes a new connection.
        """
        events: list[RegistrarEvent] = []
        for row in list(self._flows.get(hop, ())):
            contact = row.binding.contact
            if contact.host == hop.host and not hop.one_way and row.binding.reg_id is None:
                port = contact.port or DEFAULT_PORTS[hop.transport]
                self._place(row, replace(row.binding, hop=Hop(hop.transport, hop.host, port)))
            else:
                events.append(self._remove(row, "flow lost"))
        return events

    def forget(self, aor: str) -> list[RegistrarEvent]:
        """Let go of every phone of an account that is no more."""
        return [self._remove(row, "removed") for row in list(self._rows.get(aor, ()))]

    def next_timeout(self) -> float | None:
        """When `timeout` has something to do."""
        return self._timeouts.next()

    def timeout(self, now: float) -> list[RegistrarEvent]:
        """Let go of what has expired."""
        self._timeouts.run(now)
        expired, self._expired = self._expired, []
        return expired

    def counts(self) -> dict[str, int]:
        """Rows of each table."""
        return {
            "aors": len(self._rows),
            "bindings": self._size,
            "flows": len(self._flows),
            "timers": len(self._timeouts),
        }

    def all(self, now: float) -> dict[str, list[Binding]]:
        """Everything registered now, by address of record."""
        return {aor: bindings for aor in self._rows if (bindings := self.lookup(aor, now))}

    def expire(self, row: _Row) -> None:
        """Called by a row whose time is over."""
        self._expired.append(self._remove(row, "expired"))

    def _register(self, request: Request, identity: Identity, hop: Hop, now: float) -> Outcome:
        unsupported = sorted(request.headers.tokens("Require") - SUPPORTED)
        if unsupported:
            raise _Refused(420, headers=[("Unsupported", ", ".join(unsupported))])
        if identity.kind != "user":
            raise _Refused(403)
        aor = self.aor_of(request.to.uri)
        if aor is None:
            raise _Refused(404)
        flows = outbound.is_asked(request)
        if flows and outbound.lacks_first_hop(request):
            raise _Refused(*outbound.LACKING)
        rows = self._rows.get(aor, [])
        if request.wildcard_contact:
            events = self._remove_all(request, rows)
        else:
            path = self._read_path(request)
            wanted = [self._read(contact, request, hop, path, now) for contact in request.contacts]
            if flows and sum(binding.reg_id is not None for binding in wanted) > 1:
                raise _Refused(400, "Only One Contact Per Connection")
            events = self._update(aor, wanted, now)
        headers = self._answer_headers(request, aor, now)
        return request.respond(200, headers=headers + (self._flow_headers() if flows else [])), events

    def _remove_all(self, request: Request, rows: list[_Row]) -> list[RegistrarEvent]:
        if request.expires != 0 or len(request.headers.all("Contact")) != 1:
            raise _Refused(400, "Contact * Needs Expires 0")
        for row in rows:
            _check_order(row.binding, request.call_id, request.cseq[0])
        return [self._remove(row, "removed") for row in list(rows)]

    def _read_path(self, request: Request) -> tuple[str, ...]:
        try:
            path = tuple(str(NameAddr.parse(value)) for value in request.headers.values("Path"))
        except Malformed as error:
            raise _Refused(400, "Bad Path") from error
        if len(path) > self.policy.max_path:
            raise _Refused(400, "Too Many Path Values")
        return path

    def _read(
        self, contact: NameAddr, request: Request, hop: Hop, path: tuple[str, ...], now: float
    ) -> Binding:
        if contact.uri.scheme not in ("sip", "sips") or not contact.uri.host:
            raise _Refused(400, "Contact Must Be a SIP URI")
        q = contact.param("q")
        if q is not None and not _Q.fullmatch(q):
            raise _Refused(400, "Bad q")
        instance, reg_id = outbound.identity_of(contact)
        return Binding(
            contact=contact.uri,
            hop=hop,
            expires_at=now + self._lifetime(contact, request),
            updated_at=now,
            call_id=request.call_id,
            cseq=request.cseq[0],
            q=float(q) if q else 1.0,
            path=path,
            instance=instance,
            reg_id=reg_id,
            user_agent=(request.headers.get("User-Agent") or "")[:128],
            params=tuple(param for param in contact.params if param[0] not in _KEPT_PARAMETERS),
        )

    def _lifetime(self, contact: NameAddr, request: Request) -> int:
        """Seconds granted; what cannot be read means the default (section 10.3 step 7)."""
        policy = self.policy
        asked = contact.param("expires")
        if asked is not None and _SECONDS.fullmatch(asked):
            seconds = int(asked)
        elif request.expires is not None and asked is None:
            seconds = request.expires
        else:
            seconds = policy.default_expires
        if 0 < seconds < policy.min_expires:
            raise _Refused(423, headers=[("Min-Expires", str(policy.min_expires))])
        return min(seconds, policy.max_expires)

    def _update(self, aor: str, wanted: list[Binding], now: float) -> list[RegistrarEvent]:
        policy = self.policy
        rows = self._rows.get(aor, [])
        if len(wanted) > policy.max_contacts:
            raise _Refused(403, "Too Many Contacts")
        known = [_find(rows, binding) for binding in wanted]
        for row, binding in zip(known, wanted, strict=True):
            if row is not None:
                _check_order(row.binding, binding.call_id, binding.cseq)
        added = sum(
            row is None and binding.expires_at > now for row, binding in zip(known, wanted, strict=True)
        )
        if self._size + added > policy.max_bindings:
            raise _Refused(503, headers=[("Retry-After", "60")])
        events: list[RegistrarEvent] = []
        for binding in wanted:
            events += self._store(aor, _find(self._rows.get(aor, []), binding), binding, now)
        return events

    def _store(self, aor: str, row: _Row | None, binding: Binding, now: float) -> list[RegistrarEvent]:
        if binding.expires_at <= now:
            return [] if row is None else [self._remove(row, "removed")]
        if row is not None:
            self._timeouts.cancel(row.timeout)
            moved = not row.binding.contact.matches(binding.contact)
            events: list[RegistrarEvent] = []
            if moved:
                events.append(Unregistered(aor, row.binding.contact, "replaced"))
            self._place(row, binding)
            row.timeout = self._timeouts.start(binding.expires_at, row, "expiry")
            return [*events, Registered(aor, binding, fresh=moved)]
        rows = self._rows.setdefault(aor, [])
        events = []
        if len(rows) >= self.policy.max_contacts:
            events.append(self._remove(min(rows, key=lambda row: row.binding.updated_at), "replaced"))
            rows = self._rows.setdefault(aor, rows)
        row = _Row(self, aor, binding)
        row.timeout = self._timeouts.start(binding.expires_at, row, "expiry")
        rows.append(row)
        self._place(row, binding)
        self._size += 1
        return [*events, Registered(aor, binding)]

    def _place(self, row: _Row, binding: Binding) -> None:
        """Give a row its binding, and file it under the stream the binding hangs on."""
        self._unfile(row)
        row.binding = binding
        if binding.hop.connection:
            self._flows.setdefault(binding.hop, []).append(row)

    def _unfile(self, row: _Row) -> None:
        rows = self._flows.get(row.binding.hop, [])
        if row in rows:
            rows.remove(row)
            if not rows:
                del self._flows[row.binding.hop]

    def _remove(self, row: _Row, why: str) -> Unregistered:
        self._timeouts.cancel(row.timeout)
        self._unfile(row)
        rows = self._rows[row.aor]
        rows.remove(row)
        if not rows:
            del self._rows[row.aor]
        self._size -= 1
        return Unregistered(row.aor, row.binding.contact, why)

    def _answer_headers(self, request: Request, aor: str, now: float) -> list[tuple[str, str]]:
        headers = [("Contact", _describe(binding, now)) for binding in self.lookup(aor, now)]
        headers += [("Path", value) for value in request.headers.all("Path")]
        return headers

    def _flow_headers(self) -> list[tuple[str, str]]:
        timer = self.policy.flow_timer
        told = [("Flow-Timer", str(timer))] if timer else []
        return [("Require", outbound.OPTION), ("Supported", ", ".join(sorted(SUPPORTED))), *told]


def _find(rows: list[_Row], binding: Binding) -> _Row | None:
    return next((row for row in rows if binding.is_same_device(row.binding)), None)


def _check_order(binding: Binding, call_id: str, cseq: int) -> None:
    """A late or repeated REGISTER of one client must not undo a newer one (section 10.3 steps 6 and 7)."""
    if binding.call_id == call_id and cseq <= binding.cseq:
        raise _Refused(500, "Out of Order", [("Retry-After", "1")])


def _describe(binding: Binding, now: float) -> str:
    text = f"<{binding.contact}>;expires={max(1, round(binding.expires_at - now))}"
    if binding.q != 1.0:
        text += f";q={binding.q:g}"
    if binding.instance is not None:
        text += f";+sip.instance={quote(binding.instance)}"
    if binding.reg_id is not None:
        text += f";reg-id={binding.reg_id}"
    return text
