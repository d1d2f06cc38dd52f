"""Seeded damage to valid messages: what a hostile or broken peer may send."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from random import Random

OFFER = """v=0
o=alice 2890844526 2890844526 IN IP4 192.0.2.10
s=call
c=IN IP4 192.0.2.10
b=AS:84
t=0 0
a=group:BUNDLE a v
m=audio 49170 RTP/AVP 111 8 0 101 13
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a=maxptime:60
a=rtcp:49171 IN IP4 192.0.2.10
a=rtcp-mux
a=sendrecv
m=video 51372 RTP/SAVP 31 99
a=rtpmap:99 H264/90000
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj
"""

COMMON = """Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK776asdhds;rport
Via: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bK77;received=2001:db8::9, SIP/2.0/TCP p.example.com;branch=z9
Max-Forwards: 70
From: "Alice \\"A\\" Example" <sip:+4930123456;phone-context=de@example.com:5070>;tag=1928301774
To: "Bob" <sips:bob:secret@[2001:db8::1]:5061;transport=tcp?Subject=hi%20you&Priority=urgent>
Call-ID: a84b4c76e66710@pc33.example.com
"""

START_LINES = {
    "INVITE": "INVITE sip:+4930123456@example.com;user=phone;transport=udp SIP/2.0",
    "ACK": "ACK sip:bob@192.0.2.4 SIP/2.0",
    "BYE": "BYE sip:bob@192.0.2.4 SIP/2.0",
    "CANCEL": "CANCEL tel:+1-201-555-0123;phone-context=example.com SIP/2.0",
    "REGISTER": "REGISTER sip:example.com SIP/2.0",
    "REFER": "REFER sip:bob@192.0.2.4;lr;maddr=192.0.2.5 SIP/2.0",
    "PRACK": "PRACK sip:bob@[2001:db8::4]:5062 SIP/2.0",
    "NOTIFY": "NOTIFY sip:bob%20b%C3%A9@192.0.2.4 SIP/2.0",
}

EXTRAS = {
    "INVITE": "Contact: Alice <sip:alice@192.0.2.10>;+sip.instance=\"<urn:uuid:0000>\"\nRequire: 100rel\n"
    "Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\nAccept: application/sdp, */*;q=0.1\n"
    "Session-Expires: 1800;refresher=uac\nSupported: replaces, timer\nDate: Sat, 13 Nov 2010 23:29:00 GMT\n",
    "ACK": "Route: <sip:p1.example.com;lr>\n",
    "BYE": "Reason: Q.850;cause=16;text=\"Terminated\"\n",
    "CANCEL": "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\n",
    "REGISTER": "Contact: <sip:alice@192.0.2.10:5060>;expires=3600;q=0.7, <mailto:a@example.com>\n"
    "Expires: 7200\nAuthorization: Digest username=\"alice\", realm=\"example.com\", nonce=\"84a4cc6f\",\n"
    " uri=\"sip:example.com\",\n"
    " response=\"7587245234b3434cc3412213e5f113a5\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"0a\"\n",
    "REFER": "Refer-To: <sip:carol@example.com?Replaces=12%40h%3Bto-tag%3D1%3Bfrom-tag%3D2>\n"
    "Referred-By: <sip:bob@example.com>\nContact: <sip:a@h>\n",
    "PRACK": "RAck: 776656 1 INVITE\n",
    "NOTIFY": "Event: refer;id=93809824\nSubscription-State: active;expires=60\nContact: <sip:a@h>\n",
}  # fmt: skip

MULTIPART = """--boundary1
Content-Type: application/sdp

{offer}
--boundary1
Content-Type: multipart/mixed;boundary="b 2"

--b 2

