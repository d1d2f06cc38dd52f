"""Calls in the simulation that went well, each in its own way; nothing may be found wrong with any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from sip.uri import Uri
from tests.engine.insight.planted import LINE, LOUD, end, filtered, lose, rendered, stage, talk
from tests.engine.insight.watched import Watched
from tests.sim.gateway import Lines
from tests.sim.phones import sdp
from tests.sim.stage import RTP_PORT, Voice


def queued(folder: Path) -> Watched:
    """Through a queue to an agent, a minute of talk."""
    made, watched, customer = talk(folder, rtp_timeout_s=20.0)
    made.run(25.0)
    end(made, customer)
    return watched


def relaid_and_rendered(folder: Path) -> Watched:
    """The same with every packet decoded, as when it is recorded."""
    made, watched, customer = talk(folder)
    rendered(made)
    made.run(15.0)
    end(made, customer)
    return watched


def held(folder: Path) -> Watched:
    """The agent puts the customer on hold, and takes her back."""
    made, watched, customer = talk(folder)
    made.run(8.0)
    made.agent.hold()
    made.run(8.0)
    made.agent.take_back()
    made.run(8.0)
    end(made, customer)
    return watched


def hung_up_by_the_agent(folder: Path) -> Watched:
    made, watched, _customer = talk(folder)
    made.run(12.0)
    end(made, made.agent)
    return watched


def changed_her_mind(folder: Path) -> Watched:
    """The customer hangs up while the agent's phone rings."""
    made, watched, customer = talk(folder)
    made.agent.answers = False
    made.run(4.0)
    end(made, customer)
    return watched


def behind_nat(folder: Path) -> Watched:
    """A phone names its private address, and its sound comes all the same: symmetric RTP."""
    made, watched = stage(folder)
    customer = Voice(made, "10.1.0.9")
    customer.pace_s, customer.sound = 0.02, LOUD
    made.agent.pace_s, made.agent.sound = 0.02, LOUD
    customer.sdp = lambda direction="sendrecv": sdp("192.168.1.77", RTP_PORT, direction)  # type: ignore[method-assign]
    customer.call("+4930100", "+491701234")
    made.run(15.0)
    end(made, customer)
    return watched


def a_few_packets_lost(folder: Path) -> Watched:
    made, watched, customer = talk(folder)
    lose(customer, Random(3), 0.005)
    made.run(18.0)
    end(made, customer)
    return watched


def keys_by_info(folder: Path) -> Watched:
    """The customer's phone tells its keys by INFO, and they are taken."""
    made, watched, customer = talk(folder)
    made.run(5.0)
    customer.press("5")
    made.run(2.0)
    end(made, customer)
    return watched


def a_message_lost(folder: Path) -> Watched:
    """The first ACK is lost, and comes with the repetition of our answer."""
    made, watched, customer = talk(folder)
    lost: list[bytes] = []

    def lose_first(data: bytes) -> bytes | None:
        if data.startswith(b"ACK") and not lost:
            lost.append(data)
            return None
        return data

    filtered(customer, lose_first)
    made.run(12.0)
    end(made, customer)
    return watched


def over_a_line(folder: Path) -> Watched:
    made, watched = stage(folder)
    gateway = Lines(made).add("one", LINE)
    made.agent.pace_s = gateway.pace_s = 0.02
    made.agent.call("+34910601234", made.agent.name, made.agent.credentials)
    made.run(12.0)
    end(made, gateway)
    return watched


def to_the_second_line(folder: Path) -> Watched:
    """The first line is out of service, and the second takes the call."""
    made, watched = stage(folder)
    lines = Lines(made)
    lines.add("one", "10.3.0.2", priority=1).manner = 503
    gateway = lines.add("two", LINE, priority=2)
    made.agent.pace_s = gateway.pace_s = 0.02
    lines.dial()
    made.run(12.0)
    end(made, gateway)
    return watched


def transferred(folder: Path) -> Watched:
    """The agent sends the customer on to a colleague."""
    made, watched, customer = talk(folder, agents=2)
    for phone in made.agents:
        phone.pace_s, phone.sound = 0.02, LOUD
    made.run(8.0)
    talking = next(phone for phone in made.agents if phone.session is not None and phone.live)
    other = next(phone for phone in made.agents if phone is not talking)
    assert talking.session is not None
    talking.session.refer(Uri.parse(f"sip:{other.name}@isogloss.test"), now=made.world.now)
    talking.host.pump()
    made.run(10.0)
    end(made, customer)
    return watched


CLEAN: dict[str, Callable[[Path], Watched]] = {
    each.__name__: each
    for each in (
        queued, relaid_and_rendered, held, hung_up_by_the_agent, changed_her_mind, behind_nat,
        a_few_packets_lost, keys_by_info, a_message_lost, over_a_line, to_the_second_line, transferred,
    )
}  # fmt: skip
