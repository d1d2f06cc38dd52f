"""Many phones in one process that really talk: SIP over one port, a socket of sound each, every packet timed.

A phone says one byte all the time, its own, so that whoever hears it knows whom. Where nothing is mixed or
changed on the way, the byte arrives as it was said.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from random import Random
from typing import Any

from sip import events
from sip.admission import Admitted, Identity, Verdict
from sip.agent import UserAgent
from sip.digest import Credentials
from sip.hop import Hop
from sip.io.shell import Listener, SipShell
from sip.message import Request
from sip.session import Session
from sip.settings import AgentSettings
from sip.uri import NameAddr, Uri
from tests.interop.node import DOMAIN

FRAME_S = 0.020
PCMA = 8
PATIENCE_S = 10.0


def hop_of(front: str) -> Hop:
    """Of "address:port"."""
    address, _, port = front.partition(":")
    return Hop("udp", address, int(port))


class Anybody:
    def admit(self, request: Request, hop: Hop, now: float) -> Verdict:
        return Admitted(Identity("anonymous"))


class Talker:
    """One phone in one call. says: its byte. heard: by source address and byte, when first and when last."""

    def __init__(self, host: str, says: int) -> None:
        self.says = says
        self.session: Session | None = None
        self.over = False
        self.remote: tuple[str, int] | None = None
        self.heard: dict[tuple[str, int], list[float]] = {}
        self.asked = 0  # so many offers that it had to answer
        self.version = 0
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.bind((host, 0))
        self.wire.setblocking(False)
        self._sent = 0

    @property
    def sdp(self) -> bytes:
        host, port = self.wire.getsockname()
        self.version += 1
        return (
            f"v=0\r\no=- 1 {self.version} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8\r\na=sendrecv\r\n"
        ).encode()

    def told(self, body: bytes | None) -> None:
        port = re.search(rb"m=audio (\d+)", body or b"")
        host = re.search(rb"c=IN IP4 (\S+)", body or b"")
        if port and host:
            self.remote = host[1].decode(), int(port[1])

    def speak(self) -> None:
        if self.remote is not None and not self.over:
            self._sent += 1
            head = struct.pack("!BBHII", 0x80, PCMA, self._sent & 0xFFFF, self._sent * 160, 7000 + self.says)
            try:
                self.wire.sendto(head + bytes([self.says]) * 160, self.remote)
            except OSError:
                return  # the port there is closed, and the next one not told yet

    def hear(self) -> None:
        while True:
            try:
                data, source = self.wire.recvfrom(2048)
            except OSError:
                return
            if len(data) == 172 and data[12:] == data[12:13] * 160:
                now = time.monotonic()
                times = self.heard.setdefault((source[0], data[12]), [now, now])
                times[1] = now

    def hears(self, whom: Talker, of: str, since: float = 0.0) -> float | None:
        """When it first heard the other by way of the node at `of`, None before; None, too, if not since."""
        times = self.heard.get((of, whom.says))
        return times[0] if times is not None and times[1] >= since else None


class Talkers:
    """All of one address. front: where they call and register. port: of their SIP, 0 for any. there: where
    their sockets are made and their loop runs, another namespace say.
    """

    def __init__(
        self,
        host: str,
        front: str,
        first: int,
        port: int = 0,
        there: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.host = host
        self.front = hop_of(front)
        self._port = port
        self.phones: list[Talker] = []
        self.registered: set[str] = set()
        self._first = first
        self._by_session: dict[int, Talker] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(there,), daemon=True)
        self._thread.start()
        self._do(self._start)

    def _run(self, there: Callable[[], AbstractContextManager[None]]) -> None:
        with there():
            self._loop.run_forever()

    def _do(self, what: Callable[[], Any]) -> Any:
        async def doing() -> Any:
            found = what()
            return await found if asyncio.iscoroutine(found) else found

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(PATIENCE_S)

    async def _start(self) -> None:
        listener = Listener("udp", self.host, self._port).open()
        self.agent = UserAgent(
            AgentSettings({"udp": (self.host, listener.port)}), rng=Random(self.host), admission=Anybody()
        )
        self.shell = SipShell(self.agent, [listener], self._told)
        await self.shell.start()
        self._speak(self._loop.time())

    def _speak(self, at: float) -> None:
        for phone in self.phones:
            phone.speak()
        self._next = self._loop.call_at(at + FRAME_S, self._speak, at + FRAME_S)

    def _be_silent(self) -> None:
        self._next.cancel()

    # --- what they do -----------------------------------------------------------------------------

    def register(self, user: str, password: str) -> None:
        def act() -> None:
            aor = NameAddr("", Uri.sip(user, DOMAIN))
            contact = self.agent.contact(user, self.front)
            self.agent.request(
                "REGISTER", Uri.parse(f"sip:{DOMAIN}"), [self.front], from_=aor, to=aor,
                final=lambda outgoing, response, now: self._registered(user, response.status),
                headers=[("Contact", f"<{contact}>"), ("Expires", "600")],
                credentials=Credentials(user, password), now=time.monotonic(),
            )  # fmt: skip
            self.shell.flush(time.monotonic())

        self._do(act)

    def _registered(self, user: str, status: int) -> None:
        if status == 200:
            self.registered.add(user)

    def call(self, number: str, by: str = "", caller: str = "") -> Talker:
        """by: another front. caller: her number."""
        front = hop_of(by) if by else self.front

        def act() -> Talker:
            phone = self._phone()
            to = NameAddr("", Uri.sip(number, DOMAIN))
            from_ = NameAddr("", Uri.sip(caller or f"+44163296{phone.says:04}", DOMAIN))
            now = time.monotonic()
            session = self.agent.invite(to.uri, [front], from_=from_, to=to, offer=phone.sdp, now=now)
            self._has(phone, session)
            self.shell.flush(now)
            return phone

        found: Talker = self._do(act)
        return found

    def hang_up(self, phone: Talker) -> None:
        def act() -> None:
            if phone.session is not None:
                phone.session.hangup(now=time.monotonic())
                self.shell.flush(time.monotonic())

        self._do(act)

    def close(self) -> None:
        self._do(self._be_silent)
        self._do(self.shell.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        for phone in self.phones:
            phone.wire.close()

    # --- what they are told -----------------------------------------------------------------------

    def _phone(self) -> Talker:
        phone = Talker(self.host, self._first + len(self.phones))
        self.phones.append(phone)
        self._loop.add_reader(phone.wire, phone.hear)
        return phone

    def _has(self, phone: Talker, session: Session) -> None:
        phone.session = session
        self._by_session[session.id] = phone

    def _told(self, found: list[Any]) -> None:
        now = time.monotonic()
        for event in found:
            session = getattr(event, "session", None)
            phone = self._by_session.get(session.id) if session is not None else None
            match event:
                case events.IncomingCall(session=session, offer=offer):
                    phone = self._phone()
                    self._has(phone, session)
                    phone.told(offer)
                    session.ring(now=now)
                    session.answer(phone.sdp, now=now)
                case events.Answered(sdp=body) | events.Reanswered(sdp=body) if phone is not None:
                    phone.told(body)
                case events.Reoffered(session=session, sdp=offer) if phone is not None:
                    phone.asked += 1
                    phone.told(offer)
                    session.accept(phone.sdp, now=now)
                case events.Ended() | events.Rejected() | events.Cancelled() if phone is not None:
                    phone.over = True
        self.shell.flush(now)
