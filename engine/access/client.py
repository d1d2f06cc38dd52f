"""What kind of browser somebody signed in with, by what it says of itself: enough to know one's own again.

User-Agent (RFC 9110 section 10.1.5) is anybody's to make up, and nothing depends on it. Only these words are
kept of it: whole, it would tell people apart.
"""

from __future__ import annotations

import re

# The first that fits: most browsers name others too.
BROWSERS = (
    ("Edge", r"\bEdg(e|A|iOS)?/"),
    ("Opera", r"\b(OPR|Opera)/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chromium", r"\b(Chrome|Chromium|CriOS|HeadlessChrome)/"),
    ("Safari", r"\bVersion/[\d.]+ .*\bSafari/"),
    ("curl", r"^curl/"),
)
SYSTEMS = (
    ("Android", r"\bAndroid\b"),
    ("iOS", r"\b(iPhone|iPad|iPod)\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac(intosh| OS X)\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)
LONGEST = 512  # that is looked at


def client_of(user_agent: str) -> str:
    """Such as "Firefox on Linux"; "another program" for what is none of these, "" where nothing was said."""
    said = user_agent[:LONGEST]
    if not said.strip():
        return ""
    browser = _first(BROWSERS, said) or "another program"
    system = _first(SYSTEMS, said)
    return f"{browser} on {system}" if system else browser


def _first(known: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for name, sign in known if re.search(sign, said)), "")
