"""The node's own server, over sockets, as attackers speak to it: paths as nobody's library would send them,
passwords tried one after the other at both doors, and downloads of another market's calls.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI

from engine.access.role import Role
from engine.api.app import create_app
from engine.api.identify import COOKIE
from engine.api.server import ApiServer
from engine.api.settings import ConsoleTerms
from tests.engine.access.stand import PASSWORD, standing
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.attacks.test_paths import DAY as REAL_DAY
from tests.engine.attacks.test_paths import FILES, SECRET, WRITTEN, Real
from tests.engine.test_api_matrix import DAY, People
from tests.engine.test_unseal import folder as folder

WITH_CONSOLE = replace(SETTINGS, console=ConsoleTerms())
TOKEN = {"Authorization": f"Bearer {WRITE}"}


@dataclass
class Answer:
    status: int
    body: bytes
    headers: http.client.HTTPMessage


class House:
    """A server in a thread."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.port = app, 0
        self._loop = asyncio.new_event_loop()
        up = threading.Event()

        async def serve() -> None:
            self._server = ApiServer(app, "127.0.0.1", 0)
            await self._server.start()
            self.port = self._server.port
            up.set()

        def run() -> None:
            self._loop.create_task(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        assert up.wait(20.0)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """path: goes out as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), answer.headers)
        finally:
            connection.close()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()


@contextmanager
def served(app: FastAPI) -> Iterator[House]:
    house = House(app)
    try:
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, People]]:
    """Two markets, a record of each, and everybody there may be."""
    with standing(tmp_path_factory.mktemp("sockets")) as stand:
        made = People(stand)
        with served(create_app(made.node, WITH_CONSOLE, access=stand.access)) as house:
            yield house, made


def test_no_path_leads_out_of_the_recordings_whoever_writes_it(folder: Path) -> None:
    node = Real(folder)
    for place in (node.recordings.parent, node.recordings, folder):
        (place / "secret.wav").write_text(SECRET * 3)
    (node.recordings / REAL_DAY / "own.opus").write_text("own sound" * 20)
    (node.recordings / REAL_DAY / "link.wav").symlink_to(node.recordings.parent / "secret.wav")
    paths = [f"{day}/{file}" for day in WRITTEN for file in FILES]
    paths += [f"{REAL_DAY}/{file}" for file in FILES if file != "secret.wav"]
    paths += [
        f"{REAL_DAY}/link.wav",
        f"{REAL_DAY}/../../secret.wav",
        f"{folder}/secret.wav",
        f"/{folder}/secret.wav",
    ]
    with served(create_app(node, WITH_CONSOLE)) as house:
        form = urlencode({"password": WRITE}).encode()
        entered = house.ask("POST", "/console/sign-in", form, Origin=house.origin)
        assert entered.status == 303
        cookie = entered.headers["Set-Cookie"].partition(";")[0]
        for number, path in enumerate(paths):
            answers = [house.ask("GET", f"/v1/recordings/{path}", **TOKEN)]
            answers.append(house.ask("GET", f"/console/sound/{path}", Cookie=cookie))
            if number % 7 == 0:
                answers.append(house.ask("GET", f"/shared/{path}"))
                answers.append(house.ask("GET", f"/console/web/{path}", Cookie=cookie))
            for answer in answers:
                assert answer.status in (400, 404, 405, 422), path
                assert SECRET.encode() not in answer.body, path
        good = house.ask("GET", f"/v1/recordings/{REAL_DAY}/own.opus", **TOKEN)
        assert (good.status, good.body[:9]) == (200, b"own sound")
        assert house.ask("GET", f"/console/sound/{REAL_DAY}/own.opus", Cookie=cookie).status == 200


def test_nothing_of_another_markets_calls_is_taken_along(people: tuple[House, People]) -> None:
    house, made = people
    for limit in ("de", "north"):
        cookie = f"{COOKIE}={made.open(Role.SUPERVISOR, limit)}"
        for call, found in (("r1", 200), ("s1", 404)):
            name = f"{DAY}/{call}-1.opus"
            paths = [
                f"/v1/recordings/{name}",
                f"/v1/recordings/{name}/outline",
                f"/v1/recordings/{name}/shares",
            ]
            paths += [f"/v1/transcripts/{call}", f"/v1/records/{call}", f"/console/sound/{name}"]
            for path in paths:
                assert house.ask("GET", path, Cookie=cookie).status == found, (limit, path)
    cookie = f"{COOKIE}={made.open(Role.OPERATOR, 'de')}"
    for path in ("/v1/calls/u1/capture", "/v1/calls/u1/ladder", "/v1/calls/u1/messages"):
        assert house.ask("GET", path, Cookie=cookie).status in (403, 404), path


def test_a_table_of_the_console_is_of_ones_own_market(people: tuple[House, People]) -> None:
    house, made = people
    asked = []
    real = made.node.report
    made.node.report = lambda ask: (asked.append(ask), real(ask))[1]  # type: ignore[method-assign]
    for path in ("/console/files/calls.csv?period=day&market=us", "/v1/reports/calls.csv?by=queue&market=us"):
        cookie = f"{COOKIE}={made.open(Role.SUPERVISOR, 'de')}"
        assert house.ask("GET", path, Cookie=cookie).status == 200
    assert len(asked) == 2
    assert not any(ask.within.sees_call("us", "sales", "carol") for ask in asked)
    assert all(ask.within.sees_call("de", "support", "alice") for ask in asked)


def guess(house: House, password: str, **headers: str) -> int:
    body = json.dumps({"name": "victim", "password": password}).encode()
    given = {"Content_Type": "application/json", "Origin": house.origin} | headers
    return house.ask("POST", "/v1/session", body, **given).status


def guess_at_the_console(house: House, password: str, **headers: str) -> int:
    body = urlencode({"name": "victim", "password": password}).encode()
    return house.ask("POST", "/console/sign-in", body, **({"Origin": house.origin} | headers)).status


def test_passwords_are_tried_at_both_doors_and_the_right_one_comes_too_late(
    tmp_path: Path,
) -> None:
    """From other addresses as well, so it says: nobody here is asked to believe it."""
    with standing(tmp_path) as stand:
        stand.user("victim", Role.ADMIN)
        app = create_app(Node(), WITH_CONSOLE, access=stand.access)
        with served(app) as house:
            forged = ({"X_Forwarded_For": f"203.0.113.{number}"} for number in range(100))
            told = [guess(house, f"guess number {number}", **next(forged)) for number in range(12)]
            told += [
                guess_at_the_console(house, f"guess {number} more", **next(forged)) for number in range(6)
            ]
            assert set(told[:3]) <= {401, 403} and 429 in told[:12]
            assert told[-1] == 429
            assert guess(house, PASSWORD, **next(forged)) == 429
            assert guess_at_the_console(house, PASSWORD, **next(forged)) == 429
            stand.later(86_400.0)
            assert guess(house, PASSWORD) == 200
