"""Multipart bodies (RFC 2046 section 5.1, RFC 5621): take them apart and find the part that is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.errors import MalformedHeader
from sip.head import find_end, read_head
from sip.headers import parse_params
from sip.message import Message

MAX_PARTS = 16
MAX_DEPTH = 3

_BOUNDARY = re.compile(r"[ -~]{1,70}")


@dataclass(frozen=True, slots=True)
class Part:
    """One body part. type: the whole Content-Type value, "text/plain" when it has none."""

    type: str
    disposition: str
    body: bytes

    @property
    def content_type(self) -> str:
        """Media type in lower case, without parameters."""
        return self.type.partition(";")[0].strip().lower()


def split_multipart(content_type: str, body: bytes) -> list[Part]:
    """The parts of a multipart body, at most MAX_PARTS; none when its boundary cannot be made out."""
    boundary = _boundary(content_type)
    if boundary is None:
        return []
    delimiter = b"--" + boundary
    # The body begins at its first delimiter; what stands before is a preamble for people.
    chunks = (b"\r\n" + body.replace(b"\n" + delimiter, b"\r\n" + delimiter)).split(b"\r\n" + delimiter)
    parts: list[Part] = []
    for chunk in chunks[1 : MAX_PARTS + 1]:
        if chunk.startswith(b"--"):
            break
        part = _part(chunk)
        if part is not None:
            parts.append(part)
    return parts


def find_body(message: Message, wanted: str = "application/sdp") -> bytes | None:
    """The body of media type `wanted`: the whole body, or the first such part, parts of parts included."""
    return _find(message.headers.get("Content-Type") or "", message.body, wanted, MAX_DEPTH)


def _find(content_type: str, body: bytes, wanted: str, depth: int) -> bytes | None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == wanted:
        return body or None
    if not depth or not kind.startswith("multipart/"):
        return None
    for part in split_multipart(content_type, body):
        found = _find(part.type, part.body, wanted, depth - 1)
        if found is not None:
            return found
    return None


def _part(chunk: bytes) -> Part | None:
    line, _, rest = chunk.partition(b"\n")
    if line.strip():
        return None
    if rest.startswith((b"\r\n", b"\n")):
        return Part("text/plain", "", rest.partition(b"\n")[2].removesuffix(b"\r"))
    end, begin = find_end(rest)
    if end < 0:
        return None
    lines = read_head(b"Part\r\n" + rest[:end]).lines
    return Part(
        lines.get("Content-Type", ["text/plain"])[0],
        lines.get("Content-Disposition", [""])[0],
        rest[begin:].removesuffix(b"\r"),
    )


def _boundary(content_type: str) -> bytes | None:
    kind, _, params = content_type.partition(";")
    if not kind.strip().lower().startswith("multipart/"):
        return None
    try:
        found = dict(parse_params(params)).get("boundary")
    except MalformedHeader:
        return None
    return found.encode() if found and _BOUNDARY.fullmatch(found) else None
