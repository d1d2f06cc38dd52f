"""Reports of a fortnight's calls that nobody made: a shape of the day, four queues, seeded chance."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from random import Random

from engine.drill import TIMES, Ask, Dimension, Key, Report, Sums, reported

DAYS, HOUR_S = 14, 3600.0
QUEUES = {
    "support": ("uk", "en", 1.0),
    "sales": ("us", "en", 0.6),
    "ventas": ("es", "es", 0.5),
    "vip": ("", "", 0.1),
}


def report(ask: Ask, now: float) -> Report:
    """Of the days up to the one that `now`, epoch s, is in."""
    found = list(_cells(ask, now))
    return reported(ask, found)


def _cells(ask: Ask, now: float) -> Iterator[tuple[Key, Sums]]:
    for at, values, sums in _calls(int(now // 86_400)):
        wanted = all(values.get(each, "") == value for each, value in ask.only.items())
        if wanted and ask.since <= at < min(ask.until, now):
            yield tuple(str(at) if each in TIMES else values.get(each, "") for each in ask.by), sums


@cache
def _calls(today: int) -> tuple[tuple[float, dict[Dimension, str], Sums], ...]:
    random, made = Random(7), []
    for hour in range((today - DAYS) * 24, (today + 1) * 24):
        shape = math.exp(-(((hour % 24 - 12) / 4) ** 2))
        for queue, (market, language, share) in QUEUES.items():
            offered = round(12 * shape * share * random.uniform(0.6, 1.3))
            if offered:
                values = {
                    Dimension.QUEUE: queue, Dimension.MARKET: market, Dimension.LANGUAGE: language,
                    Dimension.REGION: "eu-west", Dimension.LINE: "carrier", Dimension.REASON: "completed",
                    Dimension.AGENT: random.choice(("alice", "bruno", "chen")), Dimension.NODE: "n1",
                }  # fmt: skip
                made.append((hour * HOUR_S, values, _sums(offered, random)))
    return tuple(made)


def _sums(offered: int, random: Random) -> Sums:
    lost = sum(random.random() < 0.06 for _ in range(offered))
    answered = offered - lost
    late = sum(random.random() < 0.2 for _ in range(answered))
    of_sides = {f"{side}_mos": 4.2 for side in ("customer", "agent")} | {"customer_loss": 0.004, "pdd_s": 0.9}
    of_sides |= {"agent_loss": 0.001, "customer_jitter_ms": 4.0, "agent_jitter_ms": 2.0}
    of_sides |= {"asr_ms": 840.0, "mt_ms": 170.0, "lag_s": 1.6, "mood": 0.1}
    means = {f"{name}_sum": value * answered for name, value in of_sides.items()}
    return {
        "offered": offered, "answered": answered, "abandoned": lost, "queued": offered, "dropped": 0.0,
        "queue_answered": answered, "queue_abandoned": lost, "in_time": answered - late,
        "wait_s": 14.0 * answered, "talk_s": 190.0 * answered, "wrap_up_s": 22.0 * answered,
        "concealed_s": 0.2 * answered, "heard_s": 380.0 * answered,
        "busy_s": 230.0 * answered, "idle_s": 120.0 * answered,
        "busy_s_once": 230.0 * answered, "idle_s_once": 120.0 * answered,
        "asr_7": answered - late, "asr_9": late, "mt_3": answered,
        **means, **{name.replace("_sum", "_n"): answered for name in means},
    }  # fmt: skip
