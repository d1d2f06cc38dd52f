"""What we take of aiortc and aioice beyond what they promise is still there, and still what it was."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from importlib.metadata import version
from random import Random
from typing import Any

import pytest
from aioice import Connection, stun
from aioice.ice import CandidatePair, StunProtocol
from aiortc import rtcdtlstransport as dtls
from aiortc.rtcdtlstransport import RTCDtlsTransport

from media.gate import MAX_CANDIDATES, Address, Candidate, Fingerprint, Peer
from media.io import webrtc
from media.io.webrtc import SUITES, Agent, Handshake, Pipe, certify, fingerprint

WHICH = f"aioice {version('aioice')} and aiortc {version('aiortc')}: see media/io/webrtc.py"
HERE, THERE = ("127.0.0.1", 4000), ("127.0.0.1", 5000)


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_names_that_are_used_take_what_they_are_given():
    assert parameters(StunProtocol.__init__) == ["self", "receiver"], WHICH
    assert parameters(StunProtocol.datagram_received) == ["self", "data", "addr"], WHICH
    assert parameters(Connection.check_complete) == ["self", "pair"], WHICH
    assert parameters(Connection.query_consent) == ["self"], WHICH
    assert parameters(Connection.build_request) == ["self", "pair", "nominate"], WHICH
    assert "create_task(self.query_consent())" in inspect.getsource(Connection.connect), WHICH
    assert "self._query_consent_task" in inspect.getsource(Connection.close), WHICH
    expected = ["self", "component", "addresses", "timeout"]
    assert parameters(Connection.get_component_candidates) == expected, WHICH
    assert parameters(RTCDtlsTransport.__init__) == ["self", "transport", "certificates"], WHICH
    for name in ("_set_role", "_setup_srtp", "_set_state"):
        assert callable(getattr(RTCDtlsTransport, name, None)), f"{name} is gone; {WHICH}"
    source = inspect.getsource(RTCDtlsTransport)
    for name in ("self._setup_srtp()", "self._srtp_profiles", "self.transport._recv()", "transport._send("):
        assert name in source, f"{name} is used no more; {WHICH}"
    assert isinstance(inspect.getattr_static(CandidatePair, "remote_addr"), property), WHICH
    assert {profile.openssl_profile for profile in SUITES} <= {
        each.openssl_profile for each in dtls.SRTP_PROFILES
    }


def pair() -> list[Pipe]:
    """Two pipes that are each other's end."""

    def to(end: int) -> Callable[[bytes], None]:
        return lambda data: ends[end].take(data)  # noqa: PLW0108 (the other end is made later)

    ends = [Pipe(to(1)), Pipe(to(0))]
    return ends


@pytest.mark.parametrize("client", [True, False], ids=["as client", "as server"])
def test_a_handshake_gives_both_sides_the_same_keys_crosswise(client: bool):
    async def run() -> None:
        mine, theirs = certify(), certify()
        pipes = pair()
        one = Handshake(pipes[0], mine, client=client)
        other = Handshake(pipes[1], theirs, client=not client)
        done = await asyncio.gather(one.shake([fingerprint(theirs)]), other.shake([fingerprint(mine)]))
        assert all(done) and one.agreed is not None and other.agreed is not None, WHICH
        assert one.agreed.suite == other.agreed.suite == "AEAD_AES_128_GCM"
        assert (one.agreed.send, one.agreed.receive) == (other.agreed.receive, other.agreed.send)
        assert len(one.agreed.send) == 28 and one.agreed.send != one.agreed.receive
        await asyncio.gather(one.stop(), other.stop())

    asyncio.run(run())


def test_a_certificate_that_was_not_announced_is_not_talked_to():
    async def run() -> None:
        pipes = pair()
        one = Handshake(pipes[0], certify(), client=True)
        other = Handshake(pipes[1], certify(), client=False)
        wrong = Fingerprint("sha-256", ":".join(["AB"] * 32))
        done, _ = await asyncio.gather(one.shake([wrong]), other.shake([wrong]))
        assert not done and one.agreed is None, WHICH
        await asyncio.gather(one.stop(), other.stop())

    asyncio.run(run())


