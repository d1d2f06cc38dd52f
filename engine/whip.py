"""Callers who come over HTTP (WHIP, RFC 9725): an offer in, an answer out, and after that ICE alone.

The switch knows such a caller's leg as any other, by its session. A token that has a call comes back into it:
another leg takes the place of the one that was lost (engine/transfer.py). What is refused says so in the
words of HTTP, for that is all that this protocol has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from engine import admit
from engine.admit import Arrival
from engine.signalling import WHIP
from engine.talking import drop, left
from engine.tokens import Claims
from media import jsep
from sip.reason import Reason

if TYPE_CHECKING:
    from engine.leg import Leg
    from engine.switch import Switch

SOURCE = "whip"  # in records: by what way the call came


class Answered(NamedTuple):
    """The call is through. session: its name. version: of the way to it, which fragments refer to."""

    session: str
    version: str
    sdp: str
    call: str
    resumed: bool


class Sought(NamedTuple):
    """Another way is sought: our side of it, and the version that it makes; both "" where candidates came."""

    version: str = ""
    fragment: str = ""


class Refused(NamedTuple):
    """status: of HTTP. name: what is wrong, to program against. retry_s: after which it may be better."""

    status: int
    name: str
    detail: str
    retry_s: int = 0


Outcome = Answered | Sought | Refused
Settle = Callable[[Outcome], None]

AWAY = Refused(503, "browsers-away", "no browser is let in at the moment", 2)
DRAINING = Refused(503, "draining", "this node takes no new calls: it stops", 5)
EXPIRED = Refused(401, "unauthorized", "the token has expired")
BEGINNING = Refused(409, "call-over", "the token's call is only beginning, or just ending", 1)
WAY_GONE = Refused(410, "way-gone", "there is no other way to this leg: POST again with the same token")
GONE = Refused(404, "unknown-session", "there is no such call any more")
ELSEWHERE = Refused(421, "elsewhere", "the token's call is not at this node: it may be at another", 1)
UNNAMED = Refused(428, "precondition-required", "If-Match is needed: the ETag, or * for an ICE restart")
OTHER = Refused(412, "precondition-failed", "the ETag is not that of the present ICE session")
ONE_WAY = Refused(406, "not-acceptable", "a call's audio goes both ways: a=sendrecv is needed")
# what the switch refuses a call with, in SIP's words -> in HTTP's
REFUSALS = {
    400: Refused(400, "malformed-offer", "the offer cannot be read"),
    404: Refused(404, "unknown-destination", "nobody is to be called by that name"),
    481: BEGINNING,
    488: Refused(406, "not-acceptable", "there is no codec in it that is spoken here"),
}
OVERLOADED = Refused(503, "overloaded", "there are more calls than this node can take", 5)


class WhipSession:
    """The signalling of one leg (engine.signalling.Signalling)."""

    def __init__(self, whip: Whip, id: int, name: str, token: str, settle: Settle) -> None:
        self.id = id
        self.call_id = ""
        self.name = name
        self.token = token
        self.resumed = False
        self._whip = whip
        self._settle: Settle | None = settle

    def progress(
        self,
        sdp: bytes | None = None,
        status: int = 183,
        *,
        headers: Sequence[tuple[str, str]] = (),
        now: float,
    ) -> None:
        """Nothing: it is through before anybody is rung."""

    def answer(self, sdp: bytes | None, *, now: float) -> None:
        leg = self._whip.leg(self)
        if leg is not None and leg.door is not None and sdp is not None:
            self._whip.through(self)
            said = Answered(self.name, leg.door.version, sdp.decode(), leg.call.id, self.resumed)
            self._settled(said)

    def reject(
        self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = (), *, now: float
    ) -> None:
        self._whip.forget(self)
        self._settled(REFUSALS.get(status, OVERLOADED))

    def hangup(self, cause: Reason | None = None, *, now: float) -> None:
        """The page notices by the good-bye of DTLS."""
        self._whip.forget(self)
        self._settled(OVERLOADED)

    def surrender(self, *, now: float) -> None:
        self._whip.forget(self)
        self._settled(OVERLOADED)

    def reoffer(self, sdp: bytes | None, *, now: float) -> None:
        """Nothing: what was agreed on stays."""

    def ask(self, *, now: float) -> None:
        """Nothing: the gate's checks tell."""

    def notify_refer(self, status: int, *, now: float) -> None:
        """Nothing: it cannot ask for a transfer."""

    def _settled(self, outcome: Outcome) -> None:
        settle, self._settle = self._settle, None
        if settle is not None:
            settle(outcome)


