"""Encrypted calls with phones of two makes: PJSIP with libsrtp, baresip with an SRTP of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import Softphone
from tests.interop.baresip import HELLO, Baresip
from tests.interop.conftest import prompts_of, registrar, serve
from tests.interop.node import Node
from tests.interop.test_phones import arrived, listen

RATE = 8000
CM_80, GCM_256 = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"
Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]


@pytest.fixture(scope="module")
def strict(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that takes no plain call of a phone, whatever its signalling goes over."""
    folder = tmp_path_factory.mktemp("strict")
    yield from serve(Node(folder, prompts_of(request.config.cache), {"srtp": "required"}))


@pytest.fixture
def member(strict: Node, phone: Phones) -> Phones:
    """A softphone registered with the strict node, which encrypts or does not call."""
    register = registrar(strict, phone)
    return lambda account, *more, **options: register(account, *more, **({"srtp": "mandatory"} | options))


@pytest.fixture
def baresip(tmp_path: Path, speech: Speech) -> Callable[..., Baresip]:
    says = speech(HELLO)
    return lambda node, user, encryption, *more, **options: Baresip.of(
        node, user, tmp_path, says, *more, encryption=encryption, **options
    )


def suites(node: Node, number: str) -> tuple[str, str]:
    record = node.record(number)
    return record["customer_encryption"], record["agent_encryption"]


def converse(
    speech: Speech, tmp_path: Path, one: tuple[Softphone, int], other: tuple[Softphone, int], name: str = ""
) -> None:
    """Each says a sentence, and each is heard by the other."""
    sentences = speech("where is the parcel that I am waiting for"), speech("it comes tomorrow before noon")
    files = tmp_path / f"{name}one.wav", tmp_path / f"{name}other.wav"
    for (phone, call), says, file in zip((one, other), sentences, files):
        phone.ask("record", call=call, file=str(file))
        phone.ask("play", call=call, file=str(says))
    for phone, call in (one, other):
        phone.expect("played", 10)
        phone.ask("stop", call=call, what="record")
    assert heard(read_wav(sentences[0], RATE), read_wav(files[1], RATE), RATE)
    assert heard(read_wav(sentences[1], RATE), read_wav(files[0], RATE), RATE)


def put_through(customer: Softphone, agent: Softphone, queue: str = "desk") -> tuple[int, int]:
    """A call of the customer's that the agent answers."""
    call = customer.call(queue)
    customer.expect("answered", call=call)
    offered = agent.incoming()
    agent.answer(offered)
    agent.expect("media", call=offered, state="active")
    return call, offered


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_two_softphones_talk_and_hold_encrypted(
    strict: Node, member: Phones, speech: Speech, tmp_path: Path, transport: str
) -> None:
    customer, anna = member("customer", transport), member("anna", transport)
    call, offered = put_through(customer, anna)
    converse(speech, tmp_path, (customer, call), (anna, offered))
    assert [leg["encryption"] for leg in strict.get("/v1/calls")["items"][0]["legs"]] == [CM_80, CM_80]
    anna.hold(offered)
    held = listen(customer, call, tmp_path / "held.wav", 2.0)
    anna.resume(offered)
    converse(speech, tmp_path, (customer, call), (anna, offered), "after ")
    quality = [customer.hangup(call)["stats"], anna.expect("ended")["stats"]]
    music = Path(PromptPack.load(strict.prompts).path("en", "music"))
    assert is_music(read_wav(held, RATE), read_wav(music, RATE), RATE)
    assert all(arrived(each) for each in quality)
    assert suites(strict, "desk") == (CM_80, CM_80)


