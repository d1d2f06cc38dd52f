"""An established session written down, so that another user agent can go on with it.

What two user agents remember of each other (RFC 3261 section 12) is little, and none of it is bound to the
machine that remembers: whoever has it can send the next request. The far end learns of the new address from
that request's Contact (section 12.2.1.1). What was said since the value was written is not in it, so numbers
jump: section 12.2.2 has peers prepared for gaps, and none for a number that comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from sip.dialog import MAX_ROUTES, Abilities, Dialog
from sip.errors import BadSnapshot, Malformed, WrongState
from sip.headers import visible
from sip.hop import DEFAULT_PORTS, Hop
from sip.reach import is_numeric
from sip.session import Session
from sip.stack import Stack
from sip.states import ANSWERED, CONNECTED
from sip.uri import NameAddr, Uri

VERSION = 1
JUMP = 100  # requests of ours that may have gone out since the value was written
LARGEST_SEQ = 2**31 - 1  # RFC 3261 section 8.1.1.5
LONGEST_TEXT = 2048  # characters of a URI or an address
MAX_TOKENS = 64  # methods and options that a peer may have named
MAX_INTERVAL = 86_400  # seconds of a session timer


@dataclass(frozen=True, slots=True)
class Snapshot:
    """See `take` and `restore`. Texts are header values; tags are in `local` and `remote`.

    hop: transport, address, port and name of where the peer's messages came from. acknowledges: our newest
    request is an INVITE with an offer, whose 2xx may still be without its ACK. interval: seconds of the
    session timer, 0 for none; refreshes: refreshing is ours.
    """

    direction: Literal["in", "out"]
    call_id: str
    local: str
    remote: str
    target: str
    routes: tuple[str, ...]
    hop: tuple[str, str, int, str]
    symmetric: bool
    local_seq: int
    remote_seq: int | None
    acknowledges: bool
    methods: tuple[str, ...]
    options: tuple[str, ...]
    interval: int
    refreshes: bool

    def plain(self) -> list[Any]:
        """The value in lists, texts, numbers and truth values alone, its version first."""
        values = (getattr(self, name) for name in NAMES)
        return [VERSION, *(list(each) if isinstance(each, tuple) else each for each in values)]

    @classmethod
    def read(cls, plain: object) -> Snapshot:
        """What `plain` gave, by whatever way it came back. Raises BadSnapshot for all else."""
        if not isinstance(plain, list | tuple) or len(plain) != 1 + len(NAMES):
            raise BadSnapshot("not the parts of a session")
        if plain[0] != VERSION or isinstance(plain[0], bool):
            raise BadSnapshot("of another version")
        values = {}
        for name, value in zip(NAMES, plain[1:], strict=True):
            try:
                values[name] = _READERS[name](value)
            except (Malformed, ValueError, TypeError) as error:
                raise BadSnapshot(f"{name} cannot be read") from error
        return cls(**values)


NAMES = tuple(field.name for field in fields(Snapshot))


def take(session: Session) -> Snapshot | None:
    """The session as it stands; None while, or once, nobody else could go on with it.

    Before our ACK or 2xx the far end's INVITE belongs to one transaction, which cannot be handed on. Once
    our 2xx is out, whoever got it knows the dialog.
    """
    dialog = session.dialog
    if dialog is None or session.state not in (CONNECTED, ANSWERED):
        return None
    hop, timer, invite = dialog.hop, session.timer, newest_invite(session)
    return Snapshot(
        session.direction,
        dialog.call_id,
        str(dialog.local),
        str(dialog.remote),
        str(dialog.target),
        dialog.route_set,
        (hop.transport, hop.host, hop.port, hop.name),
        dialog.symmetric,
        dialog.local_seq,
        dialog.remote_seq,
        invite == dialog.local_seq and invite > 0,
        tuple(sorted(dialog.abilities.methods)[:MAX_TOKENS]),
        tuple(sorted(dialog.abilities.options)[:MAX_TOKENS]),
        timer.interval if timer.runs else 0,
        timer.ours,
    )


def newest_invite(session: Session) -> int:
    """The CSeq of our newest INVITE that an ACK without a body ends; 0 for none."""
    ours = session.renegotiation.invite or (session.caller.invite if session.caller is not None else None)
    return ours.cseq[0] if ours is not None and ours.body else 0


def restore(stack: Stack, snapshot: Snapshot, now: float) -> Session:
    """Go on with it. Raises WrongState where this user agent has that dialog already.

    Its owner is to `reoffer` at once: only that tells the far end where we are.
    """
    local, remote = NameAddr.parse(snapshot.local), NameAddr.parse(snapshot.remote)
    key = (snapshot.call_id, local.tag or "", remote.tag or "")
    if key in stack.dialogs:
        raise WrongState("this dialog is here already")
    session = Session(stack, snapshot.direction, snapshot.call_id, local, remote)
    transport, host, port, name = snapshot.hop
    hop, target = Hop(transport, host, port, name=name), Uri.parse(snapshot.target)
    dialog = Dialog(snapshot.call_id, local, remote, target, snapshot.routes, hop, session)
    dialog.symmetric, dialog.confirmed = snapshot.symmetric, True
    dialog.local_seq = snapshot.local_seq + JUMP
    if snapshot.remote_seq is not None:
        # One that was heard and never answered is sent again, under its own number.
        dialog.remote_seq = snapshot.remote_seq - 1
    dialog.abilities = Abilities(frozenset(snapshot.methods), frozenset(snapshot.options))
    stack.dialogs[dialog.key] = dialog
    session.dialog, session.state = dialog, CONNECTED
    session.timer.resume(snapshot.interval, snapshot.refreshes, now)
    if snapshot.acknowledges:
        _acknowledge(stack, dialog, snapshot.local_seq)
    return session


def _acknowledge(stack: Stack, dialog: Dialog, number: int) -> None:
    """The ACK that may never have been sent; a peer that has had it takes no notice (section 13.3.1.4)."""
    ack, hop = dialog.request("ACK", number), stack.hops_inside(dialog)[0]
    ack.headers.set("Via", stack.via(hop, stack.new_branch()))
    stack.transmit(ack.encode(), hop)


# --- reading strictly --------------------------------------------------------------------------------------


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or visible(value) != value:
        raise ValueError
    return value


def _name_addr(value: object) -> str:
    NameAddr.parse(_text(value))
    return str(value)


def _uri(value: object) -> str:
    if Uri.parse(_text(value)).scheme not in ("sip", "sips"):
        raise ValueError
    return str(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    return read


def _texts(most: int, read: Callable[[object], str]) -> Callable[[object], tuple[str, ...]]:
    def read_all(value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or len(value) > most:
            raise ValueError
        return tuple(read(each) for each in value)

    return read_all


def _hop(value: object) -> tuple[str, str, int, str]:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError
    transport, host, port, name = value
    if transport not in DEFAULT_PORTS or not is_numeric(_text(host)) or (name and visible(name) != name):
        raise ValueError
    return transport, host, _number(1, 65535)(port), str(name)[:255]


def _direction(value: object) -> str:
    if value not in ("in", "out"):
        raise ValueError
    return str(value)


def _remote_seq(value: object) -> int | None:
    return None if value is None else _number(0, 2**32 - 1)(value)


_READERS: Mapping[str, Callable[[object], Any]] = {
    "direction": _direction,
    "call_id": _text,
    "local": _name_addr,
    "remote": _name_addr,
    "target": _uri,
    "routes": _texts(MAX_ROUTES, _name_addr),
    "hop": _hop,
    "symmetric": _flag,
    "local_seq": _number(0, LARGEST_SEQ - JUMP * 1000),
    "remote_seq": _remote_seq,
    "acknowledges": _flag,
    "methods": _texts(MAX_TOKENS, _text),
    "options": _texts(MAX_TOKENS, _text),
    "interval": _number(0, MAX_INTERVAL),
    "refreshes": _flag,
}
