"""When a scene may have been made, and what was there then. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.assumed import FIRST_YEAR
from gateway.fusion.histories import has_tattoo
from gateway.fusion.scene_time import Years

__all__ = ["Moment", "is_within", "moment_of", "was_there"]


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Years [n], P(year) before anything is seen (sums to 1), and the day where it is known: then n is 1."""

    years: NDArray[np.int64]
    prior: Years
    day: datetime.date | None = None


def moment_of(scene_date: datetime.date | None, *, today: datetime.date) -> Moment:
    """The scene's year alone, else every year from FIRST_YEAR to today's, each as likely."""
    if scene_date is not None:
        return Moment(np.array([scene_date.year]), np.ones(1), scene_date)
    years = np.arange(min(FIRST_YEAR, today.year), today.year + 1)
    return Moment(years, np.full(len(years), 1 / len(years)))


def was_there(moment: Moment, *, first: datetime.date | None, last: datetime.date | None) -> Years | None:
    """Probability, 0..1 for each year, that a tattoo was there.

    first: day of its earliest picture, it may be older; last: last day it was there; None: not known, or
    open. A known day is compared with `last` to the day. None where the two contradict each other.
    """
    if first is not None and last is not None and last < first:
        return None
    if moment.day is not None and last is not None:
        if moment.day > last:
            return np.zeros(1)
        last = None
    return has_tattoo(
        moment.years,
        first_seen=first.year if first is not None else None,
        removed=last.year if last is not None else None,
    )


def is_within(moment: Moment, *, since: datetime.date | None, until: datetime.date | None) -> Years:
    """1 in the years (or on the day) from `since` to `until`, both included, else 0; None: open."""
    if moment.day is not None:
        is_begun = since is None or since <= moment.day
        is_over = until is not None and until < moment.day
        return np.array([float(is_begun and not is_over)])
    begun = np.ones(len(moment.years), bool) if since is None else moment.years >= since.year
    over = np.zeros(len(moment.years), bool) if until is None else moment.years > until.year
    return np.asarray(begun & ~over, np.float64)
