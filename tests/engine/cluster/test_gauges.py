"""What a node counts of the cluster."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from engine.cluster.gauges import ClusterGauges
from tests.engine.cluster.clusters import Clusters


def test_nodes_are_counted_by_state_and_the_store_by_what_it_dropped():
    clusters = Clusters("eu1", "us1", "asia1")
    clusters["us1"].draining = True
    clusters.beat(0.5)
    cluster, registry = clusters["eu1"].cluster, CollectorRegistry()
    registry.register(ClusterGauges(cluster, clusters.clock))
    cluster.sent_on = 7
    said = generate_latest(registry).decode()
    assert 'isogloss_nodes{state="up"} 2.0' in said
    assert 'isogloss_nodes{state="draining"} 1.0' in said
    assert "isogloss_calls_sent_on_total 7.0" in said
    assert "isogloss_store_up 1.0" in said
    cluster.store.cut(0.6)
    cluster.store.ask("GET", "k", now=0.6)
    said = generate_latest(registry).decode()
    assert "isogloss_store_up 0.0" in said
    assert "isogloss_store_dropped_commands_total 1.0" in said
