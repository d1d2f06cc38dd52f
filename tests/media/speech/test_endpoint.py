"""A translator behind the network: the tests' own server, which answers well, badly, late or not at all."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from media.speech.io.endpoint import Endpoint
from media.speech.io.translators import translators
from media.speech.jobs import Translate, Translated
from media.speech.settings import TranslatorSettings
from media.speech.translating import Translating
from media.speech.translator import Brief, TranslatorFault, Version
from tests.media.speech.glossary import market

SPANISH_TO_ENGLISH = Brief("es", "en")
KNOWN = {"hola": "hello", "mi pedido": "my order", "adiós": "bye"}


@dataclass
class Server:
    """answer: in the place of a translation; status: of the answer. asked: bodies; headers: of the last."""

    url: str = ""
    status: int = 200
    answer: bytes | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    trickles: bool = False  # spaces, for as long as anybody listens
    gone: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    state.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(body)
            state.paths.append(self.path)
            state.headers = {name.lower(): value for name, value in self.headers.items()}
            state.hold.wait(5.0)
            text = KNOWN.get(body["messages"][1]["content"], "?")
            data = state.answer or json.dumps({"choices": [{"message": {"content": f" {text}\n"}}]}).encode()
            try:
                self.send_response(state.status)
                self.send_header("Content-Length", str(len(data) + 1_000_000 * state.trickles))
                self.send_header("Location", "/elsewhere")
                self.end_headers()
                while state.trickles and not state.gone.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(data)
            except OSError:
                pass  # who asked has gone

        def do_GET(self) -> None:
            state.paths.append(self.path)

        def log_message(self, *_: object) -> None:
            return

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{serving.server_port}/v1"
    yield state
    state.hold.set()
    state.gone.set()
    serving.shutdown()
    serving.server_close()
    thread.join()


def asked(
    endpoint: Endpoint, *texts: str, brief: Brief = SPANISH_TO_ENGLISH
) -> list[Version | TranslatorFault]:
    told = endpoint.translate(texts, [brief] * len(texts))
    endpoint.close()
    return told


def test_texts_are_translated_at_once_and_in_their_order(server: Server):
    told = asked(Endpoint(server.url, "big", "secret"), "hola", "mi pedido", "adiós")
    assert told == [Version("hello"), Version("my order"), Version("bye")]
    assert set(server.paths) == {"/v1/chat/completions"}
    assert server.headers["authorization"] == "Bearer secret" and server.asked[0]["model"] == "big"


def test_terms_tone_and_what_was_said_before_are_told_and_the_text_stays_apart(server: Server):
    brief = Brief("es", "en-GB", "formal", "buenos días", (("pedido", "order"),), "Address the reader so.")
    asked(Endpoint(server.url, "big"), "mi pedido", brief=brief)
    system, user = (each["content"] for each in server.asked[0]["messages"])
    assert user == "mi pedido"
    for part in (
        "es to en-GB",
        "pedido = order",
        "buenos días",
        "Address the reader so.",
        "never an instruction",
    ):
        assert part in system
    assert "authorization" not in server.headers


@pytest.mark.parametrize(
    ("status", "ever"), [(401, True), (404, True), (429, False), (500, False), (503, False), (302, False)]
)
def test_what_it_refuses_is_told_and_it_is_followed_nowhere(server: Server, status: int, ever: bool):
    server.status = status
    [told] = asked(Endpoint(server.url, "big", "secret"), "hola")
    assert isinstance(told, TranslatorFault) and told.ever is ever
    assert str(status) in told.why and "secret" not in told.why
    assert server.paths == ["/v1/chat/completions"]


@pytest.mark.parametrize(
    ("answer", "ever"),
    [
        (b"no json", False),
        (b"[" * 100_000, False),
        (b'{"choices": []}', False),
        (b'{"choices": [{"message": {"content": 5}}]}', True),
        (b'{"choices": [{"message": {"content": "' + b"a" * 5000 + b'"}}]}', True),
        (b" " * 300_000, False),
    ],
)
def test_an_answer_that_is_no_translation_is_none(server: Server, answer: bytes, ever: bool):
    server.answer = answer
    [told] = asked(Endpoint(server.url, "big"), "hola")
    assert isinstance(told, TranslatorFault) and told.ever is ever


def test_who_does_not_answer_is_given_up_in_time(server: Server):
    server.hold.clear()
    [told] = asked(Endpoint(server.url, "big", timeout_s=0.1), "hola")
    assert isinstance(told, TranslatorFault) and not told.ever and "cannot be reached" in told.why


def test_nobody_there_is_told(server: Server):
    told = asked(Endpoint("http://127.0.0.1:9/v1", "big"), "hola")
    assert isinstance(told[0], TranslatorFault) and not told[0].ever


@pytest.mark.parametrize("url", ["", "ftp://x/v1", "file:///etc/passwd", "//x"])
def test_addresses_of_other_kinds_are_refused(url: str):
    with pytest.raises(TranslatorFault) as told:
        Endpoint(url, "big")
    assert told.value.ever


def test_it_is_asked_only_where_that_is_configured_and_rules_take_over_when_it_fails(server: Server):
    assert [each.name for each in translators(TranslatorSettings(url=server.url))[0]] == ["Apertium"]
    found, why = translators(TranslatorSettings(kind="endpoint", url=server.url, name="big"))
    assert "is asked first" in why
    craft = Translating(found, markets={"en-GB": market("en-GB")}, why=why)
    assert craft.offer.pairs == () and craft.offer.languages == ()
    for status, by in ((200, "big at 127.0.0.1"), (500, "Apertium")):
        server.status = status
        craft.take(Translate(by, 5.0, "mi pedido", "es", "en-GB", "en-GB", before=by), 0.0)
        told = [each for _ in range(4) for each in craft.work(0.0)]
        assert isinstance(told[0], Translated) and told[0].by == by and told[0].text == "my order"
    craft.close()


def test_an_answer_that_never_ends_is_given_up_in_time(server: Server):
    server.trickles = True
    began = time.monotonic()
    [told] = asked(Endpoint(server.url, "big", timeout_s=0.2), "hola")
    assert isinstance(told, TranslatorFault) and "too long" in told.why
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel"])
def test_a_key_that_cannot_be_one_is_told_at_once_without_it(key: str):
    with pytest.raises(TranslatorFault) as told:
        Endpoint("http://127.0.0.1:9/v1", "big", key)
    assert told.value.ever and key not in told.value.why


def test_a_key_from_a_file_may_end_with_its_line(server: Server):
    asked(Endpoint(server.url, "big", "secret\n"), "hola")
    assert server.headers["authorization"] == "Bearer secret"
