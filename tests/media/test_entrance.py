"""STUN, DTLS and RTP on one port: who gets what."""

from __future__ import annotations

import numpy as np
import pytest

from media.codecs import g711
from media.entrance import RARE
from media.gate import Listen, Post, Rare, Trust, Word
from media.libsrtp import Context, protect_one, unprotect_one
from media.messages import CloseLeg, LegOpened, OpenLeg, SetGain, SetRemote
from media.srtp import Keys
from tests.media.stage import PCMU, WORKER, Phone, Stage, packet
from tests.media.test_stun import KEY, NAME, check

HELLO = b"\x16\xfe\xfd" + bytes(40)  # a DTLS record
SUITE = "AES_CM_128_HMAC_SHA1_80"
KEYS = Keys(SUITE, b"s" * 30, b"r" * 30)


class Gate:
    """A gate that only takes notes."""

    def __init__(self) -> None:
        self.heard: list[Rare] = []
        self.said: list[Word] = []

    def tell(self, gate: str, rare: Rare) -> None:
        assert gate == "/gate"
        if rare.packet:
            self.heard.append(rare)

    def words(self) -> list[Word]:
        said, self.said = self.said, []
        return said


class Scene:
    """A browser's leg, 1, and a phone's, 2, that hear each other."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.stage = Stage(gates=self.gate)
        self.browser = self.stage.phone("192.0.2.1")
        self.stage.do(OpenLeg(1, [PCMU], None, None, rtcp_mux=True, gate="/gate"))
        self.browser.port = self.stage.last(LegOpened).port
        self.context = Context(SUITE, KEYS.receive, inbound=False)
        self.browser.tamper = lambda data: [protect_one(self.context, data, report=False) or b""]

    def secure(self) -> None:
        self.stage.do(SetRemote(1, self.browser.address, [PCMU], rtcp_mux=True, keys=KEYS))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def received(phone: Phone, scene: Scene) -> list[bytes]:
    got: list[bytes] = []
    phone.unwrap = lambda data, report: got.append(data)
    scene.stage.run(0.02)
    return got


def test_stun_and_dtls_go_to_the_gate_before_and_after_there_are_keys(scene: Scene):
    asked = check()
    scene.browser.throw(HELLO)
    scene.browser.throw(asked)
    scene.stage.run(0.02)
    scene.secure()
    scene.browser.hertz = 440.0
    scene.stage.run(0.5)
    assert scene.stage.control.core.table.common.connected[0]
    scene.browser.throw(HELLO)
    scene.stage.run(0.1)
    assert [rare.packet for rare in scene.gate.heard] == [HELLO, asked, HELLO]
    assert {rare.source for rare in scene.gate.heard} == {scene.browser.address}


def test_rtp_goes_to_the_core_and_only_under_the_leg_s_keys(scene: Scene):
    scene.browser.throw(packet(1, 160, 7, bytes(160)))
    scene.stage.run(0.02)
    scene.secure()
    scene.browser.throw(packet(2, 320, 7, bytes(160)))
    scene.stage.run(0.02)
    assert scene.stage.control.core.table.rx.received[0] == 0
    scene.browser.speak()
    scene.stage.run(0.02)
    assert scene.stage.control.core.table.rx.received[0] == 1
    assert not scene.gate.heard


def test_what_the_gate_says_leaves_by_the_leg_s_port(scene: Scene):
    scene.gate.said.append(Post(1, scene.browser.address, HELLO))
    assert received(scene.browser, scene) == [HELLO]


def test_checks_of_the_chosen_far_end_are_answered_without_the_gate(scene: Scene):
    scene.gate.said.append(Trust(1, scene.browser.address, NAME, KEY))
    scene.stage.run(0.02)
    scene.browser.throw(check())
    assert len(received(scene.browser, scene)) == 1
    assert not scene.gate.heard
    stranger = scene.stage.phone("192.0.2.99")
    stranger.port = scene.browser.port
    stranger.throw(check())
    assert not received(stranger, scene)
    assert [rare.source for rare in scene.gate.heard] == [stranger.address]


def test_a_port_hears_other_addresses_while_a_way_is_looked_for_anew(scene: Scene):
    scene.secure()
    scene.browser.hertz = 440.0
    scene.stage.run(0.5)
    elsewhere = scene.stage.phone("192.0.2.98")
    elsewhere.port = scene.browser.port
    assert not elsewhere.throw(check())
    scene.gate.said.append(Listen(1))
    scene.stage.run(0.1)
    assert elsewhere.throw(check())
    before = int(scene.stage.control.core.table.rx.received[0])
    scene.stage.run(0.5)
    assert [rare.source for rare in scene.gate.heard] == [elsewhere.address]
    assert scene.stage.control.core.table.rx.received[0] - before == 25
    scene.gate.said.append(Trust(1, scene.browser.address, NAME, KEY))
    scene.stage.run(0.1)
    assert not elsewhere.throw(check())


def test_a_flood_at_one_leg_is_bounded_a_tick(scene: Scene):
    for _ in range(8 * RARE):
        scene.browser.throw(HELLO)
    scene.stage.run(0.02)
    assert 0 < len(scene.gate.heard) <= 2 * RARE


def test_a_closed_leg_s_door_is_gone(scene: Scene):
    scene.stage.do(CloseLeg(1))
    scene.gate.said.append(Post(1, scene.browser.address, HELLO))
    assert received(scene.browser, scene) == []
    scene.stage.do(OpenLeg(3, [PCMU], None, None))
    scene.browser.port = scene.stage.last(LegOpened).port
    scene.browser.throw(HELLO)
    scene.stage.run(0.02)
    assert not scene.gate.heard and scene.stage.network.address == WORKER


def test_what_a_gate_says_is_read_even_when_no_leg_has_a_door_any_more(scene: Scene):
    scene.stage.leg(2, PCMU)
    scene.stage.do(CloseLeg(1))
    scene.gate.said.append(Post(1, scene.browser.address, HELLO))
    scene.stage.run(0.005)
    assert not scene.gate.said


def hastened(scene: Scene) -> bool:
    """Whether what comes to the browser's port is taken at once."""
    return 0 in scene.stage.network.hastened


