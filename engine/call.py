"""One call: a single-writer state machine fed by one bounded queue of triggers.

The call is plain data and the machine that moves it; what is done on a transition lives in waiting,
dialling, talking and transfer, as functions of (call, now, what).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from engine import absence, housing, recording, silence
from engine.events import EndReason, Event, Side
from engine.latency import Latency
from engine.leg import Leg, Media
from engine.states import State, Trigger
from engine.timers import Timer
from media.messages import Play, Repair
from sip.errors import WrongState

if TYPE_CHECKING:
    from config.line import LineSettings
    from engine.attempt import Attempt
    from engine.crossed import Origin
    from engine.guest import Guest
    from engine.probe.ticket import Ticket
    from engine.recording import Recording
    from engine.speech.talk import Talk
    from engine.supervision import Supervisor
    from engine.switch import Switch
    from engine.transfer import Referral
    from engine.trunk.attempt import LineAttempt
    from routing.identity import Diverted, Shown
    from routing.number import Destination, Found
    from routing.queue import QueueSpec
    from routing.select import Assignment

log = structlog.get_logger("call")

INBOX = 64  # triggers a call may have waiting; more means a loop, and the call is ended as a fault
MEDIA_CLOSE_S = 2.0  # how long the record waits for the worker's last figures


class Clocks:
    """When things happened to the call, in seconds of the switch's clock."""

    def __init__(self, arrived: float) -> None:
        self.arrived = arrived
        self.ringing: float | None = None
        self.answered: float | None = None
        self.queued: float | None = None
        self.connected: float | None = None
        self.held: float | None = None
        self.moved = float("-inf")  # by hand, to the queue where she waits
        self.hold_s = 0.0
        self.wait_s = 0.0


