"""The softphone process seen from outside: start it, tell it what to do, wait for what happens, end it.

No thread and no event loop: `expect` waits by select, and whoever has a loop watches `fileno()` and calls
`pump()` when it is readable. Never imports pjsua2.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, cast

PROGRAM = (sys.executable, "-m", "sip.pjsip.softphone")
ROOT = Path(__file__).resolve().parents[2]
KEPT = 2000
MAX_LINE = 262_144  # bytes of one event; a longer one is none
Event = dict[str, Any]


class SoftphoneError(Exception):
    """The phone did not do what it was told. (CommandFailed, NothingHappened and PhoneDied below it.)"""


class CommandFailed(SoftphoneError):
    """PJSIP refused a command; the message says why."""


class NothingHappened(SoftphoneError):
    """An awaited event did not come in time; the message lists what came instead."""


class PhoneDied(SoftphoneError):
    """The process ended by itself, or was ended because it spoke nonsense."""


class Softphone:
    """A phone in a process of its own.

    name: for messages only. codecs: offered, best first. announce: address named in SDP in place of its own.
    drop: percent of RTP lost each way. buffer_ms: what its jitter buffer holds back, always; 0 for as much as
    it needs. urgent: before all other processes, where that is allowed. on_event: called with every event as
    it is read. log: file for PJSIP's own log.
    """

    def __init__(
        self,
        name: str = "phone",
        *,
        address: str = "127.0.0.1",
        codecs: Sequence[str] = ("PCMA", "PCMU"),
        rate: int = 8000,
        announce: str = "",
        drop: int = 0,
        buffer_ms: int = 0,
        urgent: bool = False,
        reliable: bool = False,
        log: Path | None = None,
        on_event: Callable[[Event], None] | None = None,
        start_timeout: float = 15.0,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.name = name
        self.on_event = on_event
        self.backlog: deque[Event] = deque(maxlen=KEPT)
        self.history: deque[Event] = deque(maxlen=KEPT)
        self._pending = b""
        self._commands = 0
        command = [*program, "--address", address, "--rate", str(rate)]
        command += [word for codec in codecs for word in ("--codec", codec)]
        command += ["--announce", announce] if announce else []
        command += ["--drop", str(drop)] if drop else []
        command += ["--buffer", str(buffer_ms)] if buffer_ms else []
        command += ["--urgent"] if urgent else []
        command += ["--reliable"] if reliable else []
        command += ["--log", str(log)] if log else []
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input = self.process.stdin
        self._output = self.process.stdout
        os.set_blocking(self._output.fileno(), False)
        try:
            self.transports: dict[str, str] = self.expect("ready", start_timeout)["transports"]
        except SoftphoneError:
            self.kill()
            raise

    def __enter__(self) -> Softphone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ----------------------------------------------------------------- plumbing
    def fileno(self) -> int:
        """Readable when the phone has said something; then call `pump`."""
        return self._output.fileno()

    def pump(self) -> list[Event]:
        """Read what the phone has said, without waiting; the new events, which are in `backlog` too."""
        new = []
        while data := self._read():
            *lines, self._pending = (self._pending + data).split(b"\n")
            if len(self._pending) > MAX_LINE:
                self._end("a line that does not end")
            for line in lines:
                event = self._read_event(line)
                new.append(event)
                self.backlog.append(event)
                self.history.append(event)
                if self.on_event is not None:
                    self.on_event(event)
        return new

    def _read(self) -> bytes:
        try:
            return os.read(self._output.fileno(), 65_536)
        except BlockingIOError:
            return b""

    def _read_event(self, line: bytes) -> Event:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            self._end(f"no event: {line[:60]!r}")
        return cast(Event, event)

    def _end(self, what: str) -> NoReturn:
        """Whoever speaks nonsense is not asked again."""
        self.process.kill()
        raise PhoneDied(f"{self.name}: said {what}")

    def send(self, do: str, **fields: Any) -> int:
        """Give a command without waiting for it; the id under which `done` or `failed` will come."""
        self._commands += 1
        line = json.dumps({"do": do, "id": self._commands} | fields) + "\n"
        try:
            self._input.write(line.encode())
            self._input.flush()
        except (BrokenPipeError, ValueError) as error:
            raise PhoneDied(f"{self.name}: process has ended ({self.process.poll()})") from error
        return self._commands

    def ask(self, do: str, timeout: float = 5.0, **fields: Any) -> Event:
        """Give a command and wait until PJSIP took it; what it answered. Raises CommandFailed."""
        number = self.send(do, **fields)
        answer = self._await(lambda event: event.get("id") == number, timeout, f"answer to {do}")
        if answer["event"] == "failed":
            raise CommandFailed(f"{self.name}: {do}: {answer['reason']}")
        return answer

    def expect(self, kind: str, timeout: float = 5.0, **match: Any) -> Event:
        """Wait for the next event of a kind whose fields are as given, and take it out of the backlog."""

        return self.expect_any((kind,), timeout, **match)

    def expect_any(self, kinds: Sequence[str], timeout: float, **match: Any) -> Event:
        """Wait for the next event of any of these kinds."""

        def fits(event: Event) -> bool:
            return event["event"] in kinds and all(event.get(key) == value for key, value in match.items())

        return self._await(fits, timeout, f"{' or '.join(kinds)} {match or ''}")

    def _await(self, fits: Callable[[Event], bool], timeout: float, what: str) -> Event:
        deadline = time.monotonic() + timeout
        while True:
            self.pump()
            for event in self.backlog:
                if fits(event):
                    self.backlog.remove(event)
                    return event
            left = deadline - time.monotonic()
            if left <= 0:
                raise NothingHappened(f"{self.name}: no {what} in {timeout} s; saw {self._seen()}")
            if self.process.poll() is not None and not self._anything_left():
                raise PhoneDied(f"{self.name}: ended with status {self.process.returncode} before {what}")
            select.select([self._output], [], [], min(left, 0.5))

    def _seen(self) -> str:
        parts = ([each["event"], each.get("call"), each.get("status")] for each in list(self.history)[-12:])
        return (
            ", ".join(" ".join(str(part) for part in each if part is not None) for each in parts) or "nothing"
        )

    def _anything_left(self) -> bool:
        return bool(self.pump())

    # ----------------------------------------------------------------- commands
    def account(self, user: str, domain: str, node: str, **options: Any) -> None:
        """Be `user`@`domain` at `node` ("host:port") without registering.

        options: password, transport, expires, srtp ("disabled", "optional" or "mandatory").
        """
        self.ask("account", user=user, domain=domain, node=node, **options)

    def register(
        self, user: str, password: str, domain: str, node: str, *, timeout: float = 10.0, **options: Any
    ) -> Event:
        """Register and wait for the registrar's answer: a `registered` or `register_failed` event."""
        self.ask("register", user=user, password=password, domain=domain, node=node, **options)
        kinds = ("registered", "register_failed")
        return self._await(lambda event: event["event"] in kinds, timeout, "answer of the registrar")

    def unregister(self, timeout: float = 5.0) -> Event:
        self.ask("unregister")
        return self.expect("unregistered", timeout)

    def call(self, target: str, *, headers: dict[str, str] | None = None) -> int:
        """Dial; the call's number."""
        return int(self.ask("call", target=target, headers=headers or {})["call"])

    def incoming(self, timeout: float = 10.0) -> int:
        """Wait until the phone is called; the call's number."""
        return int(self.expect("incoming", timeout)["call"])

    def auto(self, **policy: Any) -> None:
        """What to do with incoming calls: ring, answer_after (s), reject (status), play, record (files)."""
        self.ask("auto", **policy)

    def answer(self, call: int) -> None:
        self.ask("answer", call=call)

    def hold(self, call: int, timeout: float = 5.0) -> None:
        """Put on hold and wait until the far end agreed."""
        self._drop("media", call)
        self.ask("hold", call=call)
        self.expect("media", timeout, call=call, state="local_hold")

    def resume(self, call: int, timeout: float = 5.0) -> None:
        self._drop("media", call)
        self.ask("resume", call=call)
        self.expect("media", timeout, call=call, state="active")

    def hangup(self, call: int, timeout: float = 5.0, code: int = 0) -> Event:
        """End the call; its `ended` event with statistics."""
        self.ask("hangup", call=call, code=code)
        return self.expect("ended", timeout, call=call)

    def stats(self, call: int) -> Event:
        """Statistics of the call so far; fields as in `statistics.Quality`."""
        self.ask("stats", call=call)
        return self.expect("stats", call=call)

    def _drop(self, kind: str, call: int) -> None:
        """Forget old events that would be taken for the answer to what comes next."""
        self.pump()
        for event in [each for each in self.backlog if each["event"] == kind and each.get("call") == call]:
            self.backlog.remove(event)

    # ---------------------------------------------------------------------- end
    def close(self, timeout: float = 6.0) -> int:
        """Ask the phone to end; kill it when it does not. Its exit status."""
        if self.process.poll() is None:
            try:
                self.send("quit")
                self._input.close()
                self.process.wait(timeout)
            except (SoftphoneError, OSError, subprocess.TimeoutExpired):
                self.process.kill()
        return self._reap()

    def kill(self) -> int:
        """End the phone as a power cut would: nothing is unregistered or hung up."""
        self.process.kill()
        return self._reap()

    def _reap(self) -> int:
        status = self.process.wait()
        for pipe in (self._input, self._output):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        return status
