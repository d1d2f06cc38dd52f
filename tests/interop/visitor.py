"""A page that calls by WHIP: its requests by urllib, its sound by a stock aiortc peer."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple

from aioice import Candidate, Connection
from aiortc import RTCConfiguration

from media import gate, jsep
from tests.interop.node import Node
from tests.interop.peer import Peer
from tests.media.browser import Road

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"


class Answer(NamedTuple):
    status: int
    headers: Message
    text: str


def ask(
    node: Node, method: str, path: str, token: str, body: str = "", kind: str = SDP, match: str = ""
) -> Answer:
    """What the node answers, refusals too."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    headers |= {"If-Match": match} if match else {}
    data = body.encode() if body else None
    request = urllib.request.Request(node.api + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.headers, refused.read().decode())


class Visitor(Peer):
    """token: of one who came before, and whose call this one goes on with; made anew where there is none."""

    def __init__(
        self,
        node: Node,
        destination: str,
        says: Path,
        token: str = "",
        configuration: RTCConfiguration | None = None,
    ) -> None:
        super().__init__(says, configuration)
        self.node = node
        self.destination = destination
        self.token = token or node.post("/v1/callers/tokens", {"destination": destination})["token"]
        self.location = self.etag = ""
        self.candidates: list[str] = []  # that were not in the offer
        self.road: Road | None = None
        self._agents: list[Connection] = []

    def call(self, *, trickles: bool = False, by_road: bool = False) -> Answer:
        """by_road: packets go over a road that can be closed."""
        offer = str(self.do(self.browser.offer()))
        if trickles or by_road:
            self.candidates = re.findall(r"a=candidate:[^\r\n]*", offer)
            offer = re.sub(r"a=candidate:.*\r\n", "", offer).replace("a=end-of-candidates\r\n", "")
        answer = ask(self.node, "POST", f"/whip/{self.destination}", self.token, offer)
        if answer.status == 201:
            self.location, self.etag = str(answer.headers["Location"]), str(answer.headers["ETag"])
            self.do(self.browser.accept(self._laid(answer.text) if by_road else answer.text))
        return answer

    def _laid(self, sdp: str) -> str:
        """The answer, with the road's beginning for the leg's port."""
        found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", sdp)
        assert found is not None
        self.road, begins = self.do(Road.laid((found[1], int(found[2])), 0.0, 1))
        return sdp.replace(f" {found[2]} ", f" {begins} ")

    def trickle(self) -> Answer:
        """Tell the candidates that were kept back."""
        rows = ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0", *self.candidates, "a=end-of-candidates"]
        return ask(
            *(self.node, "PATCH", self.location, self.token),
            body="\r\n".join([*rows, ""]),
            kind=FRAGMENT,
            match=self.etag,
        )

    def restart(self) -> Answer:
        """ICE anew, from another port: by another aioice agent beneath, for aiortc cannot do it."""
        agent = self.do(self._gathered())
        rows = [f"a=ice-ufrag:{agent.local_username}", f"a=ice-pwd:{agent.local_password}"]
        rows += ["m=audio 9 UDP/TLS/RTP/SAVPF 0", "a=mid:0"]
        rows += [f"a=candidate:{each.to_sdp()}" for each in agent.local_candidates]
        fragment = "\r\n".join([*rows, "a=end-of-candidates", ""])
        answer = ask(self.node, "PATCH", self.location, self.token, fragment, FRAGMENT, "*")
        if answer.status == 200:
            self.etag = str(answer.headers["ETag"])
            self.do(self._swap(agent, jsep.read_fragment(answer.text)[0]))
        return answer

    async def _gathered(self) -> Connection:
        agent = Connection(ice_controlling=True)
        await agent.gather_candidates()
        return agent

    async def _swap(self, agent: Connection, node: gate.Peer) -> None:
        agent.remote_username, agent.remote_password = node.ufrag, node.password
        for each in node.candidates:
            at = (each.foundation, each.component, "udp", each.priority, each.host, each.port, each.kind)
            await agent.add_remote_candidate(Candidate(*at))
        await agent.add_remote_candidate(None)
        await agent.connect()
        beneath: Any = self.browser.connection.getSenders()[0].transport.transport
        waiting = beneath._connection._queue
        beneath._recv, beneath._send = agent.recv, agent.send
        waiting.put_nowait((await agent.recv(), 1))  # who waits for the former one goes on with this one
        self._agents.append(agent)

    def hang_up(self) -> Answer:
        return ask(self.node, "DELETE", self.location, self.token)

    def close(self) -> None:
        if self.road is not None:
            self._loop.call_soon_threadsafe(self.road.close)
        for agent in self._agents:
            self.do(agent.close())
        super().close()
