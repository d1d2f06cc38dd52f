"""What is shipped for Prometheus and Grafana names metrics that there are, and every metric is documented."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml
from prometheus_client.core import Metric

from config.load import SHIPPED, load
from engine.bounds import MOST_PLACES, OTHER
from engine.cluster.gauges import ClusterGauges
from engine.events import CallRecord, EndReason
from engine.gauges import Checks, Places, Told
from engine.hooks.courier import Courier
from engine.hooks.post import Post
from engine.line_events import LineUsed
from engine.live.feed import Feed
from engine.live.hub import Hub
from engine.live.source import Belonging, Source
from engine.live.tree import Tree
from engine.metrics import Metrics
from engine.speech.meters import Meters
from engine.store import database
from engine.store.outbox import Outbox
from engine.upkeep import Upkeep
from tests.engine.api_node import Node
from tests.engine.cluster.clusters import alone
from tests.engine.store_samples import T0, record
from tests.engine.test_line_sums import used
from tests.project.tree import ROOT

ALERTS = ROOT / "deploy/prometheus/alerts.yml"
BOARD = ROOT / "deploy/grafana/isogloss.json"
PAGE = ROOT / "docs/metrics.md"
NAME = re.compile(r"\bisogloss_[a-z0-9_]+\b")
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}


@pytest.fixture
def metrics(tmp_path: Path) -> Metrics:
    """All that a node has, as engine/app.py puts it together."""
    node = Node()
    config = load(SHIPPED, {})
    source = Source(node, Belonging, lambda: T0)
    feed = Feed(Hub(Tree(), "e0"), source, lambda: 0.0, lambda wait, what: no_alarm)
    outbox = Outbox(database.connect(f"sqlite:///{tmp_path}/x.db"), "n1")
    courier = Courier(outbox, Post(), dict, lambda: T0, Random(1))
    upkeep = Upkeep(lambda: config, lambda: T0)
    told = Told(feed, courier, lambda: T0), Checks(node.health), upkeep
    made = Metrics(node, ClusterGauges(alone(), lambda: 0.0), *told)
    Places(made.registry, lambda: config)
    Meters(made.registry, lambda: config)
    return made


class NoAlarm:
    def cancel(self) -> None:
        """There is none."""


no_alarm = NoAlarm()


def families(metrics: Metrics) -> Iterator[Metric]:
    yield from metrics.registry.collect()


def series(metrics: Metrics) -> set[str]:
    """Every name that may stand in an expression."""
    return {
        family.name + suffix for family in families(metrics) for suffix in SUFFIXES.get(family.type, ("",))
    }


def expressions() -> Iterator[str]:
    for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads(BOARD.read_text("utf-8"))
    yield from (each["query"] for each in board["templating"]["list"] if each["type"] == "query")
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_whatever_a_rule_or_a_panel_asks_for_is_there(metrics: Metrics) -> None:
    known = series(metrics)
    for expression in expressions():
        named = NAME.findall(expression)
        assert set(named) <= known, expression
        assert named or 'up{job="isogloss"}' in expression
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), expression


def test_every_rule_says_how_bad_it_is_and_what_it_is_and_what_to_do() -> None:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    names = [rule["alert"] for group in groups for rule in group["rules"]]
    assert len(names) == len(set(names)) > 20
    for group in groups:
        for rule in group["rules"]:
            told = rule["annotations"]
            assert rule["labels"]["severity"] in ("warn", "page") and told["summary"] != told["description"]


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool (Debian's prometheus) is not installed"
)
def test_prometheus_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(ALERTS)], check=True, timeout=30)


def test_every_metric_is_documented_by_name_kind_and_words_and_no_other_is(metrics: Metrics) -> None:
    rows = {}
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0].startswith("`isogloss_"):
            rows[cells[0].strip("`")] = (cells[1], cells[2])
    wanted = {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, family.documentation)
        for family in families(metrics)
    }
    assert rows == wanted


def test_what_nobody_configured_is_counted_as_other(metrics: Metrics) -> None:
    registry = Metrics().registry
    config = load(SHIPPED, {})
    places = Places(registry, lambda: config)
    here = {"market": config.node.market, "region": config.node.region, "language": config.node.language}
    found: list[CallRecord | LineUsed] = [record(**here), record(**here | {"market": "made-up"})]
    found += [record(**here, connected_at=None, reason=EndReason.ABANDONED), used(line="carrier", pdd_s=1.5)]
    found += [used(line="of nobody"), used(line="carrier", dropped=True, mos=4.25, loss=0.01, jitter_ms=12.0)]
    for item in found:
        places.notice(item)
    seen = {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name in ("isogloss_place_calls_total", "isogloss_line_uses_total")
        or (sample.name.startswith("isogloss_line_") and sample.name.endswith("_sum"))
    }
    place = (here["market"], here["region"], here["language"])
    assert seen["isogloss_place_calls_total", *place, "answered"] == 1
    assert seen["isogloss_place_calls_total", *place, "abandoned"] == 1
    assert seen["isogloss_place_calls_total", OTHER, *place[1:], "answered"] == 1
    assert seen["isogloss_line_uses_total", "carrier", "dropped"] == 1
    assert seen["isogloss_line_uses_total", OTHER, "answered"] == 1
    assert seen["isogloss_line_pdd_seconds_sum", "carrier"] == 1.5
    sound = [seen[f"isogloss_line_{name}_sum", "carrier"] for name in ("mos", "loss_ratio", "jitter_seconds")]
    assert sound == [4.25, 0.01, 0.012]
    assert MOST_PLACES <= 1000