text
--b 2--
--boundary1--
"""

NUMBERS = [b"0", b"-1", b"256", b"65536", b"2147483648", b"4294967296", b"18446744073709551616", b"9" * 400]
_NUMBER = re.compile(rb"[0-9]+")
SPLICES = [
    b"Content-Length: 5\r\n",
    b"l: 0\r\n",
    b"Content-Length: 4294967295\r\n",
    b"Via: SIP/2.0/UDP 203.0.113.1\r\n",
    b"From: <sip:evil@example.net>;tag=x\r\n",
    b"CSeq: 1 BYE\r\n",
    b"Route: <sip:evil.example.net;lr>\r\n",
    b"Contact: *\r\n",
    b"X\xc3\xa9: \xff\xfe\r\n",
    b": no name\r\n",
    b"no colon\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\x7f\x1b[2J",
    b"%00%0d%0aInjected:%20yes",
    b'"',
    b"<",
    b">",
    b"\\",
    b",",
    b";",
    b"\xed\xa0\x80",
    b"\xe2\x80\xa8",
    b"\xd9\xa3",
    b"a=rtpmap:0 X/0/0\r\n",
    b"m=audio 99999 RTP/AVP 999\r\n",
    b"a" * 3000,
    b", " * 400,
    b";a" * 200,
    b"((((" * 50,
]


@cache
def seeds() -> tuple[bytes, ...]:
    """Valid messages of every kind, the valid ones of RFC 4475 among them."""
    made = []
    for method, start in START_LINES.items():
        body = OFFER if method == "INVITE" else ""
        made.append(_message(start, f"{COMMON}CSeq: 314159 {method}\n{EXTRAS[method]}", body))
    for status in ("100 Trying", "183 Session Progress", "200 OK", "401 Unauthorized", "503 "):
        made.append(_message(f"SIP/2.0 {status}", f"{COMMON}CSeq: 1 INVITE\n{EXTRAS['INVITE']}", OFFER))
    multipart = f"{COMMON}CSeq: 2 INVITE\nMIME-Version: 1.0\n"
    made.append(
        _message(
            START_LINES["INVITE"],
            multipart.replace("Via:", "v:"),
            MULTIPART.format(offer=OFFER),
            "multipart/mixed;boundary=boundary1",
        )
    )
    here = Path(__file__).parent / "rfc4475"
    made += [
        (here / f"{name}.dat").read_bytes() for name in ("wsinv", "intmeth", "esc01", "mpart01", "inv2543")
    ]
    return tuple(made)


def _message(start: str, fields: str, body: str, content_type: str = "application/sdp") -> bytes:
    data = body.replace("\n", "\r\n").encode()
    fields += f"Content-Type: {content_type}\n" if body else ""
    head = f"{start}\n{fields}Content-Length: {len(data)}\n\n"
    return head.replace("\n", "\r\n").encode() + data


def mutate(data: bytes, rng: Random) -> bytes:
    """`data` with one to four damages: bytes flipped, lost, doubled; lines moved; text or numbers put in."""
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3, 4))):
        data = rng.choice(_DAMAGES)(data, rng)
    return data[:70_000]


def _span(data: bytes, rng: Random, longest: int = 40) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.randrange(1, longest))


def _flip(data: bytes, rng: Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _replace(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng, 4)
    return data[:start] + rng.randbytes(end - start) + data[end:]


def _delete(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 50)) + data[end:]


def _splice(data: bytes, rng: Random) -> bytes:
    # Half of them where a line begins, so that they are fields and not noise.
    at = rng.randrange(len(data) + 1)
    if rng.random() < 0.5:
        at = data.find(b"\n", at) + 1
    return data[:at] + rng.choice(SPLICES) + data[at:]


def _truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _blow_up(data: bytes, rng: Random) -> bytes:
    number = _NUMBER.search(data, rng.randrange(len(data) + 1))
    if number is None:
        return data
    return data[: number.start()] + rng.choice(NUMBERS) + data[number.end() :]


def _move_line(data: bytes, rng: Random) -> bytes:
    lines = data.split(b"\r\n")
    line = lines.pop(rng.randrange(len(lines)))
    if rng.random() < 0.3:
        line = line.swapcase()
    for _ in range(rng.choice((1, 1, 2, 300))):
        lines.insert(rng.randrange(len(lines) + 1), line)
    return b"\r\n".join(lines)


def _line_ends(data: bytes, rng: Random) -> bytes:
    return data.replace(
        b"\r\n", rng.choice((b"\n", b"\r", b"\n\r", b"\r\n ", b"\r\r\n")), rng.choice((1, 3, -1))
    )


_DAMAGES = (
    _flip,
    _flip,
    _replace,
    _delete,
    _double,
    _splice,
    _splice,
    _truncate,
    _blow_up,
    _move_line,
    _line_ends,
)
