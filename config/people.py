"""agents.yaml as values: the SIP accounts of the node, agents and others."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from config.setting import Language, Name, SecretField, Text, setting, settings
from routing.agent import Agent


class Role(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    SUPERVISOR = "supervisor"


@settings
class Account:
    """A SIP account of this node; what agents and other users have in common."""

    name: Name = setting("The account's name: its SIP user.", derived=True)
    display: Text = setting("Name shown to people.", default="")
    password: SecretField = setting("SIP password: {env: NAME} or {file: PATH}.")


@settings
class AgentSettings(Account):
    queues: tuple[Name, ...] = setting("Queues whose calls the agent takes.", default=())
    languages: tuple[Language, ...] = setting("Languages the agent speaks, best first.", default=())
    skills: tuple[Name, ...] = setting("What else the agent is good at.", default=())
    auto_login: bool = setting("Log in when the phone registers.", default=False)

    @property
    def role(self) -> Role:
        return Role.AGENT

    def value(self) -> Agent:
        """The agent as routing sees her, logged out."""
        return Agent(
            self.name, self.queues, auto_login=self.auto_login, languages=self.languages, skills=self.skills
        )


@settings
class UserSettings(Account):
    role: Literal[Role.CUSTOMER, Role.SUPERVISOR] = setting(
        "`customer` or `supervisor`.", default=Role.CUSTOMER
    )


@settings
class People:
    agents: Mapping[Name, AgentSettings] = setting("Who answers calls, by name.", default={})
    users: Mapping[Name, UserSettings] = setting("Who else has a phone here, by name.", default={})
