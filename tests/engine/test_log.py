"""The log: the same keys everywhere, no secret, no flood."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from engine import log


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out(clock: Clock) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure("json", "debug", stream=stream, clock=clock)
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_says_when_how_bad_where_and_what(out: io.StringIO) -> None:
    structlog.get_logger("call").warning("inbox full", call="c1", state="queued")
    (line,) = lines(out)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "warning",
        "room": "call",
        "event": "inbox full",
        "call": "c1",
        "state": "queued",
    }


def test_the_standard_library_writes_the_same_keys(out: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").error("Exception in %s", "ASGI application")
    (line,) = lines(out)
    assert (line["level"], line["room"], line["event"]) == (
        "error",
        "uvicorn.error",
        "Exception in ASGI application",
    )


def test_a_traceback_is_one_line_and_scrubbed(out: io.StringIO) -> None:
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        structlog.get_logger("node").exception("a loop failed")
    (line,) = lines(out)
    assert "ValueError" in line["exception"] and "hunter2" not in line["exception"]


def test_text_for_a_terminal_has_the_same_words(clock: Clock) -> None:
    out = io.StringIO()
    log.configure("text", stream=out, clock=clock)
    try:
        structlog.get_logger("call").info("answered", call="c1", password="hunter2")
        structlog.get_logger("call").debug("not wanted")
    finally:
        structlog.reset_defaults()
    assert "answered" in out.getvalue() and "c1" in out.getvalue()
    assert "hunter2" not in out.getvalue() and "not wanted" not in out.getvalue()


SECRET = "s3cr3tV4lue"


@pytest.mark.parametrize(
    "text",
    [
        f"REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"{SECRET}\"\r\nCSeq: 1 REGISTER\r\n",
        f"Proxy-Authorization: Digest username=\"a\",\r\n  response=\"{SECRET}\"\r\nVia: x",
        f"authorization: Bearer {SECRET}",
        f"got header Bearer {SECRET} from x",
        f"v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SECRET}|2^20\r\n",
        f"keys inline:{SECRET}AAAA",
        f"a=ice-pwd:{SECRET}",
        f"postgresql://isogloss:{SECRET}@db/isogloss",
        f"sip:alice:{SECRET}@example.com",
        f"password={SECRET} user=x",
        f"{{'password': '{SECRET}'}}",
        f'{{"token": "{SECRET}"}}',
        f"login?api_key={SECRET}&x=1",
        f"Cookie: session={SECRET}",
        f"Digest username=\"a\", realm=\"b\", response=\"{SECRET}\"",
    ],
)  # fmt: skip
def test_a_secret_in_a_text_is_hidden(out: io.StringIO, text: str) -> None:
    structlog.get_logger("sip").info("message", text=text, data=text.encode(), deep=[{"a": (text,)}])
    structlog.get_logger("sip").info(text)
    logging.getLogger("x").warning("%s", text)
    assert SECRET not in out.getvalue()
    assert len(lines(out)) == 3


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "token",
        "api_key",
        "authorization",
        "private_key",
        "ha1",
        "sip_password",
        "crypto",
        "secret",
    ],
)
def test_a_secret_is_known_by_its_key(out: io.StringIO, key: str) -> None:
    structlog.get_logger("sip").info("set", **{key: SECRET}, more={key: SECRET}, users=[{key: [SECRET]}])
    assert SECRET not in out.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@example.com:5060",
        "sip:alice@192.0.2.1:5060;transport=udp",
        "the basic calls answered",
        "o=- 1 1 IN IP4 192.0.2.1\r\na=rtpmap:0 PCMU/8000",
        "the token of 'wallboard' does not have the scope",
        "http://127.0.0.1:8080/v1/calls",
    ],
)
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert log.scrub_text(text) == text


def test_a_value_that_is_nested_without_end_is_cut_off(out: io.StringIO) -> None:
    endless: list[Any] = []
    endless.append(endless)
    structlog.get_logger("x").info("odd", value=endless, thing=object(), byte=b"\xff")
    assert len(lines(out)) == 1


def test_an_error_that_repeats_is_written_a_few_times_then_counted(out: io.StringIO, clock: Clock) -> None:
    shout = structlog.get_logger("shell")
    for _ in range(100):
        shout.error("socket is gone", why="x")
    assert len(lines(out)) == log.REPEATS
    clock.now = log.PERIOD_S
    shout.error("socket is gone", why="x")
    assert lines(out)[-1]["repeated"] == 100 - log.REPEATS


def test_another_error_is_not_held_back_by_it(out: io.StringIO) -> None:
    for _ in range(100):
        structlog.get_logger("shell").error("socket is gone")
    structlog.get_logger("shell").error("disk is gone")
    structlog.get_logger("other").error("socket is gone")
    assert len(lines(out)) == log.REPEATS + 2


def test_what_is_no_warning_is_never_held_back(out: io.StringIO) -> None:
    for _ in range(100):
        structlog.get_logger("call").info("answered")
    assert len(lines(out)) == 100


def test_the_standard_library_is_bounded_too(out: io.StringIO) -> None:
    for number in range(100):
        logging.getLogger("asyncio").error("socket.send() raised %s", number)
    assert len(lines(out)) == log.REPEATS


def test_the_limiter_remembers_a_bounded_number_of_events() -> None:
    limiter = log.Limiter(lambda: 0.0)
    for number in range(5000):
        limiter(None, "error", {"event": f"fault {number}"})
    assert len(limiter._seen) <= log.MAX_KINDS


def test_numbers_of_people_are_masked_by_key_and_by_form(out: io.StringIO) -> None:
    logger = structlog.get_logger("call")
    logger.info(
        "call from +34911234567", customer="911234567", uri="sip:+34911234567@192.0.2.7", caller="Ana"
    )
    logger.warning("odd", told=["paid with 4111 1111 1111 1111", {"mail": "maria@example.org"}])
    logging.getLogger("uvicorn").error("no answer from %s", "+34911234567")
    written = out.getvalue()
    for number in ("911234567", "4111", "maria@", "Ana"):
        assert number not in written
    first, second, third = lines(out)
    assert first["event"] == "call from +34******567" and first["customer"] == "******567"
    assert first["uri"] == "sip:+34******567@192.0.2.7" and first["caller"] == "A***"
    assert second["told"] == ["paid with ************1111", {"mail": "m***@example.org"}]
    assert third["event"] == "no answer from +34******567"


def test_what_is_nobodys_number_stays_in_the_log(out: io.StringIO) -> None:
    structlog.get_logger("sip").info(
        "bound", call="019a4f3c2b10-5d1e8a90c4b7f263", at_="2025-10-09T08:53:20Z", peer="192.168.100.200:5060"
    )
    (line,) = lines(out)
    assert line["call"] == "019a4f3c2b10-5d1e8a90c4b7f263" and line["peer"] == "192.168.100.200:5060"
    assert line["at_"] == "2025-10-09T08:53:20Z"
