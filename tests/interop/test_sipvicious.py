"""SIPVicious scans and cracks a node: it learns nothing, is blocked, and nobody else notices.

Each attack comes from a loopback address of its own, against a node of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import prompts_of, serve
from tests.interop.node import AGENTS, FAR, LINE, USERS, Node
from tests.interop.sipp import Sipp, SippFailed, free_port
from tests.interop.test_registration import register

INSTALLED = find_spec("sipvicious") is not None and shutil.which("sipp") is not None
pytestmark = pytest.mark.skipif(not INSTALLED, reason="sipvicious or sipp is not installed (pip: sipvicious)")

MAPPER, WARRIOR, CALLER, LOOKER, CRACKER, HASTY, LATE, OFFICE, ELSEWHERE = (
    f"127.0.0.{each}" for each in range(61, 70)
)
NAMES = ["1000", "anna", "1001", "admin", "ben", "customer", "nobody", "1002", "tenant"]
GUESSES = [f"guess{number}" for number in range(60)]


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    yield from serve(Node(tmp_path_factory.mktemp("target"), prompts_of(request.config.cache)))


# Some of its programs forget their -b, so that all would come from the address of everybody's tests.
FROM = """
import socket, sys
class Bound(socket.socket):
    def bind(self, address):
        super().bind((sys.argv[2], address[1]))
