"""What tests of pages are given."""

from __future__ import annotations

from tests.browser.chromium import chromium, tab

__all__ = ["chromium", "tab"]
