"""The demo's second scene: a caller who speaks Spanish and an agent who speaks English understand each other.

All of it on what comes with the program: words of Spanish from a small vocabulary, English by ear, Apertium
for the gist, espeak-ng for the voice. What of that is of low accuracy has to be marked so.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from engine.api.desk_words import PROTOCOL
from engine.hearing import read_wav
from engine.signin import ALGORITHM, COUNT, METHOD, URI
from media.columns import I16
from media.speech.io.sphinx import SphinxRecogniser, files
from sip.digest import Exchange, make_ha1
from sip.pjsip.process import Softphone

if TYPE_CHECKING:
    from engine.demo import RunningNode, Story

SPANISH = "+34910601235"
SAYS = ("hola buenos días", "mi pedido no ha llegado")
ANGRY = ("el pedido llegó roto", "qué vergüenza", "quiero mi dinero")
ANSWERS = "Good morning. I am sorry to hear that. We will send you another one today."
DECOYS = (
    "thank you very much", "the bill is wrong", "where is my package", "I want to change the address",
    "it does not work", "see you tomorrow", "the weather is nice", "open the window please",
    "we are closed on sunday", "call me back later", "the price is too high", "I have a question",
)  # fmt: skip
RATE = 8000
BLOCK, LOUD, PAUSE = RATE // 10, 300, 4  # samples; least peak of speech; blocks between stretches
PATIENCE_S = 15.0


class Page:
    """An agent's page without a screen: what it is told at the desk's WebSocket."""

    def __init__(self, api: str, agent: str, password: str) -> None:
        self.told: list[dict[str, Any]] = []
        self._open = ExitStack()
        at = api.replace("http", "ws", 1) + URI
        self._socket = self._open.enter_context(connect(at, subprotocols=[Subprotocol(PROTOCOL)]))
        challenge = json.loads(self._socket.recv(timeout=10))
        cnonce = secrets.token_hex(16)
        ha1 = make_ha1(ALGORITHM, agent, challenge["realm"], password)
        exchange = Exchange(ALGORITHM, False, challenge["nonce"], URI, METHOD, "auth", COUNT, cnonce)
        word = {"type": "sign_in", "agent": agent, "cnonce": cnonce, "response": exchange.response(ha1)}
        self._socket.send(json.dumps(word))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for message in self._socket:
                self.told.append(json.loads(message))
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self._open.close()

    def ask(self, word: dict[str, str]) -> None:
        self._socket.send(json.dumps(word))

    def captions(self, side: str) -> list[dict[str, Any]]:
        """All versions, oldest first."""
        every = [each["caption"] for each in self.told if each["type"] == "caption"]
        return [each for each in every if each["side"] == side]

    def finals(self, side: str) -> list[dict[str, Any]]:
        return [each for each in self.captions(side) if each["final"]]

    @property
    def speech(self) -> dict[str, Any]:
        """Of the agent's newest call, as the page shows it now."""
        desks = [each["desk"] for each in self.told if each["type"] == "desk"]
        calls = desks[-1]["calls"] if desks else []
        return (calls[0]["speech"] if calls else None) or {}


@contextmanager
def page(node: RunningNode, agent: str) -> Iterator[Page]:
    opened = Page(node.api, agent, node.secret(f"agents/{agent}"))
    try:
        yield opened
    finally:
        opened.close()


