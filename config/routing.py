"""routing.yaml as values: how lines are chosen, when the next is tried, and when one is taken for dead."""

from __future__ import annotations

import re
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator

from config.setting import Count, Seconds, SomeSeconds, Words, setting, settings, wrong
from routing import breaker, health, rescue
from routing.exchange import Rules
from routing.failover import Policy, Redirects
from routing.line import Weights


def _short(text: str) -> str:
    if not re.fullmatch(r"[0-9]{2,6}", text):
        raise wrong(
            f"{text[:20]!r} is not an emergency number", 'write two to six digits in quotes, such as "112"'
        )
    return text


Points = Annotated[float, Ge(0), Le(100), Words("number")]
Share = Annotated[float, Gt(0), Le(1), Words("share")]
ShortSeconds = Annotated[float, Gt(0), Le(60), Words("seconds")]
Few = Annotated[int, Ge(1), Le(20), Words("number")]
ShortNumber = Annotated[str, AfterValidator(_short), Words("short number")]


@settings
class ChoiceSettings:
    cost: Points = setting(
        "What a line of the middle price has against it; twice that at twice the price.", default=1.0
    )
    quality: Points = setting(
        "What a line has against it that is useless: nobody answers, late, unintelligible.", default=2.0
    )
    load: Points = setting("What a full line has against it; grows by the square of its load.", default=0.5)
    away: Points = setting("What a line has against it that is in another region.", default=0.5)
    near: Points = setting("Lines that differ by no more than this share calls by weight.", default=0.05)
    sticky: bool = setting(
        "Calls to one number go over the same line each time, on every node, while it can take them: among "
        "lines of one priority the number chooses, by their weights, instead of points.",
        default=False,
    )
    typical_call_s: SomeSeconds = setting(
        "Length of the call that costs are compared for, in seconds.", default=180.0
    )
    half_life_s: SomeSeconds = setting(
        "Seconds after which what was measured of a line counts half.", default=1800.0
    )

    def value(self) -> Weights:
        return Weights(cost=self.cost, quality=self.quality, load=self.load, away=self.away, near=self.near)


@settings
class FailoverSettings:
    budget_s: SomeSeconds = setting(
        "From a call's start until somebody's phone rings, all lines that are tried together, in seconds.",
        default=12.0,
    )
    attempts: Few = setting("Lines that one call is tried on at most.", default=5)
    progress_s: ShortSeconds = setting(
        "How long a line that took a call up (100) may be without any further sign, in seconds.", default=6.0
    )
    redirects: Redirects = setting(
        "What a 3xx leads to: `refuse` (the end), `same-line` or `any-line`: its number, over our lines.",
        default=Redirects.SAME_LINE,
    )
    redirects_followed: Annotated[int, Ge(1), Le(10)] = setting(
        "Redirections of one call at most.", default=3
    )

    def value(self, ring_s: float, surge: SurgeSettings) -> Policy:
        """ring_s: how long a phone may ring, by sip.yaml."""
        return Policy(
            budget_s=self.budget_s,
            attempts=self.attempts,
            progress_s=self.progress_s,
            ring_s=ring_s,
            queue_s=surge.longest_s,
            retry_after_s=surge.retry_after_s,
            redirects=self.redirects,
            redirects_followed=self.redirects_followed,
        )


@settings
class HealthSettings:
    interval_s: Seconds = setting(
        "Seconds between questions (OPTIONS) to an address of which nothing is heard; 0 to ask none.",
        default=30.0,
    )
    doubt_s: ShortSeconds = setting("The same while it is in doubt, or answers again.", default=0.5)
    first_back_off_s: ShortSeconds = setting(
        "The same when it has just died; grows by half each time.", default=1.0
    )
    longest_back_off_s: SomeSeconds = setting("Longest such time.", default=10.0)
    fall: Few = setting(
        "Silences in a row after which it is dead; an error of the transport is at once.", default=3
    )
    rise: Few = setting("Answers in a row after which it comes back.", default=3)
    return_s: Seconds = setting(
        "How long its share of calls takes to grow again, in seconds; longer after deaths in short order.",
        default=30.0,
    )
    first_wait_s: ShortSeconds = setting(
        "How long to wait for a first answer to a call (100), in seconds, until its round trip is known.",
        default=0.5,
    )
    least_wait_s: ShortSeconds = setting("Shortest such time, once it is known.", default=0.25)
    longest_wait_s: ShortSeconds = setting("Longest such time.", default=2.0)

    def value(self) -> health.Terms:
        return health.Terms(
            interval_s=self.interval_s,
            doubt_s=self.doubt_s,
            first_back_off_s=self.first_back_off_s,
            longest_back_off_s=self.longest_back_off_s,
            fall=self.fall,
            rise=self.rise,
            return_s=self.return_s,
            first_wait_s=self.first_wait_s,
            least_wait_s=self.least_wait_s,
            longest_wait_s=self.longest_wait_s,
        )


