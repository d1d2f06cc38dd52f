"""A carrier's gateway for probes: PJSIP at an address of its own, which echoes, or brings calls back to the
node.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from sip.pjsip.process import Softphone, SoftphoneError


def line_to(host: str, port: int, **settings: Any) -> dict[str, Any]:
    """As in lines/NAME.yaml."""
    made = {
        "country": "GB",
        "transport": "udp",
        "options_every_s": 0,
        "addresses": [{"host": host, "port": port}],
    }
    return made | {"caller_id": {"number": "+442071838750"}} | settings


class Carrier:
    """policy: as of `auto` in sip.pjsip."""

    def __init__(self, address: str, *, number: str = "carrier", **policy: Any) -> None:
        self.address = address
        self.phone = Softphone(f"carrier at {address}", address=address, buffer_ms=40, urgent=True)
        self.phone.account(number, "carrier.example", "127.0.0.1:9")
        self.phone.auto(**policy)

    @property
    def sip(self) -> str:
        return self.phone.transports["udp"]

    def line(self, **settings: Any) -> dict[str, Any]:
        return line_to(
            self.address, int(self.sip.rpartition(":")[2]), sources=[f"{self.address}/32"], **settings
        )

    def close(self) -> None:
        self.phone.close()

    def __enter__(self) -> Carrier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Loop(Carrier):
    """Calls the node with whatever it is called for, and passes sound and digits on."""

    def __init__(self, address: str, *, number: str) -> None:
        super().__init__(address, number=number)
        self._number = number
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def to(self, node: str) -> None:
        self.phone.account(self._number, "carrier.example", node)
        self._thread.start()

    def _serve(self) -> None:
        phone = self.phone
        try:
            came = phone.expect("incoming", 60.0)
            out = phone.call(came["target"].partition(":")[2].partition("@")[0])
            phone.expect("answered", 10.0, call=out)
            phone.answer(came["call"])
            for call in (out, came["call"]):
                phone.expect("media", 10.0, call=call, state="active")
            phone.ask("bridge", call=came["call"], other=out)
            while (event := phone.expect_any(("dtmf", "ended"), 60.0, call=came["call"]))["event"] == "dtmf":
                phone.ask("dtmf", call=out, digits=event["digit"])
            phone.hangup(out)
        except SoftphoneError:
            return  # the test is over, or will say what did not happen
