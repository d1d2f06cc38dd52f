"""Calls that leave over lines: which line has them, when the next is tried, and what the far end is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from config.carrier import CallerIdSettings, CredentialSettings, NumberSettings, StyleSettings
from config.routing import SurgeSettings
from config.secret import Secret
from engine.events import EndReason
from engine.line_events import LineChanged, LineChosen
from engine.states import State
from routing.identity import Assert, Divert, Show
from routing.number import LineTarget
from routing.rewriting import Form
from sip.events import Rejected
from tests.sim.gateway import Lines
from tests.sim.phones import Phone
from tests.sim.stage import Stage

FIRST, SECOND, THIRD = "10.3.0.1", "10.3.0.2", "10.3.0.3"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def lines(stage: Stage) -> Lines:
    return Lines(stage)


@pytest.fixture
def told(stage: Stage) -> list:
    """What the journal has of lines."""
    found: list = []
    stage.house.switch.observers.append(
        lambda event: found.append(event) if isinstance(event, LineChosen | LineChanged) else None
    )
    return found


def test_a_call_goes_out_over_a_line_and_both_are_heard(lines: Lines, stage: Stage, told: list) -> None:
    gateway = lines.add("one", FIRST)
    session = lines.dial()
    stage.run(2.0)
    assert (session.state, stage.call.state, gateway.numbers) == (
        "connected",
        State.TALKING,
        ["+34910601234"],
    )
    stage.run(6.0)
    for leg in (stage.call.party, stage.call.customer):
        assert leg is not None and leg.stats is not None and leg.stats.received > 0
    assert [(each.line, each.target, each.serial) for each in told] == [("one", "+34910601234", 1)]
    assert "one: priority 10" in told[0].why
    gateway.hang_up(gateway.taken[0])
    gateway.host.pump()
    stage.run(3.0)
    assert stage.records[-1].reason is EndReason.COMPLETED


@pytest.mark.parametrize("status", [408, 480, 500, 502, 503, 504])
def test_a_line_that_refuses_loses_the_call_to_the_next(lines: Lines, stage: Stage, status: int) -> None:
    lines.add("one", FIRST, priority=1).manner = status
    second = lines.add("two", SECOND, priority=2)
    session = lines.dial()
    stage.run(2.0)
    assert (session.state, second.numbers) == ("connected", ["+34910601234"])


@pytest.mark.parametrize("status", [404, 486, 600, 603])
def test_what_the_callee_said_is_not_asked_again_on_another_line(
    lines: Lines, stage: Stage, status: int
) -> None:
    lines.add("one", FIRST, priority=1).manner = status
    second = lines.add("two", SECOND, priority=2)
    lines.dial()
    stage.run(2.0)
    assert not second.called and not stage.calls


def test_a_dead_line_costs_a_call_half_a_second(lines: Lines, stage: Stage) -> None:
    dead = lines.add("one", FIRST, priority=1)
    second = lines.add("two", SECOND, priority=2)
    stage.run(1.0)  # it was there when it was asked
    dead.host.up = False
    lines.dial()
    stage.run(0.45)
    assert not second.called
    stage.run(0.15)
    assert second.called


def test_who_comes_back_from_the_dead_does_not_ring_for_a_call_that_went_elsewhere(
    lines: Lines, stage: Stage
) -> None:
    dead = lines.add("one", FIRST, priority=1)
    lines.add("two", SECOND, priority=2)
    stage.run(1.0)
    dead.host.up = False
    session = lines.dial()
    stage.run(0.7)
    dead.host.up = True
    stage.run(40.0)
    assert session.state == "connected" and not dead.called


def test_a_line_that_rings_keeps_the_call_until_it_has_rung_long_enough(lines: Lines, stage: Stage) -> None:
    lines.add("one", FIRST, priority=1).manner = "rings"
    second = lines.add("two", SECOND, priority=2)
    lines.dial()
    stage.run(90.0)
    assert not second.called and stage.records[-1].reason is EndReason.NO_ANSWER


def test_a_line_that_tries_and_says_no_more_loses_the_call(lines: Lines, stage: Stage) -> None:
    lines.add("one", FIRST, priority=1).manner = "trying"
    second = lines.add("two", SECOND, priority=2)
    session = lines.dial()
    stage.run(5.0)
    assert not second.called
    stage.run(3.0)
    assert second.called and session.state == "connected"


def test_the_second_address_of_a_line_has_the_call_when_the_first_is_silent(
    lines: Lines, stage: Stage
) -> None:
    lines.add("one", FIRST, SECOND)
    stage.run(1.0)
    line = stage.house.switch.trunks.exchange
    first = line.addresses("one")[0].host
    lines.gateways[first].host.up = False
    session = lines.dial()
    stage.run(2.0)
    other = SECOND if first == FIRST else FIRST
    assert session.state == "connected" and lines.gateways[other].called


def test_a_line_that_answers_nothing_is_given_up_and_comes_back(
    lines: Lines, stage: Stage, told: list
) -> None:
    gateway = lines.add("one", FIRST)
    gateway.host.up = False
    stage.run(5.0)
    assert [(each.line, each.fit, each.why) for each in told] == [("one", False, "answers nothing")]
    gateway.host.up = True
    stage.run(30.0)
    assert told[-1].fit


class Refused:
    """What a phone's calls were refused with."""

    def __init__(self, phone: Phone) -> None:
        self.events: list[Rejected] = []
        happened = phone.host.on_event

        def noted(event: object) -> None:
            if isinstance(event, Rejected):
                self.events.append(event)
            happened(event)

        phone.host.on_event = noted


