"""What is known of the tattoos of several performers, as columns: no candidate is looked at alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.moment import Moment, Spans, are_within, were_there
from gateway.fusion.scene_time import Years
from gateway.known_tattoos import TattooFacts

__all__ = ["Inventory"]

# The source of what was seen in pictures; the tattoos themselves tell it better.
_OBSERVED = "observed"

_Numbers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Inventory:
    """Entries: first every tattoo, then every statement of a source on a region [entries]."""

    moment: Moment
    tattoos: Mapping[tuple[int, str], int]
    """Entry of each tattoo, by performer and id."""
    owners: _Numbers
    """Number of the performer."""
    regions: NDArray[np.int64]
    spans: Spans
    """From the first to the last day of the tattoo, or of which the statement is."""
    is_pictured: NDArray[np.bool_]
    """Whether it is a tattoo of which there are pictures, and no statement."""
    is_tattooed: NDArray[np.bool_]
    """Whether something is there; else a source says that the region is clear."""
    is_observed: NDArray[np.bool_]
    """Whether it is a statement that comes from pictures, as the tattoos themselves."""

    @classmethod
    def of(cls, facts: Sequence[TattooFacts], moment: Moment) -> Inventory:
        """Of performers, who are numbered in this order."""
        tattoos = [one for each in facts for one in each.tattoos]
        said = [one for each in facts for one in each.regions]
        owners = _owners([len(each.tattoos) for each in facts])
        keys = zip(owners.tolist(), [one.tattoo_id for one in tattoos], strict=True)
        spans = Spans.of(
            [one.first_seen for one in tattoos] + [one.since for one in said],
            [one.removed for one in tattoos] + [one.until for one in said],
        )
        # It was there until the day before it was gone; there is none before the first day of all.
        spans.last[: len(tattoos)] = np.maximum(spans.last[: len(tattoos)] - 1, 1)
        return cls(
            moment=moment,
            tattoos={key: number for number, key in enumerate(keys)},
            owners=np.concatenate((owners, _owners([len(each.regions) for each in facts]))),
            regions=np.array([one.region for one in tattoos] + [one.region for one in said], np.int64),
            spans=spans,
            is_pictured=np.arange(len(tattoos) + len(said)) < len(tattoos),
            is_tattooed=np.array([True] * len(tattoos) + [one.is_tattooed for one in said], bool),
            is_observed=np.array([False] * len(tattoos) + [one.source == _OBSERVED for one in said], bool),
        )

    def were_there(self, entries: _Numbers) -> Years:
        """Probability, 0..1, that each was there, were it a tattoo [chosen, years].

        0 for dates that contradict each other: they say nothing.
        """
        rows, numbers = self._rows
        return np.asarray(rows[numbers[entries]])

    def had(self, entries: _Numbers) -> Years:
        """The same of tattoos: 1 for contradictory dates, and for -1, which is no known one."""
        rows, numbers = self._rows
        is_dated = (entries >= 0) & np.append(self.spans.are_possible, False)[entries]
        # The last row is 1 in all years.
        return np.asarray(rows[np.where(is_dated, np.append(numbers, -1)[entries], -1)])

    def are_within(self, entries: _Numbers) -> Years:
        """1 in the years of which each statement is, else 0 [chosen, years]."""
        return are_within(self.moment, self.spans[entries])

    @cached_property
    def _rows(self) -> tuple[Years, _Numbers]:
        """Of entries of the same years one row, and which one each has: most are alike."""
        kept, numbers = self.spans.distinct(is_day=self.moment.day is not None)
        rows = np.ones((len(kept) + 1, len(self.moment.years)))
        is_possible = kept.are_possible
        rows[:-1][is_possible] = were_there(self.moment, kept[is_possible])
        rows[:-1][~is_possible] = 0.0
        return rows, numbers


def _owners(counts: Sequence[int]) -> _Numbers:
    return np.repeat(np.arange(len(counts)), counts)
