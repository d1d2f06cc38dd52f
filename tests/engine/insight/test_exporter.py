"""A collector on a socket gets every message without its credentials, and what it costs is bounded."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from engine.insight import exporter
from engine.insight.exporter import Collector, Exporter
from sip.hop import Hop
from sip.ladder import Ladders, Rung
from tests.engine.insight.samples import DIGEST, OWN, sip
from tests.engine.insight.test_hep import decode

FAR = Hop("udp", "203.0.113.9", 5060)


@pytest.fixture
def homer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(5)
        yield bound


def test_messages_arrive_in_order_and_without_secrets(homer: socket.socket) -> None:
    collector = Collector("127.0.0.1", homer.getsockname()[1], 2001, "pw")
    sent, ladders = Exporter(collector, lambda hop: OWN, 1_700_000_000.0), Ladders()
    ladders.watch = sent.take
    ladders.received(sip("INVITE sip:200@pbx SIP/2.0", f"Authorization: {DIGEST}"), FAR, 1.0)
    ladders.sent(sip("SIP/2.0 200 OK"), FAR, 1.5)
    ladders.undelivered(sip("SIP/2.0 200 OK"), FAR, "it did not go", 1.6)
    sent.close()
    first, second = (decode(homer.recv(65_536)) for _ in range(2))
    assert first[15].startswith(b"INVITE") and b"6629fae49393" not in first[15]
    assert (first[3], first[4]) == (socket.inet_aton("203.0.113.9"), socket.inet_aton(OWN[0]))
    assert (second[3], second[4]) == (first[4], first[3])
    assert first[17] == second[17] == b"c1@far"
    assert int.from_bytes(second[9], "big") == 1_700_000_001
    assert (sent.sent, sent.lost) == (2, 0)
    homer.settimeout(0.0)
    with pytest.raises(BlockingIOError):
        homer.recv(65_536)


def test_a_collector_that_is_not_there_costs_messages_and_nothing_else() -> None:
    sent = Exporter(Collector("no.such.host.invalid", 9060, 1), lambda hop: OWN, 0.0)
    for _ in range(3):
        sent.take(Rung(0.0, True, FAR, sip("BYE sip:a@b SIP/2.0")), b"c1@far")
    sent.close(10.0)
    assert (sent.sent, sent.lost) == (0, 3)


def test_one_message_that_cannot_be_sent_keeps_no_other_from_it(homer: socket.socket) -> None:
    hops: list[Hop] = []

    def own(hop: Hop) -> tuple[str, int]:
        hops.append(hop)
        if len(hops) == 1:
            raise RuntimeError("dictionary changed size during iteration")
        return OWN

    sent = Exporter(Collector("127.0.0.1", homer.getsockname()[1], 1), own, 0.0)
    for _ in range(2):
        sent.take(Rung(0.0, True, FAR, sip("BYE sip:a@b SIP/2.0")), b"c1@far")
    sent.close(10.0)
    assert (sent.sent, sent.lost) == (1, 1)


def test_the_line_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter, "MOST", 5)
    sent = Exporter(Collector("127.0.0.1", 9, 1), lambda hop: OWN, 0.0)
    sent.close()
    for _ in range(20):
        sent.take(Rung(0.0, True, FAR, b"x"), b"")
    assert sent.lost == 15
