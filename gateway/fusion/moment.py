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

__all__ = ["Moment", "Spans", "are_within", "moment_of", "were_there"]

# The ordinal of 1970-01-01, from which numpy counts days.
_EPOCH = datetime.date(1970, 1, 1).toordinal()
# Above every ordinal.
_NO_DAY = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """First and last day of each of several things [spans], as ordinals; infinite: not known, or open."""

    first: NDArray[np.float64]
    last: NDArray[np.float64]

    @classmethod
    def of(cls, first: Sequence[datetime.date | None], last: Sequence[datetime.date | None]) -> Spans:
        """Of dates, None where one is not known."""
        return cls(_ordinals(first, -np.inf), _ordinals(last, np.inf))

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Spans:
        return Spans(self.first[which], self.last[which])

    @property
    def are_possible(self) -> NDArray[np.bool_]:
        """Whether the days of each do not contradict each other."""
        return np.asarray(self.first <= self.last)

    def distinct(self, *, is_day: bool) -> tuple[Spans, NDArray[np.intp]]:
        """Those that differ, by the day or by the year alone, and which one of them each is."""
        first, last = (one if is_day else _years_of(one) for one in (self.first, self.last))
        keys = (
            np.maximum(first, 0) * _NO_DAY + np.minimum(last, _NO_DAY - 1) + _NO_DAY**2 * ~self.are_possible
        )
        _, one_of_each, numbers = np.unique(keys, return_index=True, return_inverse=True)
        return self[one_of_each], np.asarray(numbers, np.intp)


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


def were_there(moment: Moment, spans: Spans) -> Years:
    """Probability, 0..1 for each year, that each tattoo was there [spans, years].

    The first day is that of its earliest picture, it may be older; the last one that on which it was there. A
    known day is compared with the last one to the day. Raises InvalidInput for a span that is not possible.
    """
    first = _years_of(spans.first)
    if moment.day is None:
        return has_tattoo(moment.years, first_seen=first, removed=_years_of(spans.last))
    is_there = moment.day.toordinal() <= spans.last[:, None]
    return np.asarray(is_there * has_tattoo(moment.years, first_seen=first), np.float64)


def are_within(moment: Moment, spans: Spans) -> Years:
    """1 in the years (or on the day) of each span, both ends included, else 0 [spans, years]."""
    if moment.day is None:
        first, last, now = _years_of(spans.first), _years_of(spans.last), moment.years
    else:
        first, last, now = spans.first, spans.last, np.array([moment.day.toordinal()])
    return np.asarray((now >= first[:, None]) & (now <= last[:, None]), np.float64)


def _ordinals(days: Sequence[datetime.date | None], unknown: float) -> NDArray[np.float64]:
    return np.array([unknown if one is None else one.toordinal() for one in days], np.float64)


def _years_of(ordinals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each day its year; what is infinite stays."""
    is_known = np.isfinite(ordinals)
    days = np.where(is_known, ordinals, _EPOCH).astype(np.int64) - _EPOCH
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where(is_known, years, ordinals)
