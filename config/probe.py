"""The block `probe` of a line's file: calls that are placed over it to see how it does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator

from config.fault import Path as SettingPath
from config.hours import WindowField
from config.setting import Words, setting, settings, wrong
from routing.emergency import is_emergency

SOONEST_S = 60.0


def _dialled(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{2,20}", text):
        raise wrong(f"{text[:30]!r} is no number", "write it as E.164 or as the carrier has it, in quotes")
    return text


Dialled = Annotated[str, AfterValidator(_dialled), Words("number")]


@settings
class ProbeSettings:
    number: Dialled = setting(
        "Number that is called: one of the carrier's that echoes, or one of ours that comes in over a line "
        "and leads to {echo: true}."
    )
    every_s: Annotated[float, Ge(0), Le(86_400)] = setting(
        "Seconds between probes, 60 at least; 0: only those that are asked for.", default=0.0
    )
    hours: tuple[WindowField, ...] = setting(
        "When the schedule may probe, in the line's zone, such as `mon-fri 08:00-18:00`; always when empty.",
        default=(),
    )
    calls_a_day: Annotated[int, Ge(1), Le(1440)] = setting(
        "Calls of the schedule in any 24 hours, whatever `every_s` is: they cost money.", default=100
    )
    speech_s: Annotated[float, Ge(3), Le(60)] = setting("Seconds that are spoken in a call.", default=9.0)
    most_pdd_s: Annotated[float, Gt(0), Le(60)] = setting(
        "Post-dial delay over this is a fault.", default=8.0
    )
    most_delay_ms: Annotated[float, Gt(0), Le(2000)] = setting(
        "Delay of sound over this is a fault: mouth to ear, there and back.", default=800.0
    )
    most_loss: Annotated[float, Ge(0), Le(1)] = setting(
        "Share of packets lost over this is a fault.", default=0.03
    )
    least_mos: Annotated[float, Ge(1), Le(4.5)] = setting(
        "Quality of speech, 1 to 4.5, under this is a fault.", default=3.0
    )

    def faults(
        self, country: str, calls_out: bool, emergency: Collection[str]
    ) -> Iterator[tuple[SettingPath, str, str]]:
        """country, calls_out: of the line. emergency: numbers that count as such."""
        if is_emergency(self.number, country, emergency):
            remedy = "name an echo number, or one of yours"
            yield ("probe", "number"), f"{self.number} calls for help", remedy
        if 0 < self.every_s < SOONEST_S:
            remedy = f"write {SOONEST_S:g} or more, or 0 for no schedule"
            yield ("probe", "every_s"), f"every {self.every_s:g} s is too often", remedy
        if not calls_out:
            remedy = "add addresses, or remove the block"
            yield ("probe",), "no calls go out over this line", remedy
