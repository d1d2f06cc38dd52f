"""Stand-ins at the two sides of a proxy: nodes that answer as they are told, callers who send what they like.

They speak UDP and do nothing by themselves but answer OPTIONS: a test sees each message, and where it went.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from random import Random

from sip.message import Request, Response, parse

PATIENCE_S = 5.0
_numbers = count(1)
Answers = Sequence[int]  # statuses in order; none is silence
UNTIL_TOLD = -1  # among them: the rest once the test says `go_on`


class Crew:
    """Nodes that share one script: what the next new INVITE is answered, whichever of them it comes to.

    seen: (host, request) of everything but OPTIONS, without what is only repeated. inside: what all else is
    answered.
    """

    def __init__(self, *hosts: str) -> None:
        self.inside: Answers = (200,)
        self.busy = True
        self.nearer = ""  # where a 302 leads, "host:port"
        self.seen: list[tuple[str, Request]] = []
        self.came = threading.Condition()
        self.told = threading.Event()
        self._script: deque[Answers] = deque()
        self._answered: dict[tuple[str | None, str], Answers] = {}
        self.nodes = [NodeStandIn(host, self) for host in hosts]

    def play(self, *script: Answers, inside: Answers = (200,), busy: bool = True) -> None:
        """From now on; INVITEs beyond the script are answered 200. busy: who refuses says to come back."""
        with self.came:
            self.seen.clear()
            self.inside, self.busy = inside, busy
            self.told.clear()
            self._script = deque(script)

    def go_on(self) -> None:
        """Say what was to wait."""
        self.told.set()

    def taken(self, host: str, request: Request) -> Answers:
        transaction = request.top_via.branch, request.method
        with self.came:
            if request.method != "ACK" and transaction in self._answered:
                return self._answered[transaction]
            self.seen.append((host, request))
            self.came.notify_all()
            if request.method == "ACK":
                return ()
            new = request.method == "INVITE" and request.to.tag is None
            answers = (self._script.popleft() if self._script else (200,)) if new else self.inside
            self._answered[transaction] = answers
            return answers

    def way(self, call_id: str = "") -> list[tuple[str, str]]:
        """(host, method) of what came, in order."""
        with self.came:
            return [(host, each.method) for host, each in self.seen if call_id in ("", each.call_id)]

    def until(self, method: str) -> Request:
        """The first such request since `play`, once it has come."""
        with self.came:
            found = lambda: next((each for _, each in self.seen if each.method == method), None)  # noqa: E731
            assert self.came.wait_for(found, PATIENCE_S), f"no {method} came, but {self.seen}"
            return found() or self.seen[0][1]

    def close(self) -> None:
        for each in self.nodes:
            each.close()


class NodeStandIn:
    """One of a crew. health: what OPTIONS are answered, 0 for nothing."""

    def __init__(self, host: str, crew: Crew) -> None:
        self.host = host
        self.health = 200
        self._crew = crew
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind((host, 0))
        self._wire.settimeout(0.2)
        self._over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def address(self, transport: str = "udp") -> str:
        return f"{self.host}:{self._wire.getsockname()[1]}"

    def close(self) -> None:
        self._over = True
        self._thread.join()
        self._wire.close()

    def _serve(self) -> None:
        while not self._over:
            try:
                data, source = self._wire.recvfrom(65_536)
            except TimeoutError:
                continue
            request = parse(data)
            if not isinstance(request, Request):
                continue
            asked = request.method == "OPTIONS" and request.to.tag is None
            for status in [self.health] if asked else self._crew.taken(self.host, request):
                if status == UNTIL_TOLD:
                    self._crew.told.wait(PATIENCE_S)
                elif status:
                    nearer = status == 302 and self._crew.nearer
                    headers = [("Contact", f"<sip:support@{nearer or self.address()}>")]
                    headers += [("Retry-After", "5")] if self._crew.busy else []
                    answer = request.respond(status, headers=headers, tag=f"n{self.host[-1]}")
                    self._wire.sendto(answer.encode(), source)


class Caller:
    """Sends from an address of its own, and hears what comes back."""

    def __init__(self, host: str) -> None:
        self._wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._wire.bind((host, 0))
        self._wire.settimeout(PATIENCE_S)
        self.host, self.port = self._wire.getsockname()

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *error: object) -> None:
        self._wire.close()

    def request(
        self,
        method: str,
        uri: str,
        *headers: str,
        to: str = "",
        call_id: str = "",
        body: str = "",
        from_: str = "",
    ) -> str:
        """A request's text, new but for what is given."""
        number = next(_numbers)
        us = f"sip:caller@{self.host}:{self.port}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.host}:{self.port};rport;branch=z9hG4bK{self.host[-1]}x{number}",
            "Max-Forwards: 70",
            f"From: <{from_ or 'sip:caller@caller.example'}>;tag=c1",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {call_id or f'{Random(number).getrandbits(64):x}'}",
            f"CSeq: {number} {method}",
            f"Contact: <{us}>",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", body])

    def send(self, text: str, to: str) -> None:
        host, _, port = to.partition(":")
        self._wire.sendto(text.encode(), (host, int(port)))

    def receive(self) -> Request | Response:
        return parse(self._wire.recv(65_536))

    def hears_within(self, seconds: float) -> bool:
        """Whether anything comes."""
        self._wire.settimeout(seconds)
        try:
            self._wire.recv(65_536)
        except TimeoutError:
            return False
        finally:
            self._wire.settimeout(PATIENCE_S)
        return True

    def until(self, wanted: Callable[[Response], bool]) -> Response:
        """The next such answer."""
        while True:
            message = self.receive()
            if isinstance(message, Response) and wanted(message):
                return message

    def ask(self, text: str, to: str) -> Response:
        """Send it; its final answer, acknowledged."""
        self.send(text, to)
        return self.conclude(text, to)

    def conclude(self, text: str, to: str) -> Response:
        """The final answer to what was sent, acknowledged when it is one to an INVITE that was refused."""
        answer = self.until(lambda each: each.status >= 200)
        if answer.cseq[1] == "INVITE" and answer.status >= 300:
            lines = text.split("\r\n")
            keep = [each for each in lines if each.startswith(("Via", "Max-", "From", "Call-ID", "Route"))]
            ack = [
                f"ACK {lines[0].split()[1]} SIP/2.0",
                *keep,
                f"To: {answer.to}",
                f"CSeq: {answer.cseq[0]} ACK",
            ]
            self.send("\r\n".join([*ack, "Content-Length: 0", "", ""]), to)
        return answer
