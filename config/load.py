"""A folder of YAML becomes a `Config`, or a `ConfigError` that names every mistake found in it.

Each file is read and validated by itself; then what refers to something else is checked across files, as far
as the files are sound, so that one look shows as many mistakes as there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from config import document
from config.check import check
from config.cluster import ClusterSettings
from config.document import Document, Known
from config.fault import ConfigError, Fault, did_you_mean
from config.form import FormSettings
from config.glance import data_dir as data_dir
from config.hook import HookSettings
from config.knowledge import read_knowledge
from config.language import LanguageSettings
from config.line import LineSettings
from config.markets import Markets, ShippedMarkets, read_markets
from config.media import MediaSettings
from config.node import NodeSettings
from config.numbers import Numbers
from config.outline import settings_of
from config.parts import Parts
from config.people import AgentSettings, People, UserSettings
from config.queue import QueueSettings
from config.routing import RoutingSettings
from config.schema import Config
from config.service import ApiSettings, StoreSettings
from config.signalling import SipSettings
from config.tariff import RateList, read_list
from config.validate import validate
from media.speech.knowledge import Passage

T = TypeVar("T")

SHIPPED = Path(__file__).parent
FILES = (
    "node",
    "sip",
    "media",
    "api",
    "store",
    "queues",
    "agents",
    "numbers",
    "routing",
    "cluster",
    "language",
    "hooks",
    "forms",
)
# files that a folder of before has not: as if empty
LATER = ("routing", "cluster", "language", "hooks", "forms")
SHIPPED_MARKETS = ShippedMarkets(SHIPPED / "markets")
MAX_LINES = 1000


def load(
    folder: Path, env: Mapping[str, str], texts: Path | None = None, known: Known | None = None
) -> Config:
    """The configuration in `folder`. env: where `{env: NAME}` secrets are looked up. Raises ConfigError.

    texts: a copy of the folder's files, to be read in their place. Secrets, certificates and prompts are the
    folder's own, and faults name its files. known: what was read before.
    """
    if known is not None:
        known.begin()
    parts = _Loader(folder, env, texts or folder, known).load()
    faults = [*parts.faults, *check(parts)]
    if faults:
        raise ConfigError(faults)
    return _config(parts)


@dataclass
class _Loader:
    folder: Path
    env: Mapping[str, str]
    texts: Path
    known: Known | None = None
    faults: list[Fault] = field(default_factory=list)

    def load(self) -> Parts:
        if not self.texts.is_dir():
            remedy = f"name a folder with {', '.join(f'{name}.yaml' for name in FILES)}"
            raise ConfigError([Fault(str(self.folder), 0, "", "is no folder", remedy)])
        self._strangers()
        read = {name: self._read_file(name) for name in FILES}
        lines = {path.stem: self._read(path) for path in self._line_files()}
        people = read["agents"]
        self._only(people, settings_of(People))
        found = dict(self._named(LineSettings, lines))
        markets = self._markets()
        return Parts(
            folder=self.folder,
            faults=self.faults,
            documents={
                **read,
                **{f"lines/{name}": each for name, each in lines.items()},
                **markets.documents,
            },
            node=self._value(NodeSettings, read["node"]),
            sip=self._value(SipSettings, read["sip"]),
            media=self._value(MediaSettings, read["media"]),
            api=self._value(ApiSettings, read["api"]),
            store=self._value(StoreSettings, read["store"]),
            queues=self._entries(QueueSettings, read["queues"], ()),
            agents=self._entries(AgentSettings, people, ("agents",)),
            users=self._entries(UserSettings, people, ("users",)),
            numbers=self._value(Numbers, read["numbers"]),
            routing=self._value(RoutingSettings, read["routing"]),
            cluster=self._value(ClusterSettings, read["cluster"]),
            language=self._value(LanguageSettings, read["language"]),
            hooks=self._entries(HookSettings, read["hooks"], ()),
            forms=self._entries(FormSettings, read["forms"], ()),
            lines=found,
            rates=dict(self._rates(found)),
            prompts=self._prompts(),
            markets=markets.values,
            terms=markets.terms,
            knowledge=self._knowledge(),
        )

    def _read_file(self, name: str) -> Document:
        path = self.texts / f"{name}.yaml"
        return Document(self._named_as(path)) if name in LATER and not path.exists() else self._read(path)

    def _read(self, path: Path) -> Document:
        read, faults = document.read(path, self._named_as(path), self.known)
        self.faults += faults
        return read

    def _named_as(self, path: Path) -> str:
        """How a file is called in faults."""
        return str(self.folder / path.relative_to(self.texts) if path.is_relative_to(self.texts) else path)

    def _strangers(self) -> None:
        """A file whose name is misspelt would be silently without effect."""
        for path in sorted(self.texts.iterdir()):
            stranger = path.suffix == ".yml" or (path.suffix == ".yaml" and path.stem not in FILES)
            if stranger and not path.name.startswith("."):
                remedy = did_you_mean(f"{path.stem}.yaml", [f"{name}.yaml" for name in FILES])
                fault = Fault(self._named_as(path), 0, "", "is no file of the configuration", remedy)
                self.faults.append(fault)

    def _line_files(self) -> list[Path]:
        found = sorted((self.texts / "lines").glob("*.yaml"))
        for path in sorted((self.texts / "lines").glob("*.yml")):
            fault = Fault(self._named_as(path), 0, "", "is not read", f"rename it to {path.stem}.yaml")
            self.faults.append(fault)
        if len(found) > MAX_LINES:
            fault = Fault(str(self.folder / "lines"), 0, "", f"holds over {MAX_LINES} lines", "use fewer")
            self.faults.append(fault)
        return found[:MAX_LINES]

    def _only(self, read: Document, known: Iterable[str]) -> None:
        for name in read.tree:
            if name not in known:
                self.faults.append(read.fault((name,), "is no setting here", did_you_mean(name, known)))

    def _value(
        self, kind: type[T], read: Document, path: tuple[str, ...] = (), name: str | None = None
    ) -> T | None:
        if read.broken:
            return None
        value, faults = validate(kind, read, path, env=self.env, folder=self.folder, name=name)
        self.faults += faults
        return value

    def _entries(self, kind: type[T], read: Document, path: tuple[str, ...]) -> dict[str, T | None]:
        """Every entry by its name; None for one that is not sound, so that others may still refer to it."""
        tree: Any = read.tree
        for step in path:
            tree = tree.get(step, {})
        if not isinstance(tree, dict):
            self.faults.append(read.fault(path, "must hold entries by name", "write `name:` lines below it"))
            return {}
        return {name: self._value(kind, read, (*path, name), name) for name in tree}

    def _named(self, kind: type[T], read: Mapping[str, Document]) -> Iterator[tuple[str, T | None]]:
        for name, each in read.items():
            yield name, self._value(kind, each, (), name)

    def _rates(self, lines: Mapping[str, LineSettings | None]) -> Iterator[tuple[str, RateList]]:
        for name, line in lines.items():
            if line is not None and line.rate_list is not None:
                copy, own = self.texts / line.rate_list, self.folder / line.rate_list
                read = read_list(copy if copy.exists() else own, line.zone, str(own))
                self.faults += read.faults
                yield name, read

    def _prompts(self) -> dict[str, frozenset[str]]:
        """The names of prompts by language; the shipped ones where the folder has none of its own."""
        own = self.folder / "prompts"
        found: dict[str, frozenset[str]] = {}
        for path in sorted((own if own.is_dir() else SHIPPED / "prompts").glob("*.yaml")):
            texts = self._read(path).tree.get("prompts")
            found[path.stem] = frozenset(texts if isinstance(texts, dict) else ())
        return found

    def _markets(self) -> Markets:
        """The folder's own; the shipped ones where it has none."""
        own = self.folder / "markets"
        copy = self.texts / "markets"
        found = read_markets(copy, own) if copy.is_dir() else Markets()
        self.faults += found.faults
        return found

    def _knowledge(self) -> Mapping[str, tuple[Passage, ...]]:
        found = read_knowledge(self.texts / "knowledge", self.folder / "knowledge")
        self.faults += found.faults
        return found.files


