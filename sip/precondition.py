"""Preconditions in session descriptions: resources are there before a phone rings (RFC 3312, RFC 4032).

Of the type "qos" with segmented status ("local" and "remote"), which is what mobile networks use (TS 24.229
section 6.1). Descriptions stay text here: their lines are put in, taken out and read, whatever else they say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_LINES = 32  # of preconditions in one section; more is nothing that anybody means

NONE, SEND, RECEIVE, BOTH = 0, 1, 2, 3
_FLAGS = {"none": NONE, "send": SEND, "recv": RECEIVE, "sendrecv": BOTH}
_WORDS = {flags: word for word, flags in _FLAGS.items()}
_MIRRORED = {NONE: NONE, SEND: RECEIVE, RECEIVE: SEND, BOTH: BOTH}
_STRENGTHS = ("none", "optional", "mandatory", "failure", "unknown")
_SEGMENTS = ("local", "remote")

_LINE = re.compile(r"a=(curr|des|conf):(.{1,128})")
_PORT = re.compile(r"m=\S+ +0*([1-9][0-9]*)")
_ORIGIN = re.compile(r"(o=\S+ +(\d{1,20}) +)(\d{1,20})( .*)")


@dataclass(frozen=True, slots=True)
class Status:
    """What one section says, seen from whoever wrote it; directions as bits SEND and RECEIVE.

    current: what each segment has. mandatory, optional: what is wanted of it. confirm: what it asks to be
    told of. foreign: mandatory lines that nobody here can meet, as (precondition, status type, direction).
    """

    current: Mapping[str, int] = field(default_factory=dict)
    mandatory: Mapping[str, int] = field(default_factory=dict)
    optional: Mapping[str, int] = field(default_factory=dict)
    confirm: Mapping[str, int] = field(default_factory=dict)
    foreign: tuple[tuple[str, str, str], ...] = ()

    @property
    def lacks(self) -> int:
        """What the writer's own segment has to have and has not."""
        return self.mandatory.get("local", NONE) & ~self.current.get("local", NONE)


def read(sdp: bytes) -> tuple[Status | None, ...]:
    """One status a section, None for those that are switched off or name no precondition."""
    return tuple(_status(section) if _is_on(section) else None for section in _sections(sdp)[1:])


def named(sdp: bytes | None) -> bool:
    """Whether a description wants any precondition."""
    return sdp is not None and b"a=des:" in sdp


def met(theirs: bytes, ready: bool) -> bool:
    """Whether phones may ring: what is mandatory is there. ready: our own resources are."""
    for status in filter(None, read(theirs)):
        if status.lacks or (status.mandatory.get("remote", NONE) and not ready):
            return False
    return ready


def told(ours: bytes) -> bool:
    """Whether a description of ours says that our resources are there."""
    return all(each.current.get("local") == BOTH for each in read(ours) if each is not None)


def confirmation(theirs: bytes) -> bool:
    """Whether a description of theirs asks to be told when our resources are there."""
    return any(each.confirm.get("remote") for each in read(theirs) if each is not None)


def dressed(sdp: bytes, theirs: bytes | None, *, ready: bool, answers: bool) -> bytes:
    """Our description with its lines, whatever stood there of them before.

    theirs: the newest of the far end; the offer when `answers`. A section whose offer names none gets none.
    """
    known = read(theirs) if theirs is not None else ()
    sections = _sections(sdp)
    made = [sections[0]]
    for index, section in enumerate(sections[1:]):
        lines = [line for line in section if not _LINE.match(line)]
        status = known[index] if index < len(known) else None
        if _is_on(section) and (status is not None or not answers):
            lines += _lines(status or Status(), ready, answers)
        made.append(lines)
    return _joined(made, sdp)


def bare(sdp: bytes) -> bytes:
    """A description without preconditions, and without its version: what is left is what they agree on."""
    rows = [line for section in _sections(sdp) for line in section if not _LINE.match(line)]
    return _joined([[_ORIGIN.sub(r"\g<1>\g<4>", line) for line in rows]], sdp)


