"""A leg's real sockets, seen from the network."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from media.io import native
from media.io.native_udp import NativeUdpNetwork
from media.io.udp import UdpNetwork
from media.messages import Address
from media.network import STRIDE, Batch, NoPort

EXPEDITED = 46  # the DSCP of voice, RFC 3246
PORTS = (26_000, 26_100)
FAMILIES = {
    "127.0.77.3": (socket.AF_INET, socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
    "::1": (socket.AF_INET6, socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
}


Make = Callable[..., UdpNetwork]


@pytest.fixture(params=["python", "native"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Networks of one kind, shut when the test is over."""
    made: list[UdpNetwork] = []

    def build(bind: str, ports: tuple[int, int] = PORTS, **more: int) -> UdpNetwork:
        if request.param == "native":
            made.append(NativeUdpNetwork(bind, ports, native=native.load(), **more))
        else:
            made.append(UdpNetwork(bind, ports, **more))
        return made[-1]

    yield build
    for network in made:
        network.shut()


@pytest.fixture(params=FAMILIES)
def host(request: pytest.FixtureRequest) -> str:
    family = FAMILIES[request.param][0]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((request.param, 0))
        except OSError:
            pytest.skip(f"this machine has no {request.param}")
    return str(request.param)


@pytest.fixture
def far_end(host: str) -> Iterator[socket.socket]:
    family, level, asked, _ = FAMILIES[host]
    with socket.socket(family, socket.SOCK_DGRAM) as phone:
        phone.bind((host, 0))
        phone.setsockopt(level, asked, 1)
        phone.settimeout(5)
        yield phone


class Judge:
    """Takes packets of the addresses it was told of, and notes whom it was asked about."""

    def __init__(self, *welcome: Address) -> None:
        self.welcome = set(welcome)
        self.asked: list[Address] = []

    def __call__(self, row: int, source: Address, packet: memoryview, size: int) -> bool:
        self.asked.append(source)
        return source in self.welcome


def taken(network: UdpNetwork, batch: Batch, judge: Judge) -> list[tuple[int, bytes]]:
    """One round: rows and packets, in order of rows."""
    count = network.receive(batch, judge)
    sizes = batch.sizes[:count].tolist()
    assert not count or batch.size == (sizes[0] if len(set(sizes)) == 1 else 0)
    rows = batch.rows[:count].tolist()
    return sorted((row, bytes(batch.views[i][: sizes[i]])) for i, row in enumerate(rows))


def connected(network: UdpNetwork, row: int, phone: socket.socket) -> Address:
    """Open a row for the phone alone; the port's address."""
    port = network.open(row)
    network.connect(row, phone.getsockname()[:2])
    return phone.getsockname()[0], port


@pytest.mark.parametrize("dscp", [EXPEDITED, 0], ids=["marked", "unmarked"])
def test_sound_and_reports_carry_the_dscp_that_routers_are_to_see(
    make: Make, host: str, far_end: socket.socket, dscp: int
) -> None:
    network = make(host, dscp=dscp)
    network.open(0)
    address = far_end.getsockname()[:2]
    network.aim(0, address)
    network.send([0], [memoryview(b"sound")])
    network.send_report(0, b"report", address)
    seen = {data: mark_of(ancillary) for data, ancillary, *_ in (received(far_end), received(far_end))}
    assert seen == {b"sound": dscp, b"report": dscp}


def test_a_leg_may_have_a_mark_of_its_own(make: Make, host: str, far_end: socket.socket) -> None:
    network = make(host, dscp=EXPEDITED)
    network.open(0)
    network.mark(0, 26)
    network.aim(0, far_end.getsockname()[:2])
    network.send([0], [memoryview(b"sound")])
    _, ancillary, *_ = received(far_end)
    assert mark_of(ancillary) == 26


def test_one_packet_a_leg_is_taken_in_a_round_and_the_next_waits(
    make: Make, host: str, far_end: socket.socket
) -> None:
    network, batch, judge = make(host), Batch(8), Judge()
    to = connected(network, 3, far_end)
    for packet in (b"one", b"other", b""):
        far_end.sendto(packet, to)
    rounds = [taken(network, batch, judge) for _ in range(4)]
    assert rounds == [[(3, b"one")], [(3, b"other")], [], []]
    assert not network.errors


def test_packets_leave_from_the_slots_they_came_in(make: Make, host: str, far_end: socket.socket) -> None:
    network, batch, judge = make(host), Batch(8), Judge()
    network.open(0)
    network.open(1)
    network.aim(1, far_end.getsockname()[:2])
    batch.buffer[2, :4] = np.frombuffer(b"last", np.uint8)
    batch.buffer[0, :5] = np.frombuffer(b"first", np.uint8)
    network.forward(
        np.array([1, 0]), batch, np.array([0, 2]), np.array([5, 4])
    )  # row 0 has no one to send to
    network.connect(1, far_end.getsockname()[:2])
    network.forward(np.array([1]), batch, np.array([2]), np.array([4]))
    assert [received(far_end)[0] for _ in range(2)] == [b"first", b"last"]
    assert not taken(network, batch, judge)
    assert not network.errors


