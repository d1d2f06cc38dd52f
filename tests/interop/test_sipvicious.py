"""SIPVicious scans and cracks a node: it learns nothing, is blocked, and nobody else notices.

Each attack comes from a loopback address of its own, against a node of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import prompts_of, serve
from tests.interop.node import AGENTS, FAR, LINE, USERS, Node
from tests.interop.sipp import Sipp, free_port
from tests.interop.test_registration import register

BIN = Path(sys.executable).parent
INSTALLED = (BIN / "sipvicious_svwar").exists() and shutil.which("sipp") is not None
pytestmark = pytest.mark.skipif(not INSTALLED, reason="sipvicious or sipp is not installed (pip: sipvicious)")

MAPPER, WARRIOR, CALLER, LOOKER, CRACKER, LATE, OFFICE = (f"127.0.0.{each}" for each in range(61, 68))
NAMES = ["1000", "anna", "1001", "admin", "ben", "customer", "nobody", "1002", "tenant"]
GUESSES = [f"guess{number}" for number in range(60)]


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    yield from serve(Node(tmp_path_factory.mktemp("target"), prompts_of(request.config.cache)))


class Attack:
    """A run of one of its programs, to its end."""

    def __init__(self, program: str, source: str, node: Node, folder: Path, *arguments: str) -> None:
        command = [BIN / f"sipvicious_{program}", "-b", source, "-x", source, "-P", str(free_port(source))]
        command += ["-p", str(node.sip["udp"]), *arguments, "127.0.0.1"]
        began = time.monotonic()
        ran = subprocess.run(
            list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=90, check=False,
            env=os.environ | {"HOME": str(folder)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.took = time.monotonic() - began
        self.said = ran.stdout + ran.stderr
        assert "Traceback" not in self.said, self.said


def words(folder: Path, *lines: str) -> str:
    (folder / "words").write_text("\n".join(lines) + "\n")
    return str(folder / "words")


def turned_away(node: Node) -> dict[str, dict[str, Any]]:
    return {each["source"]: each for each in node.get("/v1/sip/blocked")["items"]}


def counted(node: Node, how: str) -> float:
    name = f'isogloss_sip_sources_turned_away_total{{how="{how}"}} '
    return next(
        (float(line[len(name) :]) for line in node.metrics().splitlines() if line.startswith(name)), 0.0
    )


def test_a_map_shows_no_more_than_that_there_is_sip(target: Node, tmp_path: Path) -> None:
    attack = Attack("svmap", MAPPER, target, tmp_path)
    assert str(target.sip["udp"]) in attack.said, attack.said
    told = attack.said.lower()
    for hidden in ("python", "pjsip", "uvicorn", "0.1.0", "interop", "linux", "127.0.0.11"):
        assert hidden not in told, attack.said


@pytest.mark.parametrize(
    ("method", "source"), [("REGISTER", WARRIOR), ("INVITE", CALLER), ("OPTIONS", LOOKER)]
)
def test_no_extension_is_told_from_another_and_the_scan_is_ignored(
    target: Node, tmp_path: Path, method: str, source: str
) -> None:
    """First names there are and names there are not, then as many more as a scanner tries."""
    names = [*NAMES, *USERS, *AGENTS, "far-udp-0"]
    few = Attack(
        "svwar", source, target, tmp_path, "--force", "-m", method, "--maximumtime", "3",
        "-d", words(tmp_path, *names),
    )  # fmt: skip
    found = {name: line.split() for line in few.said.splitlines() for name in names if f"| {name} " in line}
    assert len({tuple(each[3:]) for each in found.values()}) <= 1, few.said
    assert not found or set(found) == set(names), few.said
    assert source not in turned_away(target)
    Attack("svwar", source, target, tmp_path, "--force", "-m", method, "--maximumtime", "3", "-e", "100-400")
    sentence = turned_away(target)[source]
    assert (sentence["how"], sentence["count"]) == ("ignored", 60)
    assert "a source is ignored" in target.said(1_000_000) and source in target.said(1_000_000)


def test_a_cracker_finds_a_password_that_is_among_the_first_words(target: Node, tmp_path: Path) -> None:
    """So that what follows is not because of the cracker."""
    few = words(tmp_path, "no", target.password("gus"))
    assert "gus-secret" in Attack("svcrack", LATE, target, tmp_path, "-u", "gus", "-d", few).said


@pytest.mark.parametrize("more", [(), ("--reusenonce",)])
def test_a_cracker_is_blocked_before_it_comes_to_the_right_word(
    target: Node, tmp_path: Path, more: tuple[str, ...]
) -> None:
    target.ask("DELETE", f"/v1/sip/blocked/{CRACKER}") if CRACKER in turned_away(target) else None
    before = counted(target, "blocked")
    given = words(tmp_path, *GUESSES, target.password("anna"))
    attack = Attack(
        "svcrack", CRACKER, target, tmp_path, "-u", "anna", "-d", given, "--maximumtime", "4", *more
    )
    assert "anna-secret" not in attack.said, attack.said
    assert turned_away(target)[CRACKER]["how"] == "blocked"
    assert counted(target, "blocked") == before + 1
    assert turned_away(target)[CRACKER]["count"] <= 10
    with (
        pytest.raises(AssertionError),
        register(target, tmp_path / "late", "register", "anna", address=CRACKER),
    ):
        pass  # not even with the right password, until an operator lets it off
    target.ask("DELETE", f"/v1/sip/blocked/{CRACKER}")
    assert CRACKER not in turned_away(target)
    with register(target, tmp_path / "after", "register", "anna", address=CRACKER):
        pass


def test_somebody_who_is_nobody_is_cracked_at_as_long_as_somebody(target: Node, tmp_path: Path) -> None:
    given = words(tmp_path, *GUESSES)
    took, counts = [], []
    for name, source in (("ben", "127.0.0.71"), ("nobody-of-that-name", "127.0.0.72")):
        attack = Attack("svcrack", source, target, tmp_path, "-u", name, "-d", given, "--maximumtime", "4")
        took.append(attack.took)
        counts.append(turned_away(target)[source]["count"])
    assert counts[0] == counts[1]
    assert abs(took[0] - took[1]) < 0.5 * max(took)


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
        Sipp("uas", tmp_path / "far", address=FAR, port=far.port),
        Sipp("uac", tmp_path / "near", address=LINE, remote=target.address(), number=far.number),
    ):
        pass
