"""Pictures of every state of the pages: `python -m tests.browser.shoot FOLDER [LANGUAGE…]`.

Each is taken as wide as a phone is and as a desk is; English by light and Arabic by
night, unless told otherwise. Needs Chromium and Playwright, as the tests do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import Chromium, missing
from tests.browser.pages import node_for_pages
from tests.browser.tour import DESK, PHONE, tour
from tests.interop.node import ROOT

SCHEMES = {"ar": "dark"}
WIDTHS = {"phone": PHONE["viewport"], "desk": DESK["viewport"]}


def shoot(folder: Path, languages: list[str]) -> int:
    """How many pictures were made."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        prompts = Path(os.environ.get("ISOGLOSS_PROMPTS", ROOT / "var" / "prompts"))
        node = node_for_pages(Path(scratch) / "node", prompts)
        browsers = Chromium(playwright, shutil.which("chromium") or "")

        def speech(text: str) -> Path:
            file = Path(scratch) / f"{abs(hash(text))}.wav"
            if not file.exists():
                subprocess.run(["espeak-ng", "-w", str(file), text], check=True)
            return file

        try:
            for language in languages:
                look = {"color_scheme": SCHEMES.get(language, "light"), "locale": language}
                for name, page in tour(browsers.open, node, speech, language, **look):
                    before = page.viewport_size
                    for width, size in WIDTHS.items():
                        page.set_viewport_size(size)
                        page.evaluate(
                            "Promise.all(document.getAnimations().map((each) => each.currentTime = 1e6))"
                        )
                        page.screenshot(path=folder / f"{name}-{language}-{width}.png")
                        made += 1
                    if before is not None:
                        page.set_viewport_size(before)
                browsers.close_pages()
        finally:
            browsers.close()
            node.close()
    return made


if __name__ == "__main__":
    reason = missing()
    if reason is not None or len(sys.argv) < 2:
        sys.exit(reason or __doc__)
    print(f"{shoot(Path(sys.argv[1]), sys.argv[2:] or ['en', 'ar'])} pictures")
