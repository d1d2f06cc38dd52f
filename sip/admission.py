"""Who may ask for what: digest, per-source guard and line sources put together, one verdict a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sip.challenge import Checked, DigestServer, Outcome
from sip.guard import Guard, GuardEvent, Network, source_of, within
from sip.hop import Hop
from sip.message import Request


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a request is from, as proved: a user by digest, a line by its address, another node of ours by
    its seal, or nobody in particular.
    """

    kind: Literal["user", "line", "node", "anonymous"]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The request may go on."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Challenged:
    """Answer with `status` and these headers, `after` seconds from now (a slowed source waits)."""

    headers: tuple[tuple[str, str], ...]
    status: int = 401
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Answer with `status`, `after` seconds from now (0.0: at once)."""

    status: int
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Dropped:
    """Answer nothing at all: the source is blocked or over its rate."""


Verdict = Admitted | Challenged | Refused | Dropped

CHALLENGED_METHODS = frozenset({"REGISTER", "INVITE", "SUBSCRIBE", "MESSAGE", "REFER", "PUBLISH"})
ANONYMOUS = Identity("anonymous")


@dataclass(frozen=True, slots=True)
class LineSource:
    """The addresses a line's operator sends from. They prove the line without a password.

    transports: empty means any. UDP addresses can be forged, TCP and TLS ones cannot: what a line may do is
    to be decided with that in mind.
    """

    name: str
    networks: tuple[Network, ...]
    transports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """domains: host names and addresses that are ours; nobody without a password may call in their name."""

    methods: frozenset[str] = CHALLENGED_METHODS
    anonymous_invites: bool = False
    domains: frozenset[str] = frozenset()


def same_name(user: str, claimed: str) -> bool:
    """The usual rule: whoever authenticates as `1001` calls and registers as `1001`."""
    return user == claimed


class Admission:
    """Asked once for each request that starts something: new transactions outside of dialogs.

    may_use: (authenticated user, user part claimed in From or To) -> whether they may. Requests inside
    dialogs are known by their tags and are not to be asked about; a To tag alone means nothing here.
    """

    def __init__(
        self,
        digest: DigestServer,
        guard: Guard,
        *,
        lines: Sequence[LineSource] = (),
        policy: AdmissionPolicy | None = None,
        may_use: Callable[[str, str], bool] = same_name,
    ) -> None:
        self.guard = guard
        self.digest = digest
        self.policy = policy or AdmissionPolicy()
        self._may_use = may_use
        self.nodes: Callable[[Request, Hop, float], Verdict | None] | None = None  # who knows other nodes
        self.know(lines)

    def know(self, lines: Sequence[LineSource]) -> None:
        """From now on these are the lines. The narrowest network decides where several hold an address."""
        self._networks = sorted(
            ((network, line) for line in lines for network in line.networks),
            key=lambda entry: -entry[0].prefixlen,
        )
        self._line_at = lru_cache(maxsize=4096)(self._find_line)

    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        """Decide one request that came from `hop`; `now` in monotonic seconds."""
        if self.drops(hop, now):
            return Dropped()
        if request.method in ("ACK", "CANCEL"):  # they cannot be challenged: RFC 3261 section 22.1
            return Admitted(ANONYMOUS)
        known = self.nodes(request, hop, now) if self.nodes is not None else None
        if known is not None:
            if isinstance(known, Refused):
                self.guard.failed(hop.host, "a node", now)
            return known
        line = self._line_at(hop.host, hop.transport)
        if request.method not in self.policy.methods:
            if line is None and not self._may_ask(request, hop, now):
                return Dropped()
            return Admitted(ANONYMOUS if line is None else Identity("line", line))
        source = source_of(hop.host)
        checked = self.digest.check(request.method, request.uri, request.headers, request.body, source, now)
        if checked.outcome is Outcome.VALID:
            self.guard.succeeded(hop.host, now)
            return self._as_user(request, checked.user)
        if checked.outcome is Outcome.MISSING and request.method != "REGISTER":
            if line is not None:
                return Admitted(Identity("line", line))
            if self._may_be_anonymous(request):
                ignored = self.guard.ignores(hop.host, now)
                may = not ignored and self.guard.may_answer(hop.host, now)
                return Admitted(ANONYMOUS) if may else Dropped()
        if line is None and checked.outcome is not Outcome.WRONG:
            self.guard.asked(hop.host, checked.tried or request.from_.uri.user_text, now)
        return self._turn_down(checked, hop, now)

    def drops(self, hop: Hop, now: float) -> bool:
        """Whether nothing from there is answered now: cheap enough to ask before a message is even parsed.

        Lines are never blocked: one mistake in a password would silence all calls of an operator. Nor are
        our own nodes, which TLS has let in by their keys.
        """
        if hop.between:
            return False
        return self.guard.blocks(hop.host, now) and self._line_at(hop.host, hop.transport) is None

    def events(self) -> list[GuardEvent]:
        """Sources slowed, blocked, ignored and let off since the last call."""
        return self.guard.events()

    def _may_ask(self, request: Request, hop: Hop, now: float) -> bool:
        """What nobody is challenged for. Who looks whether somebody is here asks as a stranger does."""
        guard = self.guard
        if request.method == "OPTIONS" and request.uri.user:
            guard.asked(hop.host, request.uri.user_text, now)
        return not guard.ignores(hop.host, now) and guard.may_answer(hop.host, now)

    def _turn_down(self, checked: Checked, hop: Hop, now: float) -> Verdict:
        guard, outcome = self.guard, checked.outcome
        if outcome is Outcome.WRONG:
            guard.failed(hop.host, checked.tried, now)
            if guard.blocks(hop.host, now):
                return Dropped()
        elif guard.ignores(hop.host, now):
            return Dropped()
        if not guard.may_answer(hop.host, now):
            return Dropped()
        after = guard.delay(hop.host, now)
        if outcome is Outcome.MALFORMED:
            return Refused(400, after)
        stale = outcome is Outcome.STALE
        # JsSIP and SIP.js look at the first challenge alone, and know MD5 alone.
        headers = self.digest.challenges(source_of(hop.host), now, stale=stale, plain_first=hop.one_way)
        return Challenged(headers, self.digest.policy.status, after)

    def _as_user(self, request: Request, user: str) -> Verdict:
        """The names a user shows must be theirs: From, and for REGISTER the record it changes."""
        claimed = request.to.uri if request.method == "REGISTER" else request.from_.uri
        if claimed.host == "anonymous.invalid" and request.method != "REGISTER":  # RFC 3323 section 4.1
            return Admitted(Identity("user", user))
        return Admitted(Identity("user", user)) if self._may_use(user, claimed.user_text) else Refused(403)

    def _may_be_anonymous(self, request: Request) -> bool:
        policy = self.policy
        return (
            policy.anonymous_invites
            and request.method == "INVITE"
            and request.from_.uri.host not in policy.domains
        )

    def _find_line(self, host: str, transport: str) -> str | None:
        for network, line in self._networks:
            if (not line.transports or transport in line.transports) and within(host, (network,)):
                return line.name
        return None
