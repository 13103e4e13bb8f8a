"""Rows of several owners, such as each candidate's tattoos, put together owner by owner. Pure.

`rows` [rows, years], `owners` [rows]: whose each is, from 0, in any order. What comes back is [count, years]:
one row for each of `count` owners, 0 for who has none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["largest", "summed"]

_Rows = NDArray[np.float64]


def summed(rows: _Rows, owners: Sequence[int], count: int) -> _Rows:
    """The sum of each owner's rows, year by year."""
    return _reduced(np.add, rows, owners, count)


def largest(rows: _Rows, owners: Sequence[int], count: int) -> _Rows:
    """The highest of each owner's rows, year by year."""
    return _reduced(np.maximum, rows, owners, count)


def _reduced(how: np.ufunc, rows: _Rows, owners: Sequence[int], count: int) -> _Rows:
    found = np.zeros((count, rows.shape[1]))
    if len(rows):
        order = np.argsort(owners, kind="stable")
        whose = np.asarray(owners)[order]
        first = np.flatnonzero(np.diff(whose, prepend=-1))
        found[whose[first]] = how.reduceat(rows[order], first, axis=0)
    return found
