"""agents.yaml as values: the SIP accounts of the node, agents and others."""

from __future__ import annotations

from collections.abc import Mapping

from config.setting import Language, Name, QueueOrAll, SecretField, Text, setting, settings
from routing.agent import Agent


@settings
class Account:
    """A SIP account of this node; what agents and other users have in common."""

    name: Name = setting("The account's name: its SIP user.", derived=True)
    display: Text = setting(
        "Name that those it calls are shown; what the phone says when left out.", default=""
    )
    password: SecretField = setting("SIP password: {env: NAME} or {file: PATH}.")
    supervises: tuple[QueueOrAll, ...] = setting(
        "Queues whose calls this phone may listen to and speak in by dialling `features.supervise`; `*` for "
        "all.",
        default=(),
    )


@settings
class AgentSettings(Account):
    queues: tuple[Name, ...] = setting("Queues whose calls the agent takes.", default=())
    languages: tuple[Language, ...] = setting(
        "Languages she speaks, the one she reads captions in first; language.yaml's `agents` when left out.",
        default=(),
    )
    team: Name | None = setting(
        "Team she belongs to; supervisors may be limited to some (docs/access.md).", default=None
    )
    auto_login: bool = setting("Log in when the phone registers.", default=False)

    def value(self) -> Agent:
        """The agent as routing sees her, logged out."""
        return Agent(self.name, self.queues, auto_login=self.auto_login)


@settings
class UserSettings(Account):
    """Somebody who may call and is never offered calls: a customer, a supervisor."""


@settings
class People:
    agents: Mapping[Name, AgentSettings] = setting("Who answers calls, by name.", default={})
    users: Mapping[Name, UserSettings] = setting("Who else has a phone here, by name.", default={})
