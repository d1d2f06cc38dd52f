"""State machines as tables, and the diagram a reader sees of one."""

from __future__ import annotations

from collections.abc import Mapping

# (state, event) -> (next state, actions in order); an event without a row is ignored in that state.
Table = Mapping[tuple[str, str], tuple[str, tuple[str, ...]]]

INITIAL = "initial"
TERMINATED = "terminated"


def as_mermaid(table: Table) -> str:
    """The table as a Mermaid state diagram, rows in the order they were written."""
    lines = ["stateDiagram-v2"]
    for (state, event), (following, actions) in table.items():
        origin = "[*]" if state == INITIAL else state.replace(" ", "_")
        target = "[*]" if following == TERMINATED else following.replace(" ", "_")
        did = f" / {', '.join(actions)}" if actions else ""
        lines.append(f"    {origin} --> {target}: {event}{did}")
    return "\n".join(lines)
