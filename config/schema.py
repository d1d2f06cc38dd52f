"""The whole configuration of a node as frozen values. Every setting says what it is for.

`config.load` makes a `Config` from a folder of YAML; nothing here reads a file. Names ending in `_s` are
seconds, in `_ms` milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from config.cluster import ClusterSettings
from config.form import FormSettings
from config.hook import HookSettings
from config.language import LanguageSettings
from config.line import LineSettings
from config.media import MediaSettings
from config.node import NodeSettings
from config.people import AgentSettings, UserSettings
from config.routing import RoutingSettings
from config.secret import Secret
from config.service import ApiSettings, StoreSettings
from config.signalling import SipSettings
from media.speech.knowledge import Passage
from media.speech.market import Market
from routing.board import LineSpec
from routing.number import NumberPlan
from routing.queue import QueueSpec


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a node is told. Immutable; `with_ports` and `with_secrets` return another one.

    markets: with the terms of their glossaries. specs: of the lines, as choosing sees them, with the rates of
    their lists. knowledge: by file.
    """

    folder: Path
    node: NodeSettings
    sip: SipSettings
    media: MediaSettings
    api: ApiSettings
    store: StoreSettings
    queues: Mapping[str, QueueSpec]
    agents: Mapping[str, AgentSettings]
    users: Mapping[str, UserSettings]
    numbers: NumberPlan
    lines: Mapping[str, LineSettings]
    routing: RoutingSettings = field(default_factory=RoutingSettings)
    cluster: ClusterSettings = field(default_factory=ClusterSettings)
    language: LanguageSettings = field(default_factory=LanguageSettings)
    hooks: Mapping[str, HookSettings] = field(default_factory=dict)
    forms: Mapping[str, FormSettings] = field(default_factory=dict)
    markets: Mapping[str, Market] = field(default_factory=dict)
    knowledge: Mapping[str, tuple[Passage, ...]] = field(default_factory=dict)
    specs: Mapping[str, LineSpec] = field(default_factory=dict)

    @property
    def accounts(self) -> Mapping[str, AgentSettings | UserSettings]:
        """Every SIP account by name; agents and users share one name space."""
        return {**self.agents, **self.users}

    def with_ports(
        self,
        *,
        sip: Mapping[str, int] | None = None,
        api: int | None = None,
        media: tuple[int, int] | None = None,
        address: str | None = None,
    ) -> Config:
        """The same node on other ports. sip: port by transport; transports not named are dropped.

        address: local address for everything, when given.
        """
        listen = self.sip.listen
        if sip is not None:
            listen = tuple(
                replace(each, port=sip[each.transport]) for each in listen if each.transport in sip
            )
        if address is not None:
            listen = tuple(replace(each, address=address) for each in listen)
        low, high = media or (self.media.port_low, self.media.port_high)
        return replace(
            self,
            sip=replace(self.sip, listen=listen),
            api=replace(self.api, port=api or self.api.port, address=address or self.api.address),
            media=replace(self.media, port_low=low, port_high=high, address=address or self.media.address),
        )

    def with_secrets(self, fill: Callable[[str], str]) -> Config:
        """The same node with its generated secrets filled in.

        fill: gives the value kept for a secret's name, such as "agents/alice" or "api/console", and makes one
        up the first time it is asked.
        """

        def filled(secret: Secret, name: str) -> Secret:
            return Secret(secret.source, fill(name)) if secret.generated else secret

        tokens = {
            name: replace(each, token=filled(each.token, f"api/{name}"))
            for name, each in self.api.tokens.items()
        }
        access = self.api.access
        if access.first is not None:
            password = filled(access.first.password, f"access/{access.first.name}")
            access = replace(access, first=replace(access.first, password=password))
        sealing = {name: filled(each, f"access/keys/{name}") for name, each in access.keys.items()}
        access = replace(access, keys=sealing)
        callers = replace(
            self.api.callers,
            keys={name: filled(each, f"callers/{name}") for name, each in self.api.callers.keys.items()},
        )
        recording = replace(
            self.media.recording,
            keys={
                name: filled(each, f"recordings/{name}") for name, each in self.media.recording.keys.items()
            },
        )
        return replace(
            self,
            media=replace(self.media, recording=recording),
            api=replace(self.api, tokens=tokens, callers=callers, access=access),
            hooks={
                name: replace(each, secret=filled(each.secret, f"hooks/{name}"))
                for name, each in self.hooks.items()
            },
            agents={
                name: replace(each, password=filled(each.password, f"agents/{name}"))
                for name, each in self.agents.items()
            },
            users={
                name: replace(each, password=filled(each.password, f"users/{name}"))
                for name, each in self.users.items()
            },
        )