@settings
class CircuitSettings:
    least_failures: Few = setting("Calls that fail by a line's fault before it is left alone.", default=5)
    share: Share = setting("And which share of its last calls those have to be.", default=0.5)
    window: Annotated[int, Ge(5), Le(1000), Words("number")] = setting(
        "Of so many of its last calls; of fewer where those are long ago.", default=20
    )
    rest_s: SomeSeconds = setting(
        "How long it is left alone, in seconds; twice as long each time.", default=5.0
    )
    longest_rest_s: SomeSeconds = setting(
        "At most, also where it asks for more (Retry-After).", default=300.0
    )
    rise: Few = setting("Calls in a row that do well, one at a time, before it counts again.", default=3)
    return_s: Seconds = setting("How long its share of calls takes to grow then, in seconds.", default=30.0)

    def value(self) -> breaker.Terms:
        return breaker.Terms(
            least_failures=self.least_failures,
            share=self.share,
            window=self.window,
            rest_s=self.rest_s,
            longest_rest_s=self.longest_rest_s,
            rise=self.rise,
            return_s=self.return_s,
        )


@settings
class SurgeSettings:
    most: Count = setting("Calls that may wait at once for room on a line.", default=50)
    longest_s: Seconds = setting("How long each may, in seconds.", default=2.0)
    retry_after_s: Annotated[float, Ge(1), Le(3600), Words("seconds")] = setting(
        "Told with 503 to those for whom there is none, in seconds.", default=10.0
    )


@settings
class RescueSettings:
    enabled: bool = setting(
        "Call a leg again over another line when it died in the middle of a call.", default=True
    )
    call_back: bool = setting(
        "Call customers back, at the numbers that they called from, whose own line died so.", default=False
    )
    doubt_s: ShortSeconds = setting(
        "Silence after which it is asked whether it is there, in seconds.", default=1.0
    )
    dead_s: ShortSeconds = setting("Silence, of signalling as well, after which it is dead.", default=3.0)
    within_s: ShortSeconds = setting("How long another line may take to be answered.", default=20.0)

    def value(self) -> rescue.Terms:
        return rescue.Terms(
            enabled=self.enabled,
            call_back=self.call_back,
            doubt_s=self.doubt_s,
            dead_s=self.dead_s,
            within_s=self.within_s,
        )


@settings
class RoutingSettings:
    choice: ChoiceSettings = setting("What makes one line better than another.", default=ChoiceSettings())
    failover: FailoverSettings = setting("When the next line is tried.", default=FailoverSettings())
    health: HealthSettings = setting("When an address of a line is taken for dead.", default=HealthSettings())
    circuit: CircuitSettings = setting(
        "When a line is left alone that fails its calls.", default=CircuitSettings()
    )
    surge: SurgeSettings = setting("Calls for which every line is at a cap.", default=SurgeSettings())
    rescue: RescueSettings = setting("Lines that die in the middle of a call.", default=RescueSettings())
    emergency_numbers: tuple[ShortNumber, ...] = setting(
        "Numbers that always pass, beside those of the country, 112 and 911.", default=()
    )

    def rules(self, ring_s: float) -> Rules:
        """As routing sees it all. ring_s: how long a phone may ring, by sip.yaml."""
        return Rules(
            weights=self.choice.value(),
            policy=self.failover.value(ring_s, self.surge),
            health=self.health.value(),
            circuit=self.circuit.value(),
            rescue=self.rescue.value(),
            sticky=self.choice.sticky,
            most_waiting=self.surge.most,
            typical_s=self.choice.typical_call_s,
            half_life_s=self.choice.half_life_s,
            emergency_numbers=frozenset(self.emergency_numbers),
        )
