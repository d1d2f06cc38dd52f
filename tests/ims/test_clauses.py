"""The suite is told of by clause: each test names the clauses it plays, and docs/ims.md names each test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
DOCUMENT = (HERE.parents[1] / "docs" / "ims.md").read_text("utf-8")
CLAUSE = r"(?:TS 2[46]\.\d{3}|RFC \d{4}) [0-9A-Z.]+"
TESTS = [
    function
    for module in ("test_registration.py", "test_calls.py")
    for function in ast.parse((HERE / module).read_text("utf-8")).body
    if isinstance(function, ast.FunctionDef) and function.name.startswith("test_")
]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_it_names_its_clauses_and_is_told_of_with_them(test: ast.FunctionDef):
    clauses = (ast.get_docstring(test) or "").partition(":")[0]
    assert re.match(CLAUSE, clauses)
    row = next(line for line in DOCUMENT.splitlines() if f"`{test.name.removeprefix('test_')}`" in line)
    assert row.split("|")[1].strip() == clauses


def test_what_is_told_of_is_tested():
    told = re.findall(r"`(\w+_\w+_\w+)`", DOCUMENT.partition("## What is not done")[0])
    assert {f"test_{name}" for name in told} == {test.name for test in TESTS}
