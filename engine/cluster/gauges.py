"""What a node counts of the cluster, for Prometheus; the names follow engine/metrics.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.cluster.cluster import Cluster
from engine.cluster.membership import Standing


class ClusterGauges(Collector):
    """Read at each scrape."""

    def __init__(self, cluster: Cluster, clock: Callable[[], float]) -> None:
        self._cluster = cluster
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Nothing, so that registering it asks nothing of a node that is still being put together."""
        return []

    def collect(self) -> Iterator[Metric]:
        cluster, now = self._cluster, self._clock()
        names = {*cluster.membership.peers, cluster.name}
        found = Counter(cluster.membership.standing(name) for name in names)
        nodes = GaugeMetricFamily("isogloss_nodes", "Nodes, by state.", labels=["state"])
        for state in Standing:
            nodes.add_metric([state.value], found[state])
        yield nodes
        ways = GaugeMetricFamily("isogloss_node_rtt_seconds", "Round trip to another node.", labels=["node"])
        for name, rtt in cluster.rtts(now).items():
            ways.add_metric([name], rtt)
        yield ways
        for name, what, true in (
            ("store_up", "Whether what nodes share can be reached.", cluster.store.up),
            ("node_registered", "Whether this node's lease runs.", cluster.membership.sure(now)),
        ):
            yield GaugeMetricFamily(f"isogloss_{name}", what, value=float(true))
        for name, what, count in (
            ("store_dropped_commands", "Commands that the store never answered.", cluster.store.dropped),
            ("calls_sent_on", "Calls that another node was nearer to (302).", cluster.sent_on),
        ):
            yield CounterMetricFamily(f"isogloss_{name}", what, value=count)
