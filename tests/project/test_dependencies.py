"""What is imported is declared, what is declared is pinned, and every licence of it is told."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.project.tree import ROOMS, ROOT, files, imports

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OURS = {*ROOMS, "isogloss", "tests", "benchmarks", "scripts"}
# Part of one of ours in all but name.
CARRIED = {"annotated-types": "pydantic", "pydantic-core": "pydantic", "starlette": "fastapi"}


def plain(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*extras: str) -> set[str]:
    """The distributions that pyproject.toml asks for."""
    wanted = [*PROJECT["dependencies"]]
    for extra in extras:
        wanted += PROJECT["optional-dependencies"][extra]
    return {plain(re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0]) for requirement in wanted}


@cache
def distributions() -> Mapping[str, list[str]]:
    """Which distributions bring a module that is imported by that name."""
    return packages_distributions()


def imported(folders: set[str]) -> dict[str, set[str]]:
    """The distributions that modules of these folders import, and which modules do."""
    provided = distributions()
    users: dict[str, set[str]] = {}
    for module in files(".py"):
        if module.parts[0] in folders:
            for name in imports(module) - OURS - sys.stdlib_module_names:
                distribution = plain(provided.get(name, [name])[0])
                users.setdefault(distribution, set()).add(str(module))
    return users


def test_the_engine_imports_only_what_it_asks_for():
    extras = set(PROJECT["optional-dependencies"]) - {"test"}
    missing = set(imported({*ROOMS, "isogloss"})) - declared(*extras) - set(CARRIED)
    assert not {name: users for name, users in imported(set(ROOMS)).items() if name in missing}


def test_tests_and_benchmarks_import_only_what_is_declared():
    missing = (
        set(imported({"tests", "benchmarks"})) - declared(*PROJECT["optional-dependencies"]) - set(CARRIED)
    )
    assert not {name: users for name, users in imported(OURS).items() if name in missing}


@pytest.mark.parametrize("name", sorted(declared(*PROJECT["optional-dependencies"])))
def test_every_requirement_is_pinned_and_its_licence_told(name: str):
    pinned = {plain(line.partition("==")[0]) for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert name in pinned, "run: make constraints"
    told = {plain(line.split()[0]) for line in (ROOT / "NOTICE").read_text().splitlines() if line.strip()}
    assert name in told


def test_only_the_softphone_imports_what_is_under_the_gpl():
    importers = imported({*ROOMS, "isogloss", "tests", "benchmarks"})["pjsua2-python"]
    assert all(module.startswith("sip/pjsip/") for module in importers)
    assert "pjsua2-python" not in declared()
