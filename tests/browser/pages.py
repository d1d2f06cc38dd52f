"""The pages of agents and callers at a real node, as tests and pictures use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.hearing import heard, read_wav
from engine.prompts import PromptPack
from tests.browser.chromium import TELEPHONE, Tab
from tests.interop.node import Node

Tabs = Callable[..., Tab]
TERMS = {
    "title": "Customer support",
    "language": "en",
    "welcome": [],
    "music": "music",
    "announce_every_s": 0,
}
QUEUES = {
    "desk": TERMS
    | {"ring_timeout_s": 30, "wrap_up_s": 60, "max_misses": 0, "speech": {"interpreter": "gus"}},
    "counter": TERMS | {"title": "Counter", "wrap_up_s": 0},
    "booth": TERMS | {"title": "Booth", "wrap_up_s": 0},
    "kiosk": TERMS
    | {
        "title": "Kiosk",
        "wrap_up_s": 0,
        "language": "es",
        "speech": {"captions": True, "voice": "over"},
    },
}
# what callers of the kiosk say; no word of Arabic can be heard there
ANGRY = ("quiero un abogado", "qué vergüenza")
LANGUAGE = {
    "recogniser": {"reserve": False},
    "vocabularies": {"es": ["hola buenos días", "no funciona", "muchas gracias", *ANGRY]},
}
LISTEN = {"udp": 5060, "tls": 5061, "wss": 7443}
QUESTION = {"name": "solved", "ask": "Was the matter settled?", "scale": 5}
FORMS = {"service": {"title": "Service call", "heard_by_agent": True, "questions": [QUESTION]}}
PAGES = {"demo": ["desk"], "outcomes": ["resolved", "callback", "other"]}
CALLERS = {"keys": {"tests": {"file": "callers.key"}}, "key": "tests"}
CALLERS |= {"per_source_min": 100_000, "per_token_min": 100_000}
# a microphone that the person says no to, and one about which she has not decided
DENIED = (
    "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));"
)
ASKED = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"


def music(node: Node) -> Path:
    """What waiting callers hear."""
    return Path(PromptPack.load(node.prompts).path("en", "music"))


def node_for_pages(
    folder: Path,
    prompts: Path,
    origins: Sequence[str] = (),
    media: dict[str, Any] | None = None,
    at: str = "",
    queues: Mapping[str, Any] = QUEUES,
) -> Node:
    """Agents have a wrap-up and pages may have tokens made; SHA-256 is asked for beside MD5. origins: of
    sites that may show the caller's page. media: as of Node. at: an address where no other node is, "" for
    free ports on loopback.
    """
    host = at or "127.0.0.1"
    listen = [{"transport": name, "address": host, "port": port} for name, port in LISTEN.items()]
    more: dict[str, dict[str, Any]] = {
        "sip": {
            "listen": listen,
            "digest": {"nonce_s": 60, "algorithms": ["MD5", "SHA-256"]},
            "timers": {"ring_s": 30},  # a state is looked at for as long as it takes
        },
        "queues": dict(queues),
        "language": LANGUAGE,
        "forms": FORMS,
        "api": {
            "address": host,
            "tokens": {"console": {"token": {"file": "token"}, "role": "operator"}},
            "callers": CALLERS | {"origins": list(origins)},
            "pages": PAGES,
        },
    }
    if at:
        media = {"address": at, "port_low": 22_000, "port_high": 22_638, **(media or {})}
    return Node(folder, prompts, media, more, free_ports=not at)


def talk(customer: CallerPage, agent: AgentPage, asks: Path, tells: Path) -> None:
    """Both hear what the other says, at once."""
    at_agent = agent.tab.hears_meanwhile(3.0)
    assert heard(read_wav(tells, TELEPHONE), customer.tab.hears(3.0), TELEPHONE), "the customer hears her"
    assert heard(read_wav(asks, TELEPHONE), at_agent(), TELEPHONE), "she hears the customer"


class AgentPage:
    """An agent at her page."""

    def __init__(self, tabs: Tabs, node: Node, account: str, says: Path, **options: Any) -> None:
        self.tab = tabs(says=says, **options)
        self.page = self.tab.page
        self.node = node
        self.account = account

    def open(self, language: str = "en") -> None:
        self.page.goto(f"{self.node.api}/agent?lang={language}")

    def sign_in(self, password: str = "") -> None:
        self.page.fill("#name", self.account)
        self.page.fill("#password", password or self.node.password(self.account))
        self.page.press("#password", "Enter")

    def ready(self) -> None:
        """Signed in, and a phone."""
        self.page.wait_for_selector("#desk:not([hidden])")
        self.page.wait_for_selector("#pill[data-state]")
        for _ in range(200):
            if self._registered():
                return
            self.page.wait_for_timeout(50)  # what is routed by Playwright goes on meanwhile
        raise AssertionError(f"no registration of {self.account}")

    def _registered(self) -> bool:
        found = self.node.get("/v1/registrations")["items"]
        return any(each["aor"].startswith(f"sip:{self.account}@") for each in found)

    def start(self, language: str = "en") -> None:
        self.open(language)
        self.sign_in()
        self.ready()

    def in_state(self, state: str) -> None:
        self.page.wait_for_selector(f"#pill[data-state={state}]")

    def lose_the_node(self) -> None:
        """Its WebSockets break, and no other opens."""
        self.page.evaluate(
            "() => { for (const each of isoglossEar.sockets) each.close(); isoglossEar.deaf = true; }"
        )

    def is_told_of_speech(self, **facts: Any) -> None:
        """As if the node put her calls into words: SpeechView's facts, in all that it tells of her desk from
        now on.
        """
        told = "(told) => { for (const each of told.desk?.calls ?? []) each.speech = facts; return told; }"
        self.page.evaluate(f"(facts) => {{ isoglossEar.told = {told}; }}", facts)

    def wish(self, value: str) -> None:
        self.page.select_option("#wish", value)

    def answer(self) -> None:
        self.page.click("#answer")
        self.page.wait_for_selector("#active:not([hidden])")
        self.page.wait_for_selector("#call-time:not(:empty)")

    def wraps_up(self) -> None:
        """Nothing is to be said of the call."""
        self.in_state("wrap_up")
        self.page.check("input[value=resolved]", force=True)
        self.page.click("#wrap-done")
        self.in_state("available")

    def reload(self) -> None:
        """She is asked whether she means it, and does."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.page.reload()

    def is_back(self) -> None:
        """In the call that she was in before."""
        self.page.wait_for_selector("#call-state[data-word='agent.back']")

    def dial(self, whom: str) -> None:
        self.page.fill("#dial", whom)
        self.page.press("#dial", "Enter")

    def ask(self, whom: str) -> None:
        """Call a colleague beside the call that is on."""
        self._transfer(whom, "ask")

    def give(self, whom: str) -> None:
        """Transfer the call without asking."""
        self._transfer(whom, "blind")

    def _transfer(self, whom: str, how: str) -> None:
        self.page.click("#transfer")
        self.page.fill("#transfer-to", whom)
        self.page.click(f"#transfer-{how}")