def version(sdp: bytes) -> tuple[str, int]:
    """(session id, version) of the o= line; ("", 0) where there is none that can be read."""
    for line in _sections(sdp)[0]:
        found = _ORIGIN.match(line)
        if found is not None:
            return found[2], int(found[3])
    return "", 0


def with_version(sdp: bytes, number: int) -> bytes:
    """The same description as version `number`."""
    sections = _sections(sdp)
    sections[0] = [_ORIGIN.sub(rf"\g<1>{number}\g<4>", line) for line in sections[0]]
    return _joined(sections, sdp)


def refusal(offer: bytes) -> bytes | None:
    """The description of a 580 for mandatory preconditions that nobody here can meet; None without any.

    RFC 3312 section 8: those of another type are "unknown", those of ours are a "failure".
    """
    sections = _sections(offer)
    if not any(status is not None and status.foreign for status in read(offer)):
        return None
    made = [sections[0]]
    for section, status in zip(sections[1:], read(offer), strict=True):
        lines = [line for line in section if not _LINE.match(line)]
        for kind, segment, direction in status.foreign if status is not None else ():
            strength = "failure" if kind == "qos" else "unknown"
            lines.append(f"a=des:{kind} {strength} {segment} {direction}")
        made.append(lines)
    return _joined(made, offer)


def _lines(theirs: Status, ready: bool, answers: bool) -> list[str]:
    have = _MIRRORED[theirs.current.get("local", NONE)]
    strength = "mandatory" if theirs.mandatory.get("local") else "optional"
    wanted = theirs.mandatory.get("local") or theirs.optional.get("local") or BOTH
    lines = [
        f"a=curr:qos local {'sendrecv' if ready else 'none'}",
        f"a=curr:qos remote {_WORDS[have]}",
        "a=des:qos mandatory local sendrecv",
        f"a=des:qos {strength} remote {_WORDS[_MIRRORED[wanted]]}",
    ]
    if answers and theirs.lacks:
        lines.append(f"a=conf:qos remote {_WORDS[_MIRRORED[theirs.lacks]]}")
    return lines


def _status(section: Sequence[str]) -> Status | None:
    current: dict[str, int] = {}
    confirm: dict[str, int] = {}
    wanted: dict[str, dict[str, int]] = {"mandatory": {}, "optional": {}}
    foreign: list[tuple[str, str, str]] = []
    count = 0
    for found in filter(None, map(_LINE.match, section)):
        words = found[2].lower().split()
        count += 1
        if count > MAX_LINES:
            return None
        if found[1] == "des" and len(words) == 4:
            kind, strength, segment, direction = words
            _want(wanted, foreign, kind, strength, segment, direction)
        elif len(words) == 3 and words[0] == "qos" and words[1] in _SEGMENTS and words[2] in _FLAGS:
            kept = current if found[1] == "curr" else confirm
            kept.setdefault(words[1], _FLAGS[words[2]])
    if not count:
        return None
    return Status(current, wanted["mandatory"], wanted["optional"], confirm, tuple(foreign))


def _want(
    wanted: dict[str, dict[str, int]],
    foreign: list[tuple[str, str, str]],
    kind: str,
    strength: str,
    segment: str,
    direction: str,
) -> None:
    if direction not in _FLAGS or strength not in _STRENGTHS:
        return
    if kind == "qos" and segment in _SEGMENTS:
        kept = wanted.get(strength)
        if kept is not None:
            kept[segment] = kept.get(segment, NONE) | _FLAGS[direction]
    elif strength == "mandatory" and direction != "none" and re.fullmatch(r"[\w.-]+", kind + segment):
        foreign.append((kind, segment, direction))


def _sections(sdp: bytes) -> list[list[str]]:
    # Any octets come back as they were: nothing here depends on what the rest of them mean.
    sections: list[list[str]] = [[]]
    for line in sdp.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            sections.append([])
        if line:
            sections[-1].append(line)
    return sections


def _joined(sections: Sequence[Sequence[str]], before: bytes) -> bytes:
    if not any(sections):
        return before
    return ("\r\n".join(line for section in sections for line in section) + "\r\n").encode("latin-1")


def _is_on(section: Sequence[str]) -> bool:
    return bool(section) and _PORT.match(section[0]) is not None