def test_a_customer_is_transferred_encrypted(
    strict: Node, member: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, cleo, dora = member("customer"), member("cleo"), member("dora", "tls")
    call, offered = put_through(customer, cleo, "counter")
    cleo.hold(offered)
    consultation = cleo.call("dora")
    taken = dora.incoming()
    dora.answer(taken)
    cleo.expect("answered", call=consultation)
    cleo.ask("attended", call=offered, other=consultation)
    cleo.expect("ended", call=offered)
    converse(speech, tmp_path, (customer, call), (dora, taken))
    customer.hangup(call)
    dora.expect("ended", call=taken)
    assert suites(strict, "counter") == (CM_80, CM_80)
    strict.record("dora")


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_baresip_calls_encrypted_and_is_heard(
    strict: Node,
    member: Phones,
    baresip: Callable[..., Baresip],
    speech: Speech,
    tmp_path: Path,
    transport: str,
) -> None:
    anna = member("anna")
    replies = speech("welcome, this is a softphone of another make")
    anna.auto(answer_after=0.1, record=str(tmp_path / "anna.wav"))
    with baresip(strict, "tenant", "srtp-mand", transport) as tenant:
        tenant.dial("sip:desk@isogloss.test")
        tenant.expect("CALL_ESTABLISHED")
        offered = anna.expect("answered", 10)["call"]
        anna.ask("play", call=offered, file=str(replies))
        anna.expect("played", 10)
        tenant.command("hangup")
        anna.expect("ended", call=offered)
        tenant.expect("CALL_CLOSED")
        assert heard(read_wav(tenant.says, RATE), read_wav(tmp_path / "anna.wav", RATE), RATE)
        assert heard(read_wav(replies, RATE), read_wav(tenant.heard, RATE), RATE)
    customer, agent = suites(strict, "desk")
    assert customer in (CM_80, GCM_256, "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM") and agent == CM_80


def test_baresip_is_an_agents_phone_under_the_best_suite(
    strict: Node, member: Phones, baresip: Callable[..., Baresip], speech: Speech, tmp_path: Path
) -> None:
    customer = member("customer")
    says = speech("where is the parcel that I am waiting for")
    with baresip(strict, "anna", "srtp-mand", answer="auto") as anna:
        call = customer.call("desk")
        anna.expect("CALL_ESTABLISHED")
        customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
        customer.ask("play", call=call, file=str(says))
        customer.expect("played", 10)
        customer.hangup(call)
        anna.expect("CALL_CLOSED")
        assert heard(read_wav(says, RATE), read_wav(anna.heard, RATE), RATE)
        assert heard(read_wav(anna.says, RATE), read_wav(tmp_path / "customer.wav", RATE), RATE)
    assert suites(strict, "desk") == (CM_80, GCM_256)


def test_a_plain_phone_is_refused_where_encryption_is_required(strict: Node, member: Phones) -> None:
    visitor = member("visitor", srtp="disabled")
    assert visitor.expect("ended", call=visitor.call("desk"))["status"] == 488
    assert strict.record("desk")["reason"] == "not_acceptable"


@pytest.mark.parametrize(
    ("srtp", "agreed"), [("mandatory", CM_80), ("optional", CM_80), ("disabled", "")], ids=str
)
def test_over_tls_every_phone_is_reached_with_as_much_encryption_as_it_has(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path, srtp: str, agreed: str
) -> None:
    customer, anna = agent("customer", "tls", srtp=srtp), agent("anna", "tls", srtp=srtp)
    call, offered = put_through(customer, anna)
    converse(speech, tmp_path, (customer, call), (anna, offered))
    customer.hangup(call)
    anna.expect("ended")
    assert suites(node, "desk") == (agreed, agreed)


def test_an_encrypted_customer_and_a_plain_agent_talk(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, anna = agent("customer", "tls", srtp="mandatory"), agent("anna", "udp")
    call, offered = put_through(customer, anna)
    converse(speech, tmp_path, (customer, call), (anna, offered))
    customer.hangup(call)
    anna.expect("ended")
    assert suites(node, "desk") == (CM_80, "")


def test_baresip_that_would_do_without_is_encrypted_over_tls(
    node: Node, agent: Phones, baresip: Callable[..., Baresip]
) -> None:
    customer = agent("customer", "tls", srtp="optional")
    with baresip(node, "anna", "srtp", "tls", answer="auto") as anna:
        call = customer.call("desk")
        anna.expect("CALL_ESTABLISHED")
        customer.hangup(call)
        anna.expect("CALL_CLOSED")
    assert suites(node, "desk") == (CM_80, GCM_256)


def test_keys_are_not_in_the_log(node: Node, strict: Node) -> None:
    for each in (node, strict):
        assert "inline:" not in each.said(10_000_000)
