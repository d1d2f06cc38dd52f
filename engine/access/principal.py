"""Who asks: a person at the console, a program with a token, or the command line; and what of a node is for
them to see.

A principal is limited to markets and teams, or to none of them, which is all. What it sees of calls, queues
and agents follows from where those belong, which the configuration says: a queue and a line have a market, an
agent has a team. What belongs to no market is seen by those alone who see all of them; and so with teams.
Lines have no team.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.access.role import WHOLE, Permission, Role


class How(StrEnum):
    """How somebody showed who they are."""

    PASSWORD = "password"
    OIDC = "oidc"
    TOKEN = "token"  # of the store, made by a user
    CONFIGURED = "configured"  # a token of api.yaml
    COMMAND = "command"  # on the node's own machine, as its user
    PHONE = "phone"  # registered as an account of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """who: a user's name, or that of a configured token. via: the name of a user's token. markets, teams:
    empty for all. role: None for configured tokens, which have permissions of their own. expires_at: epoch
    seconds, of the session or the token; None for never.
    """

    who: str
    permissions: frozenset[Permission]
    how: How
    role: Role | None = None
    markets: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    via: str = ""
    expires_at: float | None = None

    @property
    def limited(self) -> bool:
        return bool(self.markets or self.teams)

    @property
    def key(self) -> str:
        """One text for one principal."""
        return f"{self.how} {self.who} {self.via}"

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions and not (self.limited and permission in WHOLE)

    def sees_market(self, market: str) -> bool:
        return not self.markets or market in self.markets

    def sees_team(self, team: str) -> bool:
        return not self.teams or team in self.teams


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent belongs."""

    team: str = ""
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """Where things belong: agents by name, and the markets of queues and lines."""

    agents: Mapping[str, Place] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reach:
    """What of a node is somebody's to see. None: all there are. A call of an agent is seen with the agent,
    one that waits with its queue.
    """

    markets: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    agents_of_calls: frozenset[str] | None = None
    queues: frozenset[str] | None = None
    queues_of_calls: frozenset[str] | None = None
    lines: frozenset[str] | None = None

    def sees_call(self, market: str, queue: str, agent: str) -> bool:
        if self.markets is not None and market not in self.markets:
            return False
        if self.agents_of_calls is None or self.queues_of_calls is None:
            return True
        return agent in self.agents_of_calls if agent else queue in self.queues_of_calls

    def sees_queue(self, name: str) -> bool:
        return self.queues is None or name in self.queues

    def sees_agent(self, name: str) -> bool:
        return self.agents is None or name in self.agents

    def sees_line(self, name: str) -> bool:
        return self.lines is None or name in self.lines


EVERYTHING = Reach()


def reach(principal: Principal, directory: Directory) -> Reach:
    """What of these is the principal's to see."""
    if not principal.limited:
        return EVERYTHING
    crew = {name for name, place in directory.agents.items() if principal.sees_team(place.team)}
    served = {queue for name in crew for queue in directory.agents[name].queues}
    marketed = {name for name, market in directory.queues.items() if principal.sees_market(market)}
    queues = frozenset(marketed & served if principal.teams else marketed)
    agents = {name for name in crew if not principal.markets or marketed & set(directory.agents[name].queues)}
    lines = {name for name, market in directory.lines.items() if principal.sees_market(market)}
    return Reach(
        markets=principal.markets or None,
        agents=frozenset(agents),
        agents_of_calls=frozenset(crew) if principal.teams else None,
        queues=queues,
        queues_of_calls=frozenset(served) if principal.teams else None,
        lines=frozenset(lines) if principal.markets else None,
    )
