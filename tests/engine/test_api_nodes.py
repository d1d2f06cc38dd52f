"""Nodes at the API: which there are, which is near, draining, and pages that measure the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api.app import create_app
from engine.api.settings import Callers
from engine.cluster.sight import ClusterSight
from engine.whip import Refused
from tests.engine.api_node import SETTINGS, WRITE, Node
from tests.engine.cluster.clusters import Clusters
from tests.engine.test_api import Client, refused
from tests.engine.test_api_callers import KEY, SDP, Desk, made

OWN = "https://eu1.example.com"
OTHER = "https://us1.example.com"
CALLERS = Callers(keys={"k1": KEY}, key="k1", per_source_min=50, per_token_min=20)


class Two:
    """A node eu1 whose API is asked, and us1 beside it."""

    def __init__(self) -> None:
        self.clusters = Clusters("eu1", "us1")
        self.desk = Desk()
        node = Node()
        node.cluster = ClusterSight(self.clusters["eu1"].cluster, self.clusters.clock, self.drain)
        self.ask = Client(create_app(node, replace(SETTINGS, callers=CALLERS), self.desk))

    def drain(self, draining: bool) -> None:
        self.clusters["eu1"].draining = draining
        self.clusters.beat(self.clusters.now)


@pytest.fixture
def two() -> Two:
    return Two()


def test_nodes_are_listed_with_why(two: Two) -> None:
    told = two.ask("GET", "/v1/nodes").json()
    assert [(node["name"], node["state"], node["here"]) for node in told["nodes"]] == [
        ("eu1", "up", True),
        ("us1", "up", False),
    ]
    assert told["nodes"][1]["why"] == "200 ms assumed, load 0%, 200 ms against it"
    assert told["store"] is True
    (eu,) = two.ask("GET", f"/v1/nodes?region={told['nodes'][0]['region']}").json()["nodes"]
    assert eu == told["nodes"][0]
    assert two.ask("GET", "/v1/nodes?state=draining").json()["nodes"] == []
    refused(two.ask("GET", "/v1/nodes?state=asleep"), 422, "invalid-request")


def test_whoever_sends_calls_may_ask_which_node_is_near(two: Two) -> None:
    told = two.ask("GET", "/v1/near", params={"region": "us", "kind": "sip"}).json()
    assert [node["name"] for node in told["order"]] == ["us1", "eu1"]
    assert told["order"][0]["contact"] == "sip:us1.example.com:5060;transport=udp"
    refused(two.ask("GET", "/v1/near", params={"kind": "fax"}), 422, "invalid-request")
    refused(two.ask("GET", "/v1/near", token=None), 401, "unauthorized")


def test_draining_begins_and_ends_by_the_hand_of_an_operator(two: Two) -> None:
    refused(two.ask("POST", "/v1/node/drain"), 403, "forbidden")
    assert two.ask("POST", "/v1/node/drain", WRITE).json() == {"draining": True, "calls": 2}
    assert two.ask("GET", "/v1/nodes").json()["nodes"][0]["state"] == "draining"
    assert two.ask("DELETE", "/v1/node/drain", WRITE).json()["draining"] is False
    assert two.ask("GET", "/v1/nodes").json()["nodes"][0]["state"] == "up"


def test_the_echo_is_small_kept_by_nobody_and_read_by_pages_of_other_nodes_alone(two: Two) -> None:
    answer = two.ask("GET", "/near", token=None, headers={"Origin": OTHER})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["access-control-allow-origin"] == OTHER
    stranger = two.ask("GET", "/near", token=None, headers={"Origin": "https://evil.example.com"})
    refused(stranger, 403, "foreign-origin")
    assert "access-control-allow-origin" not in stranger.headers


def test_a_page_may_tell_what_it_measured_and_hears_where_to_call(two: Two) -> None:
    asked = two.ask("OPTIONS", "/near", token=None, headers={"Origin": OTHER})
    assert "POST" in asked.headers["access-control-allow-methods"]
    told = two.ask("POST", "/near", made(), json={"ms": {"eu1": 90.5, "us1": 20.25}}).json()
    assert told["node"] == "us1"
    assert told["url"] == f"{OTHER}/whip/support"
    assert told["origin"] == OTHER


def test_of_nodes_that_can_all_take_nothing_the_page_stays_where_it_is(two: Two) -> None:
    two.clusters["us1"].draining = True
    two.drain(True)
    told = two.ask("POST", "/near", made(), json={"ms": {}}).json()
    assert (told["node"], told["url"]) == ("", "/whip/support")
    assert "eu1: draining" in told["why"]


@pytest.mark.parametrize(
    "body",
    [{}, {"ms": {"us1": -1}}, {"ms": {"US 1": 1}}, {"ms": {"us1": 1e9}}, {"x": 1},
     {"ms": {f"n{at}": 1.0 for at in range(17)}}],
)  # fmt: skip
def test_what_is_no_measurement_is_refused(two: Two, body: object) -> None:
    refused(two.ask("POST", "/near", made(), json=body), 422, "invalid-request")


def test_only_holders_of_a_callers_token_are_told_where_to_call(two: Two) -> None:
    refused(two.ask("POST", "/near", None, json={"ms": {}}), 401, "unauthorized")
    refused(two.ask("POST", "/near", WRITE, json={"ms": {}}), 401, "unauthorized")


def test_a_page_is_told_what_to_measure_with_its_terms_and_with_its_token(two: Two) -> None:
    both = [{"node": "eu1", "origin": OWN}, {"node": "us1", "origin": OTHER}]
    assert two.ask("GET", "/call-terms", token=None).json()["nodes"] == both
    wish = {"destination": "support"}
    assert two.ask("POST", "/call-token", token=None, json=wish).json()["nodes"] == both


def test_pages_may_reach_the_other_nodes_and_nothing_else(two: Two) -> None:
    policy = two.ask("GET", "/call", token=None).headers["content-security-policy"]
    connect = next(part for part in policy.split(";") if "connect-src" in part)
    assert {OWN, OTHER, "wss://us1.example.com", "wss://eu1.example.com"} <= set(connect.split())
    assert "*" not in connect


def test_callers_of_a_node_that_stops_are_sent_to_another_without_that_being_configured(two: Two) -> None:
    two.desk.outcome = Refused(503, "draining", "this node stops", 5)
    answer = two.ask("POST", "/whip/support", made(), content="v=0", headers=SDP)
    assert refused(answer, 503, "draining")["next"] == f"{OTHER}/whip/support"


def test_a_page_of_another_node_may_call_here(two: Two) -> None:
    answer = two.ask("POST", "/whip/support", made(), content="v=0", headers={**SDP, "Origin": OTHER})
    assert answer.status_code == 201
    assert answer.headers["link"].endswith(f'<{OTHER}/whip/support>; rel="next"')
