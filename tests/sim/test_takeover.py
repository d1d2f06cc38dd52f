"""A node dies under its calls, and the others go on with them: in virtual time, with real user agents."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from engine.cluster.replica import decode
from engine.events import EndReason
from engine.states import State
from sip.uri import Uri
from tests.sim.house import DOMAIN
from tests.sim.siege import Siege
from tests.sim.stage import AgentVoice, Voice
from tests.sim.street import SEALS, Neighbour, Street
from tests.sim.world import Weather, World

FEW = 5  # ticks of the media in one: nobody listens
GREETED_S = 9.0  # the welcome, then, and a phone that is picked up
TOLD_S = 3.0  # everybody has noticed, and every far end was told


class Scene:
    """Two houses, agents registered at the first, and customers who call it."""

    def __init__(self, folder: Path, agents: int = 1, names: tuple[str, ...] = ("a", "b")) -> None:
        self.world = World(1, Weather(delay=0.01, jitter=0.0))
        self.street = Street(self.world, folder, names, agents, ticks_in_one=FEW)
        self.agents = [AgentVoice(self, f"10.2.0.{n + 1}", f"agent{n}", []) for n in range(agents)]  # type: ignore[arg-type]
        self.customers: list[Voice] = []
        for agent in self.agents:
            agent.register()
        self.run(1.0)

    @property
    def house(self) -> object:
        """Where sound goes: to whatever house has the address; nobody listens to it here."""
        return self

    def hear(self, *datagram: object) -> None:
        """Sound is for tests of the media."""

    def run(self, seconds: float) -> None:
        self.street.run(seconds)

    def customer(self, number: str = "+4930100") -> Voice:
        phone = Voice(self, f"10.1.0.{1 + len(self.customers)}")  # type: ignore[arg-type]
        phone.call(number, f"+4917012{len(self.customers):02}")
        self.customers.append(phone)
        return phone

    def house_of(self, name: str) -> Neighbour:
        return self.street.houses[name]

    def states(self, name: str) -> list[State]:
        return [call.state for call in self.house_of(name).calls.values()]

    def one_record(self) -> object:
        (record,) = self.street.records().values()
        return record


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def talking(scene: Scene) -> Voice:
    customer = scene.customer()
    scene.run(GREETED_S)
    assert scene.states("a") == [State.TALKING]
    return customer


def test_two_who_talk_are_asked_over_and_talk_on(scene: Scene) -> None:
    customer = talking(scene)
    began = next(iter(scene.house_of("a").calls.values())).clocks.connected
    scene.street.kill("a")
    scene.run(TOLD_S)
    (call,) = scene.house_of("b").calls.values()
    assert call.state is State.TALKING
    assert (customer.asked, scene.agents[0].asked) == (1, 1)
    assert call.customer.codec and call.party.codec
    assert call.clocks.connected == pytest.approx(began)
    scene.agents[0].hang_up(scene.agents[0].session)
    scene.agents[0].host.pump()
    scene.run(5.0)
    record = scene.one_record()
    assert (record.reason, record.agent, record.node) == (EndReason.COMPLETED, "agent0", "b")
    assert record.talk_s > TOLD_S


def test_the_agent_is_busy_at_the_other_node_and_wraps_up_there(scene: Scene) -> None:
    customer = talking(scene)
    scene.street.kill("a")
    scene.run(TOLD_S)
    acd = scene.house_of("b").house.switch.acd
    assert acd.agents["agent0"].state == "talking"
    assert acd.agents["agent0"].registered
    customer.hang_up(customer.session)
    customer.host.pump()
    scene.run(2.0)
    assert acd.agents["agent0"].state == "wrap_up"
    scene.run(10.0)
    assert acd.agents["agent0"].state == "available"


@pytest.mark.parametrize("who", ["customer", "agent"])
def test_whoever_was_on_hold_still_is_and_is_taken_back(scene: Scene, who: str) -> None:
    customer = talking(scene)
    holder = customer if who == "customer" else scene.agents[0]
    holder.hold()
    scene.run(1.0)
    assert scene.states("a") == [State.HELD]
    scene.street.kill("a")
    scene.run(TOLD_S)
    assert scene.states("b") == [State.HELD]
    holder.take_back()
    scene.run(1.0)
    assert scene.states("b") == [State.TALKING]


def test_a_phone_whose_own_offer_nobody_answers_is_asked_until_that_has_run_out(scene: Scene) -> None:
    customer = talking(scene)
    scene.agents[0].refuses = 491  # as RFC 3261 section 14.2 has it of a phone that waits for an answer
    scene.street.kill("a")
    scene.run(30.0)
    (call,) = scene.house_of("b").calls.values()
    assert call.state is State.TALKING
    assert call.customer.lulled
    assert customer.asked == 1
    scene.agents[0].refuses = 0
    scene.run(6.0)
    assert call.party.codec
    assert not call.customer.lulled
    assert scene.street.records() == {}


def test_callers_who_wait_keep_their_order_and_are_served(scene: Scene) -> None:
    agent = scene.agents[0]
    agent.answers = False
    agent.refuses = 0
    order = []
    for _ in range(4):
        customer = scene.customer()
        scene.run(3.0)
        order.append(customer)
    scene.run(GREETED_S)
    before = [place.call for place in scene.house_of("a").house.switch.acd.queues["support"].places]
    assert len(before) == 4
    scene.street.kill("a")
    scene.run(TOLD_S)
    queue = scene.house_of("b").house.switch.acd.queues["support"]
    assert [place.call for place in queue.places] == before
    agent.answers = True
    scene.run(20.0)
    served = [call.id for call in scene.house_of("b").calls.values() if call.state is State.TALKING]
    assert served == before[:1]


def test_who_was_greeted_is_greeted_again_and_waits(scene: Scene) -> None:
    scene.agents[0].answers = False
    scene.customer()
    scene.run(0.8)
    assert scene.states("a") == [State.GREETING]
    scene.street.kill("a")
    scene.run(TOLD_S + GREETED_S)
    assert scene.states("b") in ([State.QUEUED], [State.OFFERED])


def test_a_call_that_was_not_answered_ends_for_both_ends_with_one_record(scene: Scene) -> None:
    agent = scene.agents[0]
    agent.answers = False
    customer = scene.customer("agent0")
    scene.run(2.0)
    assert scene.states("a") == [State.DIALLING]
    assert agent.live and customer.live
    scene.street.kill("a")
    scene.run(TOLD_S)
    assert scene.states("b") == []
    assert not agent.live  # it rings no more
    assert not customer.live  # she was told 503: her proxy would try elsewhere
    assert scene.one_record().reason is EndReason.NODE_LOST


def test_a_phone_that_rang_for_a_waiting_caller_stops_and_rings_anew(scene: Scene) -> None:
    agent = scene.agents[0]
    agent.answers = False
    scene.customer()
    scene.run(GREETED_S - 2.0)
    assert scene.states("a") == [State.OFFERED]
    (before,) = agent.live
    scene.street.kill("a")
    agent.answers = True
    scene.run(TOLD_S)
    assert before not in agent.live
    scene.run(2.0)
    assert scene.states("b") == [State.TALKING]
    assert len(agent.live) == 1


def test_a_transfer_whose_target_rang_returns_to_the_transferor(tmp_path: Path) -> None:
    scene = Scene(tmp_path, agents=2)
    scene.agents[1].answers = False
    talking(scene)
    agent = next(each for each in scene.agents if each.session is not None)
    other = next(each for each in scene.agents if each is not agent)
    other.answers = False
    agent.session.refer(Uri.parse(f"sip:{other.name}@{DOMAIN}"), now=scene.world.now)
    agent.host.pump()
    scene.run(2.0)
    assert scene.states("a") == [State.TRANSFERRING]
    scene.street.kill("a")
    scene.run(TOLD_S)
    assert scene.states("b") == [State.TALKING]


def test_a_phone_that_hung_up_unheard_ends_its_call_once(scene: Scene) -> None:
    customer = talking(scene)
    scene.street.kill("a")
    customer.hang_up(customer.session)
    customer.host.pump()
    scene.run(TOLD_S)
    assert scene.states("b") == []
    assert scene.one_record().reason is EndReason.SIGNALLING_LOST


def test_three_houses_share_what_one_leaves(tmp_path: Path) -> None:
    scene = Scene(tmp_path, names=("a", "b", "c"))
    scene.agents[0].answers = False
    for _ in range(24):
        scene.customer()
    scene.run(5.0)
    scene.street.kill("a")
    scene.run(TOLD_S)
    counts = [len(scene.house_of(name).calls) for name in "bc"]
    assert sum(counts) == 24
    assert min(counts) >= 4
    assert set(scene.street.calls().values()) == {1}


def test_an_heir_that_dies_too_leaves_its_share_to_the_rest(tmp_path: Path) -> None:
    scene = Scene(tmp_path, names=("a", "b", "c"))
    scene.agents[0].answers = False
    for _ in range(12):
        scene.customer()
    scene.run(5.0)
    scene.street.kill("a")
    scene.run(1.0)
    scene.street.kill("c")
    scene.run(2 * TOLD_S)
    assert len(scene.house_of("b").calls) == 12


def test_a_node_that_comes_back_leaves_records_to_who_has_the_calls(scene: Scene) -> None:
    customer = talking(scene)
    scene.street.kill("a")
    scene.run(TOLD_S)
    scene.street.restart("a")
    scene.run(1.0)
    assert scene.street.records() == {}
    customer.hang_up(customer.session)
    customer.host.pump()
    scene.run(3.0)
    assert scene.one_record().node == "b"


def test_a_node_that_comes_back_at_once_goes_on_with_its_own_calls(scene: Scene) -> None:
    talking(scene)
    scene.street.kill("a")
    scene.run(0.5)
    scene.street.restart("a")
    scene.run(TOLD_S)
    assert (scene.states("a"), scene.states("b")) == ([State.TALKING], [])
    assert scene.street.records() == {}


def test_without_the_store_nothing_is_closed_until_it_is_known_who_has_it(scene: Scene) -> None:
    talking(scene)
    scene.street.kill("a")
    scene.run(TOLD_S)
    back = scene.street
    old = back.houses["a"]
    back.former.append(old)
    here = back._open("a", old.address, old.house.ledger)
    here.store.cut(scene.world.now)
    here.heritage.recover(here, scene.world.now)
    scene.run(1.0)
    assert back.records() == {}
    here.store.mend(scene.world.now)
    scene.run(1.0)
    assert back.records() == {}
    assert here.orphans == []


def test_a_node_that_others_still_hear_is_not_lost(tmp_path: Path) -> None:
    scene = Scene(tmp_path, names=("a", "b", "c"))
    talking(scene)
    a, b = scene.house_of("a"), scene.house_of("b")
    a.store.cut(scene.world.now)
    scene.street.finds(b, a)  # c hears its answers, b does not
    scene.run(10.0)
    assert scene.states("a") == [State.TALKING]
    assert scene.street.calls().total() == 1


def test_a_node_that_was_taken_for_dead_gives_up_what_others_have(scene: Scene) -> None:
    customer = talking(scene)
    a, b = scene.house_of("a"), scene.house_of("b")
    a.store.cut(scene.world.now)
    scene.street.finds(b, a)
    scene.run(1.0)
    assert (scene.states("a"), scene.states("b")) == ([State.TALKING], [State.TALKING])
    a.store.mend(scene.world.now)
    scene.street.sees_again(b, a)
    scene.run(1.0)
    assert (scene.states("a"), scene.states("b")) == ([], [State.TALKING])
    assert not a.house.switch.sessions
    customer.hang_up(customer.session)
    customer.host.pump()
    scene.run(3.0)
    assert scene.one_record().node == "b"
    assert a.house.ledger.arrived == set()


def test_and_is_taken_over_when_it_really_dies_later(scene: Scene) -> None:
    a, b = scene.house_of("a"), scene.house_of("b")
    a.store.cut(scene.world.now)
    scene.street.finds(b, a)
    scene.run(1.0)
    a.store.mend(scene.world.now)
    scene.street.sees_again(b, a)
    scene.run(1.0)
    talking(scene)
    scene.street.kill("a")
    scene.run(TOLD_S)
    assert scene.states("b") == [State.TALKING]


def test_a_store_that_forgot_everything_is_told_again(scene: Scene) -> None:
    talking(scene)
    a = scene.house_of("a")
    a.store.cut(scene.world.now)
    scene.street.server.lose()
    a.store.mend(scene.world.now)
    scene.run(1.0)
    scene.street.kill("a")
    scene.run(TOLD_S)
    assert scene.states("b") == [State.TALKING]


def test_no_key_of_a_call_reaches_the_store(scene: Scene) -> None:
    talking(scene)
    scene.run(1.0)
    a = scene.house_of("a")
    found: list[bytes] = []
    a.store.ask(
        "HGETALL", a.store.key("calls", a.heritage.takeover.life), now=scene.world.now,
        then=lambda answer, now: found.extend(answer),
    )  # fmt: skip
    (replica,) = [decode(SEALS.open("calls", id.decode(), value)) for id, value in pairwise(found)]
    assert all(b"crypto" not in leg.local and b"m=audio" in leg.local for leg in replica.legs)
    assert len(found[1]) < 4096


@pytest.mark.parametrize("forged", ["another number", "another call", "no seal"])
def test_a_call_that_somebody_wrote_into_the_store_is_not_gone_on_with(scene: Scene, forged: str) -> None:
    talking(scene)
    scene.run(1.0)
    a, now = scene.house_of("a"), scene.world.now
    (id,) = a.calls
    key = a.store.key("calls", a.heritage.takeover.life)
    told: list[bytes] = []
    a.store.ask("HGET", key, id, now=now, then=lambda answer, at: told.append(answer))
    (value,) = told
    scene.street.kill("a")
    value = {"another number": value.replace(b"+49170", b"+88234"), "no seal": value[40:]}.get(forged, value)
    server = scene.house_of("b").store
    server.ask("HSET", key, f"{id[:-1]}x" if forged == "another call" else id, value, now=now)
    scene.run(TOLD_S)
    assert set(scene.house_of("b").calls) == ({id} if forged == "another call" else set())


def test_houses_under_siege_leave_one_record_a_call_and_nothing_else(tmp_path: Path) -> None:
    outcome = Siege(10, 60, tmp_path).live()
    assert outcome.kills >= 1
    assert outcome.taken >= 5
