"""A configuration on its way in: what each file came to, sound or not, before it is checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from config.cluster import ClusterSettings
from config.document import Document
from config.fault import Fault
from config.form import FormSettings
from config.hook import HookSettings
from config.language import LanguageSettings
from config.line import LineSettings
from config.market import MarketSettings
from config.media import MediaSettings
from config.node import NodeSettings
from config.numbers import Numbers
from config.people import AgentSettings, UserSettings
from config.queue import QueueSettings
from config.routing import RoutingSettings
from config.service import ApiSettings, StoreSettings
from config.signalling import SipSettings
from config.tariff import RateList
from media.speech.knowledge import Passage
from media.speech.market import Term

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """None stands for a file or an entry that has faults; its name is known all the same.

    documents: by file name without `.yaml`. prompts: names of prompts by language. rates: lists of
    rates, by line. terms: of glossaries, by market. knowledge: by file.
    """

    folder: Path
    faults: list[Fault]
    documents: Mapping[str, Document]
    node: NodeSettings | None
    sip: SipSettings | None
    media: MediaSettings | None
    api: ApiSettings | None
    store: StoreSettings | None
    queues: Mapping[str, QueueSettings | None]
    agents: Mapping[str, AgentSettings | None]
    users: Mapping[str, UserSettings | None]
    numbers: Numbers | None
    routing: RoutingSettings | None
    cluster: ClusterSettings | None
    language: LanguageSettings | None
    hooks: Mapping[str, HookSettings | None]
    forms: Mapping[str, FormSettings | None]
    lines: Mapping[str, LineSettings | None]
    rates: Mapping[str, RateList]
    prompts: Mapping[str, frozenset[str]]
    markets: Mapping[str, MarketSettings | None]
    terms: Mapping[str, tuple[Term, ...]]
    knowledge: Mapping[str, tuple[Passage, ...]]

    def fault(self, file: str, path: tuple[str | int, ...], problem: str, remedy: str) -> Fault:
        return self.documents[file].fault(path, problem, remedy)


def sound(entries: Mapping[str, T | None]) -> Iterator[tuple[str, T]]:
    """The entries without faults, by name."""
    for name, each in entries.items():
        if each is not None:
            yield name, each
