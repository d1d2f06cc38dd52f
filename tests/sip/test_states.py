"""The state diagrams in docs are those of the tables."""

from __future__ import annotations

import pytest

from sip.table import INITIAL, TERMINATED, Table, as_mermaid
from tests.sip.states import CHAPTERS, DOCUMENT, document


def test_the_document_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run python -m tests.sip.states"


def test_a_table_is_drawn_row_by_row():
    table: Table = {(INITIAL, "go"): ("on", ("light", "sound")), ("on", "stop"): (TERMINATED, ())}
    assert as_mermaid(table) == "\n".join(
        ["stateDiagram-v2", "    [*] --> on: go / light, sound", "    on --> [*]: stop"]
    )


@pytest.mark.parametrize(
    "table", [table for _, _, table in CHAPTERS], ids=[title for title, _, _ in CHAPTERS]
)
def test_every_diagram_is_one_mermaid_can_read(table: Table):
    for line in as_mermaid(table).splitlines()[1:]:
        state = line.partition(" --> ")[0].strip()
        assert " " not in state
        assert line.count(": ") == 1
