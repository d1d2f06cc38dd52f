"""JsSIP in a page of Debian's Chromium: it registers over WSS, calls and is called, and is heard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import Softphone
from tests.browser.chromium import Tab
from tests.browser.npm import bundle
from tests.interop.node import Node

TELEPHONE = 8000
Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]
Tabs = Callable[..., Tab]

PAGE = """<!doctype html>
<title>A softphone</title>
<script src="jssip.js"></script>
<script>
  // The microphone as it is: what is said is compared with what is heard.
  const plain = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
  const media = {mediaConstraints: {audio: plain, video: false}, pcConfig: {iceServers: []}};
  const JsSIP = require('jssip');
  const told = [];
  let phone, session;
  const begin = (url, uri, password) => {
    phone = new JsSIP.UA({sockets: [new JsSIP.WebSocketInterface(url)], uri, password});
    phone.on('registered', () => told.push('registered'));
    phone.on('registrationFailed', (event) => told.push(`refused: ${event.cause}`));
    phone.on('newRTCSession', (event) => {
      session = event.session;
      for (const name of ['progress', 'accepted', 'confirmed', 'ended', 'failed'])
        session.on(name, (event) => told.push(event.cause ? `${name}: ${event.cause}` : name));
      if (event.originator === 'remote') session.answer(media);
    });
    phone.start();
  };
  const call = (target) => { phone.call(target, media); };
</script>
"""


class Page:
    """A page with JsSIP in it, registered."""

    def __init__(self, tab: Tab, node: Node, account: str, url: str) -> None:
        self.tab, self.page, self._domain = tab, tab.page, node.domain
        self.page.goto(url)
        where = [f"wss://{node.address('wss')}/ws", f"sip:{account}@{node.domain}", node.password(account)]
        self.page.evaluate("([url, uri, password]) => begin(url, uri, password)", where)
        self.until("registered")

    def call(self, number: str) -> None:
        self.page.evaluate("target => call(target)", f"sip:{number}@{self._domain}")

    def until(self, word: str) -> None:
        """Wait for what JsSIP tells of its call."""
        self.page.wait_for_function("word => told.includes(word)", arg=word)

    def hang_up(self) -> None:
        self.page.evaluate("() => session.terminate()")
        self.page.wait_for_function("() => told.some((each) => each.startsWith('ended'))")


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Where the page is, on the node's host: to pages of others its WebSockets are closed."""
    said = {"/": ("text/html", PAGE), "/jssip.js": ("text/javascript", bundle("jssip"))}

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            form, text = said.get(self.path, ("text/plain", ""))
            self.send_response(200)
            self.send_header("Content-Type", f"{form}; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def page(node: Node, tab: Tabs, site: str) -> Callable[[str, Path], Page]:
    """Opens a page for an account, with that microphone."""
    return lambda account, says: Page(tab(says=says), node, account, site)


def test_jssip_in_a_browser_calls_a_queue_and_talks_to_a_desk_phone(
    node: Node, page: Callable[[str, Path], Page], agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("is my parcel on its way or not"), speech("it left the depot this morning")
    anna = agent("anna")
    customer = page("customer", says)
    customer.call("desk")
    call = anna.incoming()
    anna.answer(call)
    anna.expect("media", call=call, state="active")
    customer.until("confirmed")
    anna.ask("record", call=call, file=str(tmp_path / "anna.wav"))
    anna.ask("play", call=call, file=str(replies))
    at_customer = customer.tab.hears(4.0)
    anna.ask("stop", call=call, what="record")
    at_agent = read_wav(tmp_path / "anna.wav", TELEPHONE)
    assert heard(read_wav(replies, TELEPHONE), at_customer, TELEPHONE)
    assert heard(read_wav(says, TELEPHONE), at_agent, TELEPHONE)
    customer.hang_up()
    anna.expect("ended")
    record = node.record("desk")
    assert (record["reason"], record["ended_by"], record["agent"]) == ("completed", "customer", "anna")
    assert record["customer_codec"] == "opus" and record["customer_encryption"]


def test_jssip_in_a_browser_is_called_by_a_desk_phone(
    node: Node, page: Callable[[str, Path], Page], agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says = speech("good afternoon who is calling please")
    replies = speech("it is about an invoice of last month")
    gus = page("gus", says)
    customer = agent("customer")
    call = customer.call(f"sip:gus@{node.domain}")
    customer.expect("answered", 10, call=call)
    gus.until("confirmed")
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    customer.ask("play", call=call, file=str(replies))
    assert heard(read_wav(replies, TELEPHONE), gus.tab.hears(4.0), TELEPHONE)
    customer.hangup(call)
    gus.page.wait_for_function("() => told.some((each) => each.startsWith('ended'))")
    assert heard(read_wav(says, TELEPHONE), read_wav(tmp_path / "customer.wav", TELEPHONE), TELEPHONE)
    record = node.record("gus")
    assert record["reason"] == "completed" and record["agent_encryption"]
