"""Encrypted legs: what is not authentic does not exist, and keys change without being heard."""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable
from random import Random

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from media import libsrtp
from media.io.memory import MemoryNetwork
from media.libsrtp import SUITES, Context
from media.messages import (
    Keys,
    LegFailed,
    LegStats,
    OpenLeg,
    SetGain,
    SetRemote,
    Trouble,
    decode_commands,
    encode,
)
from media.network import STRIDE, Batch
from media.srtp import GRACE, MAX_SSRCS, SecureNetwork
from tests.media.stage import DTMF, PCMU, Phone, Stage, packet, strength

CM_80, CM_32 = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
TAGS = {CM_80: 10, CM_32: 4, "AEAD_AES_128_GCM": 16, "AEAD_AES_256_GCM": 16}
rng = Random(4568)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def keys(suite: str = CM_80) -> Keys:
    """Fresh ones, as the worker is told them."""
    size = SUITES[suite].key + SUITES[suite].salt
    return Keys(suite, rng.randbytes(size), rng.randbytes(size))


class Line:
    """The far end of an encrypted leg: its keys are the worker's, the other way round."""

    def __init__(self, phone: Phone, given: Keys) -> None:
        self.phone = phone
        self.wire: list[bytes] = []  # everything sent, as it went out
        self.unread = 0
        self.out = self.into = None
        self.use(given)
        phone.tamper, phone.unwrap = self.wrap, self.unwrap

    def use(self, given: Keys) -> None:
        self.out = Context(given.suite, given.receive, inbound=False)
        self.into = Context(given.suite, given.send, inbound=True)

    def wrap(self, data: bytes) -> Iterable[bytes]:
        wrapped = libsrtp.protect_one(self.out, data, report=False)
        assert wrapped is not None
        self.wire.append(wrapped)
        yield wrapped

    def unwrap(self, data: bytes, report: bool) -> bytes | None:
        plain = libsrtp.unprotect_one(self.into, data, report=report)
        if isinstance(plain, int):
            self.unread += 1
            return None
        return plain

    def report(self, data: bytes) -> None:
        wrapped = libsrtp.protect_one(self.out, data, report=True)
        assert wrapped is not None
        self.phone.throw(wrapped, to=1)


def secure_call(stage: Stage, suite: str = CM_80, **more: object) -> tuple[Line, Line]:
    """Two encrypted phones that speak to each other, each leg with keys of its own."""
    lines = []
    for number in (1, 2):
        given = keys(suite)
        lines.append(Line(stage.leg(number, keys=given, **more), given))
    stage.do(SetGain(1, 2), SetGain(2, 1))
    lines[0].phone.hertz, lines[1].phone.hertz = 440, 700
    return lines[0], lines[1]


def again(line: Line, number: int, given: Keys | None) -> SetRemote:
    return SetRemote(number, line.phone.address, [PCMU], DTMF, keys=given)


def figures(stage: Stage, number: int) -> LegStats:
    """What has arrived on the leg."""
    leg = stage.control.core.table.find(number)
    assert leg is not None
    found = stage.control._watch.stats([leg])[0]
    return LegStats(
        number,
        received=found.received,
        lost=found.lost,
        late=found.late,
        duplicate=found.duplicate,
        reordered=found.reordered,
        jitter_ms=found.jitter_ms,
        rtt_ms=found.rtt_ms,
        source=found.source,
    )


def refused(stage: Stage, number: int) -> int:
    leg = stage.control.core.table.find(number)
    assert leg is not None
    return int(stage.control._network.refused(np.array([leg.row]))[0])


def heard(line: Line, hertz: float, since: float) -> float:
    return strength(line.phone.audio(since), hertz)


# --- what it is ---------------------------------------------------------------------------------------------


