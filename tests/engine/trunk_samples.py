"""Lines in memory behind the API's own protocol: three that did well, badly and nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.line_events import LineProbed
from engine.line_sight import report
from engine.line_views import LineStandView, ProbeView, ReportView, Standing
from engine.probe.result import CallerId, Delay, Fault, Limits, ProbeResult, Streams, judged
from engine.store.errors import StoreUnavailable
from engine.views import IllegalState
from media.fidelity import Fidelity
from routing.report import AT, COLUMNS, F64, HOUR_S, PDD_S, Cell
from tests.engine.store_samples import T0

PROBE = "0123456789abcdef0123456789abcdef"


def sums(**values: float) -> F64:
    row = np.zeros(len(COLUMNS))
    for name, value in values.items():
        row[AT[name]] = value
    return row


def good(calls: int) -> F64:
    return sums(
        calls=calls, decided=calls, answered=0.7 * calls, carried=0.7 * calls,
        mos_n=calls, mos_sum=4.3 * calls, pdd_s_n=calls, pdd_s_sum=1.1 * calls,
        **{f"pdd_under_{bound:g}": calls for bound in PDD_S if bound >= 1.5},
        rtt_ms_n=calls, rtt_ms_sum=38.0 * calls, jitter_ms_n=calls, jitter_ms_sum=3.0 * calls,
        probes=1, passed=1, delay_ms_n=1, delay_ms_sum=171.0, probe_mos_n=1, probe_mos_sum=4.1,
    )  # fmt: skip


def bad(calls: int) -> F64:
    return sums(
        calls=calls, decided=calls, answered=0.5 * calls, carried=0.5 * calls, dropped=0.05 * calls,
        mos_n=calls, mos_sum=2.9 * calls, loss_n=calls, loss_sum=0.06 * calls,
        pdd_s_n=calls, pdd_s_sum=5.0 * calls,
    )  # fmt: skip


def probed(**changes: object) -> LineProbed:
    values = {
        "at": T0 + 60,
        "line": "carrier",
        "region": "eu",
        "number": "+441",
        "by": "schedule",
        "passed": True,
    }
    return LineProbed(**values | {"fault": "", "words": "", "codec": "PCMA"} | changes)  # type: ignore[arg-type]


def result(**changes: object) -> ProbeResult:
    values = {
        "line": "carrier", "number": "+442071838999", "at": T0, "status": 200, "pdd_s": 0.4, "setup_s": 1.2,
        "codec": "PCMA", "delay": Delay(171.2, 190.0, 160.0, 0.1, 8, 8),
        "digits_sent": "159#", "digits_back": "159#",
        "streams": Streams(400, 398, 0.005, 0.0, 0.002, 3.0, 38.0, 60.0), "came_back": True,
        "speech": Fidelity(4.1, 0.5, 0.4, 0.0, -0.2), "caller": CallerId("+4420", "+4420"),
    }  # fmt: skip
    return judged(ProbeResult(**values | changes), Limits())  # type: ignore[arg-type]


class Trunks:
    """A TrunkView whose probe is over when it is looked at for the second time."""

    def __init__(self) -> None:
        self.answers = True
        self.comes_to = result()
        self.begun: list[tuple[str, str, str]] = []
        self.looked = 0

    def stands(self) -> Sequence[LineStandView]:
        return [
            self._stand("carrier", Standing.FIT),
            self._stand("gateway", Standing.DEAD),
            self._stand("idle", Standing.OFF),
        ]

    def begin_probe(self, line: str, number: str, by: str) -> ProbeView:
        if line == "idle":
            raise IllegalState(f"no calls go out over {line}")
        self.begun.append((line, number, by))
        return self._probe(None)

    def probe(self, line: str, id: str) -> ProbeView | None:
        if (line, id) != ("carrier", PROBE):
            return None
        self.looked += 1
        return self._probe(self.comes_to if self.looked > 1 else None)

    def report(self, since: float, until: float) -> ReportView:
        self._ask_store()
        first = int(until // HOUR_S) - 1
        cells = [
            *(Cell("carrier", region, first + hour, good(40)) for region in ("eu", "us") for hour in (0, 1)),
            Cell("gateway", "eu", first, good(20)),
            Cell("gateway", "eu", first + 1, bad(60)),
        ]
        newest = {
            "gateway": probed(line="gateway", passed=False, fault=str(Fault.ONE_WAY), words="no packet came")
        }
        return report(cells, newest, ["carrier", "gateway", "idle"], since, until)

    def probes(self, line: str) -> Sequence[LineProbed]:
        self._ask_store()
        return [probed(line=line, mos=4.1, delay_ms=171.0)]

    def _ask_store(self) -> None:
        if not self.answers:
            raise StoreUnavailable("OperationalError: password hunter2")

    def _stand(self, name: str, state: Standing) -> LineStandView:
        return LineStandView(
            name=name,
            kind="ip",
            country="GB",
            region="eu",
            state=state,
            share=float(state is Standing.FIT),
            active=3,
            channels=30,
            probe_number="+442071838999",
            probe_every_s=900.0,
        )

    def _probe(self, came: ProbeResult | None) -> ProbeView:
        steps = ((T0, "calls +442071838999 over carrier"), (T0 + 1.2, "is answered after 1.20 s (PCMA)"))
        return ProbeView(
            id=PROBE,
            line="carrier",
            number="+442071838999",
            by="supervisor",
            began=T0,
            steps=steps,
            result=came,
        )
