"""Calls in several media workers: where they are placed, and what happens when two of them are joined."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from config.media import port_shares
from engine.door import Door
from engine.events import EndReason
from engine.leg import Leg
from engine.states import State
from engine.workers import Seat, emptiest
from media.gate import GateCommand
from media.messages import LegClosed, LegFailed, LegOpened, LegStats, OpenLeg, WorkerReady
from sip.session import Session
from sip.uri import Uri
from tests.sim.house import DOMAIN
from tests.sim.stage import AgentVoice, Stage, Voice

PACKET_S, PACKET = 0.020, 160
NOTICED_S = 0.2  # a gap of speech that is noticed


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Two workers. A customer talks to agent0, whose consultation finds no room in that call's worker."""
    stage = Stage(tmp_path, agents=2, workers=2, scattered=1.0)
    customer = stage.customer()
    stage.run(6.0)
    assert customer.session is not None
    assert stage.call.agent == "agent0"
    return stage


@pytest.fixture
def customer(stage: Stage) -> Voice:
    (found,) = (host for host in phones(stage) if host.address.startswith("10.1."))
    return found


def phones(stage: Stage) -> list[Voice]:
    return [handler.__self__ for host in stage.world.hosts.values() if (handler := host.on_event)
            and isinstance(getattr(handler, "__self__", None), Voice)]  # fmt: skip


def consult(agent: AgentVoice, target: str = "agent1", wait: float = 3.0) -> Session:
    """Hold the customer and call somebody."""
    agent.hold()
    agent.stage.run(0.5)
    session = agent.call(target, agent.name, agent.credentials)
    agent.stage.run(wait)
    return session


def join(stage: Stage, with_customer: Session, consultation: Session) -> None:
    with_customer.refer(Uri.parse(f"sip:anybody@{DOMAIN}"), replaces=consultation, now=stage.world.now)
    stage.agent.host.pump()


def legs(stage: Stage) -> tuple[Leg, Leg]:
    """The customer's and the party's of the only call."""
    call = stage.call
    assert call.customer is not None and call.party is not None
    return call.customer, call.party


def talk(stage: Stage, *speakers: Voice, seconds: float) -> dict[str, list[tuple[float, bytes]]]:
    """Let phones speak for a while: what arrives at which address, when, each saying its own address."""
    heard: dict[str, list[tuple[float, bytes]]] = {}
    stage.house.carried = lambda data, target: heard.setdefault(target[0], []).append(
        (stage.world.now, data[12:])
    )
    for _ in range(round(seconds / PACKET_S)):
        for speaker in speakers:
            speaker.say(PACKET, said_by(speaker))
        stage.run(PACKET_S)
    return heard


def said_by(speaker: Voice) -> bytes:
    return speaker.address.encode().ljust(PACKET, b"\xd5")


def test_two_calls_of_an_agent_in_two_workers_are_joined_in_the_customers(
    stage: Stage, customer: Voice
) -> None:
    agent, colleague = stage.agents
    for phone in (customer, agent, colleague):
        phone.speaks = False
    with_customer = agent.session
    assert with_customer is not None
    consultation = consult(agent)
    homes = {leg.worker for call in stage.calls.values() for leg in call.legs}
    assert len(homes) == 2
    join(stage, with_customer, consultation)
    asked = stage.world.now
    heard = talk(stage, customer, colleague, seconds=1.0)
    ours, theirs = legs(stage)
    assert (stage.call.state, stage.call.agent) == (State.TALKING, "agent1")
    assert ours.worker == theirs.worker
    for listener, speaker in ((customer, colleague), (colleague, customer)):
        times = [at for at, sound in heard[listener.address] if sound == said_by(speaker)]
        assert times[0] - asked < NOTICED_S
        assert all(b - a < 1.5 * PACKET_S for a, b in pairwise(times))
    assert stage.house.moves == 1
    assert (
        stage.house.workers[theirs.worker].share[0]
        <= theirs.port
        <= stage.house.workers[theirs.worker].share[1]
    )


def test_after_a_move_the_other_worker_holds_nothing_of_the_call(stage: Stage) -> None:
    with_customer = stage.agent.session
    assert with_customer is not None
    join(stage, with_customer, consult(stage.agent))
    stage.run(2.0)
    home = legs(stage)[0].worker
    (other,) = (worker for worker in stage.house.living if worker.number != home)
    assert other.control.idle
    assert other.network.free == other.ports
    other.alive = False
    stage.house.switch.worker_lost(other.number, stage.world.now)
    stage.run(2.0)
    assert stage.call.state is State.TALKING


def test_a_colleague_who_still_rings_in_another_worker_moves_when_she_answers(stage: Stage) -> None:
    agent, colleague = stage.agents
    with_customer = agent.session
    assert with_customer is not None
    colleague.answers = False
    consultation = consult(agent)
    join(stage, with_customer, consultation)
    stage.run(1.0)
    assert stage.house.moves == 0
    assert colleague.session is not None
    colleague.pick_up(colleague.session)
    colleague.host.pump()
    stage.run(1.0)
    ours, theirs = legs(stage)
    assert (stage.call.agent, theirs.worker, theirs.moving) == ("agent1", ours.worker, False)
    assert stage.house.moves == 1