def test_nobody_waits_for_a_drain_while_a_way_in_is_found_and_keys_are_agreed_on(scene: Scene):
    assert hastened(scene)
    scene.gate.said.append(Trust(1, scene.browser.address, NAME, KEY))
    scene.stage.run(0.02)
    assert hastened(scene)
    scene.secure()
    assert not hastened(scene)
    scene.gate.said.append(Listen(1))
    scene.stage.run(0.02)
    assert hastened(scene)
    scene.gate.said.append(Trust(1, scene.browser.address, NAME, KEY))
    scene.stage.run(0.02)
    assert not hastened(scene)


def test_what_a_browser_will_hear_is_there_when_it_can_be_sent(scene: Scene):
    phone = scene.stage.leg(2, PCMU)
    phone.hertz = 700.0
    scene.stage.do(SetGain(2, 1, 0.5))
    scene.stage.run(0.5)
    heard: list[bytes] = []
    sealed = Context(SUITE, KEYS.send, inbound=True)
    scene.browser.unwrap = lambda data, report: heard.append(opened(sealed, data, report))
    scene.secure()
    scene.stage.run(0.06)
    first = g711.decode(g711.MU, np.frombuffer(heard[0][12:], np.uint8))
    assert np.abs(first[80:].astype(np.int32)).max() > 1000
    assert 0 not in scene.stage.control.core.plan.awaited


def opened(sealed: Context, data: bytes, report: bool) -> bytes:
    """What a packet says."""
    plain = unprotect_one(sealed, data, report=report)
    assert isinstance(plain, bytes)
    return plain
