"""What a node counts for Prometheus."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.acd import Acd
from engine.bounds import MOST_PLACES, OTHER
from engine.events import AgentChanged, CallHeld, CallOffered, EndReason, OfferMissed, Side, WorkerLost
from engine.metrics import Metrics
from engine.places import SERVICE_S
from engine.speech_events import MoodTurned
from engine.timers import Timers
from media.messages import LegStats
from routing.agent import Agent, AgentEvent, AgentState, Offer
from routing.queue import QueueSpec
from tests.engine.api_node import Node
from tests.engine.store_samples import T0, arrived, ended, record

LABELS = set("le queue reason state side market outcome attended by direction kind worker how".split())


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Node())


def read(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels."""
    return {
        sample.name
        + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_calls_are_counted_by_why_they_ended_and_where(metrics: Metrics) -> None:
    for _ in range(2):
        metrics.observe_record(record())
    metrics.observe_record(record(reason=EndReason.ABANDONED, queue="sales"))
    seen = read(metrics)
    assert seen["isogloss_calls_total market=de queue=support reason=completed"] == 2
    assert seen["isogloss_calls_total market=de queue=sales reason=abandoned"] == 1


def test_waits_are_told_apart_by_what_became_of_them(metrics: Metrics) -> None:
    """The speed of answer is of who was answered, and a service level adds up over nodes."""
    metrics.notice(record(wait_s=12.0))
    metrics.notice(record(wait_s=30.0))
    metrics.notice(record(wait_s=90.0, connected_at=None, reason=EndReason.ABANDONED))
    metrics.notice(record(wait_s=5.0, connected_at=None, reason=EndReason.FAULT))
    seen = read(metrics)

    def waits(outcome: str) -> tuple[float, float]:
        place = f"market=de outcome={outcome} queue=support"
        return (
            seen[f"isogloss_call_wait_seconds_sum {place}"],
            seen[f"isogloss_call_wait_seconds_count {place}"],
        )

    assert (waits("answered"), waits("abandoned"), waits("failed")) == ((42.0, 2), (90.0, 1), (5.0, 1))
    in_time = f"isogloss_call_wait_seconds_bucket le={SERVICE_S} market=de outcome=answered queue=support"
    assert seen[in_time] == 1


def test_events_are_counted_by_what_they_say(metrics: Metrics) -> None:
    metrics.notice(arrived())
    metrics.notice(CallOffered(at=T0, call="c1", queue="support", agent="alice", why=""))
    metrics.notice(OfferMissed(at=T0, call="c1", agent="alice", outcome="no_answer"))
    metrics.notice(CallHeld(at=T0, call="c1", by=Side.AGENT))
    metrics.notice(AgentChanged(at=T0, agent="alice", state="paused", reason=""))
    metrics.notice(WorkerLost(at=T0, worker=0, calls=3))
    seen = read(metrics)
    assert seen["isogloss_calls_arrived_total market=de"] == 1
    assert seen["isogloss_offers_total queue=support"] == 1
    assert seen["isogloss_offers_missed_total outcome=no_answer"] == 1
    assert seen["isogloss_holds_total by=agent"] == 1
    assert seen["isogloss_agent_changes_total state=paused"] == 1
    assert seen["isogloss_workers_lost_total"] == 1


def test_an_event_that_nothing_counts_is_passed_over(metrics: Metrics) -> None:
    before = read(metrics)
    metrics.observe(ended())
    after = read(metrics)
    assert {name for name in before if "_created" not in name} == {
        name for name in after if "_created" not in name
    }


def test_how_a_call_sounded_is_kept_by_side_in_base_units(metrics: Metrics) -> None:
    metrics.notice(record(customer_loss=0.01, customer_jitter_ms=15.0, customer_mos=4.25))
    seen = read(metrics)
    place = "market=de queue=support side=customer"
    assert seen[f"isogloss_leg_loss_ratio_sum {place}"] == 0.01
    assert seen[f"isogloss_leg_jitter_seconds_sum {place}"] == 0.015
    assert seen[f"isogloss_leg_mos_bucket le=4.2 {place}"] == 0
    assert seen[f"isogloss_leg_mos_bucket le=4.3 {place}"] == 1


def test_what_play_out_did_is_counted_by_side_when_a_leg_closes(metrics: Metrics) -> None:
    for _ in range(2):
        stats = LegStats(1, concealed_ms=1500, accelerated_ms=40, expanded_ms=60, resets=1, late=7, failed=3)
        metrics.observe_leg(Side.CUSTOMER, stats)
    seen = read(metrics)
    told = {
        name: seen[f"isogloss_leg_{name}_total side=customer"]
        for name in ("concealed_seconds", "accelerated_seconds", "playout_resets", "late_packets")
    }
    assert told == {
        "concealed_seconds": 3.0,
        "accelerated_seconds": 0.08,
        "playout_resets": 2,
        "late_packets": 14,
    }
    assert seen["isogloss_leg_expanded_seconds_total side=customer"] == 0.12
    assert seen["isogloss_leg_failed_packets_total side=customer"] == 6
    assert seen["isogloss_leg_concealed_seconds_total side=agent"] == 0


def test_what_was_not_measured_is_not_counted(metrics: Metrics) -> None:
    metrics.notice(
        record(
            queue="",
            connected_at=None,
            post_dial_delay_s=None,
            agent_loss=None,
            agent_jitter_ms=None,
            agent_mos=None,
        )
    )
    seen = read(metrics)
    assert seen["isogloss_leg_loss_ratio_count market=de queue= side=agent"] == 0
    assert seen["isogloss_post_dial_delay_seconds_count market=de"] == 0
    assert not [name for name in seen if name.startswith("isogloss_call_wait_seconds_count")]
    assert seen["isogloss_call_talk_seconds_count market=de queue="] == 0
    assert seen["isogloss_calls_total market=de queue= reason=completed"] == 1


def test_a_market_that_nobody_configured_is_counted_as_other() -> None:
    metrics = Metrics(market=lambda name: name if name == "de" else OTHER)
    for market in ("de", "made up", "made up as well"):
        metrics.notice(record(market=market))
    metrics.notice(replace(arrived(), market="made up"))
    seen = read(metrics)
    assert seen["isogloss_calls_total market=other queue=support reason=completed"] == 2
    assert seen["isogloss_calls_arrived_total market=other"] == 1
    assert not [name for name in seen if "made up" in name]


def test_markets_by_queues_have_an_end() -> None:
    metrics = Metrics()
    for place in range(MOST_PLACES + 10):
        metrics.notice(record(market=f"m{place}"))
    seen = read(metrics)
    assert seen[f"isogloss_calls_total market={OTHER} queue={OTHER} reason=completed"] == 10


def test_wrap_up_is_counted_by_queue_as_it_ends(metrics: Metrics) -> None:
    """Talk, hold and wrap-up are what a call takes (AHT)."""
    wrapping = Agent("alice", state=AgentState.WRAP_UP, offer=Offer("c1", "support"))
    metrics.observe_stretch(wrapping, 12.0)
    metrics.observe_stretch(replace(wrapping, offer=None), 5.0)  # no queue offered her that call
    metrics.observe_stretch(replace(wrapping, state=AgentState.PAUSED, offer=None), 600.0)
    seen = read(metrics)
    assert seen["isogloss_call_wrap_up_seconds_sum queue=support"] == 12.0
    assert seen["isogloss_call_wrap_up_seconds_sum queue="] == 5.0


def test_the_acd_tells_of_each_wrap_up_by_the_queue_that_offered_the_call(metrics: Metrics) -> None:
    alice = Agent("alice", ("support",), auto_login=True)
    timers = Timers()
    acd = Acd([QueueSpec("support", wrap_up_s=8.0)], [alice], timers, lambda event: None, lambda now: now)
    acd.stretched = metrics.observe_stretch
    acd.agent_event("alice", AgentEvent.REGISTERED, 0.0)
    acd.enqueue("support", "c1", 1.0)
    assert [choice.agent for choice in acd.assign(1.0)] == ["alice"]
    acd.accepted("alice", "c1", 3.0)
    acd.release("alice", "c1", 40.0)
    timers.run(48.0)
    assert acd.agents["alice"].free
    assert read(metrics)["isogloss_call_wrap_up_seconds_sum queue=support"] == 8.0


def test_a_call_counts_how_its_customer_felt_at_the_end(metrics: Metrics) -> None:
    """Moods are between 0 and 1 here: what counts up may not fall."""
    turned = MoodTurned(at=T0, call="r1", side="customer", level="upset", score=-0.8, worse=True)
    metrics.notice(turned)
    metrics.notice(replace(turned, level="fine", score=0.5))
    metrics.notice(replace(turned, side="agent", score=-1.0))
    metrics.notice(replace(turned, call="r2", score=-1.0))
    metrics.notice(record("r1"))
    metrics.notice(record("r3"))
    seen = read(metrics)
    assert seen["isogloss_call_mood_ratio_sum market=de queue=support"] == 0.75
    assert seen["isogloss_call_mood_ratio_count market=de queue=support"] == 1


def test_gauges_are_what_is_true_at_the_scrape(metrics: Metrics) -> None:
    seen = read(metrics)
    assert seen["isogloss_calls_active state=talking"] == 1
    assert seen["isogloss_calls_active state=held"] == 0
    assert seen["isogloss_queue_waiting market=de queue=support"] == 1
    assert seen["isogloss_agents state=available"] == 1
    assert seen["isogloss_agents state=paused"] == 0
    assert seen["isogloss_legs_active"] == 3
    assert seen["isogloss_worker_load_ratio worker=0"] == 0.25
    assert seen["isogloss_journal_lag_seconds"] == 0.01


def test_a_queue_without_calls_has_no_service_level(metrics: Metrics) -> None:
    assert "isogloss_queue_service_level_ratio market=us queue=sales" not in read(metrics)


def test_methods_that_strangers_invent_are_one_series(metrics: Metrics) -> None:
    seen = read(metrics)
    assert seen["isogloss_sip_messages_total direction=in kind=INVITE"] == 4
    assert seen["isogloss_sip_messages_total direction=in kind=other"] == 3


def test_two_nodes_in_one_process_share_no_number() -> None:
    first, second = Metrics(Node()), Metrics(Node())
    first.notice(arrived())
    assert "isogloss_calls_arrived_total market=de" not in read(second)


def test_every_metric_follows_the_naming_convention_and_says_what_it_is(metrics: Metrics) -> None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        assert re.fullmatch(r"isogloss_[a-z]+(_[a-z]+)*", family.name)
        assert not re.search(r"_(ms|milliseconds|percent|minutes)$", family.name)
        assert family.documentation.endswith(".")
        assert {name for sample in family.samples for name in sample.labels} <= LABELS


def test_a_queue_named_with_quotes_and_newlines_breaks_nothing() -> None:
    metrics = Metrics()
    metrics.notice(record(queue='a"b\\c\nd'))
    assert read(metrics)['isogloss_calls_total market=de queue=a"b\\c\nd reason=completed'] == 1
