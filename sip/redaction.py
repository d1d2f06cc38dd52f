"""Messages without what nobody may read later: credentials, keys, passwords, digits that callers press.

What is secret is overwritten byte by byte with `x`, so that lengths, and with them Content-Length, stay true.
It works on bytes, not on parsed messages: what could not be parsed is kept, too, and may hold as much.
"""

from __future__ import annotations

import re

MASK = b"x"
_LEFT = b' \t\r\n,"='  # of what is masked, so that it can be read what was there

# Parameters of a challenge or its answer that say who and how, never with what (RFC 8760, RFC 7616).
_OPEN = frozenset({b"username", b"realm", b"algorithm", b"qop", b"nc", b"stale"})
_SCHEMES = (b"digest", b"basic", b"bearer", b"ntlm")
# In lower case: in a head that has something to hide is one of the first, in a body one of the second.
_IN_HEADS = (b"auth", b'="')
_IN_BODIES = (b"crypt", b"inline:", b"pwd:", b"key-mgmt", b"k=", b"signal", b"response=", b"passw")

_VALUE = rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*"
# Header fields that are masked whole but for the open parameters.
_CREDENTIALS = re.compile(
    rb"(?:^|(?<=[\r\n]))[\w-]{0,32}(?:auth|token|secret|passw)[\w-]{0,32}[ \t]*:(" + _VALUE + rb")"
)
_PARAMETER = re.compile(rb'([A-Za-z]+)[ \t]*=[ \t]*(?:"([^",=\\\r\n]{0,64})"|([^",=\s]{0,64}))(?=\s*(?:,|$))')
# The rest is found wherever it stands, for a header's name may be mistyped, and a message cut in two.
_ANYWHERE = (
    re.compile(
        rb"\b(?:response|cnonce|nonce|rspauth|nextnonce|opaque|auts|ck|ik|passw(?:or)?d|secret|token)"
        rb"[ \t]*=[ \t]*\"?([^\",;&<>\s]+)",
    ),
    re.compile(rb"\"([0-9a-f]{12,})\"?"),
    re.compile(rb"(?:^|(?<=[\r\n]))a=[^\r\n]{0,256}?([a-z0-9+/]{20,}={0,2})"),  # of whatever attribute
    # A line that is none: what a broken one left of the line before.
    re.compile(rb"(?<=[\r\n])(?![\w-]{1,64}[ \t]*[:=]|\s)([^\r\n]+)"),
    re.compile(rb"inline:([^\s]+)"),  # RFC 4568
    re.compile(rb"crypto:[^\r\n]{0,64}?([a-z0-9+/]{30,}={0,2})"),
    re.compile(rb"pwd:([^\r\n]+)"),  # RFC 8839
    re.compile(rb"key-mgmt:([^\r\n]+)"),  # RFC 4567
    re.compile(rb"(?:^|(?<=[\r\n]))k=([^\r\n]+)"),  # RFC 4566 section 5.12
    re.compile(rb"[?&](?:proxy-)?authorization=([^&>\s]+)"),  # headers of a URI
)
# Of a URI; where its end cannot be seen, what follows a second colon and is no port.
_PASSWORD = re.compile(
    rb":[^\s:@<>;,\"\[]{1,128}:([^\s@<>;]{1,128})@|"
    rb"sips?:[^\s:@<>;,\"\[]{1,128}:(?!\d{1,5}(?:[\s;>,?\"]|$))([^\s@<>;]{1,128})"
)
# What a caller presses may be a card's number or a PIN, and how it is told by INFO.
_DIGITS = (
    re.compile(rb"(?:^|(?<=[\r\n]))signal[ \t]*=[ \t]*([^\s])"),
    re.compile(
        rb"(?:^|(?<=[\r\n]))(?:content-type|c)[ \t]*:[ \t]*application/dtmf[ \t\r\n]"
        rb"[\s\S]{0,4096}?\r?\n\r?\n([\s\S]{1,64})"
    ),
)


def redact(message: bytes) -> bytes:
    """The message as it may be kept and shown; as long as it was. It never raises, whatever it is given."""
    lower = message.lower()  # patterns without regard to case cost ten times as much
    if not _may_hide(lower):
        return message
    hidden = bytearray(message)
    for found in _CREDENTIALS.finditer(lower):
        _mask_but_open(hidden, message, *found.span(1))
    for pattern in (*_ANYWHERE, *_DIGITS, _PASSWORD):
        for found in pattern.finditer(lower):
            _mask(hidden, *found.span(found.lastindex or 0))
    return bytes(hidden)


def _may_hide(lower: bytes) -> bool:
    """A quick look: most messages hold no secret."""
    if any(sign in lower for sign in _IN_HEADS) or b"dtmf" in lower:
        return True
    body = lower[max(0, lower.find(b"\r\n\r\n")) :]
    if len(body) > 4 and any(sign in body for sign in _IN_BODIES):
        return True
    return _PASSWORD.search(lower) is not None


def _mask(hidden: bytearray, begin: int, end: int) -> None:
    for at in range(begin, end):
        if hidden[at] not in _LEFT:
            hidden[at] = MASK[0]


def _mask_but_open(hidden: bytearray, message: bytes, begin: int, end: int) -> None:
    """Mask a field's value, its scheme and open parameters left out."""
    _mask(hidden, begin, end)
    value = message[begin:end]
    words = value.split(None, 1)
    at = 0
    if words and words[0].lower() in _SCHEMES:
        at = value.index(words[0]) + len(words[0])
        hidden[begin : begin + at] = value[:at]
    for found in _PARAMETER.finditer(value, at):
        if found[1].lower() in _OPEN:
            hidden[begin + found.start() : begin + found.end()] = value[found.start() : found.end()]
