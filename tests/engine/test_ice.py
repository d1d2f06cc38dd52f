"""What browsers are told of STUN and TURN servers."""

from __future__ import annotations

import base64
import hashlib
import hmac

from config.ice import IceServer
from config.secret import Secret
from engine.ice import Told, told

STUN = IceServer(urls=("stun:stun.example.com:3478",))
FIXED = IceServer(urls=("turn:a.example.com",), username="us", credential=Secret("test", 'pa"ss'))
SHARED = IceServer(
    urls=("turn:b.example.com", "turns:b.example.com?transport=tcp"), secret=Secret("test", "hush")
)


def test_passwords_stand_or_are_made_for_somebody_and_a_while():
    stun, fixed, shared = told([STUN, FIXED, SHARED], "visitor", 1_000_000.4)
    assert stun == Told(("stun:stun.example.com:3478",))
    assert fixed == Told(("turn:a.example.com",), "us", 'pa"ss')
    assert shared.username == "1086400:visitor"
    digest = hmac.new(b"hush", b"1086400:visitor", hashlib.sha1).digest()
    assert base64.b64decode(shared.credential) == digest


def test_each_address_is_a_link():
    stun, fixed, shared = told([STUN, FIXED, SHARED], "visitor", 0.0)
    assert list(stun.links()) == ['<stun:stun.example.com:3478>; rel="ice-server"']
    (link,) = fixed.links()
    assert link.startswith('<turn:a.example.com>; rel="ice-server"; username="us"; credential="pa\\"ss"; ')
    assert link.endswith('credential-type="password"')
    assert len(list(shared.links())) == 2