def asked(agent: Agent, without: str = "") -> bytes:
    """A check of somebody who knows the agent's password."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes.update(
        {"USERNAME": f"{agent.local_username}:far", "PRIORITY": 1, "ICE-CONTROLLING": 5}
    )
    message.attributes.pop(without, None)
    message.add_message_integrity(agent.local_password.encode())
    return bytes(message)


def test_no_stun_raises_and_no_far_end_has_addresses_without_end():
    async def run() -> None:
        sent: list[Address] = []
        agent = Agent(HERE, lambda _, to: sent.append(to), lambda _: None, lambda _: None, controlling=False)
        await agent.gather_candidates()
        agent.meet(Peer("far", "p" * 22))
        connecting = asyncio.get_running_loop().create_task(agent.connect())
        await asyncio.wait([connecting], timeout=0.01)
        agent.take(asked(agent, without="PRIORITY"), THERE)
        dice, good = Random(1), asked(agent)
        for _ in range(2000):
            bad = bytearray(good)
            for _ in range(dice.randint(1, 6)):
                bad[dice.randrange(4, len(bad))] = dice.randrange(256)
            agent.take(bytes(bad), THERE)
        for port in range(1000, 1500):
            agent.take(asked(agent), ("192.0.2.1", port))
        assert len(set(sent)) <= 2 * MAX_CANDIDATES + 1
        connecting.cancel()
        await agent.close()

    asyncio.run(run())


def test_where_relays_alone_are_wished_nobody_else_is_answered_or_sought():
    async def run() -> None:
        sent: list[Address] = []
        agent = Agent(
            *(HERE, lambda _, to: sent.append(to), lambda _: None, lambda _: None),
            controlling=False,
            relayed=True,
        )
        await agent.gather_candidates()
        agent.meet(Peer("far", "p" * 22))
        relay = ("192.0.2.9", 4000)
        await agent.add([Candidate("1", 1, *THERE), Candidate("2", 2, *relay, "relay")])
        connecting = asyncio.get_running_loop().create_task(agent.connect())
        await asyncio.wait([connecting], timeout=0.01)
        for source in (THERE, ("192.0.2.1", 9), relay):
            agent.take(asked(agent), source)
        assert set(sent) == {relay}
        connecting.cancel()
        await agent.close()

    asyncio.run(run())


@pytest.mark.parametrize("back", [True, False], ids=["comes back", "does not"])
def test_who_stops_answering_is_told_of_and_given_up_after_a_while(
    monkeypatch: pytest.MonkeyPatch, back: bool
):
    async def run() -> None:
        told: list[bool] = []
        agents, reachable = await met(told)
        reachable[0] = False
        while told != [False]:
            await asyncio.sleep(0)
        if back:
            reachable[0] = True
            while told != [False, True]:
                await asyncio.sleep(0)
        else:
            await agents[0].ended()
            assert told == [False]
        await asyncio.gather(*(agent.close() for agent in agents))

    for name, seconds in (("CHECKED", 0.01), ("URGED", 0.01), ("CONSENT", 60.0 if back else 0.05)):
        monkeypatch.setattr(webrtc, name, seconds)
    monkeypatch.setattr(webrtc, "TRIES", 1)
    monkeypatch.setattr(stun, "RETRY_RTO", 0.01)
    asyncio.run(run())


async def met(told: list[bool]) -> tuple[list[Agent], list[bool]]:
    """Two agents that have found each other, of whom the first tells whether the other answers; and whether
    packets pass.
    """
    agents: list[Agent] = []
    passes = [True]
    soon = asyncio.get_running_loop().call_soon
    for at, to, controlling in ((HERE, 1, True), (THERE, 0, False)):

        def send(packet: bytes, where: Address, at: Address = at, to: int = to) -> None:
            if passes[0]:
                soon(agents[to].take, packet, at)

        answers = told.append if to else (lambda _: None)
        agents.append(Agent(at, send, lambda _: None, answers, controlling=controlling))
    await asyncio.gather(*(agent.gather_candidates() for agent in agents))
    for agent, other in (agents, agents[::-1]):
        agent.meet(Peer(other.local_username, other.local_password))
        await agent.add(other.own())
    await asyncio.gather(*(agent.connect() for agent in agents))
    return agents, passes


def test_two_agents_find_each_other_without_a_socket():
    async def run() -> None:
        chosen: list[Address] = []
        agents: list[Agent] = []
        soon = asyncio.get_running_loop().call_soon
        ways = ((HERE, 1, True), (THERE, 0, False))
        for at, to, controlling in ways:

            def send(packet: bytes, where: Address, at: Address = at, to: int = to) -> None:
                soon(agents[to].take, packet, at)

            agents.append(Agent(at, send, chosen.append, lambda _: None, controlling=controlling))
        await asyncio.gather(*(agent.gather_candidates() for agent in agents))
        for agent, other in (agents, agents[::-1]):
            agent.meet(Peer(other.local_username, other.local_password))
            await agent.add(other.own())
        await asyncio.gather(*(agent.connect() for agent in agents))
        assert sorted(chosen) == [HERE, THERE] and [each.remote for each in agents] == [THERE, HERE], WHICH
        await asyncio.gather(*(agent.close() for agent in agents))
        assert stun.COOKIE == 0x2112A442

    asyncio.run(run())
