"""`make demo`: a whole call on this machine with real softphones, told as it happens and checked by ear.

A node is started on free ports with the shipped configuration; a customer's PJSIP phone calls the support
number, waits with music, an agent's phone answers, they talk, the agent puts the customer on hold and comes
back, a digit is pressed, they hang up. What each side received is compared with what the other side said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.demo_speech import Interpreted, page
from engine.hearing import Hearing, heard, is_music, read_wav
from engine.prompts import PromptPack
from engine.voice import SpeechFault, say, telephone
from sip.pjsip.process import Softphone, SoftphoneError

SUPPORT = "+442071838750"
CUSTOMER_SAYS = (
    "Hello, this is Maria. My parcel has not arrived, although it was sent eight days ago. "
    "The number of the order is four, seven, one, one. Could you tell me please where it is now?"
)
AGENT_SAYS = (
    "Good morning Maria, my name is Bob. I am sorry that you had to wait. Let me look for your parcel. "
    "I see that it left our warehouse on Monday, and that it will reach you tomorrow before noon."
)
RATE = 8000
PROMPTS = Path(os.environ.get("ISOGLOSS_PROMPTS", "var/prompts")).resolve()
READY_S = 60.0


class DemoFailed(Exception):
    """A step of the demo did not happen, or a check did not hold."""


@dataclass
class Story:
    """Prints what happens, when, and remembers what did not hold."""

    quiet: bool = False
    began: float = field(default_factory=time.monotonic)
    checks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return [each["claim"] for each in self.checks if not each["held"]]

    def tell(self, who: str, what: str) -> None:
        self._print(f"{time.monotonic() - self.began:7.2f} s  {who:<9} {what}")

    def check(self, claim: str, held: bool, figure: str = "") -> None:
        self._print(f"           {'✓' if held else '✗'} {claim}{f'  ({figure})' if figure else ''}")
        self.checks.append({"claim": claim, "held": bool(held), "figure": figure})

    def _print(self, line: str) -> None:
        if not self.quiet:
            print(line, flush=True)


def demo(config: Path, *, speech: Path | None = None, keep: Path | None = None, as_json: bool = False) -> int:
    """Run the demo; 0 when every check held, 1 when one did not, 2 when it could not be run."""
    story = Story(quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="isogloss-demo-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with RunningNode(config, Path(scratch) / "data", story) as node:
                _call(story, node, folder, speech)
        except (DemoFailed, SoftphoneError, SpeechFault, OSError) as fault:
            print(f"\nThe demo could not go on: {fault}", file=sys.stderr)
            return 2
    if as_json:
        print(json.dumps({"ok": not story.faults, "checks": story.checks}, ensure_ascii=False))
        return 1 if story.faults else 0
    if story.faults:
        print(f"\n{len(story.faults)} of the checks did not hold: {'; '.join(story.faults)}", file=sys.stderr)
        return 1
    print("\nEverything held: calls went through, and both heard and understood each other.")
    return 0


class RunningNode:
    """A node in a process of its own, on free ports, with its data in a folder of its own."""

    def __init__(self, config: Path, data: Path, story: Story) -> None:
        self._command = [sys.executable, "-m", "engine", "serve", "--free-ports", "--json"]
        self._command += ["--config", str(config), "--data", str(data)]
        self._data = data
        self._story = story
        self._log = data.parent / "node.log"

    def __enter__(self) -> RunningNode:
        self._story.tell("node", "starts, on free ports, with the shipped configuration")
        root = Path(__file__).resolve().parent.parent
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=root,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "ISOGLOSS_PROMPTS": str(PROMPTS)},
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait(READY_S)
            raise DemoFailed(f"the node did not start:\n{self._log.read_text()[-2000:]}")
        ready = json.loads(line)
        self.sip: dict[str, int] = ready["sip"]
        self.api: str = ready["api"]
        self.domain: str = ready["domain"]
        self._story.tell("node", f"is ready: SIP on udp {self.sip['udp']}, API at {self.api}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def secret(self, name: str) -> str:
        return (self._data / "secrets" / name).read_text().strip()

    @property
    def prompts(self) -> PromptPack:
        return PromptPack.load(PROMPTS)

    def get(self, path: str) -> Any:
        token = self.secret("api/console")
        request = urllib.request.Request(self.api + path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def register(self, phone: Softphone, user: str) -> None:
        kind = "users" if user == "customer" else "agents"
        password = self.secret(f"{kind}/{user}")
        answer = phone.register(user, password, self.domain, f"127.0.0.1:{self.sip['udp']}")
        if answer["event"] != "registered":
            raise DemoFailed(f"{user} could not register: {answer}")
        self._story.tell(user, "registers a softphone (PJSIP), by digest")


def _call(story: Story, node: RunningNode, folder: Path, speech: Path | None) -> None:
    customer_wav = speech or _speak(folder / "customer-says.wav", CUSTOMER_SAYS, "en-gb")
    agent_wav = _speak(folder / "agent-says.wav", AGENT_SAYS, "en-us")
    with Softphone("customer") as customer, Softphone("bob") as bob:
        node.register(customer, "customer")
        node.register(bob, "bob")
        talk = Talk(story, node, folder, customer, bob)
        talk.arrive()
        talk.wait()
        talk.connect(customer_wav, agent_wav)
        talk.hold()
        talk.end()
        talk.judge(customer_wav, agent_wav)
        _record(story, node, talk.post_dial_delay_s)
        story.tell("demo", "the second scene: two who share no language")
        with page(node, "bob") as desk:
            Interpreted(story, node, folder, (customer, bob), desk).play(_speak)


class Talk:
    """The call, step by step; each step tells what happens and leaves a recording to be judged."""

    def __init__(
        self, story: Story, node: RunningNode, folder: Path, customer: Softphone, bob: Softphone
    ) -> None:
        self.story = story
        self.node = node
        self.folder = folder
        self.customer = customer
        self.bob = bob
        self.post_dial_delay_s = 0.0
        self.digit = ""

    def arrive(self) -> None:
        self.story.tell("customer", f"calls {SUPPORT}")
        self.call = self.customer.call(SUPPORT)
        answered = self.customer.expect("answered", 10, call=self.call)
        self.post_dial_delay_s = float(answered["post_dial_delay_s"])
        self.story.tell(
            "customer", f"is answered after {self.post_dial_delay_s * 1000:.0f} ms ({answered['codec']})"
        )
        self._record(self.customer, self.call, "customer-waits.wav")

    def wait(self) -> None:
        self.story.tell("customer", "is welcomed, then waits with music: no agent is logged in")
        self._let_pass(18)
        self.story.tell("bob", "dials *45 to log in")
        login = self.bob.call("*45")
        self.bob.expect("answered", 5, call=login)
        self.bob.expect("ended", 15, call=login)
        self.story.tell("bob", "has heard that he is logged in")

    def connect(self, customer_wav: Path, agent_wav: Path) -> None:
        self.offered = self.bob.incoming(10)
        self.story.tell("bob", "his phone rings")
        self._let_pass(1)
        self._record(self.bob, self.offered, "bob-hears.wav")
        self.bob.answer(self.offered)
        self.bob.expect("media", 5, call=self.offered, state="active")
        self.story.tell("bob", "answers; customer and agent are connected")
        self.customer.ask("stop", call=self.call, what="record")
        self._record(self.customer, self.call, "customer-hears.wav")
        self.customer.ask("play", call=self.call, file=str(customer_wav))
        self.story.tell("customer", "speaks")
        self.customer.expect("played", 60, call=self.call)
        self.bob.ask("play", call=self.offered, file=str(agent_wav))
        self.story.tell("bob", "speaks")
        self.bob.expect("played", 60, call=self.offered)

    def hold(self) -> None:
        self.customer.ask("stop", call=self.call, what="record")
        self.bob.hold(self.offered)
        self.story.tell("bob", "puts the customer on hold")
        self._let_pass(0.3)
        self._record(self.customer, self.call, "customer-on-hold.wav")
        self._let_pass(4)
        self.customer.ask("stop", call=self.call, what="record")
        self.bob.resume(self.offered)
        self.story.tell("bob", "comes back")

    def end(self) -> None:
        self.customer.ask("dtmf", call=self.call, digits="5")
        self.story.tell("customer", "presses 5")
        self.digit = str(self.bob.expect("dtmf", 5, call=self.offered)["digit"])
        self._let_pass(1)
        self.customer.hangup(self.call)
        self.bob.expect("ended", 5, call=self.offered)
        self.story.tell("customer", "hangs up")

    def judge(self, customer_wav: Path, agent_wav: Path) -> None:
        self.story.tell("demo", "compares what each side received with what the other said")
        pack = self.node.prompts
        waits, on_hold = self._received("customer-waits.wav"), self._received("customer-on-hold.wav")
        music = read_wav(pack.path("en", "music"), RATE)
        welcome = read_wav(pack.path("en", "welcome-support"), RATE)
        self._heard("the customer heard the welcome", heard(welcome, waits, RATE))
        self._heard("and music while waiting", is_music(waits[14 * RATE : 18 * RATE], music, RATE))
        spoken = heard(read_wav(customer_wav, RATE), self._received("bob-hears.wav"), RATE)
        self._heard("the agent heard the customer", spoken)
        answered = heard(read_wav(agent_wav, RATE), self._received("customer-hears.wav"), RATE)
        self._heard("the customer heard the agent", answered)
        self._heard("the customer heard music on hold", is_music(on_hold, music, RATE))
        strangers = heard(read_wav(agent_wav, RATE), waits, RATE)
        self.story.check("and no agent before there was one", not strangers, f"score {strangers.score:.2f}")
        self.story.check("the agent's phone received the digit", self.digit == "5", self.digit or "none")

    def _heard(self, claim: str, hearing: Hearing) -> None:
        figure = f"score {hearing.score:.2f}"
        if hearing.gain_db is not None:
            figure += f", level {hearing.gain_db:+.1f} dB"
        self.story.check(claim, hearing.found, figure)

    def _received(self, name: str) -> np.ndarray[Any, np.dtype[np.int16]]:
        return read_wav(self.folder / name, RATE)

    def _record(self, phone: Softphone, call: int, name: str) -> None:
        phone.ask("record", call=call, file=str(self.folder / name))

    def _let_pass(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            self.customer.pump()
            self.bob.pump()


def _record(story: Story, node: RunningNode, post_dial_delay_s: float) -> None:
    records = node.get("/v1/records")["items"]
    record = next((each for each in records if each["number"] == SUPPORT), None)
    if record is None:
        story.check("the call has its record", False)
        return
    story.tell("node", "has written the call's record:")
    for name, value in record.items():
        print(f"             {name:<20} {value}")
    story.check("one record, for this call alone", sum(r["number"] == SUPPORT for r in records) == 1)
    story.check(
        "completed, by the customer", (record["reason"], record["ended_by"]) == ("completed", "customer")
    )
    story.check(
        "in the support queue, taken by bob", (record["queue"], record["agent"]) == ("support", "bob")
    )
    story.check("with its wait, talk and hold", min(record[f"{k}_s"] for k in ("wait", "talk", "hold")) > 1)
    for side in ("customer", "agent"):
        loss, jitter, mos = (record[f"{side}_{k}"] for k in ("loss", "jitter_ms", "mos"))
        story.check(f"{side}'s leg: no loss, good quality", loss == 0 and (mos or 0) > 4,
                    f"loss {loss}, jitter {jitter} ms, MOS {mos}")  # fmt: skip
    story.check("post-dial delay under a second", post_dial_delay_s < 1, f"{post_dial_delay_s * 1000:.0f} ms")


def _speak(path: Path, text: str, voice: str) -> Path:
    """Speech made by espeak-ng, 8 kHz mono."""
    rate, samples = say(text, voice=voice)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(telephone(samples, rate, RATE).tobytes())
    return path
