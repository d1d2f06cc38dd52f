"""What came of a call: by how it ended, by what the agent chose, else by the last that was said.

never talked          unanswered
handed to others      transferred
the agent chose one   that
a promise at the end  follow_up
the customer is glad  resolved
and is not            unresolved
"""

from __future__ import annotations

from collections.abc import Callable

from engine.after.facts import Facts, of_side
from engine.after.topics import LATER, named
from engine.events import EndReason
from media.speech.lexicon import Lexicon
from media.speech.sentiment import sentiment

LAST = 3  # lines of the customer's that tell how it ended
PROMISES = 6  # lines of the agent's in which something may be promised
GLAD, CROSS = 0.2, -0.2


def outcome(facts: Facts, lexicon: Callable[[str], Lexicon | None]) -> str:
    """See the module; "unknown" where nothing tells."""
    if facts.connected is None:
        return "unanswered"
    if facts.reason == EndReason.TRANSFERRED:
        return "transferred"
    if facts.chosen:
        return facts.chosen
    customers, agents = of_side(facts.lines, "customer"), of_side(facts.lines, "agent")
    if any(LATER in named(line) for line in agents[-PROMISES:]):
        return "follow_up"
    scores = []
    for line in customers[-LAST:]:
        known = lexicon(line.language)
        scores.append(sentiment(line.text, known).score if known is not None else 0.0)
    felt = sum(scores) / len(scores) if scores else 0.0
    return "resolved" if felt >= GLAD else "unresolved" if felt <= CROSS else "unknown"