class CallerPage:
    """A caller at hers."""

    def __init__(self, tabs: Tabs, node: Node, says: Path, script: str = "", **options: Any) -> None:
        self.tab = tabs(says=says, **options)
        self.page = self.tab.page
        self.node = node
        if script:
            self.page.add_init_script(script)

    def open(self, destination: str = "desk", language: str = "en", token: str = "") -> None:
        """token: as a site has it made; the node makes one for destinations of its own demonstration."""
        if not token and destination in QUEUES and destination not in PAGES["demo"]:
            token = self.node.post("/v1/callers/tokens", {"destination": destination})["token"]
        address = f"{self.node.api}/call/{destination}?lang={language}&title=Customer+support"
        self.page.goto(f"{address}#token={token}" if token else address)

    def start(self) -> None:
        self.page.click("#start")

    def is_told(self, word: str) -> None:
        """waiting, talking, held, reconnecting …"""
        self.page.wait_for_selector(f"#page[data-state=live][data-call={word}]")

    def is_told_of_interpreter(self, voice: str, fault: str = "") -> None:
        """As if one spoke to her."""
        told = "(told) => { if (told.call) Object.assign(told.call, facts); return told; }"
        self.page.evaluate(f"(facts) => {{ isoglossEar.told = {told}; }}", {"voice": voice, "fault": fault})

    def in_state(self, state: str) -> None:
        self.page.wait_for_selector(f"#page[data-state={state}]")

    def call(self, destination: str = "desk", language: str = "en", token: str = "") -> None:
        self.open(destination, language, token)
        self.start()

    def lose_the_network(self) -> None:
        """Nothing goes out any more, and the browser notices."""
        self.page.context.set_offline(True)
        self.page.evaluate(
            "() => { const pc = isoglossEar.connections.at(-1);"
            " Object.defineProperty(pc, 'connectionState', {value: 'failed'});"
            " pc.dispatchEvent(new Event('connectionstatechange')); }"
        )
