"""Webhooks lead nowhere within: not by name, by number, by another way to write it, nor a moment later."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from pathlib import Path
from random import Random

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rrset
import pytest

from config.fault import ConfigError
from config.hook import _url
from config.load import SHIPPED, load
from engine.hooks.post import Outcome, Post
from engine.hooks.target import Forbidden, allowed

NEVER = [
    "169.254.169.254",
    "169.254.0.7",
    "100.100.100.200",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",
    "::",
    "255.255.255.255",
    "240.0.0.1",
    "100.64.0.1",
    "168.63.129.16",  # Azure
    "192.0.0.192",  # Oracle
    "::ffff:168.63.129.16",
    "64:ff9b::a83f:8110",
    "fd00:ec2::23",
    "fd20:ce::254",  # Google
    "0.1.2.3",
    "192.0.0.8",
    "192.88.99.1",
    "::127.0.0.1",
    "::10.0.0.1",
    "::5db8:d70e",
    "::ffff:0:127.0.0.1",
    "::ffff:0:7f00:1",
    "64:ff9b:1::7f00:1",
    "64:ff9b:1:7f00:0:100::",
    "fec0::1",
    "100::1",
    "100:0:0:1::1",
    "2001:2::1",
    "2001:10::1",
    "2001:0:7f00:1:0:0:5601:5601",  # Teredo, of 169.254.169.254
    "4000::1",
    "5f00::1",
    "fe00::1",
    "not an address",
]
PRIVATE = ["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1"]
PRIVATE += ["::ffff:127.0.0.1", "64:ff9b::7f00:1"]


@pytest.mark.parametrize("address", NEVER)
def test_what_is_never_told(address: str) -> None:
    for private in (False, True):
        with pytest.raises(Forbidden):
            allowed([address], private=private)


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_told_only_where_private_addresses_may_be(address: str) -> None:
    with pytest.raises(Forbidden):
        allowed([address], private=False)
    assert allowed([address], private=True) == [address]


def test_no_address_that_python_knows_to_be_special_is_told() -> None:
    """Its lists are older or newer than ours, and nothing of theirs is missing in ours."""
    rng = Random(10)
    for each in range(1 << 16):
        short = ipaddress.IPv4Address(each << 16 | rng.getrandbits(16))
        for address in (short, ipaddress.IPv6Address(each << 112 | rng.getrandbits(112))):
            if not address.is_global and each != 0x2002:  # 6to4 is what it stands for
                with pytest.raises(Forbidden):
                    allowed([str(address)], private=False)


@pytest.mark.parametrize(
    "address",
    ["93.184.215.14", "1.1.1.1", "168.63.129.17", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"],
)
def test_the_internet_is_told(address: str) -> None:
    assert allowed([address], private=False) == [address]


def test_a_name_that_leads_both_out_and_in_is_told_nothing() -> None:
    assert allowed(["93.184.215.14", "2606:2800:21f::1"], private=False)
    with pytest.raises(Forbidden):
        allowed(["93.184.215.14", "10.0.0.1"], private=False)
    with pytest.raises(Forbidden):
        allowed([], private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1/",
        "http://user:password@example.com/",
        "http://@example.com/",
        "http://:password@example.com/",
        "https://example.com:0/",
        "https://example.com/#part",
        "https://exa mple.com/",
        "https://example.com/a\r\nHost: evil",
        "https://ex\u00e4mple.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "https:///path",
    ],
)
def test_a_url_that_only_some_would_understand_is_no_url_of_a_hook(url: str) -> None:
    with pytest.raises(Exception, match=r".") as refused:
        _url(url)
    assert getattr(refused.value, "type", "") == "isogloss"


def test_faults_of_hooks_are_told_by_file_and_line(tmp_path: Path) -> None:
    for path in SHIPPED.rglob("*.*"):
        if path.suffix in (".yaml", ".csv", ".md"):
            (tmp_path / path.relative_to(SHIPPED)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path.relative_to(SHIPPED)).write_bytes(path.read_bytes())
    wrong = "crm:\n  url: http://127.1/\n  secret: {env: S}\n  queues: [suport]\n  kinds: [Call Ended]\n"
    wrong += "  former_secret: {generated: true}\n"
    (tmp_path / "hooks.yaml").write_text(wrong, "utf-8")
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, {"S": "x"})
    told = [str(fault) for fault in refused.value.faults]
    assert any("hooks.yaml:2" in each and "127.1" in each for each in told)
    assert any("hooks.yaml:5" in each for each in told)
    assert any("hooks.yaml:6" in each and "made up" in each for each in told)


class Turncoat:
    """A DNS server whose name means another address at each question."""

    def __init__(self, *addresses: str) -> None:
        self.asked: list[str] = []
        self._addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data, source = await loop.sock_recvfrom(self._socket, 4096)
            query = dns.message.from_wire(data)
            question = query.question[0]
            self.asked.append(question.name.to_text())
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            address = self._addresses[min(len(self.asked), len(self._addresses)) - 1]
            answer.answer.append(dns.rrset.from_text(question.name, 0, "IN", "A", address))
            await loop.sock_sendto(self._socket, answer.to_wire(), source)

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self._socket.getsockname()[1]
        found = await resolver.resolve(host, "A", lifetime=5)
        return [each.address for each in found]


def test_a_name_that_changes_its_mind_leads_nowhere_within(monkeypatch: pytest.MonkeyPatch) -> None:
    """First an address of the Internet, to pass the look; then this machine's, to be connected to."""
    connected: list[str] = []

    async def connect(host: str, port: int, **_: object) -> None:
        connected.append(host)
        raise ConnectionRefusedError("not in a test")

    monkeypatch.setattr(asyncio, "open_connection", connect)

    async def told() -> tuple[Outcome, Outcome]:
        server = Turncoat("93.184.215.14", "127.0.0.1")
        serving = asyncio.create_task(server.serve())
        sent = [
            await Post(server.resolve).send(
                "http://rebound.example/", {}, b"{}", private=False, timeout_s=5.0
            )
            for _ in range(2)
        ]
        serving.cancel()
        assert len(server.asked) == 2  # once for each try
        return sent[0], sent[1]

    first, second = asyncio.run(told())
    assert connected == ["93.184.215.14"]  # what was looked at, and never the name
    assert "refused" in first.why.lower() and "private" in second.why