def test_a_caller_for_whom_no_line_has_room_is_told_when_to_come_again(stage: Stage) -> None:
    lines = Lines(stage, surge=SurgeSettings(longest_s=1.0, retry_after_s=7.0))
    gateway = lines.add("one", FIRST, max_calls=1)
    refused = Refused(stage.agent)
    stage.customer("+34910601235")
    stage.run(2.0)
    lines.dial()
    stage.run(0.9)
    assert len(gateway.called) == 1 and not refused.events
    stage.run(0.3)
    (answer,) = refused.events
    assert (answer.status, answer.retry_after) == (503, 7.0)


def test_a_call_waits_a_moment_for_a_channel_and_has_it_when_one_is_free(stage: Stage) -> None:
    lines = Lines(stage, surge=SurgeSettings(longest_s=5.0))
    gateway = lines.add("one", FIRST, max_calls=1)
    customer = stage.customer("+34910601235")
    stage.run(2.0)
    session = lines.dial()
    stage.run(1.0)
    assert len(gateway.called) == 1
    customer.hang_up(customer.session)
    customer.host.pump()
    stage.run(1.0)
    assert session.state == "connected" and len(gateway.called) == 2


def test_a_line_takes_no_more_calls_a_second_than_it_may(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST, max_calls_per_s=1)
    for number in ("+34910601234", "+34910601235"):
        stage.customer(number)
    stage.run(0.9)
    assert len(gateway.called) == 1
    stage.run(0.5)
    assert len(gateway.called) == 2


def test_a_number_may_be_for_one_line_alone(lines: Lines, stage: Stage) -> None:
    lines.add("one", FIRST, priority=1)
    second = lines.add("two", SECOND, priority=2)
    lines.leads("+34", LineTarget(("two",)))
    lines.dial()
    stage.run(2.0)
    assert second.called


def test_a_redirection_is_followed_by_the_number_over_the_same_line(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST)
    gateway.manner, gateway.elsewhere = "redirects", "+34910601299"
    lines.dial()
    stage.run(0.2)
    gateway.manner = "answers"
    stage.run(2.0)
    assert gateway.numbers[:2] == ["+34910601234", "+34910601299"]


def test_a_call_that_is_given_up_leaves_its_channel(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST, max_calls=1)
    gateway.manner = "rings"
    session = lines.dial()
    stage.run(1.0)
    stage.agent.hang_up(session)
    stage.agent.host.pump()
    stage.run(3.0)
    board = stage.house.switch.trunks.exchange.board
    assert not stage.calls and not gateway.live and board.active.tolist() == [0, 0]


# --- what the far end is told -----------------------------------------------------------------------


def test_numbers_and_callers_are_written_as_the_line_has_them(lines: Lines, stage: Stage) -> None:
    gateway = lines.add(
        "one",
        FIRST,
        numbers=NumberSettings(outgoing=StyleSettings(form=Form.DIALLED)),
        caller_id=CallerIdSettings(
            number="+4930100", show=Show.LISTED, asserted=Assert.ASSERTED, diverted=Divert.BOTH
        ),
    )
    stage.customer("+34910601234")
    stage.run(1.0)
    (request,) = gateway.called
    header = request.headers.get
    assert request.uri.user == "0034910601234"
    assert request.from_.uri.user == "030100"
    assert header("P-Asserted-Identity") == "<sip:030100@isogloss.test>"
    assert header("Diversion") is None and header("History-Info") is None, "the number leads on, no more"
    assert header("Privacy") is None


