"""Behind a proxy of ours: where a request came from is what the proxy says, and nobody else may say it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from sip.hop import Hop
from sip.message import Headers, Request, Uri
from sip.proxy import HEADER, origin, shown

FRONT, STRANGER = Hop("udp", "10.0.0.5", 5060), Hop("tls", "203.0.113.9", 40_112)
TRUSTED = (ip_network("10.0.0.0/29"), ip_network("2001:db8::5/128"))


def request(*sources: str) -> Request:
    return Request("INVITE", Uri.sip("bob", "10.0.0.2"), Headers([(HEADER, each) for each in sources]))


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("udp:198.51.100.7:5060", Hop("udp", "198.51.100.7", 5060)),
        ("WSS:198.51.100.7:50112", Hop("wss", "198.51.100.7", 50_112)),
        (" tls:[2001:db8::9]:5061 ", Hop("tls", "2001:db8::9", 5061)),
    ],
)
def test_what_our_proxy_says_counts(written: str, source: Hop) -> None:
    assert origin(request(written), FRONT, TRUSTED) == source
    assert origin(request(written), Hop("tcp", "2001:db8::5", 5060), TRUSTED) == source


def test_a_stranger_is_who_it_is_whatever_it_says() -> None:
    assert origin(request("udp:198.51.100.7:5060"), STRANGER, TRUSTED) == STRANGER
    assert origin(request("udp:198.51.100.7:5060"), FRONT, ()) == FRONT


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("10.0.0.5", "sip.example.com"),
        ("2001:db8::5", "sip.example.com"),
        ("203.0.113.9", "203.0.113.9"),
        ("10.0.0.8", "10.0.0.8"),
    ],
)
def test_over_tls_our_proxies_show_the_domain_and_others_their_address(host: str, name: str) -> None:
    assert shown(host, TRUSTED, "sip.example.com") == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        "udp",
        "udp:198.51.100.7",
        "udp:198.51.100.7:0",
        "udp:198.51.100.7:65536",
        "udp:198.51.100.777:5060",
        "sctp:198.51.100.7:5060",
        "udp:gateway.example:5060",
        "tls:[2001:db8::zz]:5061",
        "tls:[1:2:3]:5061",
        "udp:198.51.100.7:5060, udp:198.51.100.8:5060",
    ],
)
def test_what_cannot_be_read_is_no_word_at_all(written: str) -> None:
    assert origin(request(written), FRONT, TRUSTED) == FRONT


def test_two_words_are_none_and_so_is_silence() -> None:
    assert origin(request("udp:198.51.100.7:5060", "udp:198.51.100.8:5060"), FRONT, TRUSTED) == FRONT
    assert origin(request(), FRONT, TRUSTED) == FRONT