def test_a_leg_that_anyone_may_send_to_asks_the_judge_and_a_connected_one_does_not(
    make: Make, host: str, far_end: socket.socket, stranger: socket.socket
) -> None:
    network, batch = make(host), Batch(8)
    judge = Judge(far_end.getsockname()[:2])
    to = host, network.open(0)
    stranger.sendto(b"stolen", to)
    far_end.sendto(b"mine", to)
    assert taken(network, batch, judge) == [(0, b"mine")]
    assert judge.asked == [stranger.getsockname()[:2], far_end.getsockname()[:2]]
    stranger.sendto(b"stolen before it was connected", to)
    network.connect(0, far_end.getsockname()[:2])
    stranger.sendto(b"stolen after", to)
    far_end.sendto(b"mine too", to)
    assert taken(network, batch, judge) == [(0, b"mine too")]
    assert taken(network, batch, judge) == []
    far_end.sendto(b"without a question", to)
    assert taken(network, batch, judge) == [(0, b"without a question")]
    assert len(judge.asked) == 2


def test_a_port_that_is_opened_again_takes_another_far_end(
    make: Make, host: str, far_end: socket.socket, stranger: socket.socket
) -> None:
    network, batch = make(host), Batch(8)
    to = connected(network, 0, far_end)
    assert taken(network, batch, Judge()) == []
    network.disconnect(0)
    network.aim(0, stranger.getsockname()[:2])
    stranger.sendto(b"from elsewhere", to)
    assert taken(network, batch, Judge(stranger.getsockname()[:2])) == [(0, b"from elsewhere")]
    network.forward(np.array([0]), batch, np.array([0]), batch.sizes[:1])
    assert received(stranger)[0] == b"from elsewhere"


def test_a_packet_that_fills_its_slot_is_cut_there(make: Make, host: str, far_end: socket.socket) -> None:
    network, batch = make(host), Batch(8)
    to = connected(network, 0, far_end)
    taken(network, batch, Judge())
    far_end.sendto(bytes(STRIDE + 400), to)
    assert taken(network, batch, Judge()) == [(0, bytes(STRIDE))]


def test_a_far_end_that_is_gone_is_counted_and_harms_no_other(
    make: Make, host: str, far_end: socket.socket, stranger: socket.socket
) -> None:
    network, batch = make(host), Batch(8)
    to = connected(network, 0, far_end)
    connected(network, 1, stranger)
    taken(network, batch, Judge())
    stranger.close()
    rows, slots, sizes = np.array([0, 1]), np.array([0, 1]), np.array([20, 20])
    network.forward(rows, batch, slots, sizes)  # row 1's is refused, which its socket says at the next call
    network.forward(rows, batch, slots, sizes)
    assert network.errors
    far_end.sendto(b"still there", to)
    assert (0, b"still there") in taken(network, batch, Judge())


def test_a_batch_that_is_full_leaves_the_rest_for_the_next_round(
    make: Make, host: str, far_end: socket.socket
) -> None:
    network, batch = make(host), Batch(2)
    to = [connected(network, row, far_end) for row in range(3)]
    while network._settling:
        assert taken(network, batch, Judge()) == []
    for address in to:
        far_end.sendto(b"sound", address)
    rounds = [taken(network, batch, Judge()) for _ in range(2)]
    assert sorted(map(len, rounds)) == [1, 2]
    assert sorted(row for each in rounds for row, _ in each) == [0, 1, 2]


def test_more_legs_than_there_was_room_for_and_their_ports_go_back(make: Make, host: str) -> None:
    network = make(host, (26_100, 26_500))
    free = network.free
    ports = [network.open(row) for row in range(free)]
    assert len(set(ports)) == free == 200
    with pytest.raises(NoPort):
        network.open(free)
    for row in range(free):
        network.close(row)
    assert network.free == free


@pytest.fixture
def stranger(host: str) -> Iterator[socket.socket]:
    with socket.socket(FAMILIES[host][0], socket.SOCK_DGRAM) as phone:
        phone.bind((host, 0))
        phone.settimeout(5)
        yield phone


def received(phone: socket.socket) -> tuple[bytes, list[tuple[int, int, bytes]], int, object]:
    return phone.recvmsg(100, 100)


def mark_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The DSCP in what the kernel tells beside a datagram: a byte of IPv4, an int of IPv6."""
    data = ancillary[0][2]
    value = data[0] if len(data) == 1 else struct.unpack("i", data)[0]
    return int(value) >> 2


def test_when_a_packet_was_first_seen_waiting_is_noted_once(
    make: Make, host: str, far_end: socket.socket, stranger: socket.socket
) -> None:
    network, batch, judge = make(host), Batch(8), Judge()
    to = connected(network, 2, far_end)
    other = far_end.getsockname()[0], network.open(5)  # not certain whose yet
    taken(network, batch, judge)
    seen = np.full(8, -1.0)
    far_end.sendto(b"sound", to)
    stranger.sendto(b"sound", other)
    for now in (1.0, 1.005):
        network.note(seen, 0.5, now)
    assert seen.tolist() == [-1.0, -1.0, 1.0, -1.0, -1.0, -1.0, -1.0, -1.0]
    assert taken(network, batch, judge) == [(2, b"sound")]
    network.note(seen, 1.01, 1.015)
    assert seen[2] == 1.0


def test_only_what_comes_to_hastened_ports_is_urgent(make: Make, host: str, far_end: socket.socket) -> None:
    network, batch = make(host), Batch(8)
    judge = Judge(far_end.getsockname()[:2])
    ports = [(far_end.getsockname()[0], network.open(row)) for row in (0, 1)]
    for _ in range(2):
        network.hasten(1, True)
    far_end.sendto(b"sound", ports[0])
    assert not network.urgent.poll(0)
    far_end.sendto(b"hello", ports[1])
    assert network.urgent.poll(5)
    assert taken(network, batch, judge) == [(0, b"sound"), (1, b"hello")]
    far_end.sendto(b"hello", ports[1])
    network.hasten(1, False)
    assert not network.urgent.poll(0)
    network.hasten(1, True)
    network.close(1)
    assert not network.urgent.poll(0)
