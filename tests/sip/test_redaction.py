"""What is secret never leaves: whatever a message looks like, however it was mutilated on its way."""

from __future__ import annotations

from random import Random

import pytest

from sip.redaction import redact
from tests.mutilation import mutilated

RESPONSE, NONCE, CNONCE = (
    "6629fae49393a05397450978507c4ef1",
    "9b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e",
    "0a4f113bdeadbeef",
)
KEY, PASSWORD, ICE = (
    "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
    "geheim-und-lang",
    "asd88fgpdd777uzjYhagZgqwe",
)
MESSAGE = f"""\
INVITE sip:200@pbx.example SIP/2.0\r
Via: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKnashds8\r
From: "Alice" <sip:alice:{PASSWORD}@pbx.example>;tag=a6c85cf\r
To: <sip:200@pbx.example>\r
Call-ID: 3848276298220188511@atlanta\r
CSeq: 2 INVITE\r
Authorization: Digest username="alice", realm="pbx.example", nonce="{NONCE}", uri="sip:200@pbx.example",\r
 response="{RESPONSE}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{CNONCE}"\r
Proxy-Authorization: Digest username="alice", realm="proxy", nonce="{NONCE}", response="{RESPONSE}"\r
Content-Type: application/sdp\r
Content-Length: 300\r
\r
v=0\r
o=- 1 1 IN IP4 203.0.113.9\r
s=-\r
c=IN IP4 203.0.113.9\r
m=audio 4000 RTP/SAVP 8\r
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:32\r
a=ice-ufrag:8hhY\r
a=ice-pwd:{ICE}\r
a=fingerprint:sha-256 4A:AD:B9:B1\r
""".encode()
SECRETS = [each.encode() for each in (RESPONSE, NONCE, CNONCE, KEY, PASSWORD, ICE)]


def leaks(shown: bytes) -> list[bytes]:
    """Secrets of which more than a third is still there in one piece."""
    found = []
    for secret in SECRETS:
        size = len(secret) // 3 + 3
        if any(secret[at : at + size] in shown for at in range(len(secret) - size + 1)):
            found.append(secret)
    return found


def test_nothing_secret_is_left_and_the_rest_is_as_it_was() -> None:
    shown = redact(MESSAGE)
    assert leaks(shown) == [] and len(shown) == len(MESSAGE)
    for kept in (
        b'Digest username="alice", realm="pbx.example"',
        b"algorithm=MD5, qop=auth, nc=00000001",
        b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:",
        b"a=fingerprint:sha-256 4A:AD:B9:B1",
        b"a=ice-ufrag:8hhY",
        b'From: "Alice" <sip:alice:',
        b"@pbx.example>;tag=a6c85cf",
    ):
        assert kept in shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "form",
    [
        MESSAGE.replace(b"\r\n", b"\n"),
        MESSAGE.upper().replace(RESPONSE.upper().encode(), RESPONSE.encode()),
        MESSAGE.replace(b"Authorization: ", b"authorization \t:\t"),
        MESSAGE.replace(b",\r\n ", b",\r\n\t"),
        MESSAGE.replace(b'"', b""),
        MESSAGE.replace(b"Authorization", b"Autorisation"),
        MESSAGE.replace(b"response=", b"RESPONSE ="),
    ],
)
def test_it_does_not_matter_how_it_is_written(form: bytes) -> None:
    assert RESPONSE.encode() not in redact(form) and NONCE.encode() not in redact(form)


def wounded(rng: Random) -> bytes:
    """The message with one place changed, cut out or filled in."""
    text = bytearray(MESSAGE)
    at, size = rng.randrange(len(text)), rng.randrange(1, 4)
    match rng.randrange(3):
        case 0:
            text[at] = rng.randrange(256)
        case 1:
            del text[at : at + size]
        case _:
            text[at:at] = rng.randbytes(size)
    return bytes(text)


def test_no_wound_lets_a_secret_out() -> None:
    rng = Random(11)
    for _ in range(2500):
        changed = wounded(rng)
        found = leaks(redact(changed))
        whole = b"<sip:alice:" + PASSWORD.encode() + b"@" in changed  # else nobody can tell it from a name
        assert not found or (found == [PASSWORD.encode()] and not whole), changed.decode("latin-1")


def test_no_mutilation_makes_it_raise_or_changes_a_length() -> None:
    rng = Random(12)
    for _ in range(500):
        changed = mutilated(MESSAGE, rng)
        assert len(redact(changed)) == len(changed)


@pytest.mark.parametrize(
    ("kind", "body", "shown"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "Signal=x\r\nDuration=160\r\n"),
        ("application/dtmf-relay", "Signal= 7\r\n", "Signal= x\r\n"),
        ("application/dtmf", "5", "x"),
    ],
)
def test_what_a_caller_presses_is_not_shown(kind: str, body: str, shown: str) -> None:
    info = f"INFO sip:a@b SIP/2.0\r\nCall-ID: x\r\nContent-Type: {kind}\r\n\r\n"
    assert redact((info + body).encode()) == (info + shown).encode()


def test_other_secrets_of_networks_are_found() -> None:
    keys = b'Digest realm="ims", nonce="x", ik="0011", ck="2233"'
    challenge = b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: " + keys + b"\r\n"
    assert b"0011" not in redact(challenge) and b"2233" not in redact(challenge)
    referred = b"REFER sip:a@b SIP/2.0\r\nRefer-To: <sip:c@d?Authorization=Digest%20response%3D66>\r\n\r\n"
    assert b"66" not in redact(referred)
    assert b"QUJD" not in redact(b"v=0\r\nk=base64:QUJD\r\n")
    assert b"QUJD" not in redact(b"\r\n\r\na=key-mgmt:mikey QUJD\r\n")


def test_hostile_lengths_take_no_time() -> None:
    for piece in (b"auth", b"sip:", b"c: application/dtmf \r\n", b'a="', b"\r\nk=", b"inline:"):
        message = piece * (16_000 // len(piece))
        assert len(redact(message)) == len(message)
