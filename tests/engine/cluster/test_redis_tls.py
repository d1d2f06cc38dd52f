"""A Redis behind TLS and a password: it is known by its certificate, and nobody is told its password."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.load import SHIPPED, load
from config.schema import Config
from engine.cluster.redis import RedisStore
from engine.cluster.running import store_of
from tests.engine.cluster.test_outage import Turns
from tests.interop.redis_server import RedisServer, installed

PASSWORD = "correct-horse-battery"
SOON_S = 20.0  # of a machine that has other things to do


class Authority:
    """Signs certificates of servers."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.pem = folder / f"{name}.pem"
        self.pem.write_bytes(self._signed(name, self.key, None))

    def server(self, address: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        cert, private = self.folder / f"{address}.pem", self.folder / f"{address}.key"
        cert.write_bytes(self._signed("redis", key, address))
        plain = serialization.NoEncryption()
        private.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        return cert, private

    def _signed(self, name: str, key: ec.EllipticCurvePrivateKey, address: str | None) -> bytes:
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(_called(name))
            .issuer_name(_called(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            built = built.add_extension(names, critical=False)
        return built.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def served(folder: Path, authority: Authority, address: str = "127.0.0.1") -> RedisServer:
    """A server with a certificate for `address`, at 127.0.0.1."""
    if not installed():
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    cert, key = authority.server(address)
    words = ["--tls-port", "{port}", "--tls-cert-file", str(cert), "--tls-key-file", str(key)]
    words += ["--tls-ca-cert-file", str(authority.pem), "--tls-auth-clients", "no"]
    words += ["--user", "isogloss", "on", f">{PASSWORD}", "~isogloss:*", "&isogloss:*", "+@all"]
    return RedisServer(folder / "redis", host="127.0.0.1", more=words)


@pytest.fixture
def server(tmp_path: Path, authority: Authority) -> Iterator[RedisServer]:
    with served(tmp_path, authority) as running:
        yield running


def configured(folder: Path, server: RedisServer, ca: Path, password: str = PASSWORD) -> Config:
    """As an operator writes it: the address with its password in a file of its own."""
    (folder / "cluster.yaml").write_text(
        "redis:\n  url: {file: redis.url}\n"
        f"  ca: {ca}\n  timeout_s: 10\n"
        "between:\n  host: 127.0.0.1\n  keys: {k: {env: KEY}}\n  key: k\n"
        "advertise:\n  sip: ['sip:127.0.0.1:5060']\n"
    )
    (folder / "redis.url").write_text(f"rediss://isogloss:{password}@127.0.0.1:{server.port}/0\n")
    for each in SHIPPED.glob("*.yaml"):
        if each.name != "cluster.yaml":
            (folder / each.name).write_bytes(each.read_bytes())
    return load(folder, {"KEY": "a key between nodes that is long enough"})


def tried(config: Config, refused: str = "") -> tuple[bool, list[dict[str, object]]]:
    """Whether the store is there and does what it is asked, and what was logged meanwhile. refused: a word of
    the reason for which it is expected not to be.
    """
    heard: list[bytes] = []

    def over(store: RedisStore) -> bool:
        return store.up or bool(refused and refused in why(logs))

    async def story() -> bool:
        store, turns = store_of(config, time.monotonic), Turns()
        assert isinstance(store, RedisStore)
        store.watch(turns.wake)
        store.subscribe(store.key("news"), lambda payload, now: (heard.append(payload), turns.wake())[-1])
        await store.start()
        try:
            deadline = time.monotonic() + SOON_S
            while not over(store) and time.monotonic() < deadline:  # nobody is woken by a line in the log
                with suppress(TimeoutError):
                    await turns.until(lambda: over(store), 0.1)
            if not store.up:
                return False

            def told() -> bool:
                store.ask("PUBLISH", store.key("news"), "hello", now=0.0)  # until somebody listens
                return bool(heard)

            await turns.until(told, SOON_S)
        finally:
            await store.close()
        return True

    with structlog.testing.capture_logs() as logs:
        return asyncio.run(story()), [dict(each) for each in logs]


def why(logs: Sequence[Mapping[str, object]]) -> str:
    return str([each.get("why") for each in logs]).lower()


def test_a_store_behind_tls_is_spoken_to_with_its_authority_and_a_password_from_a_file(
    tmp_path: Path, authority: Authority, server: RedisServer
) -> None:
    there, logs = tried(configured(tmp_path, server, authority.pem))
    assert there
    assert PASSWORD not in repr(logs)


def test_a_server_of_another_authority_is_not_believed(tmp_path: Path, server: RedisServer) -> None:
    there, logs = tried(configured(tmp_path, server, Authority(tmp_path, "stranger").pem), "certificate")
    assert not there and "certificate" in why(logs)


def test_nor_is_one_whose_certificate_is_for_another_address(tmp_path: Path, authority: Authority) -> None:
    with served(tmp_path, authority, "127.0.0.9") as server:
        there, logs = tried(configured(tmp_path, server, authority.pem), "match")
    assert not there and "match" in why(logs)


def test_a_wrong_password_is_said_and_not_repeated_in_the_log(
    tmp_path: Path, authority: Authority, server: RedisServer
) -> None:
    there, logs = tried(configured(tmp_path, server, authority.pem, "a-wrong-one"), "password")
    assert not there and "password" in why(logs)
    assert "a-wrong-one" not in repr(logs)
