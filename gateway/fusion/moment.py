"""When a scene may have been made, and what was there then. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.assumed import FIRST_YEAR
from gateway.fusion.histories import has_tattoo
from gateway.fusion.scene_time import Years

__all__ = ["Moment", "Span", "are_within", "is_possible", "moment_of", "were_there"]

Span = tuple[datetime.date | None, datetime.date | None]
"""First and last day; None: not known, or open."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Years [years], P(year) before anything is seen (sums to 1), and the day where it is known: one year."""

    years: NDArray[np.int64]
    prior: Years
    day: datetime.date | None = None


def moment_of(scene_date: datetime.date | None, *, today: datetime.date) -> Moment:
    """The scene's year alone, else every year from FIRST_YEAR to today's, each as likely."""
    if scene_date is not None:
        return Moment(np.array([scene_date.year]), np.ones(1), scene_date)
    years = np.arange(min(FIRST_YEAR, today.year), today.year + 1)
    return Moment(years, np.full(len(years), 1 / len(years)))


def is_possible(span: Span) -> bool:
    """Whether its days do not contradict each other."""
    first, last = span
    return first is None or last is None or first <= last


def were_there(moment: Moment, spans: Sequence[Span]) -> Years:
    """Probability, 0..1 for each year, that each tattoo was there [spans, years].

    The first day is that of its earliest picture, it may be older; the last one that on which it was there. A
    known day is compared with the last one to the day. Raises InvalidInput for a span that is not possible.
    """
    first = _numbers([one for one, _ in spans], -np.inf, is_day=False)
    last = _numbers([one for _, one in spans], np.inf, is_day=moment.day is not None)
    if moment.day is None:
        return has_tattoo(moment.years, first_seen=first, removed=last)
    return np.where(moment.day.toordinal() > last[:, None], 0.0, has_tattoo(moment.years, first_seen=first))


def are_within(moment: Moment, spans: Sequence[Span]) -> Years:
    """1 in the years (or on the day) of each span, both ends included, else 0 [spans, years]."""
    is_day = moment.day is not None
    first = _numbers([one for one, _ in spans], -np.inf, is_day=is_day)[:, None]
    last = _numbers([one for _, one in spans], np.inf, is_day=is_day)[:, None]
    now = moment.years if moment.day is None else np.array([moment.day.toordinal()])
    return np.asarray((now >= first) & (now <= last), np.float64)


def _numbers(days: Sequence[datetime.date | None], unknown: float, *, is_day: bool) -> NDArray[np.float64]:
    """Days counted, or years."""
    if is_day:
        return np.array([unknown if one is None else one.toordinal() for one in days], np.float64)
    return np.array([unknown if one is None else one.year for one in days], np.float64)
