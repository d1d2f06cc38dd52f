"""A softphone of few words over a WebSocket, as JsSIP and SIP.js are: for calls to and from a real node."""

from __future__ import annotations

from random import Random
from typing import Protocol

from sip.digest import Authorizer, Credentials
from sip.message import Request, Response, parse
from tests.interop.websocket import WebSocket


class Door(Protocol):
    """A node, or what stands before nodes."""

    domain: str

    def address(self, transport: str = "udp") -> str: ...
    def password(self, account: str) -> str: ...


class WebPhone:
    """One account. Messages are read in the order in which they come; `host` is what its addresses end in."""

    def __init__(self, node: Door, account: str, *, seed: int = 1, port: int = 40_000) -> None:
        self._rng = Random(f"{account}{seed}")
        self.host = f"{self._token()}.invalid"
        self.contact = f"<sip:{self._token()}@{self.host};transport=ws>"
        self.instance = f"<urn:uuid:{self._rng.getrandbits(128):032x}>"
        self.account = account
        self.port = port  # of the RTP it tells of
        self._node = node
        self._authorizer = Authorizer(Credentials(account, node.password(account)), self._rng)
        self._cseq = 0
        self._call_id = self._token()
        self._opened: list[WebSocket] = []
        self.socket = self.connect()

    def connect(self) -> WebSocket:
        """Another connection to the node."""
        host, _, port = self._node.address("wss").partition(":")
        self._opened.append(WebSocket(host, int(port)))
        return self._opened[-1]

    def close(self) -> None:
        """Close every connection in order."""
        for each in self._opened:
            each.close()

    # --- messages ---------------------------------------------------------------------------------

    def send(self, message: Request | Response) -> None:
        self.socket.send(message.encode())

    def receive(self) -> Request | Response:
        return parse(self.socket.receive())

    def until(self, what: str) -> Request | Response:
        """The next message of this kind (`INVITE`, `200`, …); others before it are passed over."""
        for _ in range(20):
            message = self.receive()
            said = message.method if isinstance(message, Request) else str(message.status)
            if said == what:
                return message
        raise AssertionError(f"no {what} came")

    def ask(self, method: str, uri: str, **options: str) -> Response:
        """Send a request outside of dialogs, with a password if one is asked for; the final answer."""
        for _ in range(3):
            request = self.build(method, uri, **options)
            for name, value in self._authorizer.headers(method, uri, request.body):
                request.headers.add(name, value)
            self.send(request)
            response = self.receive()
            while not isinstance(response, Response) or response.status < 200:
                response = self.receive()
            if response.status not in (401, 407):
                return response
            if method == "INVITE":
                self.acknowledge(request, response)
            # As JsSIP and SIP.js do: the first challenge or none.
            first = response.headers.all("WWW-Authenticate")[0]
            assert "MD5" in first and "SHA-256" not in first
            assert self._authorizer.challenged(response)
        raise AssertionError("the password was not taken")

    def build(
        self, method: str, uri: str, *, to: str = "", extra: str = "", body: str = "", call_id: str = ""
    ) -> Request:
        self._cseq += 1
        us = f"<sip:{self.account}@{self._node.domain}>"
        head = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WSS {self.host};branch=z9hG4bK{self._token()}\r\n"
            f"Max-Forwards: 69\r\nFrom: {us};tag=w1\r\nTo: {to or us}\r\n"
            f"Call-ID: {call_id or self._call_id}\r\nCSeq: {self._cseq} {method}\r\n"
            f"User-Agent: WebPhone\r\n{extra}"
        )
        if body:
            head += "Content-Type: application/sdp\r\n"
        message = parse(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert isinstance(message, Request)
        return message

    # --- what phones do ---------------------------------------------------------------------------

    def register(self, expires: int = 600) -> Response:
        contact = f'{self.contact};reg-id=1;+sip.instance="{self.instance}";expires={expires}'
        return self.ask(
            "REGISTER",
            f"sip:{self._node.domain}",
            extra=f"Contact: {contact}\r\nSupported: path, gruu, outbound\r\n",
        )

    def call(self, number: str) -> tuple[Response, str]:
        """An INVITE with an offer; its final answer, acknowledged, and its Call-ID."""
        uri, call_id = f"sip:{number}@{self._node.domain}", self._token()
        extra = f"Contact: {self.contact}\r\nSupported: outbound\r\n"
        response = self.ask("INVITE", uri, to=f"<{uri}>", extra=extra, body=self.sdp(), call_id=call_id)
        self.acknowledge(self.build("INVITE", uri, call_id=call_id), response)
        return response, call_id

    def acknowledge(self, invite: Request, response: Response) -> None:
        target = str(response.contacts[0].uri) if response.contacts else str(invite.uri)
        extra = routes(response)
        ack = self.build("ACK", target, to=str(response.to), call_id=response.call_id, extra=extra)
        ack.headers.set("CSeq", f"{response.cseq[0]} ACK")
        if response.status >= 300:
            ack.headers.set("Via", str(response.top_via))
        self.send(ack)

    def hang_up(self, response: Response) -> Response:
        """BYE in the call that this answer began."""
        uri = str(response.contacts[0].uri)
        extra = routes(response)
        self.send(self.build("BYE", uri, to=str(response.to), call_id=response.call_id, extra=extra))
        answer = self.until("200")
        assert isinstance(answer, Response)
        return answer

    def answer(self) -> Request:
        """Take the call that comes, without SRTP; its INVITE, once the ACK has come."""
        invite = self.until("INVITE")
        assert isinstance(invite, Request)
        if b"RTP/SAVP" in invite.body:
            self.send(invite.respond(488, tag="w3"))
            self.until("ACK")
            return self.answer()
        self.send(invite.respond(180, headers=[("Contact", self.contact)], tag="w2"))
        headers = [("Contact", self.contact), ("Content-Type", "application/sdp")]
        self.send(invite.respond(200, headers=headers, body=self.sdp().encode(), tag="w2"))
        self.until("ACK")
        return invite

    def sdp(self) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self.port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        )

    def _token(self) -> str:
        return f"{self._rng.getrandbits(48):012x}"


def routes(response: Response) -> str:
    """Route lines of what follows in the call that this answer began (RFC 3261 section 12.1.2)."""
    return "".join(f"Route: {each}\r\n" for each in reversed(response.headers.values("Record-Route")))
