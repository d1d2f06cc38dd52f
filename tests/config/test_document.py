"""YAML as plain values that remember their lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import document
from config.document import parse, scalar
from config.load import SHIPPED


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("5", 5),
        ("-3", -3),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", "yes"),
        ("off", "off"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("+", "+"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_a_value_without_quotes_means_what_it_looks_like(written, meant):
    assert scalar(written) == meant
    assert type(scalar(written)) is type(meant)


def test_a_value_in_quotes_is_text():
    document, faults = parse("port: \"5060\"\ncode: '*45'\n", "f")
    assert (document.tree, faults) == ({"port": "5060", "code": "*45"}, [])


def test_a_name_is_text_as_it_is_written():
    document, faults = parse('1001: a\n"1002": b\n+442071838750: c\n007: d\ntrue: e\n', "f")
    assert list(document.tree) == ["1001", "1002", "+442071838750", "007", "true"]
    assert faults == []


def test_every_value_remembers_its_line():
    document, _ = parse("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n", "f")
    lines = {path: document.line(path) for path in document.lines}
    assert lines == {
        ("a",): 1,
        ("a", "b"): 2,
        ("a", "c"): 3,
        ("a", "c", 0): 4,
        ("a", "c", 1): 5,
        ("a", "c", 1, "d"): 5,
    }


def test_what_is_not_written_down_stands_where_it_would_belong():
    document, _ = parse("\na:\n  b: 1\n", "f")
    assert document.line(("a", "missing", "deep")) == 2
    assert document.line(("missing",)) == 1


def test_every_name_that_is_written_twice_is_told_with_the_line_of_the_second():
    _, faults = parse("a: 1\nb:\n  c: 2\n  c: 3\na: 4\n", "f")
    assert [(fault.line, fault.path, fault.problem) for fault in faults] == [
        (4, "b.c", "is written twice"),
        (5, "a", "is written twice"),
    ]


def test_anchors_may_spare_the_operator_from_writing_a_thing_twice():
    document, faults = parse("a: &queues [support, ventas]\nb: *queues\n", "f")
    assert (document.tree["b"], faults) == (["support", "ventas"], [])


def test_anchors_that_multiply_without_end_are_refused():
    doubling = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    _, faults = parse(f"a0: &a0 [x]\n{doubling}", "f")
    assert "nested too deep, or holds too much" in faults[0].problem


def test_an_anchor_that_holds_itself_is_refused():
    _, faults = parse("a: &a [*a]\n", "f")
    assert faults


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "must hold settings by name"),
        ("just words\n", "must hold settings by name"),
        ("a: !python/object:os.system x\n", "has a tag"),
        ("? [a, b]\n: c\n", "a name must be text"),
        ("a: {b: c\n", "is not YAML"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("a: \x07\n", "is not YAML"),
    ],
)
def test_what_cannot_be_settings_is_refused(text, problem):
    _, faults = parse(text, "f")
    assert any(problem in fault.problem for fault in faults), faults


def test_an_empty_file_holds_no_settings_and_no_fault():
    document, faults = parse("# nothing yet\n", "f")
    assert (document.tree, document.broken, faults) == ({}, False, [])


@given(st.text(alphabet="ab:- \n\t\"'*&!{}[]#?|>%@1.~", max_size=60))
def test_no_text_breaks_the_reader(text):
    document, faults = parse(text, "f")
    assert isinstance(document.tree, dict)
    assert all(fault.remedy for fault in faults)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
@pytest.mark.parametrize("levels", [150, 50_000])
def test_whatever_nests_without_end_is_refused(opening: str, levels: int) -> None:
    _, faults = parse("a:\n  " + opening * levels + "1\n", "f")
    assert faults


def test_addresses_of_ipv6_need_no_quotes() -> None:
    read, faults = parse("a: [10.0.0.5, ::1, ::/0]\nb: ::1\n", "f")
    assert faults == [] and read.tree == {"a": ["10.0.0.5", "::1", "::/0"], "b": "::1"}


@pytest.mark.parametrize("file", sorted(SHIPPED.rglob("*.yaml")), ids=lambda file: file.stem)
def test_both_readers_find_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.read_text()
    quick = parse(text, "f")
    monkeypatch.setattr(document, "LIBYAML", None)
    assert parse(text, "f") == quick
