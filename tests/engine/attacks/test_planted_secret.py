"""Secrets that are planted in a real node come out nowhere: not in its log, ladders, captures, HEP, metrics,
answers, audit log, nor in the store's file.
"""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pyotp
import pytest
import structlog
import uvloop

from config.secret import Secret
from config.signalling import Hep
from engine import log
from engine.access.desk import csrf_of
from engine.access.principal import How
from engine.access.role import Role
from engine.api.app import create_app
from engine.api.identify import COOKIE
from engine.store.accounts import User
from sip.digest import Authorizer, Credentials
from sip.message import Response, parse
from tests.engine.api_node import SETTINGS, WRITE
from tests.engine.operating_stand import Stand, shipped

PHONE_PASSWORD = "planted-phone-password"
USER_PASSWORD = "planted staple of horses"
GUESSED = "planted-guess-at-a-password"
WRONG_TOKEN = "isot_planted-token-of-nobody"
SRTP_KEY = "UGxhbnRlZEtleU9mU2l4dHlGb3VyTGV0dGVyc0FuZFNv"
ICE_PASSWORD = "planted-ice-password-000"
PIN = "4929"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/SAVP 8\r\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SRTP_KEY}\r\na=ice-pwd:{ICE_PASSWORD}\r\n"
)


class Phone:
    """Speaks SIP to the node over a real socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.own = self.socket.getsockname()[1]
        self.count = 0
        self.responses: list[str] = []  # of digest

    async def ask(self, method: str, body: str = "", *more: str, password: str = "") -> Response:
        answer = await self._ask(method, body, *more)
        if answer.status != 401 or not password:
            return answer
        client = Authorizer(Credentials("alice", password), Random(1))
        assert client.challenged(answer)
        proof = [f"{name}: {value}" for name, value in client.headers(method, "sip:isogloss.test")]
        self.responses += [
            part.split('"')[1] for line in proof for part in line.split(",") if "response=" in part
        ]
        return await self._ask(method, body, *more, *proof)

    async def _ask(self, method: str, body: str, *more: str) -> Response:
        self.count += 1
        kind = ["Content-Type: application/sdp"] if body else []
        lines = [
            f"{method} sip:isogloss.test SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.own};rport;branch=z9hG4bK{self.count}",
            "From: <sip:alice@isogloss.test>;tag=1",
            "To: <sip:alice@isogloss.test>",
            f"Call-ID: planted-{self.count}",
            f"CSeq: {self.count} {method}",
            f"Contact: <sip:alice:{PHONE_PASSWORD}@127.0.0.1:{self.own}>",
            "Max-Forwards: 70",
            *kind,
            *more,
            f"Content-Length: {len(body)}",
        ]
        self.socket.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        data = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, 65_536), 5.0)
        answer = parse(data)
        assert isinstance(answer, Response)
        return answer


class Gathered:
    """All that came out of the node, by where."""

    def __init__(self) -> None:
        self.out: dict[str, bytes] = {}

    def add(self, where: str, what: bytes | str) -> None:
        data = what if isinstance(what, bytes) else what.encode("utf-8", "replace")
        self.out[where] = self.out.get(where, b"") + data


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    made.edit("sip.yaml", "domain: isogloss.local", "domain: isogloss.test")
    yield made
    made.close()


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    log.configure("json", "debug", stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def test_what_was_planted_is_found_nowhere(stand: Stand, lines: io.StringIO) -> None:
    gathered = Gathered()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        secrets = runner.run(story(stand, gathered))
    gathered.add("log", lines.getvalue())
    stand.engine.access.close()
    stand.engine.insight.close()
    stand.engine.journal.close()
    gathered.add("anchor and spill", b"".join(each.read_bytes() for each in stand.data.glob("audit.*")))
    with sqlite3.connect(stand.data / "isogloss.db") as file:
        for row in file.execute("SELECT * FROM audit"):
            gathered.add("audit log", repr(row))
        file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    gathered.add("store", b"".join(each.read_bytes() for each in stand.data.glob("isogloss.db*")))
    assert b"sign-in refused" in gathered.out["log"] and b"REGISTER" in gathered.out["hep"]
    assert b"INVITE" in gathered.out["/v1/sip/refused"] and b"isogloss_" in gathered.out["metrics"]
    assert b"wrong-credentials" in gathered.out["audit log"]
    found = [
        (name, where)
        for name, secret in secrets.items()
        for where, out in gathered.out.items()
        if secret.encode() in out
    ]
    assert found == []


async def story(stand: Stand, gathered: Gathered) -> dict[str, str]:
    engine = stand.engine
    agents = {
        **engine.config.agents,
        "alice": replace(engine.config.agents["alice"], password=Secret("t", PHONE_PASSWORD)),
    }
    passwords = {"alice": PHONE_PASSWORD}
    known = engine.admission.digest.secret_of
    engine.admission.digest.secret_of = lambda user, realm: (
        type(known("bob", realm))(passwords[user]) if user in passwords else known(user, realm)
    )
    engine.sign_in.agents = agents
    await engine.shell.start()
    port = next(each.port for each in engine.shell.listeners if each.transport == "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as homer:
        homer.bind(("127.0.0.1", 0))
        homer.settimeout(5.0)
        hep = Hep(host="127.0.0.1", port=homer.getsockname()[1], id=7)
        engine.insight.export(replace(engine.config, sip=replace(engine.config.sip, hep=hep)))
        phone = Phone(port)
        digests = await speak(phone)
        secrets = await browse(stand, gathered)
        engine.insight.export(engine.config)
        homer.settimeout(0.2)
        try:
            while True:
                gathered.add("hep", homer.recv(65_536))
        except TimeoutError:
            pass
    phone.socket.close()
    await engine.shell.close()
    engine.insight.traces.close()
    return secrets | digests


async def speak(phone: Phone) -> dict[str, str]:
    """A phone that registers, one that guesses, and calls with keys in them."""
    assert (await phone.ask("REGISTER", password=PHONE_PASSWORD)).status == 200
    assert (await phone.ask("REGISTER", password=GUESSED)).status == 401
    assert (await phone.ask("INVITE", SDP, password=GUESSED)).status == 401
    assert (await phone.ask("INVITE", SDP, "Require: planted")).status == 420
    body = f"Signal={PIN}\r\nDuration=160\r\n"
    refused = await phone._ask("MESSAGE", "", f"X-Auth-Token: {WRONG_TOKEN}", f"Cookie: {body[:11]}")
    assert refused.status in (401, 405)
    found = {f"digest {number}": each for number, each in enumerate(phone.responses)}
    assert len(found) >= 3
    return found | {"phone's password": PHONE_PASSWORD, "SRTP key": SRTP_KEY, "ICE password": ICE_PASSWORD}


async def browse(stand: Stand, gathered: Gathered) -> dict[str, str]:
    """People who sign in, guess, and put secrets where they do not belong."""
    engine = stand.engine
    access = engine.access
    kept = await access.desk.passwords.keep(USER_PASSWORD)
    access.desk.accounts.add(User(name="maria", role=Role.ADMIN, password=kept))
    user = access.desk.accounts.user("maria")
    assert user is not None
    opened = await access.desk.open(user, How.PASSWORD, "192.0.2.7")
    app = create_app(engine.view, SETTINGS, access=access, live=engine.live)
    headers = {
        "Cookie": f"{COOKIE}={opened.secret}",
        "Origin": "http://node",
        "X-CSRF-Token": csrf_of(opened.secret),
    }
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:

        async def ask(method: str, path: str, own: bool = False, **more: object) -> httpx.Response:
            given = headers | dict(more.pop("headers", {}))  # type: ignore[call-overload]
            answer = await client.request(method, path, headers=given, **more)  # type: ignore[arg-type]
            if not own:
                gathered.add(path.partition("?")[0], answer.text + repr(dict(answer.headers)))
            return answer

        enrolment = (await ask("POST", "/v1/session/totp", own=True, json={"password": USER_PASSWORD})).json()
        totp = enrolment["secret"]
        code = pyotp.TOTP(totp).at(int(access.desk.wall()))
        codes = (await ask("PUT", "/v1/session/totp", own=True, json={"code": code})).json()["codes"]
        made = await ask("POST", "/v1/tokens", own=True, json={"name": "own", "scopes": ["board"]})
        token = made.json()["secret"]
        for path in (
            "/v1/tokens",
            "/v1/users",
            "/v1/users/maria",
            "/v1/audit?limit=100",
            "/v1/config/versions",
        ):
            await ask("GET", path)
        await ask("GET", "/v1/sip/refused")
        await ask("GET", "/v1/sip/refused?challenges=true")
        await ask("GET", "/v1/calls", headers={"Authorization": f"Bearer {WRONG_TOKEN}"})
        await ask("GET", "/v1/registrations", headers={"Authorization": f"Bearer {WRITE}"})
        for wish in (
            {"name": "maria", "password": GUESSED},
            {"name": "maria", "password": USER_PASSWORD, "code": "000000"},
            {"name": ["maria"], "password": {"is": USER_PASSWORD}},
            {"password": USER_PASSWORD, "planted": GUESSED},
        ):
            await ask("POST", "/v1/session", headers={"Cookie": ""}, json=wish)
        await ask("POST", "/v1/session", content=USER_PASSWORD.encode())
        await ask("PUT", "/v1/session/password", json={"old": GUESSED, "new": USER_PASSWORD, "more": 1})
        gathered.add("metrics", engine.view.metrics())
        gathered.add("health", (await client.get("/v1/health")).text)
    return {
        "user's password": USER_PASSWORD,
        "cookie": opened.secret,
        "second factor": totp,
        "token": token,
        "wrong token": WRONG_TOKEN,
        "guess": GUESSED,
        **{f"recovery code {number}": each for number, each in enumerate(codes)},
    }
