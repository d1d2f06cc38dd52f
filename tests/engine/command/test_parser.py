"""docs/cli.md has every command and flag, as `--help` tells them, and nothing else."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

import pytest

from config.service import ApiRole
from engine import release
from engine.access.role import Role
from engine.command import parser
from engine.insight.words import LANGUAGES
from tests.engine.command.stand import Shell
from tests.project.tree import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
SECTION = re.compile(r"^### `isogloss ([a-z -]+)`\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \|$", re.MULTILINE)


def commands(made: argparse.ArgumentParser, words: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that can be given, with what it takes."""
    below = [each for each in made._actions if isinstance(each, argparse._SubParsersAction)]
    if not below:
        yield words, made
    for each in below:
        for name, one in each.choices.items():
            yield from commands(one, f"{words} {name}".strip())


COMMANDS = dict(commands(parser.made()))
TOLD = dict(SECTION.findall(PAGE))


def written(action: argparse.Action) -> str:
    """A flag or word as the page has it."""
    shown = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    if not action.option_strings:
        return str(shown) + (" …" if action.nargs == "+" else "")
    return f"{action.option_strings[-1]} {shown}".strip() if action.nargs != 0 else action.option_strings[-1]


def taken(one: argparse.ArgumentParser) -> dict[str, str]:
    """What a command takes, and what its help says of it."""
    found = [each for each in one._actions if not isinstance(each, argparse._HelpAction)]
    return {written(each): str(each.help) for each in found}


def test_the_page_has_every_command_and_no_other() -> None:
    assert list(TOLD) == list(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_the_page_says_of_a_command_what_its_help_says(words: str) -> None:
    rows = {name.replace("\\|", "|"): told.replace("\\|", "|") for name, told in ROW.findall(TOLD[words])}
    assert rows == taken(COMMANDS[words])
    top = parser.made()._subparsers
    assert top is not None
    first, _, rest = words.partition(" ")
    below = next(each for each in top._group_actions[0]._choices_actions if each.dest == first)
    helps = {first: below.help}
    if rest:
        (action,) = [
            each
            for each in top._group_actions[0].choices[first]._actions
            if isinstance(each, argparse._SubParsersAction)
        ]
        helps = {rest: next(each.help for each in action._choices_actions if each.dest == rest)}
    said = next(iter(helps.values())) or ""
    assert TOLD[words].lstrip().startswith(said[0].upper() + said[1:] + ".")


def test_every_command_has_a_module_that_does_it() -> None:
    assert set(parser.MODULES) == {words.split()[0] for words in COMMANDS}
    for module in set(parser.MODULES.values()) - {"serve", "demo", "speech_worker"}:
        assert callable(import_module(f"engine.command.{module}").run)
    for module in ("serve", "demo", "speech_worker"):  # heavy ones
        assert find_spec(f"engine.command.{module}")


def test_what_may_be_chosen_is_what_there_is() -> None:
    assert set(parser.ROLES) == set(Role) and tuple(LANGUAGES) == parser.LANGUAGES
    assert ApiRole.OPERATOR in ApiRole


def test_the_release_is_told(shell: Shell) -> None:
    assert shell("--version").out == f"isogloss {release.VERSION}\n"
    assert f'version = "{release.VERSION}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_a_word_that_is_none_is_said_with_what_there_is(shell: Shell) -> None:
    said = shell("cals")
    assert said.status == 2 and "calls" in said.err
    assert "required: COMMAND" in shell().err


LIGHT = """
import sys
from engine.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
heavy = {"numpy", "pydantic", "sqlalchemy", "fastapi", "ruamel", "cryptography", "engine.app"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""


@pytest.mark.parametrize("words", [("--help",), ("calls",), ("call", "show", "c1"), ("report",)])
def test_a_light_command_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    env = {**os.environ, "ISOGLOSS_API": "http://127.0.0.1:9", "ISOGLOSS_API_TOKEN": "a token of nobody"}
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *words], env=env, cwd=ROOT, capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def asked_by_bash(line: str) -> list[str]:
    """What argcomplete gives bash for a line that ends at the cursor."""
    read, write = os.pipe()
    env = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\v",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    program = f"import os; os.dup2({write}, 8)\nfrom engine.cli import main\nmain([])"
    subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, pass_fds=[write], timeout=30, check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as answer:
        return answer.read().split("\v")


def test_a_shell_completes_commands_and_flags() -> None:
    assert {"calls", "call"} == {each.strip() for each in asked_by_bash("isogloss cal")}
    assert {"--follow"} == {each.strip() for each in asked_by_bash("isogloss calls --fol")}


@pytest.mark.parametrize("shell_name", parser.SHELLS)
def test_every_shell_is_told_how(shell: Shell, shell_name: str) -> None:
    said = shell("completion", shell_name)
    assert said.status == 0 and "isogloss" in said.out
    if shell_name == "bash":
        subprocess.run(["bash", "-n", "-c", said.out], check=True, timeout=30)
