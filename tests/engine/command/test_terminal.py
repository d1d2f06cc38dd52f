"""Tables are as wide as their words are, and nothing that far ends say moves the cursor."""

from __future__ import annotations

import io

import pytest

from engine.command.terminal import Cell, Column, Terminal, cut, of, plain, said, span, wide

COLUMNS = (Column("name", gives=True), Column("calls", right=True))
PAPER = Terminal()


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_figures_stand_to_the_right_and_names_to_the_left() -> None:
    assert PAPER.table(COLUMNS, [["alice", "7"], ["bo", "1234"]]) == [
        "name   calls",
        "alice      7",
        "bo      1234",
    ]


def test_names_in_any_script_keep_the_columns() -> None:
    rows = PAPER.table(COLUMNS, [["王小明", "7"], ["سارة", "12"], ["José", "3"], ["e\u0301", "4"]])
    assert {wide(row) for row in rows} == {len("name    calls")}
    assert rows[1] == "王小明      7" and wide("王小明") == 6 and wide("سارة") == 4


def test_a_narrow_terminal_takes_from_what_gives_way() -> None:
    rows = Terminal(columns=24).table(COLUMNS, [["a-very-long-name-of-somebody", "7"]])
    assert [wide(row) for row in rows] == [24, 24]
    assert rows[1].split()[0].endswith("…") and rows[1].endswith("7")
    assert Terminal(columns=4).table((Column("fixed"),), [["whole"]]) == ["fixed", "whole"]


@pytest.mark.parametrize(("columns", "left"), [(10, "王小明"), (5, "王小…"), (4, "王…"), (1, "…")])
def test_wide_signs_are_cut_whole(columns: int, left: str) -> None:
    assert cut("王小明", columns) == left


def test_what_runs_to_the_left_moves_no_figures_on_a_terminal() -> None:
    row = Terminal(columns=80).table(COLUMNS, [["سارة", "12"]])[1]
    assert row == "سارة\u200e     12" and wide(row) == 11
    assert "\u200e" not in PAPER.table(COLUMNS, [["سارة", "12"]])[1]


@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "a\nb", "\x9b31m", "\u202eabc", "\u2066x", "\x00", "\r", "\u2028", "\ud800"]
)
def test_what_could_move_the_cursor_or_turn_the_text_is_never_shown(evil: str) -> None:
    shown = "".join(Terminal(columns=80).table(COLUMNS, [[f"Ada{evil}", "1"]]))
    assert "Ada" in shown and "\ufffd" in shown
    assert not set(evil) & set(shown) & set("\x1b\n\x9b\u202e\u2066\x00\r\u2028\ud800")


def test_a_persian_name_keeps_its_joiner() -> None:
    assert plain("می\u200cخواهم") == "می\u200cخواهم"


def test_a_text_of_lines_is_shown_line_by_line() -> None:
    assert list(said("INVITE sip:a\r\nVia: \x1b[31m\tx\r\n\r\n")) == [
        "INVITE sip:a",
        "Via: \ufffd[31m      x",
    ]


@pytest.mark.parametrize(
    ("out", "env", "colours"),
    [
        (Screen(), {"TERM": "xterm"}, True),
        (Screen(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    out: io.StringIO, env: dict[str, str], colours: bool
) -> None:
    on = of(out, env)
    shown = on.table(COLUMNS, [[Cell("alice", "good"), "1"]])[1]
    assert "\x1b" not in on.table(COLUMNS, [[Cell("", "good"), "1"]])[1]
    assert on.colours is colours and (shown == "\x1b[32malice\x1b[0m      1") is colours


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (41.4, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (275_000, "3 d 4 h")],
)
def test_how_long_is_said_as_people_say_it(seconds: float, words: str) -> None:
    assert span(seconds) == words
