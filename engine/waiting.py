"""What a waiting caller lives through: welcome, music, position and wait told, an offer, leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import absence, crossing, recording, sound
from engine.attempt import Outcome
from engine.events import (
    CallOffered,
    CallQueued,
    EndReason,
    OfferMissed,
    QueueLeft,
    Side,
)
from engine.states import State, Trigger
from routing.number import QueueTarget
from routing.queue import Place, QueueFull
from routing.select import Assignment

if TYPE_CHECKING:
    from engine.call import Call
    from routing.number import Destination
    from routing.queue import QueueSpec

TOLD_POSITIONS = 20  # positions with a prompt of their own; beyond, "more than twenty"
# Ends of calls that callers did not want: their places are kept for a while.
DROPPED = frozenset(
    {EndReason.SIGNALLING_LOST, EndReason.MEDIA_LOST, EndReason.NOT_RESUMED, EndReason.SHUTDOWN}
)
TOLD_MINUTES = (1, 2, 3, 5, 10, 15, 20, 30, 60)


def welcome(call: Call, now: float, _: Any) -> None:
    assert call.queue is not None and call.customer is not None
    call.language = call.chosen_language or call.queue.language or call.language
    sound.treat(call.customer)
    first = _notice(call)
    if first or call.queue.welcome:
        barge = call.queue.sound.barge_in and not first
        call.play(call.customer, (*first, *call.queue.welcome), barge=barge)
    else:
        call.fire(Trigger.PLAYED, now)


def _notice(call: Call) -> tuple[str, ...]:
    """What a caller has to hear before she is recorded, once."""
    mine = call.recording
    if mine is None or mine.noticed or call.queue is None or call.queue.recording.mode != "announce":
        return ()
    mine.noticed = True
    return (recording.NOTICE,)


def enqueue(call: Call, now: float, what: Any) -> None:
    """Take a place; `what` is the QueueTarget of a move, or None for the queue that the call came for."""
    if isinstance(what, QueueTarget):
        call.queue = call.switch.acd.queues[what.name].spec
        if call.customer is not None:
            sound.treat(call.customer)
    assert call.queue is not None
    try:
        back = call.switch.acd.enqueue(call.queue.name, call.id, now, call.comeback)
    except QueueFull:
        send_on(call, call.queue.overflow, now, "full", EndReason.OVERFLOW_FAILED)
        return
    call.clocks.queued = call.clocks.queued or now
    _note_place(call, now, returned=back)
    _start_waiting(call, now)


def enqueue_first(call: Call, now: float) -> None:
    """Before all others: whoever talked to her is gone, and it was our fault."""
    assert call.queue is not None
    call.switch.acd.enqueue_first(call.queue.name, call.id, now, call.comeback)
    _note_place(call, now, at_head=True)
    _start_waiting(call, now)


def return_to_place(call: Call, now: float, place: Place | None) -> None:
    """The call comes from another node, with the place that it had there, if it had one."""
    assert call.queue is not None
    if place is None:
        enqueue(call, now, None)
        return
    call.switch.acd.give_back(call.queue.name, place, now)
    _note_place(call, now, at_head=False)
    _start_waiting(call, now)


def requeue(call: Call, now: float, _: Any) -> None:
    """After a missed offer: the same place again, which the queue kept."""
    assert call.queue is not None
    call.switch.acd.restore(call.queue.name, call.id)
    _note_place(call, now, at_head=True)
    _start_waiting(call, now, music=False)


def _note_place(call: Call, now: float, *, at_head: bool = False, returned: bool = False) -> None:
    assert call.queue is not None
    position = call.switch.acd.queues[call.queue.name].position(call.id)
    call.note(CallQueued, now, queue=call.queue.name, position=position, at_head=at_head, returned=returned)


def _start_waiting(call: Call, now: float, *, music: bool = True) -> None:
    spec = call.queue
    assert spec is not None and call.customer is not None
    recording.begin(call, now)
    absence.pass_over(call)
    notice = _notice(call)
    if notice:
        call.play(call.customer, notice)
    elif music:
        play_music(call, now, None)
    _time(call, now)


def _time(call: Call, now: float) -> None:
    """When she is told her position, and when she has waited long enough."""
    spec = call.queue
    assert spec is not None
    if spec.announce_every_s > 0:
        call.arm("tell", spec.announce_every_s, Trigger.TELL, now)
    if spec.max_wait_s > 0:
        place = call.switch.acd.queues[spec.name].place(call.id)
        assert place is not None
        since = max(place.joined_at, call.clocks.moved)
        call.arm("max_wait", max(0.0, since + spec.max_wait_s - now), Trigger.MAX_WAIT, now)


def retold(call: Call, spec: QueueSpec, now: float) -> None:
    """The queue of a caller who waits, or is on her way to it, has other terms."""
    call.queue = spec
    if call.state in (State.QUEUED, State.OFFERED):
        call.disarm("tell", "max_wait")
        _time(call, now)


def play_music(call: Call, now: float, _: Any) -> None:
    assert call.customer is not None
    name = call.queue.music if call.queue and call.queue.music else "music"
    call.play(call.customer, (name,), loop=True)


def tell_position(call: Call, now: float, _: Any) -> None:
    spec = call.queue
    assert spec is not None and call.customer is not None
    call.arm("tell", spec.announce_every_s, Trigger.TELL, now)
    queue = call.switch.acd.queues[spec.name]
    position = queue.position(call.id)
    prompts = []
    if spec.announce_position and position:
        prompts.append(f"position-{position}" if position <= TOLD_POSITIONS else "position-more")
    estimate = call.switch.acd.estimated_wait(spec.name, position, now)
    if spec.announce_wait and estimate is not None:
        prompts.append(wait_prompt(estimate))
    if prompts:
        call.play(call.customer, prompts)


def wait_prompt(seconds: float) -> str:
    """The prompt for an expected wait: rounded up to the next one that is recorded."""
    if seconds < 60:
        return "wait-less-than-1"
    return next((f"wait-{m}" for m in TOLD_MINUTES if seconds <= m * 60), "wait-more")


def offer(call: Call, now: float, assignment: Assignment) -> None:
    """Ring the chosen agent's phone; the caller goes on hearing music."""
    assert call.queue is not None
    call.offered_agent, call.chosen = assignment.agent, assignment
    call.note(
        CallOffered,
        now,
        queue=assignment.queue,
        agent=assignment.agent,
        why=str(assignment.reasons),
        node=assignment.node,
    )
    call.attempt = crossing.offered(call, assignment)
    call.attempt.start(now)


