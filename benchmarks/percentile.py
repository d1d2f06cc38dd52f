"""What so many of a hundred took at most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentile_ms(seconds: Sequence[float], percent: float) -> float | None:
    """In ms, to a tenth; None of none."""
    return round(1e3 * float(np.percentile(seconds, percent)), 1) if seconds else None
