"""What a network says of registrations is read strictly, within bounds, and never makes anything grow."""

from __future__ import annotations

from random import Random

import pytest

from sip import reginfo
from sip.reginfo import Binding, MalformedReginfo, Registered
from sip.uri import Uri

DOCUMENT = """<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1" state="partial">
  <!-- as RFC 3680 section 5.2 has it -->
  <registration aor="sip:joe@example.com" id="a7" state="active">
    <contact id="76" state="active" event="registered" duration-registered="7322" q="0.8">
      <uri>sip:joe@pc34.example.com</uri><display-name>Joe</display-name>
    </contact>
    <contact id="77" state="terminated" event="probation" retry-after="30" expires="99999999999">
      <uri> sip:joe@198.51.100.1:5060 </uri>
      <unknown xmlns="urn:else"><uri>sip:not@this.one</uri></unknown>
    </contact>
  </registration>
  <registration aor="tel:+44207" id="a8" state="terminated"/>
</reginfo>"""


def test_registrations_and_their_contacts_are_read():
    assert reginfo.read(DOCUMENT.encode()) == (
        1,
        (
            Registered(
                "sip:joe@example.com",
                "active",
                (
                    Binding(Uri.parse("sip:joe@pc34.example.com"), "active", "registered"),
                    Binding(Uri.parse("sip:joe@198.51.100.1:5060"), "terminated", "probation", None, 30),
                ),
            ),
            Registered("tel:+44207", "terminated"),
        ),
    )


def test_a_prefix_for_the_namespace_makes_no_difference():
    root = '<r:reginfo xmlns:r="urn:ietf:params:xml:ns:reginfo" version="0">{}</r:reginfo>'
    told = root.format('<r:registration state="init"/>')
    assert reginfo.read(told.encode()) == (0, (Registered("", "init"),))


BOMB = (
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1">&b;</reginfo>'
)
OUTSIDE = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
ROOT = '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1">{}</reginfo>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not XML",
        b"<reginfo",
        BOMB.encode(),
        OUTSIDE.encode(),
        b"<!DOCTYPE reginfo>" + ROOT.format("").encode(),
        DOCUMENT.encode("utf-16"),
        b"\xff\xfe" + DOCUMENT.encode(),
        b"\x00" + DOCUMENT.encode(),
        b'<reginfo version="1"/>',  # of no namespace
        b'<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="x"/>',
        ROOT.format("<a>" * 20 + "</a>" * 20).encode(),
        ROOT.format("<registration/>" * 3000).encode(),
        ROOT.format(" " * 70_000).encode(),
        ROOT.format(f"<registration><contact><uri>{'x' * 9000}</uri></contact></registration>").encode(),
        ROOT.format("&undeclared;").encode(),
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_such_document_is_refused(body: bytes):
    with pytest.raises(MalformedReginfo):
        reginfo.read(body)


def test_a_contact_without_a_uri_that_can_be_read_is_nobodys():
    body = ROOT.format("<registration><contact><uri>&lt;&gt;</uri></contact><contact/></registration>")
    assert reginfo.read(body.encode()) == (1, (Registered("", ""),))


def test_no_mutilated_document_raises_anything_else():
    rng = Random(11)
    whole = DOCUMENT.encode()
    for _ in range(2000):
        body = bytearray(whole)
        for _ in range(rng.randrange(1, 6)):
            kind, at = rng.randrange(3), rng.randrange(len(body))
            if kind == 0:
                body[at] = rng.randrange(256)
            elif kind == 1:
                del body[at : at + rng.randrange(1, 30)]
            else:
                body[at:at] = whole[rng.randrange(len(whole)) :][: rng.randrange(60)]
        try:
            version, rows = reginfo.read(bytes(body))
        except MalformedReginfo:
            continue
        assert version >= 0
        assert len(rows) < reginfo.MAX_ELEMENTS