def derived(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """RFC 3711 section 4.3.1, key derivation rate 0."""
    start = bytearray(salt.ljust(14, b"\0") + b"\0\0")
    start[7] ^= label
    return Cipher(algorithms.AES(key), modes.CTR(bytes(start))).encryptor().update(bytes(size))


@pytest.mark.parametrize("suite", SUITES)
def test_a_packet_is_encrypted_as_the_rfcs_say(suite: str):
    key, salt = rng.randbytes(SUITES[suite].key), rng.randbytes(SUITES[suite].salt)
    plain = packet(0x1234, 160, 0xCAFE, rng.randbytes(160))
    header, payload = plain[:12], plain[12:]
    session = derived(key, salt, 0, len(key))
    session_salt = int.from_bytes(derived(key, salt, 2, len(salt)), "big")
    if suite.startswith("AES_CM"):
        start = session_salt << 16 ^ 0xCAFE << 64 ^ 0x1234 << 16
        coder = Cipher(algorithms.AES(session), modes.CTR(start.to_bytes(16, "big"))).encryptor()
        expected = header + coder.update(payload)
        signed = expected + struct.pack("!I", 0)  # the rollover counter
        expected += hmac.digest(derived(key, salt, 1, 20), signed, hashlib.sha1)[: TAGS[suite]]
    else:
        nonce = struct.pack("!HIIH", 0, 0xCAFE, 0, 0x1234)
        nonce = (int.from_bytes(nonce, "big") ^ session_salt).to_bytes(12, "big")
        expected = header + AESGCM(session).encrypt(nonce, payload, header)
    assert libsrtp.protect_one(Context(suite, key + salt, inbound=False), plain, report=False) == expected


@pytest.mark.parametrize("suite", SUITES)
def test_two_encrypted_phones_hear_each_other(stage: Stage, suite: str):
    caller, agent = secure_call(stage, suite)
    stage.run(1.0)
    assert heard(agent, 440, stage.now - 0.5) > 7000
    assert heard(caller, 700, stage.now - 0.5) > 7000
    assert caller.unread == agent.unread == 0


def test_an_encrypted_phone_and_a_plain_one_hear_each_other_relayed_and_mixed(stage: Stage):
    given = keys()
    caller, agent = Line(stage.leg(1, keys=given), given), stage.leg(2)
    third = stage.leg(3)
    stage.do(SetGain(1, 2), SetGain(2, 1), SetGain(1, 3))  # 2 and 3 get the same packets
    caller.phone.hertz, agent.hertz = 440, 700
    stage.run(1.0)
    assert strength(agent.audio(stage.now - 0.5), 440) > 7000
    assert strength(third.audio(stage.now - 0.5), 440) > 7000
    stage.do(SetGain(3, 1))  # now the caller hears two, and must be mixed for
    third.hertz = 1100
    stage.run(1.0)
    assert heard(caller, 700, stage.now - 0.5) > 7000
    assert heard(caller, 1100, stage.now - 0.5) > 7000
    assert caller.unread == 0


def test_one_source_goes_to_several_listeners_each_under_keys_of_its_own(stage: Stage):
    source = stage.leg(1)
    lines = []
    for number in (2, 3, 4):
        given = keys(CM_80 if number == 2 else "AEAD_AES_128_GCM")
        lines.append(Line(stage.leg(number, keys=given), given))
        stage.do(SetGain(1, number))
    source.hertz = 440
    stage.run(1.0)
    assert all(heard(line, 440, stage.now - 0.5) > 7000 and not line.unread for line in lines)


def test_digits_and_reports_are_encrypted_too(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(0.5)
    agent.phone.hertz = 0
    agent.phone.press(5)
    stage.run(12.0)
    assert any(each.pt == DTMF and each.payload[0] == 5 for each in caller.phone.got)
    assert caller.phone.reports and caller.unread == 0
    caller.report(caller.phone.reports[0])  # whatever it says, it is authentic
    stage.run(0.1)
    assert refused(stage, 1) == 0


def test_reports_beside_the_sound_are_encrypted_as_reports(stage: Stage):
    given = keys()
    line = Line(stage.leg(1, keys=given, rtcp_mux=True), given)
    plain = line.unwrap
    line.phone.unwrap = lambda data, report: plain(data, 192 <= data[1] <= 223)
    line.phone.hertz = 440
    stage.run(12.0)
    assert line.unread == 0
    assert any(each.pt in (72, 73) for each in line.phone.got)  # 200 and 201 without the marker's bit


# --- what does not count ------------------------------------------------------------------------------------


def test_a_forged_packet_changes_nothing(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(1.0)
    caller.phone.hertz = 0
    stage.run(0.1)
    before, count = figures(stage, 1), len(agent.phone.got)
    last = caller.wire[-1]
    for bit in range(0, 8 * len(last), 7):
        forged = bytearray(last)
        forged[bit // 8] ^= 1 << bit % 8
        caller.phone.throw(bytes(forged))
    caller.phone.throw(
        packet(caller.phone.sequence, 0, caller.phone.ssrc, bytes(160))
    )  # not encrypted at all
    stage.run(2.0)
    assert figures(stage, 1) == before
    assert len(agent.phone.got) == count
    assert refused(stage, 1) > 150


def test_a_replayed_packet_changes_nothing(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(1.0)
    caller.phone.hertz = 0
    stage.run(0.1)
    before, count = figures(stage, 1), len(agent.phone.got)
    for wire in caller.wire:
        caller.phone.throw(wire)
    stage.run(1.0)
    assert figures(stage, 1) == before
    assert len(agent.phone.got) == count
    assert refused(stage, 1) == len(caller.wire)


def test_packets_in_another_order_within_the_window_are_taken(stage: Stage):
    caller, _ = secure_call(stage)
    held: list[bytes] = []

    def shuffled(data: bytes) -> Iterable[bytes]:
        held.extend(caller.wrap(data))
        if len(held) == 10:
            out = held.copy()
            rng.shuffle(out)
            held.clear()
            yield from out

    caller.phone.tamper = shuffled
    stage.run(4.0)
    assert refused(stage, 1) == 0
    assert figures(stage, 1).received >= 190


def test_under_a_wrong_key_nothing_is_heard_and_nothing_latched(stage: Stage):
    caller, agent = secure_call(stage)
    caller.use(keys())
    stage.run(1.0)
    assert not [each for each in agent.phone.got if each.pt == 0]
    assert figures(stage, 1).received == 0 and figures(stage, 1).source is None
    assert refused(stage, 1) >= 49


def test_a_stranger_cannot_have_the_leg_by_forging_or_by_replay(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(1.0)
    source = figures(stage, 1).source
    caller.phone.hertz = 0
    stage.run(3.0)  # silent for so long that its port is open to others again
    stranger = stage.phone("203.0.113.66", 5000, ssrc=0xBAD)
    stranger.port, stranger.hertz = caller.phone.port, 1900
    for wire in caller.wire[-20:]:
        stranger.throw(wire)
    stage.run(2.0)
    assert figures(stage, 1).source == source
    assert heard(agent, 1900, stage.now - 1.0) < 100
    assert not stranger.got


def test_a_phone_whose_address_changes_is_followed_by_its_authentic_packets(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(1.0)
    caller.phone.hertz = 0
    stage.run(3.0)
    moved = stage.phone("198.51.100.7", 40_001, ssrc=caller.phone.ssrc)
    moved.port, moved.hertz, moved.sequence = caller.phone.port, 440, caller.phone.sequence
    moved.tamper, moved.unwrap = caller.wrap, caller.unwrap
    stage.run(1.0)
    assert figures(stage, 1).source == moved.address
    assert heard(agent, 440, stage.now - 0.5) > 7000
    assert strength(moved.audio(stage.now - 0.5), 700) > 7000


def test_forged_reports_are_not_believed(stage: Stage):
    caller, _ = secure_call(stage)
    stage.run(6.0)
    rtt = figures(stage, 1).rtt_ms
    for report in caller.phone.reports:
        caller.phone.throw(report, to=1)
        caller.phone.throw(report + bytes(14), to=1)
    stage.run(0.2)
    assert figures(stage, 1).rtt_ms == rtt
    assert refused(stage, 1) == 2 * len(caller.phone.reports)


def test_a_far_end_that_cannot_be_decrypted_is_told_as_that_and_not_as_missing(stage: Stage):
    caller, _ = secure_call(stage)
    stage.run(1.0)
    right = caller.out
    caller.use(keys())
    stage.run(3.0)
    troubles = [each for each in stage.told(Trouble) if each.leg == 1]
    assert [(each.kind, each.over) for each in troubles] == [("undecryptable", False)]
    assert "192.0.2.1" in troubles[0].cause and "keys" in troubles[0].cause
    caller.out = right
    stage.run(3.0)
    assert [each.over for each in stage.told(Trouble) if each.kind == "undecryptable"] == [False, True]


# --- counters and keys that go on ---------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [CM_80, "AEAD_AES_256_GCM"])
def test_sequence_numbers_wrap_on_both_ways(stage: Stage, suite: str):
    caller, agent = secure_call(stage, suite)
    caller.phone.sequence, agent.phone.sequence = 0xFFF0, 0xFFF8
    stage.control.core.table.tx.sequence[:2] = 0xFFFA
    stage.run(2.0)
    assert heard(agent, 440, stage.now - 0.5) > 7000
    assert heard(caller, 700, stage.now - 0.5) > 7000
    assert refused(stage, 1) == refused(stage, 2) == 0
    assert caller.unread == agent.unread == 0


def test_a_stream_under_another_ssrc_begins_anew_under_the_same_key(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(1.0)
    caller.phone.hertz = 0
    stage.run(0.2)
    caller.phone.ssrc, caller.phone.sequence, caller.phone.hertz = 0x77, 3, 440
    stage.run(1.0)
    assert heard(agent, 440, stage.now - 0.5) > 7000
    assert refused(stage, 1) == 0


def test_a_far_end_with_endless_ssrcs_costs_no_endless_memory(stage: Stage):
    caller, _ = secure_call(stage)
    stage.run(0.2)
    caller.phone.hertz = 0
    for ssrc in range(1000, 1399):
        caller.phone.ssrc = ssrc
        caller.phone.send(bytes(160))
        stage.run(0.005)
    guard = next(iter(stage.control._network._guards.values()))
    assert len(guard.receiver.ssrcs) == MAX_SSRCS
    assert refused(stage, 1) == 400 - MAX_SSRCS


@pytest.mark.parametrize(
    ("old", "new"), [(CM_80, CM_80), (CM_80, "AEAD_AES_256_GCM"), ("AEAD_AES_128_GCM",) * 2]
)
def test_keys_change_without_a_gap(stage: Stage, old: str, new: str):
    caller, agent = secure_call(stage, old)
    stage.run(1.0)
    fresh = keys(new)
    stage.do(again(caller, 1, fresh))
    caller.into = Context(fresh.suite, fresh.send, inbound=True)  # what we send changes at once
    stage.run(0.3)  # its answer is still on its way: it sends under the old key
    caller.out = Context(fresh.suite, fresh.receive, inbound=False)
    stage.run(1.0)
    assert refused(stage, 1) == caller.unread == 0
    stamps = [each.sequence for each in agent.phone.got if each.pt == 0]
    assert stamps == list(range(stamps[0], stamps[0] + len(stamps)))
    assert heard(agent, 440, stage.now - 1.2) > 7000


def test_the_former_key_is_over_with_the_first_packet_under_the_new_one(stage: Stage):
    caller, _ = secure_call(stage)
    stage.run(1.0)
    old, fresh = caller.out, keys()
    stage.do(again(caller, 1, fresh))
    caller.use(fresh)
    stage.run(0.1)
    caller.out = old
    stage.run(0.5)
    assert refused(stage, 1) >= 24


def test_the_former_key_is_over_after_a_while_at_any_rate(stage: Stage):
    caller, _ = secure_call(stage)
    stage.run(1.0)
    stage.do(again(caller, 1, keys()))
    stage.run(GRACE - 0.1)
    assert refused(stage, 1) == 0
    stage.run(0.6)
    assert refused(stage, 1) >= 20


def test_a_key_that_is_said_again_goes_on_with_its_counter(stage: Stage):
    caller, agent = secure_call(stage)
    caller.phone.sequence = 0xFFF0
    stage.control.core.table.tx.sequence[:2] = 0xFFF0
    stage.run(1.0)  # the counters of both ways are at 1 now
    guard = next(iter(stage.control._network._guards.values()))
    stage.do(again(caller, 1, guard._keys))
    stage.run(1.0)
    assert refused(stage, 1) == caller.unread == 0
    assert heard(agent, 440, stage.now - 0.5) > 7000


def test_a_leg_becomes_plain_and_encrypted_as_it_is_told(stage: Stage):
    caller, agent = secure_call(stage)
    stage.run(0.5)
    stage.do(again(caller, 1, None))
    caller.phone.tamper = caller.phone.unwrap = None
    stage.run(1.0)
    assert heard(agent, 440, stage.now - 0.5) > 7000
    given = keys()
    stage.do(again(caller, 1, given))
    line = Line(caller.phone, given)
    stage.run(1.0)
    assert heard(agent, 440, stage.now - 0.5) > 7000
    assert heard(line, 700, stage.now - 0.5) > 7000


# --- edges --------------------------------------------------------------------------------------------------


def test_keys_never_show(stage: Stage):
    given = keys()
    for words in (
        repr(given),
        str(given),
        f"{OpenLeg(1, keys=given)}",
        repr(SetRemote(1, None, [], keys=given)),
    ):
        assert "hidden" in words
        assert repr(given.send) not in words and given.receive.hex() not in words


def test_keys_cross_the_wire():
    command = OpenLeg(1, keys=keys("AEAD_AES_256_GCM"))
    assert decode_commands(encode([command])[4:]) == [command]


@pytest.mark.parametrize(
    "given",
    [
        Keys("AES_192_CM_HMAC_SHA1_80", bytes(38), bytes(38)),
        Keys(CM_80, bytes(29), bytes(30)),
        Keys(CM_80, bytes(30), bytes(31)),
    ],
)
def test_keys_that_do_not_fit_are_refused(stage: Stage, given: Keys):
    stage.do(OpenLeg(1, [PCMU], DTMF, keys=given))
    assert stage.told(LegFailed) == [LegFailed(1, "keys")]


def test_random_datagrams_of_every_length_are_refused_and_harm_nothing(stage: Stage):
    caller, agent = secure_call(stage, "AEAD_AES_128_GCM")
    stage.run(0.5)
    for size in range(0, STRIDE + 50, 3):
        data = bytearray(rng.randbytes(size))
        if size > 1:
            data[0] = 0x80 | data[0] & 0x3F
        caller.phone.throw(bytes(data))
        caller.phone.throw(bytes(data), to=1)
        stage.run(0.01)
    stage.run(0.5)
    assert heard(agent, 440, stage.now - 0.5) > 7000


def test_what_is_too_long_to_be_encrypted_is_not_sent():
    sent: list[bytes] = []
    network = SecureNetwork(MemoryNetwork("10.0.0.1", (4000, 4100), lambda data, _, __: sent.append(data)))
    batch = Batch(4)
    for row in range(4):
        network.open(row)
        network.aim(row, ("192.0.2.1", 5000 + row))
        network.secure(row, keys(), 0.0)
    batch.words[:, 0] = 0x8000_0001
    sizes = np.array([172, STRIDE - 19, 172, STRIDE - 20])
    network.forward(np.arange(4), batch, np.arange(4), sizes)
    assert [len(data) for data in sent] == [182, 182, STRIDE - 10]


def test_rows_beyond_the_first_ones_are_as_good(stage: Stage):
    for number in range(10, 150):
        stage.leg(number)
    _, agent = secure_call(stage)
    stage.run(0.5)
    assert heard(agent, 440, stage.now - 0.3) > 7000


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize(("wraps", "sequence"), [(1, 0), (1, 1), (1, 0xFFFF), (2, 0x8000), (24, 0x1234)])
def test_a_stream_that_had_wrapped_before_it_came_here_is_taken(suite: str, wraps: int, sequence: int):
    key = rng.randbytes(SUITES[suite].key + SUITES[suite].salt)
    far = Context(suite, key, inbound=False)
    for place in range(0, wraps * 0x10000, 0x4000):
        libsrtp.protect_one(far, packet(place, 0, 0xCAFE, b"\0"), report=False)
    plain = packet(sequence, 0, 0xCAFE, bytes(160))
    for place in range(0, sequence, 0x4000):
        libsrtp.protect_one(far, packet(place, 1, 0xCAFE, b"\0"), report=False)
    wire = libsrtp.protect_one(far, plain, report=False)
    found = libsrtp.join_late(suite, key, wire, 24)
    assert found is not None and found[1] == plain
    assert libsrtp.join_late(suite, key[::-1], wire, 24) is None


def test_a_far_end_that_goes_on_counting_after_a_change_of_keys_is_heard(stage: Stage):
    caller, agent = secure_call(stage)
    caller.phone.sequence = 0xFFF0
    stage.run(1.0)
    fresh = keys()
    stage.do(again(caller, 1, fresh))
    caller.use(fresh)
    for place in range(0xC000, 0x10000 + caller.phone.sequence % 0x10000, 0x1000):  # its counter stays at 1
        libsrtp.protect_one(caller.out, packet(place, 0, caller.phone.ssrc, b"\0"), report=False)
    stage.run(1.0)
    assert refused(stage, 1) == 0
    assert heard(agent, 440, stage.now - 0.5) > 7000


def test_strangers_cannot_have_the_counter_searched_for_without_end(stage: Stage):
    given = keys()
    phone = stage.leg(1, keys=given)
    for _ in range(200):
        phone.send(bytes(160))
        stage.run(0.005)
    guard = next(iter(stage.control._network._guards.values()))
    assert guard._searches == 0
    assert guard.refused == 200