def offer_answered(call: Call, now: float, _: Any) -> None:
    assert call.queue is not None
    call.disarm("tell", "max_wait")
    call.switch.acd.leave(call.queue.name, call.id, now, served=True)
    call.switch.acd.accepted(call.offered_agent, call.id, now)
    call.agent, call.offered_agent = call.offered_agent, ""


def offer_missed(call: Call, now: float, outcome: Outcome) -> None:
    """The agent did not take it: she is counted a miss, the caller keeps the place."""
    agent, call.offered_agent = call.offered_agent, ""
    call.attempt = None
    elsewhere = call.chosen is not None and call.chosen.node
    if not (elsewhere and outcome.status in crossing.NOT_HERS):
        call.misses += 1
        call.note(OfferMissed, now, agent=agent, outcome=outcome.word)
    call.switch.acd.missed(agent, call.id, now, refused=outcome.refused)


def call_off(call: Call, now: float) -> None:
    """An agent's phone that rings for her rings no more, and nothing is told at its time."""
    call.disarm("tell", "max_wait")
    if call.attempt is not None:
        call.attempt.cancel(now)
        call.attempt = None
    if call.offered_agent:
        call.switch.acd.release(call.offered_agent, call.id, now)
        call.offered_agent = ""


def leave_queue(call: Call, now: float, _: Any) -> None:
    """Give up the place, and call off an agent's ringing phone if one rings."""
    call_off(call, now)
    if call.queue is not None and call.reason in DROPPED:
        call.switch.acd.keep(call.queue.name, call.id, now)
    elif call.queue is not None:
        call.switch.acd.leave(call.queue.name, call.id, now, served=False)


def overflow(call: Call, now: float, _: Any) -> None:
    assert call.queue is not None
    call.note(QueueLeft, now, queue=call.queue.name, why="maximum wait")
    send_on(call, call.queue.overflow, now, "wait", EndReason.OVERFLOW_FAILED)


def leave_on_key(call: Call, now: float, _: Any) -> None:
    assert call.queue is not None
    call.note(QueueLeft, now, queue=call.queue.name, why="key")
    send_on(call, call.queue.leave_to, now, "key", EndReason.LEFT_QUEUE)


def send_on(call: Call, target: Destination | None, now: float, why: str, reason: EndReason) -> None:
    """Send a waiting caller to `target`, or say goodbye where there is none."""
    call.destination = target
    if isinstance(target, QueueTarget):
        call.fire(Trigger.TO_QUEUE, now, target)
    elif target is None:
        by = Side.CUSTOMER if why == "key" else Side.ENGINE
        call.leave("left-queue" if why == "key" else "overloaded", by, reason, now)
    else:
        call.switch.direct(call, target, now)


def announce(call: Call, now: float, prompt: Any) -> None:
    assert call.customer is not None
    call.play(call.customer, (str(prompt),))


def said_goodbye(call: Call, now: float, _: Any) -> None:
    call.end(*call.farewell, now)
