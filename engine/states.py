"""The names of a call's states and of what moves it between them; engine/transitions.py has the table."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    ARRIVED = "arrived"  # INVITE admitted, the media leg is being opened
    GREETING = "greeting"  # answered, hears the welcome
    QUEUED = "queued"  # waits with music, position and wait told at intervals
    OFFERED = "offered"  # still waits; an agent's phone rings
    DIALLING = "dialling"  # a direct call: the other phone rings
    CROSSED = "crossed"  # another node's call; an agent's phone rings for it here
    TALKING = "talking"
    HELD = "held"
    TRANSFERRING = "transferring"  # the customer waits for the transfer's target to answer
    ECHOING = "echoing"  # the customer hears herself
    LEAVING = "leaving"  # hears a last announcement
    ENDING = "ending"  # signalling is over; the media workers' last figures are awaited
    ENDED = "ended"


WAITING = (State.GREETING, State.QUEUED, State.OFFERED)  # a caller in these hears the queue, not a person


class Trigger(StrEnum):
    TO_QUEUE = "to queue"
    TO_PARTY = "to party"
    TO_ANNOUNCE = "to announcement"
    TO_ECHO = "to echo"
    PLAYED = "played"
    TELL = "time to tell position"
    ASSIGNED = "agent assigned"
    CROSSED = "crossed"
    PROGRESS = "far end rings"
    ANSWERED = "far end answered"
    FAILED = "far end failed"
    MAX_WAIT = "maximum wait"
    MOVED = "moved by hand"
    LEAVE_KEY = "leave key"
    HOLD = "hold"
    RESUME = "resume"
    REFERRED = "referred"
    TAKEN = "taken over"
    RECALL = "recall"
    PARTY_LEFT = "party left"
    GUEST_ASKED = "guest asked for"
    GUEST_CAME = "guest came"
    GUEST_MISSED = "guest not reached"
    GUEST_LEFT = "guest hung up"
    GUEST_SENT_OFF = "guest sent off"
    AGENT_LOST = "agent's node lost"
    END = "end"
    CLOSED = "media closed"
