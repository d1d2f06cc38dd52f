"""When a node has a gate: where a WebSocket is listened on, or it is wished, and aiortc is there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from config.media import WebRtc
from config.schema import Config
from config.signalling import Listener
from engine import gatehouse
from engine.views import Health
from tests.sim.house import ADDRESS, config


def node(enabled: str, transport: str) -> Config:
    plain = config(1)
    listen = (Listener(transport=transport, address=ADDRESS, port=7443),)  # type: ignore[arg-type]
    webrtc = WebRtc(enabled=enabled)  # type: ignore[arg-type]
    return replace(plain, sip=replace(plain.sip, listen=listen), media=replace(plain.media, webrtc=webrtc))


@pytest.mark.parametrize(
    ("enabled", "transport", "has"),
    [
        ("auto", "wss", True),
        ("auto", "ws", True),
        ("auto", "udp", False),
        ("on", "udp", True),
        ("off", "wss", False),
    ],
)
def test_a_gate_is_there_where_browsers_can_call(enabled: str, transport: str, has: bool):
    assert gatehouse.wanted(node(enabled, transport)) is has


def test_without_the_extra_there_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gatehouse, "find_spec", lambda name: None)
    assert not gatehouse.wanted(node("on", "wss"))


def test_a_gate_that_is_not_up_degrades_the_node_and_no_more():
    gate = gatehouse.Gatehouse(node("on", "wss"), ADDRESS, lambda events: None, lambda: None)
    assert not gate.up and gate.check().status is Health.DEGRADED
    assert gate.address == ADDRESS
    asyncio.run(gate.close())
