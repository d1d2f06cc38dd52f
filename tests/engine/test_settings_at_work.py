"""Settings do what they say: each is changed, and something else happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.carrier import NumberSettings, RuleSettings, StyleSettings
from config.load import SHIPPED, load
from config.schema import Config
from config.signalling import Tls
from engine.events import EndReason
from engine.serve import prepare
from engine.states import State
from media.messages import SendDtmf
from routing.number import QueueTarget
from routing.rewriting import Form
from tests.sim.stage import Stage, Voice

Set = Callable[..., None]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.fixture
def configure(stage: Stage) -> Set:
    """Give the switch other settings: configure("media.dtmf", info=False)."""

    def configured(path: str, **settings: Any) -> None:
        stage.house.switch.config = changed(stage.house.switch.config, path.split("."), settings)

    return configured


def changed(block: Any, path: list[str], settings: dict[str, Any]) -> Any:
    if not path:
        return replace(block, **settings)
    below = block[path[0]] if isinstance(block, dict) else getattr(block, path[0])
    after = changed(below, path[1:], settings)
    return {**block, path[0]: after} if isinstance(block, dict) else replace(block, **{path[0]: after})


@pytest.fixture
def queue(stage: Stage) -> Set:
    """Give the queue `support` other terms."""

    def set_terms(**terms: Any) -> None:
        acd = stage.house.switch.acd
        queue = acd.queues["support"]
        acd.queues["support"] = replace(queue, spec=replace(queue.spec, **terms))

    return set_terms


@pytest.fixture
def digits(stage: Stage) -> list[SendDtmf]:
    """Digits that the media worker is told to send."""
    told: list[SendDtmf] = []
    send = stage.house.send

    def noted(worker: int, command: Any) -> None:
        if isinstance(command, SendDtmf):
            told.append(command)
        send(worker, command)

    stage.house.send = noted  # type: ignore[method-assign]
    return told


def talking(stage: Stage) -> Voice:
    customer = stage.customer()
    stage.run(10.0)
    assert stage.call.state is State.TALKING
    return customer


def test_a_digit_told_in_info_is_sent_on_for_as_long_as_configured(
    stage: Stage, configure: Set, digits: list[SendDtmf]
) -> None:
    configure("media.dtmf", digit_ms=250)
    talking(stage).press("5")
    stage.run(1.0)
    assert [(each.digits, each.ms) for each in digits] == [("5", 250)]


def test_digits_told_in_info_can_be_ignored(stage: Stage, configure: Set, digits: list[SendDtmf]) -> None:
    configure("media.dtmf", info=False)
    talking(stage).press("5")
    stage.run(1.0)
    assert digits == []


def test_a_phone_that_no_queue_rings_rings_as_long_as_configured(stage: Stage, configure: Set) -> None:
    configure("sip.timers", ring_s=7.0)
    stage.agent.pick_up = lambda session: None  # type: ignore[method-assign]
    stage.customer("agent0")
    stage.run(6.5)
    assert stage.call.state is State.DIALLING
    stage.run(3.0)
    assert [record.reason for record in stage.records] == [EndReason.NO_ANSWER]


def test_an_agent_sees_for_which_queue_the_phone_rings(stage: Stage, queue: Set) -> None:
    queue(title="Customer support")
    talking(stage)
    assert stage.agent.shown == ["Customer support"]


def test_who_is_called_by_an_account_sees_its_name(stage: Stage, configure: Set) -> None:
    configure("agents.agent0", display="Alice")
    desk = Voice(stage, "10.9.0.1")
    stage.agent.call("+4930300", "agent0", stage.agent.credentials)
    stage.run(5.0)
    assert desk.shown == ["Alice"]


def test_a_call_is_of_its_queues_market_else_of_its_lines_else_of_the_nodes(
    stage: Stage, configure: Set, queue: Set
) -> None:
    def market() -> str:
        customer = stage.customer()
        stage.run(5.0)
        assert customer.session is not None
        customer.hang_up(customer.session)
        customer.host.pump()
        stage.run(10.0)
        return stage.records[-1].market

    assert market() == "de"
    configure("lines.carrier", market="at")
    assert market() == "at"
    queue(market="ch")
    assert market() == "ch"


def test_notes_after_a_call_keep_the_next_caller_waiting_too(stage: Stage, queue: Set) -> None:
    queue(wrap_up_s=30.0)
    customer = talking(stage)
    stage.run(100.0)
    assert customer.session is not None
    customer.hang_up(customer.session)
    customer.host.pump()
    stage.run(60.0)
    (record,) = stage.records
    expected = stage.house.switch.acd.estimated_wait("support", 1, stage.world.now)
    assert expected == pytest.approx(record.talk_s + 30.0, abs=0.5)


@pytest.fixture
def shipped() -> Config:
    return load(SHIPPED, {})


def test_a_certificate_is_made_where_that_was_asked_for(shipped: Config, tmp_path: Path) -> None:
    assert prepare(shipped, tmp_path, False).sip.tls.certificate == tmp_path / "tls" / "sip.pem"


def test_no_certificate_is_made_where_that_was_not_asked_for(shipped: Config, tmp_path: Path) -> None:
    without = replace(shipped, sip=replace(shipped.sip, tls=Tls()))
    assert prepare(without, tmp_path, False).sip.tls.certificate is None
    assert not (tmp_path / "tls").exists()


@pytest.mark.parametrize(
    ("dialled", "line", "reached"),
    [
        ("+4930100", {}, True),
        ("+4930555", {}, False),
        ("+4930555", {"dids": {"+4930555": QueueTarget("support")}}, True),
        ("030555", {"dids": {"+4930555": QueueTarget("support")}}, True),
        ("+4930100", {"dids": {"+4930555": QueueTarget("support")}}, True),
        ("+4930100", {"dids": {"+4930555": QueueTarget("support")}, "only_dids": True}, False),
    ],
)
def test_a_line_has_numbers_of_its_own_and_may_be_for_those_alone(
    stage, configure, dialled: str, line: dict[str, Any], reached: bool
):
    configure("lines.carrier", **line)
    stage.customer(dialled)
    stage.run(2.0)
    if reached:
        assert stage.call.queue is not None and stage.call.queue.name == "support"
    else:
        assert stage.records[-1].reason is EndReason.UNKNOWN_NUMBER


def test_a_line_writes_numbers_in_its_own_way(stage, configure):
    rules = (RuleSettings(match="9(...)", write="{1}"),)
    incoming = StyleSettings(form=Form.DIGITS, rules=rules)
    configure("lines.carrier", numbers=NumberSettings(incoming=incoming))
    stage.customer("94930100")
    stage.run(2.0)
    assert stage.call.number == "+4930100"
