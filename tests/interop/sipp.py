"""sipp as a peer: expand a scenario, run it bounded, and say what went wrong on the wire when it fails.

Scenarios stand in tests/interop/sipp. What they share stands in sipp/parts and is put in by
`<part name="…"/>`; other attributes are the part's parameters, written `%name%` there, or `%name=default%`. A
line that is only an empty parameter disappears, and `|` in a parameter parts two header lines.
`python -m tests.interop.sipp NAME` prints an expanded scenario, for running sipp by hand.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType

import psutil

SCENARIOS = Path(__file__).parent / "sipp"
PART = re.compile(r"""^[ ]*<part((?:\s+[\w-]+="[^"]*")+)\s*/>[ ]*\n""", re.MULTILINE)
ATTRIBUTE = re.compile(r"""([\w-]+)="([^"]*)\"""")
PARAMETER = re.compile(r"%([a-z]+)(?:=([^%]*))?%")
OUTCOMES = {
    0: "passed",
    1: "a call failed",
    97: "ended by a command",
    99: "no call was processed",
    255: "fatal",
}
PORTS = range(10_000, 22_000)  # nodes under test have their media above, the kernel's own begin at 32,768
_numbers = count(1)
_places = count()


class SippFailed(AssertionError):
    """A scenario did not run as written; the message has sipp's error and the messages of the call."""


def expand(name: str, **parameters: str) -> str:
    """The scenario with its parts put in. Raises KeyError for a parameter nobody gave."""
    return _expanded(SCENARIOS / f"{name}.xml", parameters)


def _expanded(path: Path, parameters: Mapping[str, str]) -> str:
    text = "".join(_filled(line, parameters, path) for line in path.read_text().splitlines(keepends=True))

    def part(match: re.Match[str]) -> str:
        given = dict(ATTRIBUTE.findall(match.group(1)))
        return _expanded(SCENARIOS / "parts" / f"{given.pop('name')}.xml", given)

    return PART.sub(part, text)


def _filled(line: str, parameters: Mapping[str, str], path: Path) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match.groups()
        if name not in parameters and default is None:
            raise KeyError(f"{path.name}: parameter {name}")
        return parameters.get(name, default)

    filled = PARAMETER.sub(value, line)
    if filled.strip() == "" and line.strip():
        return ""
    indent = filled[: len(filled) - len(filled.lstrip())]
    return filled if "<" in filled.strip()[:1] else filled.replace("|", f"\n{indent}")


