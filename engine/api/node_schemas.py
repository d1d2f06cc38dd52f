"""Bodies about nodes: which there are, and which one a call is nearest to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.api.plain import Plain, example
from engine.cluster.sight import NodeView

SIP = "sip:203.0.113.10:5060;transport=udp"
WHY = "23 ms measured, load 12%, 24 ms against it"
NODE = {
    "name": "eu-1",
    "region": "eu-west",
    "state": "up",
    "here": False,
    "calls": 60,
    "capacity": 500,
    "load": 0.12,
    "well": True,
    "rtt_ms": 21.4,
    "sip": [SIP],
    "origin": "https://eu-1.example.com",
    "why": WHY,
}
NEAR = {
    "name": "eu-1",
    "region": "eu-west",
    "contact": SIP,
    "origin": "https://eu-1.example.com",
    "why": WHY,
}
NAME = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]


State = Literal["up", "draining", "gone"]


class ClusterNode(BaseModel):
    """A node of the cluster, as the one that is asked knows it."""

    model_config = example(**NODE)

    name: str
    region: str
    state: State = Field(
        description="`draining` takes no new calls; of one that is `gone` nothing is heard any more."
    )
    here: bool = Field(description="Whether it is the node that is asked.")
    calls: int = Field(ge=0, description="In progress.")
    capacity: int = Field(ge=0, description="Calls at once at most.")
    load: float = Field(ge=0)
    well: bool = Field(description="Whether its parts all work.")
    rtt_ms: float | None = Field(
        description="Round trip from the node that is asked; null before it is known."
    )
    sip: list[str] = Field(description="Where lines and phones reach it.")
    origin: str = Field(description="Where browsers reach it; empty: nowhere.")
    why: str = Field(description="What speaks for and against it, for a call in the region of the one asked.")


class Cluster(BaseModel):
    """All nodes, by name."""

    model_config = example(nodes=[NODE], store=True, registered=True)

    nodes: list[ClusterNode]
    store: bool = Field(description="Whether the Redis that nodes share can be reached.")
    registered: bool = Field(description="Whether the node that is asked is registered there now.")


class NodesQuery(BaseModel):
    """Which nodes are told."""

    model_config = ConfigDict(extra="forbid")

    region: Plain | None = Field(default=None, description="Only nodes of this region.")
    state: State | None = Field(default=None, description="Only nodes in this state.")

    def wants(self, node: NodeView) -> bool:
        return self.region in (None, node.region) and self.state in (None, node.state)


class NearNode(BaseModel):
    """A node that a call may go to."""

    model_config = example(**NEAR)

    name: str
    region: str
    contact: str = Field(description="Where SIP reaches it; empty: nowhere.")
    origin: str
    why: str


class Near(BaseModel):
    """Nodes for a call, nearest first."""

    model_config = example(order=[NEAR], others=["us-1: draining"], why="eu-1 has least load, of equals")

    order: list[NearNode] = Field(description="Empty where none can take it.")
    others: list[str] = Field(description="Why the other nodes are not among them.")
    why: str = Field(description="How the first came to be that, where it was not by delay alone.")


class NearQuery(BaseModel):
    """Whose call it is; what is left out is not known."""

    model_config = ConfigDict(extra="forbid")

    source: Plain = Field(default="", description="IP address that the caller has.")
    line: Plain = Field(default="", description="Line that she calls over.")
    number: Plain = Field(default="", description="Her number, with +.")
    region: Plain = Field(default="", description="Where she is, in the words of node.yaml.")
    market: Plain = Field(default="", description="Market of the call; the node's when left out.")
    kind: Literal["", "sip", "web"] = Field(default="", description="How the call comes.")


class Draining(BaseModel):
    """Whether the node takes new calls."""

    model_config = example(draining=True, calls=17)

    draining: bool
    calls: int = Field(ge=0, description="In progress; they go on.")


class NodeToMeasure(BaseModel):
    """A node whose way a page measures, by `GET /near` of its origin."""

    model_config = example(node="eu-1", origin="https://eu-1.example.com")

    node: str
    origin: str


class MeasuredWays(BaseModel):
    """What a page has measured."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ms": {"eu-1": 23.4}}]})

    ms: dict[Name, Annotated[float, Field(gt=0, lt=10_000)]] = Field(
        max_length=16, description="Round trips to nodes by name, in milliseconds."
    )


class NearestNode(BaseModel):
    """Where to call."""

    model_config = example(
        node="eu-1", origin="https://eu-1.example.com", url="https://eu-1.example.com/whip/support", why=WHY
    )

    node: str = Field(description="Its name; empty where none can take the call now.")
    origin: str = Field(description="Empty: where this was asked.")
    url: str = Field(description="Where to POST the offer.")
    why: str
