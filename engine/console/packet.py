"""What the socket of a page may say: as much of Engine.IO and Socket.IO as NiceGUI's pages send.

Both servers read the types of packets as any digits that Unicode has, other namespaces and parts in binary;
a list of what is forbidden would always lack something.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

QUIET = frozenset({"1", "3", "40", "41"})  # close, pong; connect, disconnect
EVENTS = frozenset({"ack", "event", "handshake", "javascript_response", "log"})
_EVENT = re.compile(r"42[0-9]{0,9}(\[.*\])", re.DOTALL)


def allowed(text: str | None, its_own: Callable[[str], bool]) -> bool:
    """text: None for bytes. its_own: whether a page of that name is the socket's; an event names its page."""
    if text is None or text in QUIET:
        return text is not None
    event = _EVENT.fullmatch(text)
    if event is None:
        return False
    try:
        name, told = json.loads(event[1])
    except (ValueError, TypeError, RecursionError):
        return False
    if not isinstance(name, str) or name not in EVENTS or not isinstance(told, dict):
        return False
    page = told.get("client_id")
    return isinstance(page, str) and its_own(page)
