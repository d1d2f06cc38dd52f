"""Models of the kinds that production has, in a real call: phrases heard and translated to the letter.

The models are small enough to be kept with the tests (tests/media/speech/models); what runs them is
faster-whisper and CTranslate2, as with large ones.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.demo_speech import Page
from sip.pjsip.process import Softphone
from tests.interop.conftest import prompts_of
from tests.interop.node import AGENTS, Node, agent, queue
from tests.media.speech.spoken import spoken

MODELS = Path(__file__).resolve().parents[1] / "media" / "speech" / "models"
SAID = {
    "Quiero hablar con un agente.": "I want to speak to an agent.",
    "Muchas gracias.": "Thank you very much.",
}
PAUSE_S = 1.2
PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A Spanish queue of an English agent, with models for both ways of production."""
    more = {
        "queues": {"desk": queue("desk") | {"language": "es", "speech": {"captions": True}}},
        "agents": {
            "agents": {name: agent(name, queues) for name, queues in AGENTS.items()}
            | {"anna": agent("anna", ["desk"]) | {"languages": ["en"]}}
        },
        "language": {
            "recogniser": {
                "kind": "whisper",
                "model": str(MODELS / "whisper"),
                "reserve": False,
                "hints": False,
            },
            "translator": {"kind": "ctranslate2", "models": [str(MODELS / "opus-mt-es-en")]},
            "start": "always",
            "guess_every_s": 0,  # a model that knows whole sentences guesses wildly at their beginnings
            "last_words_s": 30,  # machines that tests run on may be busy
        },
    }
    running = Node(tmp_path_factory.mktemp("production"), prompts_of(request.config.cache), more=more)
    yield running
    assert running.close() == 0


def register(phone: Softphone, node: Node, name: str) -> Softphone:
    answer = phone.register(name, node.password(name), node.domain, node.address())
    assert answer["event"] == "registered", answer
    return phone


def test_a_live_call_is_heard_by_whisper_and_translated_by_ctranslate2_to_the_letter(
    node: Node, tmp_path: Path
) -> None:
    sound = b"".join(spoken(text, "es", 8000) + bytes(2 * int(8000 * PAUSE_S)) for text in SAID)
    file = tmp_path / "caller.wav"
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(8000)
        written.writeframes(sound)
    with Softphone("customer") as customer, Softphone("anna") as anna:
        register(customer, node, "customer")
        register(anna, node, "anna")
        desk = Page(node.api, "anna", node.password("anna"))
        call = customer.call("desk")
        rung = anna.incoming(10)
        anna.answer(rung)
        anna.expect("media", 5, call=rung, state="active")
        node.until("the speech workers", lambda: len(node.get("/v1/speech")["workers"]) == 3, PATIENCE_S)
        customer.ask("play", call=call, file=str(file))
        customer.expect("played", 30, call=call)
        node.until("two sentences", lambda: len(desk.finals("customer")) == len(SAID), PATIENCE_S)
        finals = desk.finals("customer")
        customer.hangup(call)
        desk.close()
    assert {each["text"]: each["translation"] for each in finals} == SAID
    assert all("whisper" in each["by"].lower() and not each["low_accuracy"] for each in finals)
    assert all("opus" in each["translated_by"].lower() and not each["gist"] for each in finals)
