"""An address of somebody cannot be read from what was cut; where it is about, and all else, can."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from engine.access import addresses


@pytest.mark.parametrize(
    ("whole", "cut"),
    [
        ("203.0.113.9", "203.0.113.x"),
        ("203.0.113.9:40012", "203.0.113.x:40012"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::x"),
        ("[2001:db8:1:2::9]:5060", "[2001:db8:1::x]:5060"),
        ("2606:4700::1111", "2606:4700::x"),
        ("sip:alice@198.51.100.20:5062;transport=udp", "sip:alice@198.51.100.x:5062;transport=udp"),
        ("c=IN IP4 203.0.113.9\r\n", "c=IN IP4 203.0.113.x\r\n"),
        ("from 203.0.113.9, and 198.51.100.7.", "from 203.0.113.x, and 198.51.100.x."),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.x"),
        ("<203.0.113.9>", "<203.0.113.x>"),
    ],
)
def test_an_address_is_cut_wherever_it_stands(whole: str, cut: str) -> None:
    assert addresses.without(whole) == cut


@pytest.mark.parametrize(
    "text",
    [
        *("10.1.2.3", "192.168.1.20:5060", "172.16.9.9", "127.0.0.1", "100.64.0.9", "fe80::1", "fd00::9"),
        *("carrier", "sip.example.com", "+34911234567", "12:30:45", "1.2.3", "300.1.2.3", "1.2.3.4.5"),
        *("", "std::vector", "Version 2.0.1", "::", "0.0.0.0"),
    ],
)
def test_what_is_private_or_no_address_stays(text: str) -> None:
    assert addresses.without(text) == text


@pytest.mark.parametrize("whole", ["203.0.113.9", "2001:db8:1:2:3:4:5:6"])
def test_a_cut_address_can_be_one_still(whole: str) -> None:
    cut = addresses.cut(whole, "0")
    assert ip_address(cut) != ip_address(whole) and addresses.without(cut, "0") == cut


def test_a_long_text_takes_no_long_time() -> None:
    for text in ("1." * 50_000, ":" * 50_000, "f:" * 50_000, "1.1.1." * 20_000):
        assert addresses.without(text) == text
