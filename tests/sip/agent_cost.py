"""What a call costs the user agent: `python -m tests.sip.agent_cost [--calls N]`, one JSON line.

Two agents in memory, no network model: INVITE, 180, 200, ACK, BYE, 200; both sides on one core. A message
counts once for the side that makes it and once for the side that reads it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from random import Random

from sip.agent import UserAgent
from sip.events import Answered, IncomingCall
from sip.hop import Hop
from sip.message import NameAddr, Uri
from sip.settings import AgentSettings
from tests.sip.network import Open

SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
HOPS = (Hop("udp", "10.0.0.1", 5060), Hop("udp", "10.0.0.2", 5060))


def run(calls: int) -> dict[str, float]:
    """Milliseconds of CPU a call and side, microseconds a message and side."""
    sides = [
        UserAgent(AgentSettings({"udp": (hop.host, 5060)}), rng=Random(index), admission=Open())
        for index, hop in enumerate(HOPS)
    ]
    users = [NameAddr("", Uri.sip(f"user{index}", hop.host)) for index, hop in enumerate(HOPS)]
    now, messages = 0.0, 0
    started = time.process_time()
    for _ in range(calls):
        now += 0.02
        caller = sides[0].invite(users[1].uri, (HOPS[1],), from_=users[0], to=users[1], offer=SDP, now=now)
        moved = True
        while moved:
            moved = False
            for index, side in enumerate(sides):
                for data, _hop in side.outgoing():
                    sides[1 - index].receive(data, HOPS[index], now)
                    messages += 1
                    moved = True
            for event in (*sides[0].events(), *sides[1].events()):
                if isinstance(event, IncomingCall):
                    event.session.ring(now=now)
                    event.session.answer(SDP, now=now)
                elif isinstance(event, Answered):
                    caller.hangup(now=now)
                moved = True
        for side in sides:
            due = side.next_timeout()
            if due is not None and due <= now:
                side.timeout(now)
    spent = time.process_time() - started
    return {
        "calls": calls,
        "messages_per_call": messages / calls,
        "ms_per_call_and_side": round(spent / calls / 2 * 1000, 3),
        "us_per_message_and_side": round(spent / messages / 2 * 1e6, 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2000)
    print(json.dumps(run(parser.parse_args(arguments).calls)))


if __name__ == "__main__":
    main()