class Whip:
    """All that a switch has. Outcomes are told at once, or when the gate has said its part."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        switch.whip = self
        self._numbers = count(-1, -1)  # SIP's sessions have those above
        self._sessions: dict[str, WhipSession] = {}  # by name
        self._of_token: dict[str, WhipSession] = {}  # the one that has the token's call, by the token's id

    # --- what callers ask -------------------------------------------------------------------------

    def call(self, claims: Claims, offer: str, settle: Settle, now: float, *, resuming: bool = False) -> None:
        """Begin the token's call, or come back into it. resuming: that alone, no call is begun."""
        switch = self._switch
        if switch.gate is None or not switch.gate.up:
            settle(AWAY)
            return
        try:
            direction = jsep.read(offer).direction
        except jsep.Refused as refused:
            name = "malformed-offer" if refused.status == 400 else "not-acceptable"
            settle(Refused(refused.status, name, str(refused)))
            return
        if direction != "sendrecv":
            settle(ONE_WAY)
            return
        former = self._of_token.get(claims.id)
        old = self.leg(former) if former is not None else None
        if old is not None and not old.call.ending:
            self._come_back(claims, old, offer, settle, now)
        elif resuming:
            settle(GONE if switch.config.cluster.alone or former is not None else ELSEWHERE)
        elif claims.expires <= switch.wall(now):
            settle(EXPIRED)
        elif switch.user_agent.settings.draining:
            settle(DRAINING)
        else:
            session = self._of_token[claims.id] = self._session(claims.id, settle)
            admit.begin(switch, _arrival(claims, session, offer), now)
        switch.assign(now)

    def _come_back(self, claims: Claims, old: Leg, offer: str, settle: Settle, now: float) -> None:
        if not old.connected:
            settle(BEGINNING)
            return
        session = self._session(claims.id, settle)
        session.resumed = True
        admit.replace(old, _arrival(claims, session, offer), now)

    def patch(
        self, name: str, token: str, fragment: str, if_match: str | None, settle: Settle, now: float
    ) -> None:
        """More candidates, or a wish to be sought anew (RFC 9725 section 4.3)."""
        leg = self._find(name, token)
        if leg is None or leg.door is None:
            settle(GONE)
            return
        if not leg.connected:
            settle(BEGINNING)
            return
        door = leg.door
        tags = [each.strip().strip('"') for each in if_match.split(",")] if if_match else []
        if not tags or ("*" not in tags and door.version not in tags):
            settle(OTHER if tags else UNNAMED)
            return
        try:
            peer, _ = jsep.read_fragment(fragment)
        except jsep.Refused as refused:
            settle(Refused(400, "malformed-fragment", str(refused)))
            return
        if door.lost:
            settle(WAY_GONE)
        elif door.told(peer):
            door.when_open(lambda at: settle(Sought(door.version, door.fragment())), now)
        else:
            settle(Sought())

    def hang_up(self, name: str, token: str, now: float) -> Refused | None:
        """None when it is done."""
        leg = self._find(name, token)
        if leg is None or leg.session is None:
            return GONE
        call = leg.call
        left(call, leg, "", now)
        if not call.ending:
            drop(call, leg, now)
        self._switch.assign(now)
        return None

    def lasts(self, token: str) -> bool:
        """Whether the token's call goes on."""
        session = self._of_token.get(token)
        leg = self.leg(session) if session is not None else None
        return leg is not None and not leg.call.ending

    # --- what its sessions ask --------------------------------------------------------------------

    def leg(self, session: WhipSession) -> Leg | None:
        return self._switch.sessions.get(session.id)

    def through(self, session: WhipSession) -> None:
        """The token's call is this session's now."""
        self._of_token[session.token] = session

    def forget(self, session: WhipSession) -> None:
        self._switch.sessions.pop(session.id, None)
        self._sessions.pop(session.name, None)
        if self._of_token.get(session.token) is session:
            del self._of_token[session.token]

    def expect(self, token: str) -> WhipSession:
        """The token's call was another node's until now: its page will come here."""
        session = self._of_token[token] = self._session(token, _nobody)
        return session

    def _session(self, token: str, settle: Settle) -> WhipSession:
        name = f"{self._switch.rng.getrandbits(128):032x}"
        session = self._sessions[name] = WhipSession(self, next(self._numbers), name, token, settle)
        return session

    def _find(self, name: str, token: str) -> Leg | None:
        session = self._sessions.get(name)
        if session is None or session.token != token:
            return None
        leg = self.leg(session)
        return None if leg is None or leg.call.ending else leg


def _nobody(outcome: Outcome) -> None:
    """Nobody asked for this session yet."""


def _arrival(claims: Claims, session: WhipSession, offer: str) -> Arrival:
    return Arrival(
        session=session,
        dialled=claims.destination,
        source=SOURCE,
        caller=claims.customer or "anonymous",
        display=claims.name,
        transport="wss",  # the offer came encrypted as far as it came by the network
        offer=offer.encode(),
        market=claims.market,
        language=claims.language,
        comeback=f"token:{claims.id}",
        manner=WHIP,
    )
