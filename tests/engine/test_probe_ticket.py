"""A probe's call at its node: out over its line whatever is dialled, and known again when it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.carrier import CallerIdSettings
from engine.call import Call
from engine.line_events import LineUsed
from engine.probe.ticket import MOST, Ticket, Tickets
from engine.states import State
from routing.identity import Show
from routing.number import Echo, QueueTarget
from sip.digest import Credentials
from tests.sim.gateway import Lines
from tests.sim.stage import Stage, Voice

GATEWAY, OTHER = "10.3.0.1", "10.3.0.2"
OURS, SHOWN = "+4930555", "+4930777"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    return Lines(stage)


def ticket(stage: Stage, line: str, number: str = OURS) -> Ticket:
    made = stage.house.switch.tickets.open(line, number)
    assert made is not None
    return made


def dials(stage: Stage, holder: Ticket, number: str = "whatever") -> Voice:
    """The probe's phone calls."""
    phone = Voice(stage, "10.4.0.1")
    phone.call(number, holder.account, Credentials(holder.account, holder.password))
    return phone


def test_it_goes_out_over_its_line_whatever_is_dialled(lines: Lines, stage: Stage) -> None:
    lines.add("cheap", OTHER, priority=1)
    gateway = lines.add("probed", GATEWAY, priority=9)
    dials(stage, ticket(stage, "probed"), "+4930100")
    stage.run(3.0)
    assert gateway.numbers == [OURS]
    assert stage.call.state is State.TALKING


def test_nobody_calls_with_a_ticket_that_was_closed_or_never_given(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("probed", GATEWAY)
    holder = ticket(stage, "probed")
    stage.house.switch.tickets.close(holder)
    dials(stage, holder)
    stage.run(3.0)
    assert gateway.numbers == [] and not stage.calls


def test_what_became_of_its_call_is_noted(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("probed", GATEWAY)
    holder = ticket(stage, "probed")
    dials(stage, holder)
    stage.run(6.0)
    gateway.hang_up(gateway.taken[0])
    gateway.host.pump()
    stage.run(4.0)
    assert isinstance(holder.used, LineUsed) and holder.used.answered
    assert holder.codec == "PCMA"


def arrival(stage: Stage, caller: str) -> Call:
    """A call that comes in."""
    call = Call(stage.house.switch, "another", OURS, "carrier", stage.world.now)
    call.caller = caller
    return call


@pytest.fixture
def out(lines: Lines, stage: Stage) -> Ticket:
    """A probe of our own number is out over a line that shows SHOWN."""
    own = CallerIdSettings(number=SHOWN, show=Show.OWN)
    lines.add("probed", GATEWAY, caller_id=own, sources=("10.1.0.0/16",), dids={OURS: QueueTarget("support")})
    holder = ticket(stage, "probed")
    dials(stage, holder)
    stage.run(2.0)
    return holder


def test_a_call_that_comes_back_with_our_number_is_led_to_an_echo(out: Ticket, stage: Stage) -> None:
    switch = stage.house.switch
    found = switch.tickets.arrives(arrival(stage, SHOWN), OURS, None)
    assert found is not None and isinstance(found.destination, Echo)
    assert (out.shown, out.caller) == (SHOWN, SHOWN)


@pytest.mark.parametrize("caller", ["+491701234", "anonymous", ""])
def test_a_customers_call_to_the_same_number_is_not_taken_for_it(
    out: Ticket, stage: Stage, caller: str
) -> None:
    assert stage.house.switch.tickets.arrives(arrival(stage, caller), OURS, None) is None
    assert out.caller is None


def test_only_one_call_is_taken_for_it(out: Ticket, stage: Stage) -> None:
    tickets = stage.house.switch.tickets
    assert tickets.arrives(arrival(stage, SHOWN), OURS, None) is not None
    assert tickets.arrives(arrival(stage, SHOWN), OURS, None) is None


def test_tickets_are_few_and_no_two_are_alike(stage: Stage) -> None:
    tickets = Tickets(stage.house.switch.rng)
    given = [tickets.open(f"line-{n}", OURS) for n in range(MOST)]
    assert (
        len({each.account for each in given if each} | {each.password for each in given if each}) == 2 * MOST
    )
    assert tickets.open("one-more", OURS) is None
    assert tickets.probing("line-3", "") and tickets.probing("elsewhere", OURS)
    assert not tickets.probing("elsewhere", "")
