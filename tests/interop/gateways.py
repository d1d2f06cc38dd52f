"""Lines of a node under test: a gateway each, played by sipp at an address of its own.

No gateway is there when the node starts: it gives the line up, asks after it ever again, and takes it back
once there is one. Numbers lead to lines by their beginnings; see `PLAN`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from sip.errors import Malformed
from sip.message import Request, parse
from tests.interop.node import Node, NodeFailed
from tests.interop.sipp import Sipp, free_port
from tests.sip.io.names import ServerThread

OWN = "+442071838750"  # what lines are known by
OTHERS = "+442071838751"  # a number that is called over one line alone
PASSWORD = "hush"
RETRY_S = 7
# beginning of a number -> the lines that it leads to
PLAN: dict[str, Sequence[str]] = {
    "+34910600": ("obeys", "next"),
    "+34910601": ("killed", "next"),
    "+34910602": ("stopped", "next"),
    "+34910603": ("named",),
    "+34910604": ("slow", "next"),
    "+34910605": ("narrow", "next"),
    "+34910606": ("narrow",),
    "+34910607": ("asks",),
    "+34910608": ("joins", "next"),
    "+44": ("german",),
    "+49": ("german",),
    "+34910610": ("failing", "mobile"),
    "+34910611": ("spoken", "mobile"),
    "+34910612": ("mobile",),
}
HOSTS = {
    name: f"127.0.1.{at}" for at, name in enumerate(dict.fromkeys(sum(map(tuple, PLAN.values()), ())), 1)
}
SECOND_HOST, REGISTRAR = "127.0.1.101", "127.0.1.102"
ROUTING: dict[str, Any] = {
    "health": {
        "doubt_s": 0.1,
        "first_back_off_s": 0.15,
        "longest_back_off_s": 0.2,
        "rise": 2,
        "return_s": 0,
    },
    "circuit": {"least_failures": 20},  # these gateways fail calls all day
    "surge": {"longest_s": 0.3, "retry_after_s": RETRY_S},
    "rescue": {"doubt_s": 0.5, "dead_s": 2.0},
}


class Seen(NamedTuple):
    """A request as a gateway had it. at: seconds since 1970."""

    at: float
    request: Request


class Gateway(Sipp):
    """A sipp that goes on until the test is over, and what it was asked."""

    def received(self, method: str = "INVITE") -> list[Seen]:
        """Requests in the order that they came; what came twice once."""
        return self._seen("received", method)

    def said(self, status: int) -> int:
        """How many responses of a status it has sent."""
        return len(re.findall(rf"message sent .*\n\nSIP/2.0 {status} ", self.sent()))

    def _seen(self, way: str, method: str) -> list[Seen]:
        found: dict[tuple[str, int], Seen] = {}
        for part in re.split(r"^-{40,} ", self.sent(), flags=re.MULTILINE)[1:]:
            head, _, text = part.partition("\n\n")
            when, _, how = head.partition("\n")
            if f"message {way}" not in how or not text.startswith(f"{method} "):
                continue
            try:
                request = parse(text.replace("\r\n", "\n").replace("\n", "\r\n").encode())
            except Malformed:
                continue  # still being written
            assert isinstance(request, Request)
            seen = Seen(datetime.fromisoformat(when.strip()).timestamp(), request)
            found.setdefault((request.call_id, request.cseq[0]), seen)
        return list(found.values())

    @property
    def numbers(self) -> list[str]:
        """That were called."""
        return [each.request.uri.user_text for each in self.received()]


class Lines:
    """The node, and gateways for its lines. ports: of each line's address."""

    def __init__(self, folder: Path, prompts: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port(host) for name, host in HOSTS.items()}
        self.ports["second"] = free_port(SECOND_HOST)
        self.ports["registrar"] = free_port(REGISTRAR)
        self.names = ServerThread(self._zone())
        self.running: list[Gateway] = []
        self.registrar = self._gateway("registrar", "registrar", REGISTRAR, self.ports["registrar"])
        more = {
            "routing": ROUTING,
            "sip": {
                "dns": {"servers": ["127.0.0.1"], "port": self.names.port},
                "listen": [{"transport": each, "address": "127.0.0.1"} for each in ("udp", "tcp")],
            },
            "numbers": {
                "prefixes": {at: {"line": list(names), "callers": "anyone"} for at, names in PLAN.items()}
            },
        }
        (folder / "carrier.password").write_text(f"{PASSWORD}\n")
        media = {"workers": 1, "webrtc": {"enabled": "off"}}
        self.node = Node(folder / "node", prompts, media, more, lines=self._lines())
        for name in HOSTS:
            self.fit(name, False)  # it was asked, and nobody was there

    def _zone(self) -> dict[tuple[str, str], str]:
        ports = self.ports
        return {
            ("SRV", "_sip._udp.carrier.test."): f"10 1 {ports['named']} one.carrier.test.|"
            f"20 1 {ports['second']} two.carrier.test.",
            ("A", "one.carrier.test."): HOSTS["named"],
            ("A", "two.carrier.test."): SECOND_HOST,
            ("SRV", "_sip._udp.registrar.test."): f"10 1 {ports['registrar']} one.registrar.test.",
            ("A", "one.registrar.test."): REGISTRAR,
        }

    def _lines(self) -> dict[str, dict[str, Any]]:
        lines: dict[str, dict[str, Any]] = {name: self._line(name) for name in HOSTS}
        credentials = {"user": "us", "password": {"file": str(self.folder / "carrier.password")}}
        lines["next"]["priority"] = 20
        lines["mobile"] |= {
            "priority": 90,
            "kind": "ims",
            "codecs": ["AMR-WB", "AMR"],
            "sources": [f"{HOSTS['mobile']}/32"],
            "dids": {OWN: {"agent": "ben"}},
            "ims": {
                "domain": "ims.test",
                "public_identity": f"sip:{OWN}@ims.test",
                "access_network": "3GPP-E-UTRAN-FDD",
            },
        }
        lines["named"] |= {"addresses": [{"host": "carrier.test"}], "transport": "udp"}
        lines["slow"]["max_calls_per_s"] = 3
        lines["narrow"]["max_calls"] = 2
        lines["asks"]["credentials"] = credentials
        lines["joins"] |= {"credentials": credentials, "register": {"registrar": "registrar.test"}}
        lines["joins"]["transport"] = "udp"
        lines["german"] |= GERMAN
        lines["spoken"]["dids"] = {OTHERS: {"line": ["next"]}}
        return lines

    def _line(self, name: str) -> dict[str, Any]:
        return {
            "country": "GB",
            "addresses": [{"host": HOSTS[name], "port": self.ports[name]}],
            "caller_id": {"number": OWN, "show": "caller"},
        }

    def _gateway(self, scenario: str, name: str, host: str, port: int, **options: Any) -> Gateway:
        folder = self.folder / name
        gateway = Gateway(scenario, folder, address=host, port=port, calls=100_000, timeout=600, **options)
        self.running.append(gateway)
        return gateway

    def gateway(self, line: str, scenario: str = "gateway", *, host: str = "", **options: Any) -> Gateway:
        """A gateway for a line that calls can go out over when this returns. host: the line's other one."""
        at = host or HOSTS[line]
        gateway = self._gateway(scenario, line, at, self.ports["second" if host else line], **options)
        try:
            self.fit(line)
        except NodeFailed as error:
            raise NodeFailed(f"{error}\n{gateway.report(gateway.process.poll() or 0)}") from error
        return gateway

    def fit(self, line: str, wanted: bool = True) -> None:
        """Wait until calls can go out over a line, or cannot any more."""
        self.node.await_metric("isogloss_line_share_ratio", line, lambda share: (share > 0) is wanted)

    def asked(self, gateway: Gateway) -> None:
        """Wait until a gateway has been asked often enough to be taken for one that is there."""
        enough = ROUTING["health"]["rise"]
        self.node._poll(lambda: len(gateway.received("OPTIONS")) >= enough, 10.0, "questions")

    def idle(self, line: str) -> None:
        """Wait until nobody talks over it."""
        self.busy(line, 0)

    def busy(self, line: str, channels: int) -> None:
        """Wait until so many of its channels are in use."""
        self.node.await_metric("isogloss_line_calls", line, lambda calls: calls == channels)

    def close(self) -> None:
        for each in self.running:
            each.kill()
        self.names.close()


GERMAN = {
    "country": "DE",
    "sources": [f"{HOSTS['german']}/32"],
    "dids": {"+4930100200": {"line": ["next"]}},
    "only_dids": True,
    "numbers": {
        "outgoing": {
            "form": "dialled",
            "rules": [{"match": "00(44...)", "write": "01033{1}"}],
            "examples": {"+442071838750": "01033442071838750", "+4930100300": "030100300"},
        },
        "incoming": {
            "rules": [{"match": "7(...)", "write": "+4930100{1}"}],
            "examples": {"7200": "+4930100200", "030100200": "+4930100200"},
        },
    },
    "caller_id": {
        "number": "+4930100200",
        "show": "listed",
        "listed": ["+4930100"],
        "asserted": "p-asserted-identity",
        "diverted": "diversion",
        "trusted": True,
    },
}