TOLD = CallerIdSettings(number="+4930100", diverted=Divert.BOTH)


def test_a_redirection_that_is_followed_is_told_as_the_diversion_it_is(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST, caller_id=TOLD)
    gateway.manner, gateway.elsewhere = "redirects", "+34910601299"
    lines.dial()
    stage.run(1.0)
    first, second = gateway.called[:2]
    assert "Diversion" not in first.headers and "History-Info" not in first.headers
    assert second.headers.get("Diversion") == "<sip:+34910601234@isogloss.test>;reason=unconditional"
    assert second.headers.values("History-Info") == [
        "<sip:+34910601234@isogloss.test>;index=1",
        f"<sip:+34910601299@{FIRST}:5060;cause=302>;index=1.1;mp=1",
    ]


DIVERSIONS = [
    ("Diversion", "<sip:+4930222@x>;reason=no-answer"),
    ("Diversion", "<tel:+4930111>;reason=user-busy"),
]
HISTORY = [
    (
        "History-Info",
        "<sip:+4930111@x>;index=1, <sip:+4930222@x;cause=486>;index=1.1;mp=1, "
        "<sip:+4930100@x;cause=408>;index=1.1.1;mp=1.1",
    )
]


@pytest.mark.parametrize("headers", [DIVERSIONS, HISTORY], ids=["diversion", "history-info"])
@pytest.mark.parametrize("trusted", [True, False])
def test_what_a_network_tells_of_diversions_goes_on_where_it_is_believed(
    lines: Lines, stage: Stage, headers: list[tuple[str, str]], trusted: bool
) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], caller_id=CallerIdSettings(trusted=trusted))
    switch.config = replace(switch.config, lines={**switch.config.lines, "carrier": carrier})
    gateway = lines.add("one", FIRST, caller_id=TOLD)
    stage.customer("+34910601234", headers=headers)
    stage.run(1.0)
    (request,) = gateway.called
    found = request.headers.values("Diversion"), request.headers.values("History-Info")
    expected = (
        ["<sip:+4930222@isogloss.test>;reason=no-answer", "<sip:+4930111@isogloss.test>;reason=user-busy"],
        [
            "<sip:+4930111@isogloss.test>;index=1",
            "<sip:+4930222@isogloss.test;cause=486>;index=1.1;mp=1",
            f"<sip:+34910601234@{FIRST}:5060;cause=408>;index=1.1.1;mp=1.1",
        ],
    )
    assert found == (expected if trusted else ([], []))


@pytest.mark.parametrize(
    "header",
    [
        ("Diversion", "<<>>"),
        ("Diversion", "<sip:nobody@x>"),
        ("Diversion", "x" * 5000),
        ("History-Info", "<sip:+4930111@x?Privacy=history>;index=1, <sip:+493@x;cause=486>;index=1.1"),
        ("History-Info", '"'),
    ],
)
def test_diversions_that_cannot_be_read_or_want_to_be_private_are_none(
    lines: Lines, stage: Stage, header: tuple[str, str]
) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], caller_id=CallerIdSettings(trusted=True))
    switch.config = replace(switch.config, lines={**switch.config.lines, "carrier": carrier})
    gateway = lines.add("one", FIRST, caller_id=TOLD)
    stage.customer("+34910601234", headers=[header])
    stage.run(1.0)
    (request,) = gateway.called
    assert "Diversion" not in request.headers and "History-Info" not in request.headers


def test_a_line_that_asks_for_a_password_gets_its_own(lines: Lines, stage: Stage) -> None:
    gateway = lines.add(
        "one", FIRST, credentials=CredentialSettings(user="us", password=Secret("test", "hush"))
    )
    gateway.challenges("us", "hush")
    session = lines.dial()
    stage.run(2.0)
    assert session.state == "connected"


# --- what comes in ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asserted", "trusted", "shown"),
    [
        ("<tel:+4915112345>", True, "+4915112345"),
        ("<sip:+4915112345@ims.example;user=phone>, <tel:+4915112345>", True, "+4915112345"),
        ("<sip:anna@ims.example>, <tel:+4915112345>", True, "+4915112345"),
        ('"Anna, B." <sip:+4915112345@ims.example>', True, "+4915112345"),
        ("<sip:", True, "+491701234"),
        ('"', True, "+491701234"),
        ("<tel:+4915112345>", False, "+491701234"),
    ],
)
def test_who_calls_is_whom_the_carrier_asserts_where_it_is_trusted(
    stage: Stage, asserted: str, trusted: bool, shown: str
) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], caller_id=CallerIdSettings(trusted=trusted))
    switch.config = replace(switch.config, lines={"carrier": carrier})
    stage.customer(headers=[("P-Asserted-Identity", asserted)])
    stage.run(2.0)
    assert stage.call.caller == shown


