"""aioice and aiortc, as far as they are touched: ICE over a leg's port at the worker, and DTLS over that.

All that is used of them beyond what they promise stands in this module: aioice's StunProtocol without a
socket of its own, get_component_candidates, check_complete and query_consent of its Connection (with
_nominated, _query_consent_task and build_request), and of aiortc's RTCDtlsTransport the constructor's duck
(role, _recv, _send), _set_role, _setup_srtp, _set_state, _ssl and _srtp_profiles.
tests/media/test_webrtc_surface.py fails where one of them is no more what it was.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from typing import Any, NamedTuple, cast

from aioice import Candidate as AioCandidate
from aioice import Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol
from aiortc import rtcdtlstransport as dtls
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from media import libsrtp
from media.gate import MAX_CANDIDATES, Address, Candidate, Fingerprint, Peer

Send = Callable[[bytes, Address], None]

WAITING = 64  # DTLS datagrams of a leg that wait to be read; more are lost, as on any network
CHECKED = 5.0  # s between checks of consent (RFC 7675), more or less a fifth
URGED = 1.0  # s, while the far end does not answer
TRIES = 3  # packets of a check
CONSENT = 30.0  # s without an answer after which nothing may be sent any more

# by name in DTLS (RFC 5764, RFC 7714), best first, and as our packets' encryption names them
SUITES = {
    dtls.SRTP_AEAD_AES_128_GCM: "AEAD_AES_128_GCM",
    dtls.SRTP_AES128_CM_SHA1_80: "AES_CM_128_HMAC_SHA1_80",
}


class Wire(asyncio.DatagramTransport):
    """What aioice takes for its socket."""

    def __init__(self, protocol: StunProtocol, at: Address, send: Send) -> None:
        super().__init__()
        self._protocol = protocol
        self._at = at
        self._send = send
        self._closed = False

    def sendto(self, data: Any, addr: Any = None) -> None:
        if not self._closed:
            self._send(bytes(data), (addr[0], addr[1]))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._at if name == "sockname" else default

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


class Agent(Connection):
    """ICE (RFC 8445) of a leg at `at`. send: how its packets leave. chosen(remote): a pair was nominated,
    again for every other one. answers(whether): the far end stopped or began again to answer checks. relayed:
    it is talked to by way of relays alone.
    """

    def __init__(
        self,
        at: Address,
        send: Send,
        chosen: Callable[[Address], None],
        answers: Callable[[bool], None],
        *,
        controlling: bool,
        relayed: bool = False,
    ) -> None:
        super().__init__(ice_controlling=controlling, use_ipv4=False, use_ipv6=False)
        self._at = at
        self._leave = send
        self._chosen = chosen
        self._answers = answers
        self._relayed = relayed
        self._port = StunProtocol(self)
        self.remote: Address | None = None  # of the pair that was nominated

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[AioCandidate]:
        port = self._port
        port.connection_made(Wire(port, self._at, self._leave))
        port.local_candidate = AioCandidate(
            foundation=candidate_foundation("host", "udp", self._at[0]),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=self._at[0],
            port=self._at[1],
            type="host",
        )
        self._protocols.append(port)
        return [port.local_candidate]

    def check_complete(self, pair: CandidatePair) -> None:
        before = self._nominated.get(1)
        super().check_complete(pair)
        after = self._nominated.get(1)
        if after is not None and after is not before:
            self.remote = after.remote_addr
            self._chosen(after.remote_addr)

    def awaits(self, packet: bytes) -> bool:
        """Whether the packet answers a check of ours."""
        return packet[8:20] in self._port.transactions

    def take(self, packet: bytes, source: Address) -> None:
        """STUN that came to the leg's port. From more addresses than a far end can have it is not looked at:
        each would be remembered, and checked in return.
        """
        known = {(each.host, each.port) for each in self.remote_candidates}
        if source not in known and (self._relayed or len(known) >= 2 * MAX_CANDIDATES):
            return
        try:
            self._port.datagram_received(packet, source)
        except (ValueError, KeyError, IndexError, struct.error):
            pass  # what is not well-formed is not always a ValueError there

    def meet(self, peer: Peer) -> None:
        """Whom to find."""
        self.remote_username, self.remote_password = peer.ufrag, peer.password
        self.remote_is_lite = peer.lite

    async def add(self, candidates: list[Candidate]) -> None:
        """Places where the far end may be. That these were all is never said: a far end that has none we can
        reach may still reach us (RFC 8863).
        """
        for each in candidates:
            if self._relayed and each.kind != "relay":
                continue
            await self.add_remote_candidate(
                AioCandidate(
                    *(each.foundation, each.component, "udp", each.priority, each.host, each.port, each.kind)
                )
            )

    def own(self) -> list[Candidate]:
        """Where we may be reached."""
        return [
            Candidate(each.foundation, each.priority, each.host, each.port, each.type, each.component)
            for each in self.local_candidates
        ]

    async def query_consent(self) -> None:
        """Ask the far end, time and again, whether it still wants to hear of us (RFC 7675)."""
        clock = asyncio.get_running_loop()
        heard, answers = clock.time(), True
        while clock.time() - heard < CONSENT:
            await asyncio.sleep(CHECKED * random.uniform(0.8, 1.2) if answers else URGED)
            before, answers = answers, await self._check()
            if answers:
                heard = clock.time()
            if answers is not before:
                self._answers(answers)
        self._query_consent_task = None
        await self.close()

    async def _check(self) -> bool:
        """Whether the far end answers."""
        pair = self._nominated[1]
        key = str(self.remote_password).encode()
        request = self.build_request(pair, nominate=False)
        try:
            await pair.protocol.request(
                request, pair.remote_addr, integrity_key=key, retransmissions=TRIES - 1
            )
        except stun.TransactionError:
            return False
        return True

    async def ended(self) -> None:
        """Return once the far end has given no consent for long (RFC 7675), or `close` was called."""
        await self.get_event()


class Pipe:
    """What aiortc takes for its ICE transport. send: where it goes is the caller's to know."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._leave = send
        self._came: asyncio.Queue[bytes] = asyncio.Queue(WAITING)

    def take(self, packet: bytes) -> None:
        """DTLS that came to the leg's port."""
        if not self._came.full():
            self._came.put_nowait(packet)

    async def _recv(self) -> bytes:
        return await self._came.get()

    async def _send(self, data: bytes) -> None:
        self._leave(data)


