"""Choosing a line: 200 lines of 10,000 rates each, calls to numbers all over the world, one core.

    python -m benchmarks.bench_lines [--quick] [--lines N] [--rates N]

Each choice is the whole of it: prefix, price, hours, region, health, caps, measured quality, load, weights,
with its reasons. The floor, on the same numbers and prices in the same run, is the least that routing by cost
can do: the longest prefix by a walk down the digits, and the cheapest of the lines' prices there. Nothing
else runs between the two, so that a slow or busy machine falls on both.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from time import process_time_ns

import psutil

from benchmarks.bench_calls import commit, machine
from routing.board import LineSpec
from routing.dial import Address, Terms
from routing.exchange import Exchange, Rules, destination_of
from routing.failover import Attempt, End, Heard, Outcome
from routing.health import Event
from routing.line import Choice, Demand, Weights, choose
from routing.measure import Measure
from routing.rate import Rate, Tariff
from routing.window import Window, schedule

LINES, RATES = 200, 10_000
CHOICES, QUICK_CHOICES = 8_000, 3_000
ROUND = 250  # choices of one kind before the other's turn
CODES = (
    "1",
    "7",
    "20",
    "33",
    "34",
    "39",
    "44",
    "49",
    "52",
    "55",
    "61",
    "81",
    "86",
    "91",
    "353",
    "971",
    "998",
)
NOW = 100.0
MONDAY_NOON = 1_780_315_200.0
REGIONS = ("eu-west", "eu-south", "asia", "")


@dataclass(frozen=True, slots=True)
class World:
    """What is asked for and of whom. prices: of the lines by prefix, for the floor."""

    exchange: Exchange
    numbers: Sequence[str]
    prices: dict[str, list[float]]
    kb_per_rate: float
    built_s: float


def prefixes(count: int, rng: Random) -> list[str]:
    """Of countries, and of areas in them, each once."""
    found = {f"+{code}": None for code in CODES}
    while len(found) < count:
        found[f"+{rng.choice(CODES)}{rng.randrange(10 ** rng.randint(1, 5))}"] = None
    return list(found)


def world(lines: int, rates: int, choices: int, rng: Random) -> World:
    universe = prefixes(2 * rates, rng)
    before, began = psutil.Process().memory_info().rss, process_time_ns()
    specs = {f"line{number}": _line(number, universe, rates, rng) for number in range(lines)}
    terms = {name: Terms(addresses=(Address(f"{name}.example"),)) for name in specs}
    exchange = Exchange(specs, terms, Rules(), rng)
    kb = (psutil.Process().memory_info().rss - before) / 1024 / (lines * rates)
    built = (process_time_ns() - began) / 1e9
    for line, name in enumerate(specs):
        event = rng.choices((Event.ANSWERED, Event.MISSED, Event.BROKEN), (85, 5, 10))[0]
        exchange.heard(name, terms[name].addresses[0], event, 0.0)
        for _ in range(rng.randint(0, 40)):
            exchange.board.began(name, -10.0)
        for code in CODES:
            exchange.board.measured.add(Measure.ASR, line, code, float(rng.random() < 0.6), 0.0)
            exchange.board.measured.add(Measure.MOS, line, code, rng.uniform(3.0, 4.4), 0.0)
    numbers = [f"{_called(universe, rng)}{rng.randrange(10**5):05}" for _ in range(choices)]
    prices = {prefix: [rng.uniform(0.001, 0.3) for _ in range(lines)] for prefix in universe}
    return World(exchange, numbers, prices, kb, built)


def _called(universe: Sequence[str], rng: Random) -> str:
    """Four of five calls go to the twentieth of destinations that everybody calls."""
    return rng.choice(universe[: len(universe) // 20] if rng.random() < 0.8 else universe)


def _line(number: int, universe: Sequence[str], rates: int, rng: Random) -> LineSpec:
    office = schedule([Window(frozenset(range(5)), 8 * 60, 18 * 60)], "Europe/Madrid")
    return LineSpec(
        f"line{number}",
        region=rng.choice(REGIONS),
        hours=office if number % 10 == 0 else None,
        tariff=Tariff(
            rates=tuple(Rate(each, rng.uniform(0.001, 0.3)) for each in rng.sample(universe, rates))
        ),
        priority=rng.choice([10, 10, 20]),
        weight=rng.choice([1.0, 2.0]),
        percent=10.0 if number % 50 == 0 else 0.0,
        max_calls=rng.choice([30, 60, 240]),
        max_calls_per_s=rng.choice([0, 10]),
    )


def cheapest(prices: dict[str, list[float]], number: str) -> int:
    """The floor: the longest prefix, and the cheapest line there."""
    for end in range(len(number), 0, -1):
        row = prices.get(number[:end])
        if row is not None:
            return row.index(min(row))
    return -1


def timed(what: Callable[[str], object], numbers: Sequence[str]) -> list[float]:
    """µs of CPU of each."""
    found = []
    for number in numbers:
        began = process_time_ns()
        what(number)
        found.append((process_time_ns() - began) / 1000)
    return found


def figures(found: World) -> dict[str, float]:
    rng, weights = Random(1), Weights()
    exchange, board = found.exchange, found.exchange.board
    exchange.tick(NOW)

    def chosen(number: str) -> Choice:
        demand = Demand(number, destination_of(number), "eu-west")
        return choose(board, demand, NOW, MONDAY_NOON, rng, weights)

    def called(number: str) -> None:
        steps = exchange.call(exchange.demand(number, "GB", region="eu-west"), NOW, MONDAY_NOON)
        step = next(steps)
        if isinstance(step, Attempt):
            exchange.began(step.line, NOW)
            with suppress(StopIteration):
                steps.send(Outcome(NOW, End.ANSWERED, Heard.ANSWERED, rang_at=NOW))
            exchange.ended(step.line)

    first = timed(board.tariffs.row, list(dict.fromkeys(found.numbers))[:500])
    ours: list[float] = []
    floor: list[float] = []
    for start in range(0, len(found.numbers), ROUND):
        turn = found.numbers[start : start + ROUND]
        ours += timed(chosen, turn)
        floor += timed(lambda number: cheapest(found.prices, number), turn)
    said = timed(lambda number: str(chosen(number).reasons), found.numbers[:200])
    whole = timed(called, found.numbers[:1000])
    mean, floor_mean = statistics.fmean(ours), statistics.fmean(floor)
    return {
        "choices_per_s": 1e6 / mean,
        "choose_p50_us": statistics.median(ours),
        "choose_p99_us": statistics.quantiles(ours, n=100)[98],
        "choose_x_floor": mean / floor_mean,
        "floor_us": floor_mean,
        "whole_call_us": statistics.median(whole),
        "first_of_prefix_us": statistics.median(first),
        "with_words_us": statistics.median(said),
        "kb_per_rate": found.kb_per_rate,
        "built_s": found.built_s,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="under 50 s; fewer choices, a fifth of the rates"
    )
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--rates", type=int, default=0, help=f"of each line (default: {RATES:,})")
    options = parser.parse_args()
    rates = options.rates or (RATES // 5 if options.quick else RATES)
    found = world(options.lines, rates, QUICK_CHOICES if options.quick else CHOICES, Random(5))
    print(f"{options.lines} lines of {rates} rates built in {found.built_s:.1f} s of CPU", flush=True)
    measured = {name: float(f"{value:.4g}") for name, value in figures(found).items()}
    print(json.dumps({"bench": "lines", "commit": commit(), "machine": machine(), "figures": measured}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
