"""Browsers are known by a few words, and nothing else of what they say is kept."""

from __future__ import annotations

import pytest

from engine.access.client import client_of

GECKO = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
BLINK = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {KIT} Chrome/131.0 Safari/537.36"
MOBILE = f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {KIT} Chrome/131.0 Mobile Safari/537.36"
WEBKIT = f"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) {KIT} Version/18.1 Safari/605.1.15"
PHONE = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {KIT} Version/18.1 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (GECKO, "Firefox on Linux"),
        (BLINK, "Chromium on Windows"),
        (f"{BLINK} Edg/131.0", "Edge on Windows"),
        (MOBILE, "Chromium on Android"),
        (WEBKIT, "Safari on macOS"),
        (PHONE, "Safari on iOS"),
        ("curl/8.10.1", "curl"),
        ("python-httpx/0.28", "another program"),
        ("<script>alert(1)</script>", "another program"),
        (" ", ""),
        ("x" * 10_000 + GECKO, "another program"),
    ],
)
def test_a_browser_is_known_by_its_kind_and_its_system(said: str, known: str) -> None:
    assert client_of(said) == known
