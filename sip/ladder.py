"""Every message of every call, both ways, as it came and went: what a SIP ladder is drawn from.

A message is filed under its Call-ID. Dialogs of calls are bound and stay until they are released; those of
strangers make way for newer ones. What is asked of the loop is a search for the Call-ID and an append;
nothing is parsed, and secrets are taken out (sip.redaction) whenever a message leaves the node's memory.
"""

from __future__ import annotations

import re
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from sip.hop import Hop

_NAMED = b"\r\nCall-ID: "
_ANY_NAME = re.compile(rb"[\r\n](?:call-id|i)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*[\r\n]", re.IGNORECASE)
_METHOD = re.compile(rb"\r\nCSeq:[ \t]*[0-9]+[ \t]+([A-Z]+)", re.IGNORECASE)
_REFUSALS = (b"SIP/2.0 3", b"SIP/2.0 4", b"SIP/2.0 5", b"SIP/2.0 6")
CHALLENGES = frozenset({401, 407})
CANCELLED = 487  # the caller took it back: nobody refused anything


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of what is kept. first, last: messages of a dialog; those between are left out and counted. message:
    bytes of one that are kept. dialog, total: bytes. strangers: dialogs of no call; theirs: bytes of those.
    refusals: that are remembered, and as many challenges; refused: bytes of both.
    """

    first: int = 200
    last: int = 100
    message: int = 16_384
    dialog: int = 512 * 1024
    total: int = 128 << 20
    strangers: int = 4096
    theirs: int = 8 << 20
    refusals: int = 2000
    refused: int = 8 << 20


class Rung(NamedTuple):
    """One message. at: s of the node's clock. inward: it came from `hop`, else it went there. fault: why it
    did not go; of one whose data is empty, what was heard of the way.
    """

    at: float
    inward: bool
    hop: Hop
    data: bytes
    fault: str = ""


@dataclass(slots=True)
class Dialog:
    """All messages of a Call-ID. omitted: how many were left out; size: bytes of the others."""

    call_id: bytes
    first: list[Rung] = field(default_factory=list)
    last: deque[Rung] = field(default_factory=deque)
    omitted: int = 0
    size: int = 0
    bound: int = 0  # calls that it is of

    def rungs(self) -> Iterator[Rung]:
        yield from self.first
        yield from self.last

    def newest(self) -> Rung | None:
        return self.last[-1] if self.last else self.first[-1] if self.first else None


class Refusal(NamedTuple):
    """A request was refused with `status`. request: None where it is not kept."""

    status: int
    call_id: bytes
    request: Rung | None
    response: Rung

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.response.data) + (len(self.request.data) if self.request is not None else 0)


class Ladders:
    """Dialogs by Call-ID; a `Tap` of the shell. watch: shown every message with its secrets,
    and its Call-ID, at once.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.size = 0  # bytes of calls' dialogs
        self.watch: Callable[[Rung, bytes], None] | None = None
        self._calls: dict[bytes, Dialog] = {}
        self._strangers: OrderedDict[bytes, Dialog] = OrderedDict()
        self._theirs = 0  # bytes of strangers' dialogs
        self._refusals: deque[Refusal] = deque()
        self._challenges: deque[Refusal] = deque()
        self._refused = 0  # bytes of both

    # --- as it comes and goes -----------------------------------------------------------------------

    def received(self, data: bytes, hop: Hop, now: float) -> None:
        """One message came."""
        self._file(now, True, hop, data)

    def sent(self, data: bytes, hop: Hop, now: float) -> None:
        """One message goes."""
        dialog = self._file(now, False, hop, data)
        if dialog is not None and data.startswith(_REFUSALS):
            self._note_refusal(data, dialog)

    def undelivered(self, data: bytes, hop: Hop, reason: str, now: float) -> None:
        """A message that was sent did not go."""
        self._file(now, False, hop, data, reason)

    def unreachable(self, hop: Hop, reason: str, now: float) -> None:
        """Nothing gets to `hop`: told to the calls whose newest message went there."""
        for dialog in self._calls.values():
            newest = dialog.newest()
            if newest is not None and not newest.fault and (newest.hop.host, newest.hop.port) == _way(hop):
                self._keep(dialog, Rung(now, False, hop, b"", reason))

    # --- calls --------------------------------------------------------------------------------------

    def bind(self, call_id: str) -> Dialog:
        """The dialog is of a call from now on, with what there was of it before. Once for each `release`."""
        key = call_id.encode("utf-8", "surrogateescape")
        dialog = self._calls.get(key)
        if dialog is None:
            dialog = self._calls[key] = self._strangers.pop(key, Dialog(key))
            self._theirs -= dialog.size
            self.size += dialog.size
        dialog.bound += 1
        return dialog

    def release(self, dialog: Dialog) -> None:
        """The call is over and done with."""
        dialog.bound -= 1
        if dialog.bound <= 0 and self._calls.pop(dialog.call_id, None) is not None:
            self.size -= dialog.size

    def refusals(self, challenges: bool = False) -> list[Refusal]:
        """Requests that were refused, or asked for credentials, the newest first."""
        return list(reversed(self._challenges if challenges else self._refusals))

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, call_id: str) -> Dialog | None:
        """The dialog of a Call-ID, of a call or of a stranger."""
        key = call_id.encode("utf-8", "surrogateescape")
        return self._calls.get(key) or self._strangers.get(key)

    # --- filing -------------------------------------------------------------------------------------

    def _file(self, now: float, inward: bool, hop: Hop, data: bytes, fault: str = "") -> Dialog | None:
        rung = Rung(now, inward, hop, data, fault)
        key = call_id_of(data)
        if self.watch is not None:
            self.watch(rung, key or b"")
        if key is None:
            return None
        dialog = self._calls.get(key)
        if dialog is None:
            dialog = self._strangers.get(key)
            if dialog is None:
                dialog = self._begin(key)
        self._keep(dialog, rung)
        return dialog

    def _keep(self, dialog: Dialog, rung: Rung) -> None:
        bounds, size = self.bounds, len(rung.data)
        if size > bounds.message:
            rung = rung._replace(data=rung.data[: bounds.message])
            size = bounds.message
        full = self.size >= bounds.total if dialog.bound else self._theirs >= bounds.theirs
        if not full and dialog.size + size <= bounds.dialog and len(dialog.first) < bounds.first:
            dialog.first.append(rung)
        elif not dialog.last and (full or len(dialog.first) < bounds.first):
            dialog.omitted += 1
            return
        else:
            if dialog.last and (
                full or len(dialog.last) >= bounds.last or dialog.size + size > bounds.dialog
            ):
                dialog.omitted += 1
                size -= len(dialog.last.popleft().data)
            dialog.last.append(rung)
        dialog.size += size
        if dialog.bound:
            self.size += size
        else:
            self._theirs += size

    def _begin(self, key: bytes) -> Dialog:
        strangers, bounds = self._strangers, self.bounds
        while strangers and (len(strangers) >= bounds.strangers or self._theirs >= bounds.theirs):
            _, gone = strangers.popitem(last=False)
            self._theirs -= gone.size
        dialog = strangers[key] = Dialog(key)
        return dialog

    def _note_refusal(self, data: bytes, dialog: Dialog) -> None:
        found, response = _METHOD.search(data), dialog.newest()
        digits = data[8:11]
        if found is None or response is None or found[1].upper() == b"ACK" or not digits.isdigit():
            return
        status = int(digits)
        if status == CANCELLED:
            return
        request = next((each for each in reversed(dialog.last or dialog.first) if each.inward), None)
        told = self._challenges if status in CHALLENGES else self._refusals
        told.append(Refusal(status, dialog.call_id, request, response))
        self._refused += told[-1].size
        while len(told) > self.bounds.refusals or (self._refused > self.bounds.refused and told):
            self._refused -= told.popleft().size


def call_id_of(data: bytes) -> bytes | None:
    """The Call-ID of a message, be it readable otherwise or not."""
    at = data.find(_NAMED)
    if at >= 0:
        at += len(_NAMED)
        return data[at : data.find(b"\r", at)]
    found = _ANY_NAME.search(data)
    return found[1] if found is not None else None


def _way(hop: Hop) -> tuple[str, int]:
    return hop.host, hop.port