class Call:
    """See the module. `customer` is the leg that called; `party` the one that it talks to."""

    def __init__(self, switch: Switch, id: str, number: str, source: str, now: float) -> None:
        self.switch = switch
        self.id = id
        self.contact = id  # a voice call opens its own contact; other channels may share one later
        self.caller = ""
        self.display = ""
        self.private = False  # the caller is not to be shown to others
        self.withheld = ""  # the number of one who is not, as the network asserts it: for networks alone
        self.diverted: Sequence[Diverted] = ()  # whom it was for before, as the network told
        self.shown: Shown | None = None  # what the newest call over a line said of its caller
        self.found: Found | None = None
        self.market = ""
        self.region = ""
        self.language = ""
        self.chosen_language = ""  # by the customer; comes before the queue's
        self.number = number
        self.source = source
        self.origin: Origin | None = None  # of a call of another node
        self.comeback = ""  # who may have the place again if this call breaks off
        self.line: LineSettings | None = None  # that it came in over
        self.state = State.ARRIVED
        self.destination: Destination | None = None
        self.queue: QueueSpec | None = None
        self.customer: Leg | None = None
        self.party: Leg | None = None
        self.guest: Guest | None = None  # whom the two talk through
        self.supervisors: list[Supervisor] = []  # who listen to it, or speak in it
        self.lost: Leg | None = None  # that died over its line, while it is called again
        self.attempt: Attempt | LineAttempt | None = None
        self.agent = ""  # the agent whose talk this is, for the record
        self.offered_agent = ""
        self.chosen: Assignment | None = None  # of the newest offer: who, and why
        self.referral: Referral | None = None  # the transfer under way
        self.transferor: Leg | None = None  # who asked for it, while that leg is there
        self.recording: Recording | None = None
        self.recorded: tuple[str, ...] = ()  # files of it that other nodes have written
        self.captioned = 0  # sentences that captions were shown of
        self.talked: Talk | None = None  # the newest that is over
        self.asr_latency, self.mt_latency = Latency(), Latency()  # of what was said in it, and of what read
        self.held_by: set[Side] = set()
        self.legs: list[Leg] = []
        self.clocks = Clocks(now)
        self.probed: Ticket | None = None  # it is the far end of a probe's call
        self.repair: Repair | None = None  # of its legs, where it is not to be as configured
        self.misses = 0
        self.transfers = 0
        self.ended_by: Side | None = None
        self.reason: EndReason | None = None
        self.ended_at = 0.0
        self.refusal = 0  # SIP status with which an unanswered customer is refused
        self.retry_after_s: float | None = None  # told with it
        self.farewell: tuple[Side, EndReason] = (Side.ENGINE, EndReason.COMPLETED)
        self.taken_from: tuple[str, ...] = ()  # the nodes that had it before, and were lost
        self._inbox: deque[tuple[Trigger, Any]] = deque()
        self._running = False
        self._play = 0
        self._timers: dict[str, Timer] = {}

    # --- the machine ------------------------------------------------------------------------------

    def fire(self, trigger: Trigger, now: float, what: Any = None) -> None:
        """Take a trigger; one that an action fires waits for that action's transition to end."""
        if len(self._inbox) >= INBOX:
            log.error("call inbox full", call=self.id, state=self.state, trigger=trigger)
            self._inbox.clear()
            self.ended_by, self.reason = Side.ENGINE, EndReason.FAULT
            trigger = Trigger.END
        self._inbox.append((trigger, what))
        if self._running:
            return
        self._running = True
        try:
            while self._inbox:
                self._step(*self._inbox.popleft(), now)
        finally:
            self._running = False

    def _step(self, trigger: Trigger, what: Any, now: float) -> None:
        row = self.switch.table.get((self.state, trigger))
        if row is None:
            log.debug("trigger ignored", call=self.id, state=self.state, trigger=trigger)
            return
        self.state, actions = row
        try:
            for action in actions:
                action(self, now, what)
        except WrongState as fault:  # ours: one call ends for it, not the loop that serves all of them
            log.error("call cannot go on", call=self.id, state=self.state, trigger=trigger, why=str(fault))
            self.end(Side.ENGINE, EndReason.FAULT, now, refusal=500)
        self.switch.touched(self, now)

    def end(self, by: Side, reason: EndReason, now: float, *, refusal: int = 0) -> None:
        """End the call; the first reason given is the one that the record tells."""
        if self.reason is None:
            self.ended_by, self.reason, self.refusal = by, reason, refusal
            self.fire(Trigger.END, now)

    def leave(self, prompt: str, by: Side, reason: EndReason, now: float) -> None:
        """Say `prompt` to the customer, then end."""
        self.farewell = (by, reason)
        self.fire(Trigger.TO_ANNOUNCE, now, prompt)

    # --- what happened ----------------------------------------------------------------------------

    def note(self, kind: type[Event], now: float, **fields: Any) -> None:
        self.switch.note(kind(at=self.switch.wall(now), call=self.id, **fields))

    # --- timers -----------------------------------------------------------------------------------

    def arm(self, name: str, delay: float, trigger: Trigger, now: float) -> None:
        """Fire `trigger` in `delay` seconds unless disarmed or armed anew."""
        self.arm_action(name, delay, lambda at: self.fire(trigger, at), now)

    def arm_action(self, name: str, delay: float, action: Callable[[float], None], now: float) -> None:
        self.disarm(name)
        self._timers[name] = self.switch.timers.at(now + delay, action)

    def armed(self, name: str) -> bool:
        return name in self._timers and self._timers[name].pending

    def disarm(self, *names: str) -> None:
        for name in names or tuple(self._timers):
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer.cancel()

    # --- sound ------------------------------------------------------------------------------------

    def play(
        self, leg: Leg, prompts: Sequence[str], *, loop: bool = False, barge: bool = False, over: bool = False
    ) -> None:
        """Play named prompts to a leg in the call's language, instead of what plays there.

        barge: its far end may interrupt them by speaking. over: what loops there goes on when they are over.
        """
        if not over:
            self.hush(leg)
        self._play += 1
        items = [self.switch.prompts.path(self.language, name) for name in prompts]
        leg.play(Play(leg.number, self._play, items, loop, barge=barge))

    def hush(self, leg: Leg) -> None:
        """Stop whatever plays to the leg."""
        leg.lulled = False
        leg.hush()

    def played(self, leg: Leg, play: int, over: bool, now: float) -> None:
        """A play came to its end; one that was stopped on purpose, or an older one, moves nothing.

        over: it was heard out, or interrupted by who heard it.
        """
        if over and play == self._play and leg is self.customer:
            recording.played(self)
            self.fire(Trigger.PLAYED, now)

    # --- legs -------------------------------------------------------------------------------------

    def new_leg(self, side: Side) -> Leg:
        assert self.legs or side is Side.CUSTOMER, "a call begins with its customer"
        leg = self.switch.new_leg(self, side, housing.place(self.switch, self))
        self.legs.append(leg)
        return leg

    def adopt(self, leg: Leg, side: Side) -> None:
        """Take over a leg of another call."""
        silence.leave(leg)
        absence.leave(leg)
        leg.call.legs.remove(leg)
        leg.call, leg.side = self, side
        self.legs.append(leg)
        for session in [leg.session, *(leg.attempt.ringing if leg.attempt is not None else ())]:
            if session is not None:
                self.switch.bind(session, leg)

    def other(self, leg: Leg) -> Leg | None:
        return self.party if leg is self.customer else self.customer

    def discard(self, leg: Leg) -> None:
        """A leg that never opened its sound is no part of the call any more."""
        self.legs.remove(leg)
        self.switch.legs.pop(leg.number, None)

    def leg_closed(self, leg: Leg, now: float) -> None:
        leg.media = Media.CLOSED
        self.switch.trunks.over(leg, now)
        if leg is not self.customer and leg is not self.party:
            self.legs.remove(leg)
        if self.state is State.ENDING and not self.open_media():
            self.fire(Trigger.CLOSED, now)

    @property
    def ending(self) -> bool:
        return self.state in (State.ENDING, State.ENDED)

    def file_closed(self, now: float) -> None:
        """The recorder is done with the call's recording."""
        if self.state is State.ENDING and not self.open_media():
            self.fire(Trigger.CLOSED, now)

    def let_go(self) -> None:
        """Over and done with. Legs know their call: the ring is not left to Python's collector."""
        self.legs.clear()
        self.customer = self.party = self.transferor = self.lost = None
        self.attempt = self.referral = self.guest = None
        self.supervisors.clear()

    def open_media(self) -> bool:
        """Whether workers or the recorder have something to say of it yet."""
        if recording.open_file(self):
            return True
        return any(leg.media not in (Media.NONE, Media.CLOSED) for leg in self.legs)