socket.socket = Bound
from importlib import import_module
program = import_module(f"sipvicious.{sys.argv[1]}")
del sys.argv[1:3]
program.main()
"""


class Attack:
    """A run of one of its programs, to its end."""

    def __init__(self, program: str, source: str, node: Node, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-c", FROM, program, source, "-x", source, "-P", str(free_port(source))]
        command += ["-p", str(node.sip["udp"]), *arguments, "127.0.0.1"]
        ran = subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        self.said = ran.stdout + ran.stderr
        assert "Traceback" not in self.said, self.said


def words(folder: Path, *lines: str) -> str:
    (folder / "words").write_text("\n".join(lines) + "\n")
    return str(folder / "words")


def turned_away(node: Node) -> dict[str, dict[str, Any]]:
    return {each["source"]: each for each in node.get("/v1/sip/blocked")["items"]}


def counted(node: Node, how: str) -> float:
    """The node looks at its guard once a second."""
    found = re.search(rf'^isogloss_sip_sources_turned_away_total{{how="{how}"}} (\S+)', node.metrics(), re.M)
    return float(found[1]) if found else 0.0


def test_a_map_shows_no_more_than_that_there_is_sip(target: Node, tmp_path: Path) -> None:
    attack = Attack("svmap", MAPPER, target, tmp_path)
    assert str(target.sip["udp"]) in attack.said, attack.said
    told = attack.said.lower()
    for hidden in ("python", "pjsip", "uvicorn", "0.1.0", "interop", "linux", "127.0.0.11"):
        assert hidden not in told, attack.said


@pytest.mark.parametrize(
    ("method", "source"), [("REGISTER", WARRIOR), ("INVITE", CALLER), ("OPTIONS", LOOKER)]
)
def test_no_extension_is_told_from_another(target: Node, tmp_path: Path, method: str, source: str) -> None:
    """Among names that there are and names that there are not. By REGISTER and INVITE it gives up itself."""
    given = words(tmp_path, *NAMES, *USERS, *AGENTS, "far-udp-0")
    attack = Attack(
        "svwar", source, target, tmp_path, "--force", "-m", method, "--maximumtime", "3", "-d", given
    )
    assert "found nothing" in attack.said and "exists" not in attack.said, attack.said
    assert source not in turned_away(target)


def test_a_scan_that_goes_on_is_ignored_and_told_of(target: Node, tmp_path: Path) -> None:
    scan = ("--force", "-m", "OPTIONS", "--maximumtime", "3", "-e", "100-400")
    attack = Attack("svwar", LOOKER, target, tmp_path, *scan)
    assert "found nothing" in attack.said, attack.said
    sentence = turned_away(target)[LOOKER]
    assert (sentence["how"], sentence["count"]) == ("ignored", 60)
    target._poll(lambda: counted(target, "ignored") == 1, 5.0, "scan that is counted")
    (line,) = [each for each in target.said(1_000_000).splitlines() if "a source is ignored" in each]
    assert LOOKER in line
    assert not Attack("svmap", LOOKER, target, tmp_path).said.count("Isogloss")


def test_a_cracker_finds_a_password_that_is_among_the_first_words(target: Node, tmp_path: Path) -> None:
    """So that what follows is not because of the cracker."""
    few = words(tmp_path, "no", target.password("gus"))
    assert "gus-secret" in Attack("svcrack", LATE, target, tmp_path, "-u", "gus", "-d", few).said


@pytest.mark.parametrize(("more", "source"), [((), CRACKER), (("--reusenonce",), HASTY)])
def test_a_cracker_is_turned_away_before_it_comes_to_the_right_word(
    target: Node, tmp_path: Path, more: tuple[str, ...], source: str
) -> None:
    """Blocked for what it guessed, or for guessing and asking on instead of waiting for the answer."""
    given = words(tmp_path, *GUESSES, target.password("anna"))
    attack = Attack(
        "svcrack", source, target, tmp_path, "-u", "anna", "-d", given, "--maximumtime", "4", *more
    )
    assert "anna-secret" not in attack.said, attack.said
    sentence = turned_away(target)[source]
    assert sentence["how"] == "blocked" and sentence["why"].startswith("wrong_passwords"), sentence
    assert sentence["user"] == "anna" and sentence["until"] > sentence["since"]
    target._poll(lambda: counted(target, "blocked") >= 1, 5.0, "attack that is counted")
    with register(target, tmp_path / "meanwhile", "register", "anna", address=ELSEWHERE):
        pass  # at another address it is as it was
    late = {"address": source, "timeout": 3}
    with pytest.raises(SippFailed), register(target, tmp_path / "late", "register", "anna", **late):
        pass  # nobody else at that address either, who has not been known before
    target.ask("DELETE", f"/v1/sip/blocked/{source}")
    assert source not in turned_away(target)
    with register(target, tmp_path / "after", "register", "anna", address=source):
        pass


def test_a_cracker_is_told_of_nobody_what_it_is_told_of_somebody(target: Node, tmp_path: Path) -> None:
    """That both cost the same, test_admission.py counts."""
    given = words(tmp_path, *GUESSES)
    told = []
    for name, source in (("ben", "127.0.0.71"), ("nobody-of-that-name", "127.0.0.72")):
        attack = Attack("svcrack", source, target, tmp_path, "-u", name, "-d", given, "--maximumtime", "4")
        told.append({re.sub(r"\d+", "#", line.replace(name, "NAME")) for line in attack.said.splitlines()})
        sentence = turned_away(target)[source]
        # How many guesses it came to before that is a matter of its own timing: test_admission.py counts.
        assert sentence["how"] == "blocked" and 3 <= sentence["count"] <= 10, sentence
    assert told[0] == told[1], told


def test_phones_and_lines_go_on_beside_it_and_from_the_very_address_too(target: Node, tmp_path: Path) -> None:
    with register(target, tmp_path / "before", "register", "lodger", address=OFFICE):
        pass
    for source in (OFFICE, LINE):
        Attack("svwar", source, target, tmp_path, "--force", "--maximumtime", "2", "-e", "100-400")
    assert not {OFFICE, LINE} & turned_away(target).keys()
    with register(target, tmp_path / "again", "register", "lodger", address=OFFICE):
        pass
    far = target.far_end()
    with (
        Sipp("callee", tmp_path, address=FAR, port=far.port),
        Sipp("caller", tmp_path, address=LINE, remote=target.address(), number=far.number),
    ):
        pass
