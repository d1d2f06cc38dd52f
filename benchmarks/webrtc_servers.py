"""What bench_webrtc measures, with one face: our worker with its gate, and stock aiortc."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from media import answer, jsep
from media.answer import Choice
from media.gate import CloseDoor, DoorLost, DoorOpened, DoorSecured, OpenDoor
from media.io.process import GateClient, Supervisor
from media.messages import (
    AnyEvent,
    CloseLeg,
    Keys,
    LegClosed,
    LegFailed,
    LegOpened,
    OpenLeg,
    SetGain,
    SetRemote,
)

ROOT = Path(__file__).resolve().parents[1]
ADDRESS, STOCK_ADDRESS = "127.0.0.25", "127.0.0.26"
PORTS = (6100, 7100)
PATIENCE = 30.0  # s; a bound for a busy machine
LINE = 1 << 20


class ServerFailed(Exception):
    """It died, or does not answer."""


class Server(Protocol):
    """Answers offers of legs, by the leg's number, and joins them."""

    name: str

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def pair(self, offers: dict[int, str]) -> dict[int, str]:
        """Two legs that hear each other: their answers."""

    async def speaker(self, leg: int, offer: str) -> str:
        """A leg that others will hear, and that hears nobody."""

    async def listener(self, leg: int, offer: str, to: int) -> str:
        """A leg that hears `to`."""

    async def close(self, legs: Sequence[int]) -> None: ...

    def cpu(self) -> float:
        """Seconds of CPU used so far, by all its processes and their threads."""


def cpu_of(*pids: int | None) -> float:
    """Seconds of CPU that these processes have used."""
    tasks = (task for pid in pids for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(task.read_text("ascii").split()[0]) for task in tasks) / 1e9


class Ours:
    """A media worker and a gate, and the engine's part between them. gain: at which legs hear each other; at
    1 Opus is passed on as it is. module: what the worker runs.
    """

    name = "ours"

    def __init__(self, gain: float, module: str = "media.io.worker", options: Sequence[str] = ()) -> None:
        self._gain = gain
        self._folder = tempfile.TemporaryDirectory(prefix="isogloss-bench-")
        self._doors = f"{self._folder.name}/doors"
        told = ["--address", ADDRESS, "--ports", f"{PORTS[0]}-{PORTS[1]}", *options]
        self._worker = Supervisor(module, told, self._told, self._lost, reserve=False)
        self._gate = GateClient(doors=self._doors, on_events=self._told, on_lost=self._lost)
        self._choices: dict[int, Choice] = {}
        self._ports: dict[int, int] = {}
        self._opened: dict[int, DoorOpened] = {}
        self._closed: set[int] = set()
        self._news = asyncio.Event()

    def _told(self, events: list[AnyEvent]) -> None:
        for event in events:
            if isinstance(event, LegOpened):
                self._ports[event.leg] = event.port
            elif isinstance(event, DoorOpened):
                self._opened[event.leg] = event
            elif isinstance(event, DoorSecured):
                self._secured(event)
            elif isinstance(event, LegClosed):
                self._closed.add(event.leg)
            elif isinstance(event, LegFailed) or (isinstance(event, DoorLost) and event.reason != "closed"):
                print(f"ours: {event}", file=sys.stderr)
        self._news.set()

    def _secured(self, event: DoorSecured) -> None:
        choice = self._choices.get(event.leg)
        if choice is not None:
            keys = Keys(event.suite, event.send, event.receive)
            self._worker.send(
                SetRemote(
                    *(event.leg, event.remote, choice.codecs),
                    rtcp_mux=True,
                    keys=keys,
                    transport_cc=choice.transport_cc,
                )
            )

    def _lost(self, reason: str) -> None:
        raise ServerFailed(reason)

    async def start(self) -> None:
        await asyncio.gather(self._worker.start(), self._gate.start())

    async def stop(self) -> None:
        await asyncio.gather(self._worker.close(), self._gate.close())
        self._folder.cleanup()

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def _open(self, leg: int, offer: str, hears: int | None = None) -> str:
        theirs = jsep.read(offer)
        choice = self._choices[leg] = answer.choose(theirs, ["opus"])
        heard = [] if hears is None else [SetGain(hears, leg, self._gain)]
        self._worker.send(OpenLeg(leg, choice.codecs, rtcp_mux=True, gate=self._doors), *heard)
        await self._until(lambda: leg in self._ports)
        at = (ADDRESS, self._ports[leg])
        self._gate.send(OpenDoor(leg, at, theirs.peer, theirs.fingerprints, choice.client))
        await self._until(lambda: leg in self._opened)
        return answer.answer(theirs, choice, self._opened[leg])

    async def pair(self, offers: dict[int, str]) -> dict[int, str]:
        answers = {leg: await self._open(leg, offer) for leg, offer in offers.items()}
        one, other = offers
        self._worker.send(SetGain(one, other, self._gain), SetGain(other, one, self._gain))
        return answers

    async def speaker(self, leg: int, offer: str) -> str:
        return await self._open(leg, offer)

    async def listener(self, leg: int, offer: str, to: int) -> str:
        return await self._open(leg, offer, hears=to)

    async def close(self, legs: Sequence[int]) -> None:
        self._gate.send(*(CloseDoor(leg) for leg in legs))
        self._worker.send(*(CloseLeg(leg) for leg in legs))
        for leg in legs:
            del self._choices[leg]
        await self._until(lambda: self._closed.issuperset(legs))

    def cpu(self) -> float:
        return cpu_of(self._worker.pid, self._gate.pid)


class Stock:
    """benchmarks/stock_aiortc.py in its process. lean: its encoder is made to do what ours does."""

    def __init__(self, *, lean: bool = False) -> None:
        self.name = "lean aiortc" if lean else "stock aiortc"
        self._lean = lean
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count()

    async def start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "benchmarks.stock_aiortc", STOCK_ADDRESS, *["--lean"] * self._lean]
        self._process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdin=pipe, stdout=pipe, limit=LINE
        )
        self._reading = asyncio.get_running_loop().create_task(self._read())
        await self._ask(close=[])

    async def stop(self) -> None:
        assert self._process is not None and self._process.stdin is not None, "it was started"
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), 5.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None, "it was started"
        while line := await self._process.stdout.readline():
            said = json.loads(line)
            self._asked.pop(said["id"]).set_result(said)
        for waiting in self._asked.values():
            waiting.set_exception(ServerFailed("stock aiortc died"))

    async def _ask(self, **command: Any) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None, "it was started"
        number = next(self._numbers)
        answered = self._asked[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, **command}).encode() + b"\n")
        return await asyncio.wait_for(answered, PATIENCE)

    async def _join(self, offers: dict[int, str], hears: dict[int, int], heard: Sequence[int] = ()) -> Any:
        said = await self._ask(offers=offers, hears=hears, heard=[str(leg) for leg in heard])
        return {int(leg): sdp for leg, sdp in said["answers"].items()}

    async def pair(self, offers: dict[int, str]) -> dict[int, str]:
        one, other = offers
        answers: dict[int, str] = await self._join(offers, {one: other, other: one})
        return answers

    async def speaker(self, leg: int, offer: str) -> str:
        return str((await self._join({leg: offer}, {}, [leg]))[leg])

    async def listener(self, leg: int, offer: str, to: int) -> str:
        return str((await self._join({leg: offer}, {leg: to}))[leg])

    async def close(self, legs: Sequence[int]) -> None:
        await self._ask(close=[str(leg) for leg in legs])

    def cpu(self) -> float:
        assert self._process is not None, "it was started"
        return cpu_of(self._process.pid)