def free_port(address: str = "127.0.0.1", kind: int = socket.SOCK_DGRAM) -> int:
    """An even port that nobody holds, nor the one after it and the next pair, as a softphone's media needs.

    From below those that the kernel gives to whoever asks for any, so that nobody is given it before it is
    taken, and each time from another place, so that nobody's retransmissions meet another.
    """
    for number in _places:
        port = PORTS.start + 4 * ((os.getpid() * 61 + number) % (len(PORTS) // 4))
        if all(_free(address, port + step, kind) for step in range(4)):
            return port
    raise AssertionError("places are without end")


def _free(address: str, port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class Sipp:
    """One run of a scenario.

    remote: "host:port" of the other side; None for one that only answers. address, port: where this side is.
    number: user part dialled. caller: user part of From; display: what stands
    before its URI. digest_uri: what sipp authenticates for, without its
    scheme; has to be the Request-URI. keys: words of the scenario in [brackets].
    parameters: its %parameters%. transport: sipp's, u1 or t1. calls: how many; rate: so many of them a
    second. timeout: seconds until the run has failed.
    """

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        remote: str | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        number: str = "service",
        caller: str = "sipp",
        display: str = "",
        password: str = "",
        digest_uri: str = "",
        keys: Mapping[str, str] | None = None,
        transport: str = "u1",
        calls: int = 1,
        rate: int = 10,
        timeout: int = 20,
        echo: bool = False,
        **parameters: str,
    ) -> None:
        self.name = scenario
        self.port = port or free_port(
            address, socket.SOCK_STREAM if transport[0] == "t" else socket.SOCK_DGRAM
        )
        self.address = address
        self.timeout = timeout
        self.folder = folder / f"{next(_numbers):02}-{scenario}"
        self.folder.mkdir(parents=True)
        file = self.folder / "scenario.xml"
        file.write_text(expand(scenario, **parameters))
        command = [find_sipp(), *([remote] if remote else []), "-sf", str(file), "-nostdin", "-skip_rlimit"]
        # one message a turn: sipp takes what comes before it has answered the last for unexpected
        command += ["-max_recv_loops", "1"]
        command += ["-i", address, "-p", str(self.port), "-bind_local", "-t", transport, "-mi", address]
        self.media_port = free_port(address)
        command += ["-rtp_echo"] if echo else []
        command += [
            "-mp",
            str(self.media_port),
            "-m",
            str(calls),
            "-l",
            str(calls),
            "-s",
            number,
            "-cid_str",
            "%u-%p@%s",
            "-r",
            str(rate),
        ]
        command += ["-timeout", str(timeout), "-timeout_error", "-au", caller, "-ap", password, "-cp", "0"]
        command += ["-key", "caller", caller, "-key", "display", display]
        command += ["-auth_uri", digest_uri] if digest_uri else []
        for key, value in (keys or {}).items():
            command += ["-key", key, value]
        command += ["-trace_msg", "-message_file", "messages.log", "-trace_err", "-error_file", "errors.log"]
        self.command = command
        self._screen = (self.folder / "screen.log").open("w")
        self.process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self._screen, stderr=subprocess.STDOUT
        )
        self._until_listening()

    @property
    def contact(self) -> str:
        return f"{self.address}:{self.port}"

    def _until_listening(self) -> None:
        """A far end is there for its first call; a process that cannot bind has ended already."""
        own = psutil.Process(self.process.pid)
        for _ in range(500):
            try:
                if any(each.laddr and each.laddr.port == self.port for each in own.net_connections("inet")):
                    return
                self.process.wait(0.01)
            except subprocess.TimeoutExpired:
                continue
            except psutil.Error:
                pass
            return
        raise SippFailed(f"{self.name}: not listening at {self.contact}")

    def finish(self) -> None:
        """Wait for the end of the run; SippFailed unless every call went as written."""
        try:
            status = self.process.wait(self.timeout + 5)
        except subprocess.TimeoutExpired:
            self.kill()
            status = 255
        self._screen.close()
        if status != 0:
            raise SippFailed(self.report(status))

    def report(self, status: int) -> str:
        """What sipp complained of, and what went over the wire."""
        outcome = OUTCOMES.get(status, "ended")
        lines = [f"sipp {self.name} at {self.contact}: {outcome} (status {status}), see {self.folder}"]
        for file, most in (("errors.log", 3000), ("messages.log", 12_000)):
            path = self.folder / file
            text = path.read_text(errors="replace") if path.exists() else ""
            lines.append(f"---- {file}\n{text[-most:]}")
        if len(lines[1]) < 30:
            lines.append((self.folder / "screen.log").read_text(errors="replace")[-1500:])
        return "\n".join(lines)

    def sent(self) -> str:
        """Everything that went over the wire so far, as sipp logged it."""
        path = self.folder / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._screen.close()

    def __enter__(self) -> Sipp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The end of a `with` block waits for the run; after an error it is only cleaned up."""
        if error is None:
            self.finish()
        else:
            self.kill()
            error.add_note(self.report(self.process.returncode))


def find_sipp() -> str:
    found = shutil.which("sipp")
    if found is None:
        raise FileNotFoundError("sipp is not installed (Debian: apt-get install sip-tester)")
    return found


if __name__ == "__main__":
    print(expand(sys.argv[1], **dict(word.split("=", 1) for word in sys.argv[2:])))
