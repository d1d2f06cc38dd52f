"""A node's insight put together: settings at work, a collector that changes, refusals with their calls."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.signalling import Hep
from engine.insight.insight import terms_of
from engine.views import Health
from sip.hop import Hop
from tests.engine.insight.samples import DIGEST, sip
from tests.engine.insight.test_hep import decode
from tests.engine.operating_stand import Stand, shipped

FAR = Hop("udp", "203.0.113.9", 5060)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    yield made
    made.close()


def test_settings_are_at_work(stand: Stand) -> None:
    engine = stand.engine
    kept = replace(engine.config.store.traces, keep_days=3.0, per_s=0.5)
    terms = terms_of(replace(engine.config, store=replace(engine.config.store, traces=kept)))
    assert (terms.days, terms.per_s) == (3.0, 0.5)
    assert engine.insight.check().status is Health.OK
    engine.insight.archive.lost = 2
    assert engine.insight.check().status is Health.DEGRADED


def test_a_nodes_times_are_those_of_the_wall_however_long_it_took_to_put_together(stand: Stand) -> None:
    engine, before = stand.engine, time.time()
    at = engine.switch.wall(engine.clock())
    assert before - 0.02 <= at <= time.time() + 0.02


def test_a_collector_is_told_from_when_the_configuration_names_it_until_it_does_not(stand: Stand) -> None:
    engine = stand.engine
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as homer:
        homer.bind(("127.0.0.1", 0))
        homer.settimeout(5.0)
        hep = Hep(host="127.0.0.1", port=homer.getsockname()[1], id=77)
        engine.ladders.received(sip("OPTIONS sip:a@b SIP/2.0", call_id="before"), FAR, 1.0)
        told = replace(engine.config, sip=replace(engine.config.sip, hep=hep))
        engine.insight.export(told)
        exporter = engine.insight.exporter
        engine.insight.export(told)
        assert engine.insight.exporter is exporter, "nothing changed"
        engine.ladders.received(sip("OPTIONS sip:a@b SIP/2.0", call_id="during"), FAR, 1.0)
        chunks = decode(homer.recv(65_536))
        assert chunks[17] == b"during" and int.from_bytes(chunks[12], "big") == 77
        engine.insight.export(engine.config)
        assert engine.insight.exporter is None and engine.ladders.watch is None


def test_what_was_refused_is_read_with_its_messages_and_by_filter(stand: Stand) -> None:
    engine, wall = stand.engine, stand.engine.switch.wall
    insight, ladders = engine.insight, engine.ladders
    for number, status in enumerate((403, 404, 401)):
        hop = Hop("udp", f"203.0.113.{number}", 5060)
        ask = sip(
            "REGISTER sip:a SIP/2.0", f"Authorization: {DIGEST}", method="REGISTER", call_id=f"r{number}"
        )
        ladders.received(ask, hop, 10.0 + number)
        ladders.sent(sip(f"SIP/2.0 {status} No", method="REGISTER", call_id=f"r{number}"), hop, 10.1 + number)

    def found(challenges: bool = False, **wanted: object) -> list:
        asked = {"source": None, "since": None, "until": None, "limit": 10} | wanted
        return [each.read() for each in insight.refused(challenges=challenges, **asked)]  # type: ignore[arg-type]

    newest, oldest = found()
    assert (newest.status, newest.source, newest.method, newest.caller) == (
        404,
        "203.0.113.1",
        "REGISTER",
        "sip:100@pbx",
    )
    assert newest.at == pytest.approx(wall(11.1)) and newest.call == ""
    assert b"6629fae" not in b"".join(each.data for each in newest.messages) and len(newest.messages) == 2
    assert [each.status for each in found(challenges=True)] == [401]
    assert found(source="203.0.113.0") == [oldest] and found(limit=1) == [newest]
    assert found(since=wall(11.0)) == [newest] and found(until=wall(11.0)) == [oldest]


def test_our_address_is_where_we_say_that_we_are(stand: Stand) -> None:
    engine = stand.engine
    look = engine.insight.refused(challenges=False, source=None, since=None, until=None, limit=1)
    assert look == []
    engine.ladders.received(sip("BYE sip:a@b SIP/2.0", call_id="z"), FAR, 1.0)
    engine.ladders.sent(sip("SIP/2.0 481 No", method="BYE", call_id="z"), FAR, 1.1)
    (refused,) = engine.insight.refused(challenges=False, source=None, since=None, until=None, limit=1)
    own = engine.agent.settings.addresses["udp"]
    assert {(each.own_host, each.own_port) for each in refused.read().messages} == {own}