def _config(parts: Parts) -> Config:
    node, numbers, sip = parts.node, parts.numbers, parts.sip
    assert node and numbers and sip and parts.media and parts.api and parts.store, "unsound parts have faults"
    assert parts.routing and parts.cluster and parts.language, "unsound parts have faults"
    lines = {name: each for name, each in parts.lines.items() if each}
    listed = {name: each.rates for name, each in parts.rates.items()}
    tls = replace(
        sip.tls,
        certificate=_below(parts.folder, sip.tls.certificate),
        key=_below(parts.folder, sip.tls.key),
        ca=_below(parts.folder, sip.tls.ca),
    )
    return Config(
        folder=parts.folder,
        node=node,
        sip=replace(sip, tls=tls),
        media=parts.media,
        api=parts.api,
        store=parts.store,
        queues={name: each.spec() for name, each in parts.queues.items() if each},
        agents={name: each for name, each in parts.agents.items() if each},
        users={name: each for name, each in parts.users.items() if each},
        numbers=numbers.plan(node.country),
        lines=lines,
        routing=parts.routing,
        language=parts.language,
        hooks={name: each for name, each in parts.hooks.items() if each},
        forms={name: each for name, each in parts.forms.items() if each},
        cluster=replace(
            parts.cluster,
            redis=replace(parts.cluster.redis, ca=_below(parts.folder, parts.cluster.redis.ca)),
        ),
        markets={name: each.market(parts.terms[name]) for name, each in parts.markets.items() if each}
        or SHIPPED_MARKETS,
        knowledge=parts.knowledge,
        specs={name: each.spec(listed.get(name, ())) for name, each in lines.items()},
    )


def _below(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder / path