def test_a_caller_who_hides_has_no_number_here_and_none_on_the_way_out(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST)
    stage.customer("+34910601234", headers=[("Privacy", "id")])
    stage.run(1.0)
    (request,) = gateway.called
    assert (request.from_.uri.user, request.from_.uri.host) == ("anonymous", "anonymous.invalid")


def test_a_private_caller_is_asserted_to_networks_and_shown_to_nobody(lines: Lines, stage: Stage) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], caller_id=CallerIdSettings(trusted=True))
    switch.config = replace(switch.config, lines={**switch.config.lines, "carrier": carrier})
    gateway = lines.add("one", FIRST, caller_id=CallerIdSettings(show=Show.CALLER))
    hidden = [("P-Asserted-Identity", "<tel:+4915112345>"), ("Privacy", "id")]
    stage.customer("+34910601234", headers=hidden)
    stage.customer("agent0", headers=hidden)
    stage.run(1.0)
    (request,) = gateway.called
    assert (request.from_.uri.user, request.headers.get("Privacy")) == ("anonymous", "id")
    assert request.headers.get("P-Asserted-Identity") == "<sip:+4915112345@isogloss.test>"
    assert {call.caller for call in stage.calls.values()} == {"anonymous"}
    assert stage.agent.callers == ["anonymous"]


def test_a_line_whose_channels_are_taken_takes_no_more(stage: Stage) -> None:
    switch = stage.house.switch
    carrier = replace(switch.config.lines["carrier"], max_calls=1)
    switch.config = replace(switch.config, lines={"carrier": carrier}, specs={"carrier": carrier.spec()})
    switch.trunks.reconfigured(stage.world.now)
    stage.customer()
    stage.run(2.0)
    stage.customer()
    stage.run(2.0)
    assert [record.reason for record in stage.records] == [EndReason.OVERLOAD]


# --- emergencies ------------------------------------------------------------------------------------


def test_an_emergency_passes_every_limit(lines: Lines, stage: Stage) -> None:
    gateway = lines.add("one", FIRST, max_calls=1, max_calls_per_s=1)
    lines.leads("112", LineTarget())
    switch = stage.house.switch
    limits = replace(switch.config.node.limits, max_calls=1)
    stage.customer("+34910601234")
    stage.run(2.0)
    switch.config = replace(switch.config, node=replace(switch.config.node, limits=limits))
    session = lines.dial("112")
    stage.run(2.0)
    assert session.state == "connected" and gateway.numbers[-1] == "112"


def test_a_call_that_was_taken_and_not_rung_for_leaves_a_line_as_soon_as_that_is_dead(
    lines: Lines, stage: Stage
) -> None:
    first = lines.add("one", FIRST, priority=1)
    second = lines.add("two", SECOND, priority=2)
    first.manner = "trying"
    stage.run(1.0)
    lines.dial()
    stage.run(0.5)
    first.host.up = False
    for number in ("+34910601235", "+34910601236", "+34910601237"):  # that find it dead
        stage.customer(number)
        stage.run(0.6)
    assert "+34910601234" in second.numbers


def test_an_address_that_takes_its_time_is_heard_out_after_another_that_refused(
    lines: Lines, stage: Stage
) -> None:
    """Both say 100 first, which is patience enough for each."""
    lines.add("one", FIRST, SECOND)
    for gateway in lines.gateways.values():
        gateway.thinks_s = 0.8
    stage.run(1.0)
    lines.gateways[FIRST].manner = lines.gateways[SECOND].manner = 503
    session = lines.dial()
    stage.run(0.5)
    for gateway in lines.gateways.values():
        gateway.manner = "answers" if not gateway.called else 503
    stage.run(3.0)
    assert session.state == "connected"
    assert [len(gateway.called) for gateway in lines.gateways.values()] == [1, 1]


def test_a_gateway_that_refuses_encryption_is_heard_out_when_it_is_called_without(
    lines: Lines, stage: Stage
) -> None:
    gateway = lines.add("one", FIRST, srtp="preferred")
    gateway.manner, gateway.thinks_s = 488, 0.8
    session = lines.dial()
    stage.run(0.5)
    assert len(gateway.called) == 1
    stage.run(0.4)
    gateway.manner = "answers"
    stage.run(3.0)
    assert session.state == "connected" and len(gateway.called) == 2
