"""State of all legs in columns: numpy arrays with one row a leg, growing together.

A module that keeps state for legs declares its columns in a subclass; functions of that module take the
columns and the row numbers they are to work on. Row numbers in one call are always distinct, so that
`column[rows] += 1` is safe.

Scalars of 64 bits lie side by side in one `block`, in the order of SPEC, and the named columns are views on
it: code that needs many of a row's values fetches and stores them with one index operation, `block[rows,
:n]`.
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
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]


class Column(NamedTuple):
    """dtype of a column, what an unused row holds, and how many values a row has (0: one scalar)."""

    dtype: Any
    fill: Any = 0
    width: int = 0


class Columns:
    """Columns named in SPEC, each an attribute; `AT` is the place in `block` of those that are there."""

    SPEC: ClassVar[dict[str, Column]] = {}
    AT: ClassVar[dict[str, int]] = {}

    def __init_subclass__(cls) -> None:
        shared = (np.int64, np.float64)
        names = [name for name, column in cls.SPEC.items() if column.dtype in shared and not column.width]
        cls.AT = {name: place for place, name in enumerate(names)}

    def __init__(self, rows: int, **widths: int) -> None:
        """widths: of columns whose rows are as long as a sample rate makes them, in place of SPEC's."""
        self.rows = 0
        self._spec = {
            name: each._replace(width=widths.get(name, each.width)) for name, each in self.SPEC.items()
        }
        self.block: I64 = np.zeros((0, len(self.AT)), np.int64)
        for name, column in self._spec.items():
            if name not in self.AT:
                setattr(self, name, self._make(column, 0))
        self.grow(rows)

    @staticmethod
    def _make(column: Column, rows: int) -> NDArray[Any]:
        shape: tuple[int, ...] = (rows, column.width) if column.width else (rows,)
        return np.full(shape, column.fill, column.dtype)

    def grow(self, rows: int) -> None:
        """Enlarge every column to `rows` rows, keeping what is there."""
        before, self.block = self.block, np.zeros((rows, len(self.AT)), np.int64)
        for name, column in self._spec.items():
            place = self.AT.get(name)
            if place is None:
                larger = self._make(column, rows)
                larger[: self.rows] = getattr(self, name)
            else:
                larger = self.block.view(column.dtype)[:, place]
                larger[:] = column.fill
            setattr(self, name, larger)
        self.block[: self.rows] = before
        self.rows = rows

    def clear(self, row: int) -> None:
        """Make the row as unused ones are."""
        for name, column in self._spec.items():
            getattr(self, name)[row] = column.fill
