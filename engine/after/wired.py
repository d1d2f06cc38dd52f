"""What comes after calls, put together for a node from its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.language import SpeechAfter
from config.schema import Config
from engine.after.desk import After, Sayings, Terms
from engine.after.endpoint import Endpoint
from engine.after.minutes import Minutes
from media.speech.io.lexica import shipped
from media.speech.market import market_for

if TYPE_CHECKING:
    from engine.journal import Journal
    from engine.switch import Switch


def of_node(switch: Switch, journal: Journal) -> tuple[Minutes, After]:
    """What is said, written down as it stands; and what becomes of it. Not started yet."""
    minutes = Minutes()
    given = switch.config.language.after
    after = After(
        journal.transcripts,
        minutes,
        switch.wall,
        lexica=shipped,
        sayings=lambda market, language: sayings(switch.config, market, language),
        reads=lambda agent: reads(switch.config, agent),
        endpoint=endpoint_of(given),
        terms=Terms(transcripts=given.transcripts, days=given.keep_days),
    )
    switch.speech.observers.append(minutes.heard)
    switch.observers.append(after.notice)
    return minutes, after


def sayings(config: Config, market: str, language: str) -> Sayings | None:
    """The market whose people a call is of."""
    return market_for(config.markets, market, language)


def reads(config: Config, agent: str) -> str:
    """The language that an agent reads."""
    known = config.agents.get(agent)
    return known.languages[0] if known is not None and known.languages else config.language.agents


def endpoint_of(given: SpeechAfter) -> Endpoint | None:
    """Who writes summaries, where the operator names one."""
    asked = given.summaries
    if not asked.url:
        return None
    return Endpoint(asked.url, asked.model, asked.key.reveal() if asked.key is not None else "")
