"""What lets a call cross to another node, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from engine.cluster import credentials
from engine.cluster.ticket import HEADER, Ticket, Tickets, peek
from engine.events import EndReason
from sip.hop import Hop
from sip.uri import NameAddr, Uri
from tests.sim.phones import Phone
from tests.sim.several import KEY, PORT, Several
from tests.sim.world import World

SECRETS = {"k": b"a secret of the cluster, long enough", "old": b"another one, of last year, as long"}
OFFER = b"v=0\r\n"
NOW = 1.7e9
CLAIMS = Ticket(source="a", target="b", call="c1", contact="c1", agent="alice", claim=7, queue="support")


def tickets(node: str = "b", key: str = "k") -> Tickets:
    return Tickets(node, SECRETS, key)


def sealed(now: float = NOW, nonce: str = "n1", key: str = "k", claims: Ticket = CLAIMS) -> str:
    return Tickets("a", SECRETS, key).seal(claims, OFFER, nonce, now)


def test_what_a_node_sealed_another_reads_once() -> None:
    there = tickets()
    assert there.open(sealed(), OFFER, NOW + 1) == CLAIMS
    assert there.open(sealed(), OFFER, NOW + 1) is None
    assert there.open(sealed(nonce="n2"), OFFER, NOW + 1) == CLAIMS
    assert peek(sealed()) == CLAIMS


def test_a_key_of_before_is_known_until_it_is_taken_away() -> None:
    assert tickets().open(sealed(key="old"), OFFER, NOW) == CLAIMS
    assert Tickets("b", {"k": SECRETS["k"]}, "k").open(sealed(key="old"), OFFER, NOW) is None


@pytest.mark.parametrize(
    ("why", "value", "offer", "now"),
    [
        ("of another node", sealed(claims=msgspec.structs.replace(CLAIMS, target="c")), OFFER, NOW),
        ("with another offer", sealed(), b"v=0\r\ns=-\r\n", NOW),
        ("run out", sealed(), OFFER, NOW + 20),
        ("of the future", sealed(NOW + 60), OFFER, NOW),
        ("too long", sealed() + "A" * 5000, OFFER, NOW),
        ("nothing", "", OFFER, NOW),
        ("no ticket", "a.b.c", OFFER, NOW),
    ],
)
def test_a_ticket_is_refused(why: str, value: str, offer: bytes, now: float) -> None:
    assert tickets().open(value, offer, now) is None, why


def test_no_change_of_a_ticket_is_believed() -> None:
    rng, there, good = Random(3), tickets(), sealed()
    for _ in range(500):
        bad = list(good)
        bad[rng.randrange(len(bad))] = rng.choice("abcXYZ019-_.")
        if "".join(bad) != good:
            assert there.open("".join(bad), OFFER, NOW) in (None, CLAIMS)
    assert there.open(good, OFFER, NOW) in (None, CLAIMS)


def test_a_node_is_who_its_certificate_says_by_the_key_that_all_have(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    made = {
        name: credentials.contexts(tmp_path / name, node, secrets, "k", now)
        for name, node, secrets in (
            ("a", "a", SECRETS), ("b", "b", SECRETS), ("stranger", "a", {"k": b"some other secret"}),
        )
    }  # fmt: skip
    assert shakes(made["a"], made["b"], "b")
    assert not shakes(made["a"], made["b"], "c")
    assert not shakes(made["stranger"], made["b"], "b")
    assert not shakes(made["a"], made["stranger"], "a")
    assert (tmp_path / "a" / "node.key").stat().st_mode & 0o77 == 0


def shakes(client: Any, server: Any, node: str) -> bool:
    """Whether a handshake comes to its end on both sides."""
    import ssl

    ways = [ssl.MemoryBIO() for _ in range(4)]
    one = client.client.wrap_bio(ways[0], ways[1], server_hostname=credentials.name_of(node))
    other = server.server.wrap_bio(ways[2], ways[3], server_side=True)
    done: set[int] = set()
    for _ in range(8):
        for n, end in enumerate((one, other)):
            try:
                end.do_handshake()
                done.add(n)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return False
            source, target = ((ways[1], ways[2]), (ways[3], ways[0]))[n]
            target.write(source.read())
    try:
        other.read()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError:
        return False
    return done == {0, 1}


class Stranger(Phone):
    """Calls a node's port for other nodes, with whatever it likes."""

    def __init__(self, world: World, known: str = "") -> None:
        super().__init__(world, "10.66.0.1", Random(66))
        self.host.known = known
        self.statuses: list[int] = []
        self.agent.settings.between = (self.address, 5060)

    def happened(self, event: Any) -> None:
        status = getattr(event, "status", None)
        if status is not None:
            self.statuses.append(status)
        super().happened(event)

    def invite(self, hop: Hop, header: str | None) -> int:
        uri = Uri.parse("sip:agent1@10.0.0.2")
        headers = [(HEADER, header)] if header is not None else []
        who = NameAddr.parse("<sip:x@isogloss.test>")
        self.agent.invite(
            uri, [hop], from_=who, to=NameAddr("", uri), offer=self.sdp(), headers=headers, now=self.world.now
        )
        self.host.pump()
        self.world.run(self.world.now + 1.0)
        return self.statuses[-1]


def test_a_stranger_at_the_door_between_nodes_is_refused_whatever_he_says(tmp_path: Path) -> None:
    several = Several(tmp_path, agents=2)
    several.agent(1, "b")
    b = several.nodes["b"]
    door = Hop("tls", "10.0.0.2", PORT, name=credentials.name_of("b"))
    claims = msgspec.structs.replace(CLAIMS, agent="agent1", claim=1, queue="sales")
    stranger = Stranger(several.world, known=credentials.name_of("a"))
    forged = Tickets("a", {"k": b"guessed"}, "k").seal(claims, stranger.sdp(), "n", 1.7e9 + several.world.now)
    assert stranger.invite(door, None) == 403
    assert stranger.invite(door, forged) == 403
    assert stranger.invite(replace(door, transport="udp", port=5060, name=""), forged) == 403
    assert not b.calls and not b.house.ledger.records


def test_what_was_heard_of_a_crossing_call_is_no_use_to_whoever_says_it_again(tmp_path: Path) -> None:
    several = Several(tmp_path, agents=2)
    several.agent(1, "b")
    heard: list[bytes] = []
    send = several.world.send

    def overhear(source: Any, data: bytes, hop: Hop) -> None:
        if hop.between and data.startswith(b"INVITE"):
            heard.append(data)
        send(source, data, hop)

    several.world.send = overhear  # type: ignore[method-assign]
    caller = several.customer("a")
    several.run(4.0)
    caller.hang_up(caller.session)  # type: ignore[arg-type]
    caller.host.pump()
    several.run(2.0)
    b = several.nodes["b"]
    again = heard[0].replace(b"branch=z9hG4bK", b"branch=z9hG4bKx").replace(b"Call-ID: ", b"Call-ID: x")
    several.world.hosts["10.0.0.2", PORT].receive(
        again, Hop("tls", "10.0.0.1", PORT, name=credentials.name_of("a"))
    )
    several.run(1.0)
    assert not b.calls
    assert b.house.switch.acd.agents["agent1"].free
    assert [record.reason for record in several.nodes["a"].records] == [EndReason.COMPLETED]
    assert KEY.encode() not in heard[0]