def test_a_phone_that_refuses_its_new_port_ends_the_call_and_leaves_nothing(stage: Stage) -> None:
    agent, colleague = stage.agents
    with_customer = agent.session
    assert with_customer is not None
    consultation = consult(agent)
    colleague.refuses = 488
    join(stage, with_customer, consultation)
    stage.run(5.0)
    assert not stage.calls
    assert EndReason.NOT_ACCEPTABLE in [record.reason for record in stage.records]
    assert_nothing_left(stage)


def test_a_customer_who_hangs_up_while_the_party_moves_leaves_nothing(stage: Stage, customer: Voice) -> None:
    with_customer = stage.agent.session
    assert with_customer is not None and customer.session is not None
    join(stage, with_customer, consult(stage.agent))
    customer.hang_up(customer.session)
    customer.host.pump()
    stage.run(5.0)
    assert not stage.calls
    assert_nothing_left(stage)


def assert_nothing_left(stage: Stage) -> None:
    assert not stage.house.switch.legs
    for worker in stage.house.living:
        assert worker.control.idle
        assert worker.network.free == worker.ports


# --- placing ----------------------------------------------------------------------------------------


class Client:
    """What a seat looks at of a WorkerClient."""

    def __init__(self, load: float = 0.0, ports: int = 100, up: bool = True) -> None:
        self.load = load
        self.ready = WorkerReady(1, ports) if up else None


def seat(number: int, legs: int = 0, **client: float) -> Seat:
    made = Seat(f"media-{number}", number)
    made.client = Client(**client)  # type: ignore[assignment, arg-type]
    made.open = set(range(legs))
    made.measured = made.client.load, legs
    return made


@pytest.mark.parametrize(
    ("seats", "chosen"),
    [
        ([seat(0, load=0.6), seat(1, load=0.2), seat(2, load=0.4)], 1),
        ([seat(0, load=0.2, legs=40), seat(1, load=0.21, legs=10)], 1),
        ([seat(0, legs=99), seat(1, legs=40, load=0.5)], 1),
        ([seat(0, up=False), seat(1, load=0.9)], 1),
        ([seat(0, up=False), seat(1, legs=100)], None),
    ],
    ids=["least load", "as good as equal load: fewest legs", "no ports left", "not up", "no room anywhere"],
)
def test_a_new_call_goes_where_there_is_most_room(seats: list[Seat], chosen: int | None) -> None:
    found = emptiest(seats)
    assert (found and found.number) == chosen


def test_calls_that_come_in_one_burst_are_spread_before_any_worker_has_told_its_load() -> None:
    seats = [seat(n, load=0.1) for n in range(3)]
    for leg in range(30):
        found = emptiest(seats)
        assert found is not None
        found.asked(OpenLeg(leg, [], None, None))
    assert [each.legs for each in seats] == [10, 10, 10]


def test_a_leg_counts_from_the_question_to_its_end() -> None:
    one = seat(0)
    for leg in (1, 2):
        one.asked(OpenLeg(leg, [], None, None))
    one.told([LegOpened(1, 4000), LegFailed(2, "no_ports")])
    assert one.legs == 1
    one.told([LegFailed(1, "dtmf")])
    assert one.legs == 1
    one.told([LegClosed(1, LegStats(1))])
    assert one.legs == 0


@pytest.mark.parametrize(("low", "high", "workers"), [(16384, 32767, 3), (20000, 20100, 4), (4000, 4003, 1)])
def test_workers_share_the_ports_in_whole_pairs_and_none_twice(low: int, high: int, workers: int) -> None:
    shares = port_shares(low, high, workers)
    assert len(shares) == workers
    assert all(first % 2 == 0 and last % 2 == 1 for first, last in shares)
    assert low <= shares[0][0] and shares[-1][1] <= high
    assert all(before[1] < after[0] for before, after in pairwise(shares))


def test_a_browser_stays_where_its_door_is_and_who_talks_to_it_moves(stage: Stage) -> None:
    agent, colleague = stage.agents
    with_customer = agent.session
    assert with_customer is not None
    consultation = consult(agent)
    party = next(leg for call in stage.calls.values() for leg in call.legs if leg.agent == "agent1")
    party.door = Door(party.number, NoGate())  # as a leg of a browser has it
    home = party.worker
    join(stage, with_customer, consultation)
    stage.run(2.0)
    ours, theirs = legs(stage)
    assert theirs is party and (ours.worker, theirs.worker) == (home, home)
    assert colleague.asked == 0 and stage.call.state is State.TALKING


def test_two_browsers_in_two_workers_are_not_joined_and_the_record_says_so(stage: Stage) -> None:
    agent, _ = stage.agents
    with_customer = agent.session
    assert with_customer is not None
    consultation = consult(agent)
    for call in stage.calls.values():
        for leg in call.legs:
            leg.door = Door(leg.number, NoGate())
    join(stage, with_customer, consultation)
    stage.run(3.0)
    assert EndReason.NOT_ACCEPTABLE in {record.reason for record in stage.records}
    assert not stage.calls


class NoGate:
    """Where nobody asks for anything."""

    doors, address, up = "", "", True

    def send(self, command: GateCommand) -> None: ...
