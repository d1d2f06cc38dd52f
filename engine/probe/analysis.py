"""From the recording of a probe's call, which has what was said and what came back, to figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.probe.result import Delay, Fault
from media import fidelity, marker
from media.columns import F64, I16
from media.marker import Marked

SILENT_RMS = 12.0  # about the noise of an idle G.711 line
DRIFTING = 6  # marks; with fewer one step of a jitter buffer would be taken for a clock that is off
FEWEST = 0.5  # of the marks; with fewer it is not our sound that came back, or hardly


@dataclass(frozen=True, slots=True)
class Heard:
    """delay, speech: None where none of our sound came. fault: why, or that it is not ours."""

    delay: Delay | None = None
    speech: fidelity.Fidelity | None = None
    fault: Fault | None = None
    detail: str = ""


def analyse(said: Marked, recording: I16, longest_s: float) -> Heard:
    """recording: int16[n], of both directions in one clock (sip.pjsip: `record` with `sent`)."""
    parted = marker.part(said, recording)
    if parted is None:
        return Heard(fault=Fault.NOT_RUN, detail="the phone did not record what it said")
    _, came = parted
    late = marker.find(said, came, longest_s)
    found = ~np.isnan(late)
    if found.mean() < FEWEST:
        return _other(came, int(found.sum()), len(late))
    spans, delays = _between(said, late)
    speech = fidelity.compare(*fidelity.in_step(said.sound, came, spans, delays))
    return Heard(delay=_delay(said, late, found), speech=speech)


def _other(came: I16, found: int, marks: int) -> Heard:
    level = float(np.sqrt(np.mean(came.astype(np.float64) ** 2))) if len(came) else 0.0
    if level < SILENT_RMS:
        return Heard(fault=Fault.SILENCE, detail="nothing is heard in what comes back")
    words = f"{found} of {marks} marks came back; what is heard is something else"
    return Heard(fault=Fault.FOREIGN, detail=words)


def _between(said: Marked, late: F64) -> tuple[list[tuple[int, int]], list[float]]:
    """Spans of speech, and how late each is: as the marks beside it."""
    usual = float(np.nanmedian(late))
    delays = []
    for number in range(len(said.speech)):
        beside = [each for each in late[number : number + 2].tolist() if each == each]
        delays.append(sum(beside) / len(beside) if beside else usual)
    return list(said.speech), delays


def _delay(said: Marked, late: F64, found: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Delay:
    ms = 1000.0 * late[found]
    return Delay(
        median_ms=round(float(np.median(ms)), 2),
        p95_ms=round(float(np.percentile(ms, 95)), 2),
        least_ms=round(float(ms.min()), 2),
        drift_ms_per_min=_drift(said.at[found] / said.rate, ms),
        sent=len(late),
        found=int(found.sum()),
    )


def _drift(at_s: F64, late_ms: F64) -> float | None:
    """ms a minute: the median of the slopes between all pairs (Theil and Sen)."""
    if len(at_s) < DRIFTING:
        return None
    first, second = np.triu_indices(len(at_s), 1)
    slopes = (late_ms[second] - late_ms[first]) / (at_s[second] - at_s[first])
    return round(60.0 * float(np.median(slopes)), 2)
