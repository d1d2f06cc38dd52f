"""What README and docs say is so: links lead somewhere, commands exist, figures are as measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import run, table
from tests.project.tree import ROOT, files

README = (ROOT / "README.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
DOCUMENTS = files(".md")
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_leads_to_a_file_that_is_there(document: Path):
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert (ROOT / document).parent.joinpath(target).exists(), target


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    for document in (README, (ROOT / "docs" / "architecture.md").read_text("utf-8")):
        assert set(re.findall(r"\bmake ([a-z]+)", document)) <= targets


def test_the_first_screen_is_a_sentence_a_picture_and_two_commands():
    first = README.splitlines()[:22]
    assert any("docs/call.svg" in line for line in first)
    assert [line.split()[2] for line in first if line.startswith("$ make")] == ["demo", "test"]


def test_the_table_of_figures_is_the_one_that_was_measured():
    assert table.placed(README, table.table(table.results())) == README, "run: make table"
    assert table.WHOLE.read_text("utf-8") == table.whole(table.results()), "run: make table"


def kept(noun: str, figures: dict[str, float]) -> dict[str, dict[str, object]]:
    return {noun: {"figures": figures, "commit": "abcdef0123", "machine": "two cores"}}


def test_the_tables_tell_every_figure_and_the_readme_those_that_are_held_to_an_aim():
    figures = dict.fromkeys([*table.FIGURES["calls"], "relayed_x_floor_100"], 1.234)
    told, all_told = table.table(kept("calls", figures)), table.whole(kept("calls", figures))
    assert told.count("| 1.23") == sum(bool(figure.aim) for figure in table.FIGURES["calls"].values())
    assert "`bench_calls`, abcdef0 |" in told and "two cores" in told
    assert all_told.count("| 1.23") == len(figures) and "at 100" in all_told
    with pytest.raises(KeyError, match="speed"):
        table.table(kept("calls", {"speed": 1}))


def test_a_name_that_ends_in_a_number_may_be_a_figure_of_its_own():
    made = table.whole(kept("plc", {"us_per_leg_1": 1.0, "us_per_leg_10": 2.0}))
    assert "at 10" not in made and made.count("| `us_per_leg_1`") == 1


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        json.dumps({"bench": "sip", "commit": "", "figures": {}}),
        json.dumps({"bench": "calls", "commit": "", "machine": "", "figures": {}}),
        json.dumps({"bench": "sip", "commit": "", "machine": "", "figures": {"speed": "fast"}}),
    ],
)
def test_a_benchmark_that_ends_otherwise_than_agreed_is_refused(line: str):
    with pytest.raises(ValueError):
        run.checked("sip", line)


def test_every_benchmark_has_its_figures_described():
    assert set(run.nouns()) <= set(table.FIGURES)
    told = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    for noun, figures in table.FIGURES.items():
        assert f"**{noun}**" in told
        for name in figures:
            assert f"`{name}`" in told


def test_every_long_run_is_one_of_make_soak():
    modules = {".".join(path.with_suffix("").parts) for path in files(".py")}
    named = set(re.findall(r"^(tests\.\S+)", MAKEFILE, re.MULTILINE))
    assert {module for module in modules if module.rpartition(".")[2].startswith("soak")} <= named <= modules


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_every_decision_has_its_parts_and_is_listed(decision: Path):
    text = decision.read_text("utf-8")
    for part in ("Question", "Options", "Measured", "Decision", "Consequences", "Checked by"):
        assert f"**{part}" in text, part
    assert f"]({decision.name})" in (decision.parent / "README.md").read_text("utf-8")


def test_decisions_are_numbered_without_a_gap():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_the_picture_serves_light_and_dark_pages():
    picture = (ROOT / "docs" / "call.svg").read_text("utf-8")
    assert "prefers-color-scheme: dark" in picture
    assert "<title" in picture
    assert "<script" not in picture
