"""State of all legs in columns: numpy arrays with one row a leg, growing together.

A module that keeps state for legs declares its columns in a subclass; functions of that module take the
columns and the row numbers they are to work on. Row numbers in one call are always distinct, so that
`column[rows] += 1` is safe.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
U8 = NDArray[np.uint8]
I8 = NDArray[np.int8]
I16 = NDArray[np.int16]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]


class Column(NamedTuple):
    """dtype of a column, what an unused row holds, and how many values a row has (0: one scalar)."""

    dtype: Any
    fill: Any = 0
    width: int = 0


class Columns:
    """Columns named in SPEC, each an attribute."""

    SPEC: ClassVar[dict[str, Column]] = {}

    def __init__(self, rows: int) -> None:
        self.rows = rows
        for name, column in self.SPEC.items():
            setattr(self, name, self._make(column, rows))

    @staticmethod
    def _make(column: Column, rows: int) -> NDArray[Any]:
        shape: tuple[int, ...] = (rows, column.width) if column.width else (rows,)
        return np.full(shape, column.fill, column.dtype)

    def grow(self, rows: int) -> None:
        """Enlarge every column to `rows` rows, keeping what is there."""
        for name, column in self.SPEC.items():
            larger = self._make(column, rows)
            larger[: self.rows] = getattr(self, name)
            setattr(self, name, larger)
        self.rows = rows

    def clear(self, row: int) -> None:
        """Make the row as unused ones are."""
        for name, column in self.SPEC.items():
            getattr(self, name)[row] = column.fill