class Interpreted:
    """The call, step by step."""

    def __init__(
        self, story: Story, node: RunningNode, folder: Path, phones: tuple[Softphone, Softphone], desk: Page
    ) -> None:
        self.story, self.node, self.folder, self.desk = story, node, folder, desk
        self.caller, self.agent = phones

    def play(self, speak: Callable[[Path, str, str], Path]) -> None:
        """speak: makes a file of a text in a voice."""
        self.connect()
        self.spanish(speak)
        self.english(speak)
        self.anger(speak)
        self.caller.hangup(self.call)
        self.agent.expect("ended", 5, call=self.rung)
        self.heard()

    def connect(self) -> None:
        self.desk.ask({"type": "state", "state": "wrap_up_over"})
        self.story.tell("caller", f"calls {SPANISH}, the queue whose callers speak Spanish")
        self.call = self.caller.call(SPANISH)
        self.caller.expect("answered", 10, call=self.call)
        self.rung = self.agent.incoming(30)
        self.agent.answer(self.rung)
        self.agent.expect("media", 5, call=self.rung, state="active")
        ready = self._until(lambda: self.desk.speech.get("voice") == "over", 10)
        self.story.check("an interpreter is switched on for the agent", ready)
        self._until(lambda: self.crafts >= {"hear", "translate", "speak"}, 20)

    @property
    def crafts(self) -> set[str]:
        """What the node's speech workers do by now."""
        return {each["craft"] for each in self.node.get("/v1/speech")["workers"]}

    @property
    def spoken(self) -> float:
        """Seconds that the interpreter has begun to speak to the agent."""
        call = self.desk.finals("customer")[0]["call"]
        events = self.node.get(f"/v1/calls/{call}/events")["items"]
        spoke = [each["data"] for each in events if each["kind"] == "call.interpreted"]
        return float(sum(each["seconds"] for each in spoke if each["side"] == "agent"))

    def spanish(self, speak: Callable[[Path, str, str], Path]) -> None:
        self.agent.ask("record", call=self.rung, file=str(self.folder / "agent-hears.wav"))
        self._say(self.caller, self.call, speak(self.folder / "es.wav", ". ".join(SAYS), "es"))
        done = self._until(lambda: bool(self.desk.finals("customer")), PATIENCE_S)
        versions, finals = self.desk.captions("customer"), self.desk.finals("customer")
        self._show("caller", finals)
        self.story.check(
            "the caller's words come to the agent's page while they are said",
            done and len(versions) > len(finals), f"{len(versions)} versions of {len(finals)} sentences",
        )  # fmt: skip
        said = " ".join(each["text"] for each in finals)
        self.story.check("in Spanish as they were said", all(each in said for each in SAYS), said)
        marked = finals and all(
            each["low_accuracy"] and each["gist"] and each["to"] == "en" for each in finals
        )
        self.story.check("with an English translation, marked as low accuracy and gist", bool(marked))
        self._until(lambda: self.spoken > 0, PATIENCE_S)
        self._pass(self.spoken + 1)
        self.agent.ask("stop", call=self.rung, what="record")

    def english(self, speak: Callable[[Path, str, str], Path]) -> None:
        self._say(self.agent, self.rung, speak(self.folder / "en.wav", ANSWERS, "en-us"))
        done = self._until(lambda: bool(self.desk.finals("agent")), PATIENCE_S)
        finals = self.desk.finals("agent")
        self._show("agent", finals)
        self.story.check(
            "the agent's words are put into Spanish, by ear, marked as of low accuracy",
            done and all(each["low_accuracy"] and each["to"] == "es" for each in finals),
        )

    def anger(self, speak: Callable[[Path, str, str], Path]) -> None:
        before = len(self.desk.finals("customer"))
        self._say(self.caller, self.call, speak(self.folder / "angry.wav", ". ".join(ANGRY), "es"))
        self._until(lambda: len(self.desk.finals("customer")) > before, PATIENCE_S)
        upset = self._until(lambda: self.desk.speech.get("mood") == "upset", 1)
        speech = self.desk.speech
        self._show("caller", self.desk.finals("customer")[before:])
        self.story.check(
            "anger is shown to the agent, with what was said",
            upset, f"{speech.get('mood')}, {', '.join(speech.get('reasons', ()))}",
        )  # fmt: skip

    def heard(self) -> None:
        """The interpreter's voice, as the agent's phone recorded it."""
        translation = next(each["translation"] for each in self.desk.finals("customer"))
        words = recognised(self.folder / "agent-hears.wav", (translation, *DECOYS))
        told = translation.lower().split()
        found = sum(each in words for each in told)
        self.story.check(
            "the agent's phone received the interpreter's English",
            found >= 0.6 * len(told), f"{found} of {len(told)} words of “{translation}” recognised in it",
        )  # fmt: skip

    def _say(self, phone: Softphone, call: int, path: Path) -> None:
        phone.ask("play", call=call, file=str(path))
        phone.expect("played", 60, call=call)

    def _show(self, who: str, finals: Sequence[dict[str, Any]]) -> None:
        for each in finals:
            marks = ", ".join(
                mark for mark, set in (("low accuracy", each["low_accuracy"]), ("gist", each["gist"])) if set
            )
            self.story.tell(who, f"“{each['text']}” → “{each['translation']}” ({marks or 'no marks'})")

    def _until(self, holds: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not holds() and time.monotonic() < until:
            self._pass(0.1)
        return holds()

    def _pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.caller.pump()
            self.agent.pump()


def recognised(path: Path, phrases: Sequence[str]) -> list[str]:
    """Words heard in the last stretch of speech in a recording, of those that the phrases have."""
    recogniser = SphinxRecogniser(files())
    recogniser.start("recording", RATE, ("en",), phrases=phrases)
    recogniser.feed("recording", last_stretch(read_wav(path, RATE)).tobytes())
    while not (said := recogniser.guesses(["recording"], {"recording"}, 0.0)):
        pass  # one bounded piece after the other
    return [word.text.strip().lower() for word in said["recording"].guess.words]


def last_stretch(sound: I16) -> I16:
    """From where the last of it begins after a pause, with a little silence around it."""
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    loud = np.flatnonzero(np.abs(blocks.astype(np.int32)).max(axis=1) > LOUD)
    if not len(loud):
        return sound[:0]
    gaps = np.flatnonzero(np.diff(loud) > PAUSE)
    first = loud[gaps[-1] + 1] if len(gaps) else loud[0]
    return sound[max(0, first - 2) * BLOCK : (loud[-1] + 4) * BLOCK]
