"""Rows of several owners, such as each candidate's tattoos, put together owner by owner. Pure.

`rows` [rows, years], `owners` [rows]: whose each is, from 0, in any order. What comes back is [count, years]:
one row for each of `count` owners, 0 for who has none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["largest", "summed"]

_Rows = NDArray[np.float64]


def summed(rows: _Rows, owners: ArrayLike, count: int) -> _Rows:
    """The sum of each owner's rows, year by year."""
    return _reduced(np.add, rows, owners, count)


def largest(rows: _Rows, owners: ArrayLike, count: int) -> _Rows:
    """The highest of each owner's rows, year by year."""
    return _reduced(np.maximum, rows, owners, count)


def _reduced(how: np.ufunc, rows: _Rows, owners: ArrayLike, count: int) -> _Rows:
    whose = np.asarray(owners, np.intp)
    if len(rows) == 0:
        return np.zeros((count, rows.shape[1]))
    if (whose[1:] < whose[:-1]).any():
        order = np.argsort(whose, kind="stable")
        whose, rows = whose[order], rows[order]
    first = np.flatnonzero(np.concatenate(([True], whose[1:] != whose[:-1])))
    each = rows if len(first) == len(rows) else np.asarray(how.reduceat(rows, first, axis=0))
    if len(each) == count:
        return each
    found = np.zeros((count, rows.shape[1]))
    found[whose[first]] = each
    return found
