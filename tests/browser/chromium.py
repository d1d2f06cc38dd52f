"""Debian's Chromium, driven by Playwright: recorded speech is its microphone, and what it hears is kept.

A conftest imports the fixtures that its tests want:

    from tests.browser.chromium import chromium, tab

and a test opens pages, each in a browser of its own that says a WAV file over and over:

    def test_a_caller_hears_the_agent(tab, speech):
        caller = tab(says=speech("hello"))               # speech: any 16-bit WAV file
        caller.page.goto("https://127.0.0.1:7443/...")   # a playwright.sync_api.Page
        caller.page.click("text=Call")
        sound = caller.hears(4.0)                        # int16[n] of the newest call, from now on
        assert heard(read_wav(file, 8000), sound, 8000)

Certificates are not checked, the microphone is always granted, and connections over loopback are allowed, so
a network namespace that has nothing else will do. Where Playwright or Chromium is not installed the test is
skipped. Playwright's loop runs in the main thread until the module's tests are over, which is why none of
them may use asyncio there, and wait for nothing without a bound (`wait_for_function` has one, an `evaluate`
that awaits has none): a test that is interrupted within that loop never ends.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

RATE = 48_000  # of what Chromium plays
PATIENCE = 30.0  # s; a bound for a busy machine, never waited for when all is well
TELEPHONE = 8_000

FLAGS = [
    "--use-fake-ui-for-media-stream",  # whoever asks for the microphone gets it
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--ignore-certificate-errors",  # of WebSockets too
    "--disable-dev-shm-usage",
]

# Runs in every page before its own scripts: the sound of every remote track goes into whatever `next` waits
# for. Chromium decodes a track only while somebody plays it.
EAR = """
(() => {
  const Connection = window.RTCPeerConnection;
  if (!Connection || window.isoglossEar) return;
  const ear = window.isoglossEar = {connections: [], players: [], newest: null, wanted: null};
  const keep = (block) => {
    const wanted = ear.wanted;
    if (!wanted) return;
    wanted.blocks.push(block);
    wanted.got += block.length;
    if (wanted.got >= wanted.size) { ear.wanted = null; wanted.done(wanted.blocks); }
  };
  const listen = async (track) => {
    const player = new Audio();
    ear.players.push(player);
    ear.newest = track;
    player.muted = true;
    player.srcObject = new MediaStream([track]);
    player.play().catch(() => {});
    const reader = new MediaStreamTrackProcessor({track, maxBufferSize: 500}).readable.getReader();
    for (;;) {
      const {done, value} = await reader.read();
      if (done) return;
      const sound = new Float32Array(value.numberOfFrames);
      value.copyTo(sound, {planeIndex: 0, format: 'f32-planar'});
      const step = 48000 / value.sampleRate;
      value.close();
      if (ear.newest !== track) continue;
      const block = new Int16Array(sound.length * step);
      for (let i = 0; i < block.length; i++)
        block[i] = Math.max(-1, Math.min(1, sound[Math.floor(i / step)])) * 32767;
      keep(block);
    }
  };
  window.RTCPeerConnection = class extends Connection {
    constructor(...options) {
      super(...options);
      ear.connections.push(this);
      this.addEventListener('track', (event) => { if (event.track.kind === 'audio') listen(event.track); });
    }
  };
  const Socket = window.WebSocket;
  ear.sockets = [];
  window.WebSocket = class extends Socket {
    constructor(url, protocols) {
      super(ear.deaf ? `${location.origin.replace('http', 'ws')}/gone` : url, protocols);
      ear.sockets.push(this);
    }
    set onmessage(hear) {
      const told = (data) => (ear.told ? JSON.stringify(ear.told(JSON.parse(data))) : data);
      super.onmessage = ({data}) => hear({data: told(data)});
    }
  };
  const encoded = (blocks) => {
    let text = '';
    for (const block of blocks) text += String.fromCharCode(...new Uint8Array(block.buffer));
    return btoa(text);
  };
  ear.next = (seconds, patience) => new Promise((done, fail) => {
    ear.wanted = {blocks: [], got: 0, size: seconds * 48000, done: (blocks) => done(encoded(blocks))};
    setTimeout(() => fail(new Error(`nothing, or less than ${seconds} s, was heard`)), patience * 1000);
  });
  ear.keep = (seconds, patience) => {
    ear.kept = ear.next(seconds, patience);
    ear.kept.catch(() => {});
  };
})();
"""


class Tab:
    """A page in a browser that says a file. page: Playwright's."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[str] = []  # its console, for the message of a test that fails
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def hears(self, seconds: float, rate: int = TELEPHONE) -> NDArray[np.int16]:
        """The next seconds of what comes in its newest call, mono at `rate` Hz, which divides 48 kHz."""
        return self.hears_meanwhile(seconds, rate)()

    def hears_meanwhile(self, seconds: float, rate: int = TELEPHONE) -> Callable[[], NDArray[np.int16]]:
        """The same, while something else is done: called later it waits for the rest."""
        asked = [seconds, PATIENCE + seconds]
        self.page.evaluate("([seconds, patience]) => isoglossEar.keep(seconds, patience)", asked)
        return lambda: self._heard(seconds, rate)

    def _heard(self, seconds: float, rate: int) -> NDArray[np.int16]:
        coded: str = self.page.evaluate("() => isoglossEar.kept")
        sound = np.frombuffer(base64.b64decode(coded), np.int16)[: int(seconds * RATE)]
        lower = signal.resample_poly(sound.astype(np.float64), 1, RATE // rate)
        return np.rint(lower).clip(-32768, 32767).astype(np.int16)

    def reached(self) -> None:
        """Wait until its newest call has a way through the network."""
        self.page.wait_for_function("() => isoglossEar.connections.at(-1)?.connectionState === 'connected'")

    def statistics(self) -> list[dict[str, Any]]:
        """What the newest connection's getStats tells."""
        script = "async () => [...(await isoglossEar.connections.at(-1).getStats()).values()]"
        found: list[dict[str, Any]] = self.page.evaluate(script)
        return found


class Chromium:
    """Browsers of one Playwright, one for each microphone."""

    def __init__(self, playwright: Playwright, command: str) -> None:
        self._playwright = playwright
        self._command = command
        self._browsers: dict[Path, Browser] = {}
        self._contexts: list[BrowserContext] = []

    def another(self, command: str) -> Chromium:
        """Browsers that are started by another command."""
        return Chromium(self._playwright, command)

    def open(self, says: Path, **options: Any) -> Tab:
        """An empty page. options: of Playwright's new_context, such as locale or viewport."""
        context = self._browser(says).new_context(ignore_https_errors=True, **options)
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(EAR)
        self._contexts.append(context)
        return Tab(context.new_page())

    def _browser(self, says: Path) -> Browser:
        browser = self._browsers.get(says)
        if browser is None or not browser.is_connected():
            sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
            flags = [*FLAGS, *sandbox, f"--use-file-for-fake-audio-capture={says}"]
            browser = self._playwright.chromium.launch(executable_path=self._command, args=flags)
            self._browsers[says] = browser
        return browser

    def close_pages(self) -> None:
        """All that were opened, with what they keep; the browsers stay."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def close(self) -> None:
        self.close_pages()
        for browser in self._browsers.values():
            browser.close()


def missing() -> str | None:
    """What is to be installed before anything here works."""
    if find_spec("playwright") is None:
        return "Playwright is not installed (pip: playwright)"
    if shutil.which("chromium") is None:
        return "Chromium is not installed (Debian: chromium)"
    return None


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """The browsers of a module's tests."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browsers = Chromium(playwright, shutil.which("chromium") or "")
        yield browsers
        browsers.close()


@pytest.fixture
def tab(chromium: Chromium) -> Iterator[Callable[..., Tab]]:
    """Opens pages, `tab(says=FILE, **options of new_context)`, and closes them when the test is over."""
    yield chromium.open
    chromium.close_pages()