class Agreed(NamedTuple):
    """Keys as media.messages.Keys has them."""

    suite: str
    send: bytes
    receive: bytes


class Handshake(RTCDtlsTransport):
    """DTLS-SRTP (RFC 5764) over a pipe. agreed: None until it is done."""

    def __init__(self, pipe: Pipe, certificate: RTCCertificate, *, client: bool) -> None:
        super().__init__(cast(Any, pipe), [certificate])
        self._set_role("client" if client else "server")
        self._srtp_profiles = list(SUITES)
        self.agreed: Agreed | None = None

    def _setup_srtp(self) -> None:
        """Keys for our own packets' encryption instead of for aiortc's."""
        assert self._ssl is not None, "there was a handshake"
        name = self._ssl.get_selected_srtp_profile()
        profile = next((each for each in SUITES if each.openssl_profile == name), None)
        if profile is None:
            self._set_state(dtls.State.FAILED)
            return
        suite = libsrtp.SUITES[SUITES[profile]]
        secret = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (suite.key + suite.salt))
        of_client, of_server = (profile.get_key_and_salt(secret, side) for side in (0, 1))
        if self._role == "client":
            self.agreed = Agreed(SUITES[profile], of_client, of_server)
        else:
            self.agreed = Agreed(SUITES[profile], of_server, of_client)

    async def shake(self, fingerprints: list[Fingerprint]) -> bool:
        """Do it; whether there are keys, agreed on with who has that certificate."""
        theirs = [RTCDtlsFingerprint(each.algorithm, each.value) for each in fingerprints]
        if theirs:
            await self.start(RTCDtlsParameters(theirs))
        return self.state == "connected" and self.agreed is not None


def certify() -> RTCCertificate:
    """A new certificate, good for 30 days."""
    return RTCCertificate.generateCertificate()


def fingerprint(certificate: RTCCertificate) -> Fingerprint:
    """What a session description says of it."""
    first = next(each for each in certificate.getFingerprints() if each.algorithm == "sha-256")
    return Fingerprint(first.algorithm, first.value)
