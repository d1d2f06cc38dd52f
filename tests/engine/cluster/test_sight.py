"""What a node says of the others, and where it sends callers."""

from __future__ import annotations

import pytest

from config.cluster import NearSettings, ResidencySettings
from engine.cluster.sight import ClusterSight, NearAsk
from engine.cluster.source import network_of
from engine.views import Health
from tests.engine.cluster.clusters import Clusters, alone

CAFE = "203.0.113.9"


@pytest.fixture
def clusters() -> Clusters:
    return Clusters("eu1", "us1", "us2", "asia1")


@pytest.fixture
def sight(clusters: Clusters) -> ClusterSight:
    return sight_of(clusters, "eu1")


def sight_of(clusters: Clusters, name: str) -> ClusterSight:
    def drain(draining: bool) -> None:
        clusters[name].draining = draining
        clusters[name].cluster.beat(clusters.now)

    return ClusterSight(clusters[name].cluster, clusters.clock, drain)


def states(sight: ClusterSight) -> dict[str, str]:
    return {node.name: node.state for node in sight.nodes().nodes}


def test_nodes_are_listed_with_their_load_and_what_speaks_against_them(clusters, sight):
    clusters["us1"].calls = 250
    clusters.beat(0.5)
    view = sight.nodes()
    eu1, us1 = (next(node for node in view.nodes if node.name == name) for name in ("eu1", "us1"))
    assert (eu1.here, eu1.rtt_ms, us1.here, us1.load) == (True, 0.0, False, 0.5)
    assert us1.why == "200 ms assumed, load 50%, 210 ms against it"
    assert view.store and view.registered


def test_a_node_that_drains_is_sent_nothing_by_any_other(clusters, sight):
    sight.drain(True, "console")
    clusters.beat(0.5)
    other = sight_of(clusters, "us1")
    assert states(other) == {"eu1": "draining", "us1": "up", "us2": "up", "asia1": "up"}
    near = other.near(NearAsk(region="eu"))
    assert "eu1" not in [node.name for node in near.order]
    assert near.others == ("eu1: draining",)
    sight.drain(False, "console")
    clusters.beat(1.0)
    assert other.near(NearAsk(region="eu")).order[0].name == "eu1"


def test_a_node_that_dies_is_told_of_as_gone_and_is_sent_nothing(clusters, sight):
    del clusters.nodes["us1"]
    for now in (0.5, 1.0, 1.5, 2.0):
        clusters.beat(now)
        clusters["eu1"].cluster.membership.tick(now)
    assert states(sight)["us1"] == "gone"
    assert sight.near(NearAsk(region="us")).order[0].name == "us2"
    assert "https://us1.example.com" not in sight.onward()
    assert "https://us1.example.com" in sight.origins(), "pages that it served are still open"


def test_what_a_page_measured_decides_and_its_neighbours_profit(sight):
    told = sight.reported(CAFE, "", {"eu1": 180.0, "us1": 25.0, "asia1": 200.0, "unknown": 1.0})
    assert told.order[0].name == "us1"
    assert told.order[0].why == "25 ms measured, load 0%, 25 ms against it"
    assert sight.near(NearAsk(source="203.0.113.77")).order[0].name == "us1", "of the same network"
    assert sight.near(NearAsk(source="203.0.114.1")).order[0].name == "eu1", "of another: nothing is known"


def test_a_network_whose_measurements_are_old_is_still_known_to_be_in_its_region(clusters, sight):
    sight.reported(CAFE, "", {"eu1": 180.0, "us1": 25.0})
    clusters.beat(5000.0)
    near = sight.near(NearAsk(source=CAFE))
    assert near.order[0].region == "us"
    assert "measured" not in near.order[0].why


def test_nonsense_that_a_page_tells_changes_nothing(sight):
    nonsense = {"us1": -5.0, "us2": 0.0, "asia1": 99_999.0}
    assert sight.reported(CAFE, "", nonsense).order[0].name == "eu1"
    assert sight.reported("no address", "", {"us1": 5.0}).order[0].name == "eu1"
    assert sight.reported(CAFE, "", {f"n{at}": 1.0 for at in range(5000)}).order[0].name == "eu1"


def test_callers_of_a_market_are_kept_where_its_rules_have_them():
    rules = {"gdpr": ResidencySettings(markets=("de",), regions=("eu",))}
    sight = sight_of(Clusters("eu1", "us1", residency=rules), "us1")
    assert [node.name for node in sight.near(NearAsk(region="us", market="de")).order] == ["eu1"]
    assert sight.near(NearAsk(region="us", market="fr")).order[0].name == "us1"
    assert sight.candidates(CAFE, "de") == (), "there is nothing to choose"


def test_a_caller_is_where_her_number_says_when_nothing_else_is_known():
    near = NearSettings(prefixes={"+1": "us", "+1868": "asia"})
    sight = sight_of(Clusters("eu1", "us1", "asia1", near=near), "eu1")
    for number, name in (("+12125550100", "us1"), ("+18685550100", "asia1"), ("+442071838750", "eu1")):
        assert sight.near(NearAsk(number=number)).order[0].name == name


def test_a_line_is_as_far_from_each_node_as_that_node_measured(clusters, sight):
    for name, rtt in (("eu1", 0.09), ("us1", 0.012), ("us2", 0.05)):
        clusters[name].cluster.line_answered("carrier", rtt, 0.0)
    clusters.beat(0.5)
    near = sight.near(NearAsk(line="carrier", kind="sip"))
    assert near.order[0].name == "us1"
    assert near.order[0].why.startswith("12 ms measured")


def test_a_page_is_told_of_a_node_of_each_region_first(sight):
    found = sight.candidates(CAFE, "")
    assert {node.region for node in found[:3]} == {"eu", "us", "asia"}
    assert len(found) == 4
    assert all(node.origin.startswith("https://") for node in found)


def test_one_network_tells_of_its_region_once_a_minute(clusters, sight):
    for _ in range(50):
        sight.reported(CAFE, "", {"eu1": 1.0, "us1": 1.0, "asia1": 500.0})
    for number in range(4):
        sight.reported(f"198.51.100.{number}", "", {"eu1": 1.5, "asia1": 90.0})
        sight.reported(f"192.0.{number}.1", "", {"eu1": 1.5, "asia1": 90.0})
    clusters.beat(0.5)
    near = sight.near(NearAsk(region="eu"))
    asia = next(node for node in near.order if node.name == "asia1")
    assert asia.why.startswith("90 ms as callers of its region")


def test_the_loss_of_the_store_is_a_matter_of_health_and_a_second_node_of_the_name_a_grave_one(
    clusters, sight
):
    assert (sight.check().status, sight.check().detail) == (Health.OK, "4 nodes")
    clusters["eu1"].cluster.store.cut(0.0)
    assert sight.check().status is Health.DEGRADED
    clusters["eu1"].cluster.membership.usurped = True
    assert sight.check().status is Health.FAILING


def test_a_node_that_is_alone_is_the_nearest_and_has_nothing_to_measure():
    cluster = alone()
    sight = ClusterSight(cluster, lambda: 0.0, lambda draining: None)
    assert [node.name for node in sight.near(NearAsk()).order] == ["isogloss-1"]
    assert sight.candidates(CAFE, "") == ()
    assert sight.onward() == ()
    assert sight.origins() == frozenset()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "net 203.0.113.0/24"),
        ("::ffff:203.0.113.9", "net 203.0.113.0/24"),
        ("2001:db8:1:2::3", "net 2001:db8:1::/48"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_measurements_are_kept_by_networks_never_by_persons(address, network):
    assert network_of(address) == network
