"""Transfers as agents' phones ask for them: sipp word for word, PJSIP as a product does it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.sipp import Sipp, free_port

AGENT = "127.0.0.4"
RATE = 8000
Caller = Callable[..., Sipp]
Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]


@pytest.fixture
def desk_phone(node: Node, tmp_path: Path) -> Callable[..., Sipp]:
    """sipp as an agent's phone: registers, then plays a scenario at the same port."""

    def start(account: str, scenario: str, target: str = "") -> Sipp:
        options = {
            "remote": node.address(),
            "address": AGENT,
            "port": free_port(AGENT),
            "caller": account,
            "password": node.password(account),
            "keys": {"domain": node.domain, "target": target},
        }
        with Sipp("register", tmp_path, **options, digest_uri=node.domain):  # type: ignore[arg-type]
            pass
        consulted = f"{target}@{node.domain}"
        return Sipp(scenario, tmp_path, **options, timeout=30, digest_uri=consulted)  # type: ignore[arg-type]

    return start


@pytest.mark.parametrize(
    ("agent", "queue", "way", "colleague"),
    [("emil", "booth", "blind", "gus"), ("fay", "kiosk", "attended", "ben")],
)
def test_an_agent_transfers_a_caller_to_a_colleague(
    node: Node,
    caller: Caller,
    desk_phone: Callable[..., Sipp],
    agent: str,
    queue: str,
    way: str,
    colleague: str,
) -> None:
    taker = desk_phone(colleague, "callee")
    giver = desk_phone(agent, f"agent_transfers_{way}", colleague)
    with taker, giver, caller("caller_talks", queue, talk="4000", timeout=30):
        pass
    record = node.record(queue)
    assert record["transfers"] == 1
    assert (record["reason"], record["ended_by"]) == ("completed", "customer")


def test_an_attended_transfer_joins_the_customer_and_the_colleague(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, cleo, dora = agent("customer"), agent("cleo"), agent("dora")
    call = customer.call("counter")
    customer.expect("answered", call=call)
    offered = cleo.incoming()
    cleo.answer(offered)
    cleo.expect("media", call=offered, state="active")
    cleo.hold(offered)
    consultation = cleo.call("dora")
    taken = dora.incoming()
    dora.answer(taken)
    cleo.expect("answered", call=consultation)
    cleo.ask("attended", call=offered, other=consultation)
    cleo.expect("ended", call=offered)
    cleo.expect("ended", call=consultation)
    hears_each_other(customer, call, dora, taken, speech, tmp_path)
    customer.hangup(call)
    dora.expect("ended", call=taken)
    assert node.record("counter")["transfers"] == 1


def test_a_blind_transfer_that_nobody_answers_comes_back(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, cleo, dora = agent("visitor"), agent("cleo"), agent("dora")
    call = customer.call("counter")
    customer.expect("answered", call=call)
    offered = cleo.incoming()
    cleo.answer(offered)
    cleo.expect("media", call=offered, state="active")
    dora.auto(reject=486)
    cleo.ask("transfer", call=offered, target="dora")
    assert cleo.expect("transfer", final=True)["status"] == 486
    hears_each_other(customer, call, cleo, offered, speech, tmp_path)
    customer.hangup(call)
    cleo.expect("ended", call=offered)
    record = node.record("counter")
    assert (record["agent"], record["transfers"]) == ("cleo", 0)


def hears_each_other(
    one: Softphone, one_call: int, other: Softphone, other_call: int, speech: Speech, folder: Path
) -> None:
    """Both speak at once, and each heard the other and nothing of the own voice."""
    says = {
        one: speech("this is the first voice, and it speaks"),
        other: speech("that was number two answering"),
    }
    calls = {one: one_call, other: other_call}
    for phone, call in calls.items():
        phone.ask("record", call=call, file=str(folder / f"{phone.name}.wav"))
    for phone, call in calls.items():
        phone.ask("play", call=call, file=str(says[phone]))
    for phone, call in calls.items():
        phone.expect("played", 10, call=call)
    for phone, call in calls.items():
        phone.ask("stop", call=call, what="record")
    for phone, far in ((one, other), (other, one)):
        received = read_wav(folder / f"{phone.name}.wav", RATE)
        assert heard(read_wav(says[far], RATE), received, RATE), f"{phone.name} did not hear {far.name}"
        assert not heard(read_wav(says[phone], RATE), received, RATE), f"{phone.name} heard an echo"
