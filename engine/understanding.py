"""What a node makes of what is said in its calls, put together: written down, an agent's help, and after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.language import SpeechAfter
from engine.after import quality
from engine.after.desk import After, Terms
from engine.after.endpoint import Endpoint
from engine.after.minutes import Minutes
from engine.assist import Assist
from media.speech.io.lexica import shipped
from media.speech.knowledge import Knowledge, Passage
from media.speech.market import market_for

if TYPE_CHECKING:
    from config.schema import Config
    from engine.agent_desk import Desks
    from engine.store.transcripts import Transcripts
    from engine.switch import Switch


@dataclass(frozen=True, slots=True)
class Understanding:
    minutes: Minutes
    after: After
    assist: Assist


def of_node(switch: Switch, transcripts: Transcripts, desks: Desks) -> Understanding:
    """Wired to its calls; `after` is not started yet."""
    minutes = Minutes()
    after = After(
        transcripts,
        minutes,
        switch.wall,
        lexica=shipped,
        sayings=lambda market, language: market_for(switch.config.markets, market, language),
        reads=lambda agent: reads(switch.config, agent),
        endpoint=lambda: endpoint_of(switch.config.language.after),
        terms=lambda: terms_of(switch.config.language.after),
    )
    assist = Assist(
        switch, desks.say, Library(lambda: switch.config), lambda agent: reads(switch.config, agent)
    )
    switch.speech.observers.append(minutes.heard)
    switch.observers.append(after.notice)
    minutes.observers.append(assist.said)
    switch.feelings.told.append(assist.felt)
    return Understanding(minutes, after, assist)


def reads(config: Config, agent: str) -> str:
    """The language of an agent, which she speaks and reads."""
    known = config.agents.get(agent)
    return known.languages[0] if known is not None and known.languages else config.language.agents


def terms_of(given: SpeechAfter) -> Terms:
    held = given.quality
    rules = quality.Terms(
        greet_s=held.greet_s, hold_s=held.hold_s, silent_s=held.silent_s, over=held.talk_over
    )
    return Terms(transcripts=given.transcripts, days=given.keep_days, quality=rules)


def endpoint_of(given: SpeechAfter) -> Endpoint | None:
    """Who writes summaries, where the operator names one."""
    asked = given.summaries
    if not asked.url:
        return None
    return Endpoint(asked.url, asked.model, asked.key.reveal() if asked.key is not None else "")


class Library:
    """What the company knows, ready to be searched. Another configuration's is made ready in a thread beside
    the calls; until then they have what was there before.
    """

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._files = config().knowledge
        self._knowledge = _ready(self._files)

    def __call__(self) -> Knowledge:
        files = self._config().knowledge
        if files is not self._files:
            self._files = files
            threading.Thread(target=self._change, args=(files,), name="knowledge", daemon=True).start()
        return self._knowledge

    def _change(self, files: Mapping[str, tuple[Passage, ...]]) -> None:
        made = _ready(files)
        if files is self._files:
            self._knowledge = made


def _ready(files: Mapping[str, tuple[Passage, ...]]) -> Knowledge:
    return Knowledge(passage for passages in files.values() for passage in passages)
