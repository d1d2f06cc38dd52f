"""What helps an agent in a call, as her page and the API see it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HelpKind(StrEnum):
    """SOOTHE: a phrase for who is upset. URGENT: a word that wants somebody at once. TABOO: a word that is
    better not said here. ANSWER: of what the company knows. UPGRADE: what may be offered. TERM: a word of the
    trade in both languages.
    """

    SOOTHE = "soothe"
    URGENT = "urgent"
    TABOO = "taboo"
    ANSWER = "answer"
    UPGRADE = "upgrade"
    TERM = "term"


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """title: what it is about, the word or the heading. text: what to say or to know; may be empty. language:
    of the text, BCP 47. source: the file that it is of. instead: of a taboo, what to say.
    """

    call: str
    kind: HelpKind
    at: float
    title: str
    text: str
    language: str
    source: str = ""
    instead: str = ""
