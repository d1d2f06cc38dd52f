"""Calls that last about a minute, because RFC 4028 knows no shorter sessions: begun early, collected late."""

from __future__ import annotations

from pathlib import Path

from tests.interop.node import FAR, LINE, Node
from tests.interop.sipp import Sipp

TIMEOUT_S = 95
# name -> scenarios of the caller and of the far end
CALLS = {
    "refreshed by UPDATE": ("caller_is_refreshed_by_update", "callee"),
    "refreshed by re-INVITE": ("caller_is_refreshed_by_reinvite", "callee"),
    "far end refreshed": ("caller_is_hung_up", "callee_is_refreshed"),
    "caller refreshes": ("caller_refreshes", "callee"),
    "nobody refreshes": ("caller_stops_refreshing", "callee"),
    "refreshes meet": ("caller_glares", "callee"),
}


class LongCalls:
    """All of CALLS, under way. A session of 90 s is refreshed after 45 s and given up after 60 s."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.numbers: dict[str, str] = {}
        self._runs: dict[str, tuple[Sipp, Sipp]] = {}
        for name, (caller, far) in CALLS.items():
            end = node.far_end()
            callee = Sipp(far, folder, address=FAR, port=end.port, timeout=TIMEOUT_S)
            calling = Sipp(
                caller,
                folder,
                remote=node.address(),
                address=LINE,
                number=end.number,
                caller="+441632960002",
                timeout=TIMEOUT_S,
            )
            self._runs[name] = (callee, calling)
            self.numbers[name] = end.number

    def finish(self, name: str) -> str:
        """Wait for both sides of a call; the number that was dialled. Raises SippFailed."""
        callee, calling = self._runs[name]
        with callee, calling:
            return self.numbers[name]

    def close(self) -> None:
        for sides in self._runs.values():
            for side in sides:
                side.kill()
