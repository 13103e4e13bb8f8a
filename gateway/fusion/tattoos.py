"""What a person's tattoos say of the candidates: those that are seen, and those that are not. Pure.

Tattoos of one picture are blurred, or covered, together. So of those that are seen the best one counts and a
share of the others, a region in which something is missing counts once, and what is missing is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.fusion.absence import absence_llrs, another_there, enrolled_or_not, presence_llrs
from gateway.fusion.assumed import CLEAR, FURTHER_TATTOOS, LEAST_ABSENT, MISSED, MOST_LLR
from gateway.fusion.grouped import largest, summed
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years
from gateway.fusion.wearers import Wearers
from marquee.common.v1.common_pb2 import (
    BODY_REGION_OTHER,
    BODY_REGION_UNKNOWN,
    BODY_REGION_UNSPECIFIED,
    BodyRegion,
)

__all__ = ["NOWHERE", "Located", "SeenTattoos", "absent_llrs", "clear_llrs", "present_llrs", "together"]

NOWHERE = frozenset({BODY_REGION_UNSPECIFIED, BODY_REGION_UNKNOWN, BODY_REGION_OTHER})
"""Regions that are no place: a tattoo there may be anywhere."""

_Numbers = NDArray[np.intp]
_Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SeenTattoos:
    """What was seen of one person's tattoos.

    regions: of the templates, in the order in which they were compared. in_view: visibility, 0..1, of every
    region in view. is_searched: whether anything looked for tattoos, and every one found has its place.
    """

    regions: tuple[BodyRegion.ValueType, ...] = ()
    in_view: Mapping[BodyRegion.ValueType, float] | None = None
    is_searched: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Log ratios [wearers, years], 0 for whom nothing follows, and the places from which it does."""

    llrs: Years
    wearers: _Numbers
    """Number of the wearer [places]."""
    columns: _Numbers
    """Number of the region [places]."""
    regions: Sequence[BodyRegion.ValueType]

    def regions_of(self, wearer: int) -> list[BodyRegion.ValueType]:
        """None of whom nothing follows."""
        return [self.regions[one] for one in self.columns[self.wearers == wearer]]


def present_llrs(seen: SeenTattoos, wearers: Wearers, moment: Moment) -> Years | None:
    """Log ratios [wearers, years] of the tattoos that are seen, each as alike as the matches say.

    One that is seen may be none of the enrolled ones, but for one that is in the place of what it is like. A
    match counts as far as its tattoo was there. Where it was not, one in the same place that is alike is
    another one's; elsewhere nothing follows. Without a date all this only says which years are likely, and is
    scaled so that a match that says nothing, 0, counts nothing: a tattoo with dates is no reason to doubt.

    0 for whom nothing was compared; None: for nobody.
    """
    owners, tattoos, ratios, is_there = _compared(seen, wearers)
    if not len(owners):
        return None
    told, same_place, has_it = ratios[:, None], is_there[:, None], wearers.inventory.had(tattoos)
    ratios = np.where(same_place, told, enrolled_or_not(told))
    another = np.where(same_place, another_there(ratios), 1.0)
    present = presence_llrs(ratios, has_it=has_it, another=another)
    if moment.day is None:
        in_any_year = np.minimum(has_it @ moment.prior, 1.0)[:, None]
        present -= presence_llrs(0.0, has_it=in_any_year, another=another)
    return together(present, owners, len(wearers))


def together(llrs: Years, owners: ArrayLike, count: int) -> Years:
    """Several tattoos of one picture: the best one, and of the others the share FURTHER_TATTOOS."""
    best = largest(llrs, owners, count)
    return best + FURTHER_TATTOOS * (summed(llrs, owners, count) - best)


def clear_llrs(seen: SeenTattoos, wearers: Wearers, moment: Moment) -> Located | None:
    """A tattoo where the candidate is known to have none, CLEAR once. None: no such thing of anybody.

    Neither where another source, or a picture, says that there is one, nor of a tattoo that is alike one of
    the candidate's.
    """
    if NOWHERE.issuperset(seen.regions):
        return None
    grid = _Grid.of(sorted(set(seen.regions) - NOWHERE), wearers)
    places = _Places.of(grid, _said_to_be_clear(seen, grid, wearers))
    if not len(places):
        return None
    is_clear = _is_clear(places, wearers)
    found = CLEAR * largest(is_clear, places.wearers, len(wearers))
    return places.located(found * wearers.weights[:, None], np.asarray(is_clear.any(axis=1)))


def absent_llrs(
    seen: SeenTattoos, wearers: Wearers, moment: Moment, *, missed: float = MISSED
) -> Located | None:
    """Log ratios, LEAST_ABSENT to 0, of tattoos that the candidates have in regions in view, and that are not
    seen there. None: nothing is missing of anybody.

    Nothing is where nothing looked, or where a tattoo is seen that may lie in any region.
    missed: probability, 0..1, that a tattoo in view is not found.
    """
    if not seen.is_searched or not NOWHERE.isdisjoint(seen.regions):
        return None
    in_view = seen.in_view or {}
    grid = _Grid.of([one for one in in_view if one not in NOWHERE.union(seen.regions)], wearers)
    places = _Places.of(grid, _not_seen(seen, grid, wearers))
    if not len(places):
        return None
    has_it = _has_in(places, wearers)
    visibility = np.array([in_view[one] for one in grid.regions])[places.columns, None]
    llrs = absence_llrs(has_it=has_it, in_view=visibility, missed=missed)
    found = np.maximum(summed(llrs, places.wearers, len(wearers)), LEAST_ABSENT)
    return places.located(found * wearers.weights[:, None], np.asarray(has_it.any(axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Some regions of all wearers: cells [wearers x regions]."""

    regions: Sequence[BodyRegion.ValueType]
    cells: _Numbers
    """Of each entry of the inventory; -1: in none."""

    @classmethod
    def of(cls, regions: Sequence[BodyRegion.ValueType], wearers: Wearers) -> _Grid:
        known = wearers.inventory
        return cls(regions, _cells(wearers.numbers_of(known.owners), known.regions, regions))


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """The cells from which something follows [places], in the order of wearers and regions."""

    regions: Sequence[BodyRegion.ValueType]
    wearers: _Numbers
    columns: _Numbers
    """Number of the region."""
    entries: _Numbers
    """Place of each entry of the inventory; -1: in none."""

    @classmethod
    def of(cls, grid: _Grid, is_one: _Truths) -> _Places:
        """is_one: of each cell [wearers, regions]."""
        cells = np.flatnonzero(is_one)
        # What is in no cell, -1, finds the last of these.
        numbers = np.full(is_one.size + 1, -1)
        numbers[cells] = np.arange(len(cells))
        wearers, columns = np.divmod(cells, max(1, len(grid.regions)))
        return cls(grid.regions, wearers, columns, numbers[grid.cells])

    def __len__(self) -> int:
        return len(self.wearers)

    def surest(self, rows: Callable[[_Numbers], Years], of: _Truths) -> Years:
        """The highest of the rows of those entries in each place [places, years]; 0 for none."""
        chosen = np.flatnonzero((self.entries >= 0) & of)
        # In order of the places: numbers are moved more cheaply than rows.
        chosen = chosen[np.argsort(self.entries[chosen], kind="stable")]
        return largest(rows(chosen), self.entries[chosen], len(self))

    def located(self, llrs: Years, is_told: _Truths) -> Located | None:
        """Of the places of which anything follows in any year."""
        if not is_told.any():
            return None
        return Located(llrs, self.wearers[is_told], self.columns[is_told], self.regions)


def _compared(seen: SeenTattoos, wearers: Wearers) -> tuple[_Numbers, _Numbers, Years, _Truths]:
    """Of each that is seen and has a ratio: the wearer, which tattoo it is like (-1: none that is known), the
    ratio as it counts, and whether it is in that tattoo's place.
    """
    matches, counts = wearers.matches, wearers.factors > 0
    told = np.flatnonzero(np.isfinite(matches.llrs) & counts[matches.wearers])
    owners, tattoos, llrs = matches.wearers[told], matches.tattoos[told], matches.llrs[told]
    is_there = _is_in_place(seen, wearers)[told]
    # Who has no ratio of any single one may have one of all together.
    is_silent = counts & np.isfinite(wearers.llrs)
    is_silent[owners] = False
    is_silent &= (np.bincount(matches.wearers, minlength=len(wearers)) > 0) | (wearers.llrs != 0)
    silent = np.flatnonzero(is_silent)
    if len(silent):
        owners = np.concatenate((owners, silent))
        tattoos = np.concatenate((tattoos, np.full(len(silent), -1)))
        llrs = np.concatenate((llrs, wearers.llrs[silent]))
        is_there = np.concatenate((is_there, np.zeros(len(silent), bool)))
    return owners, tattoos, wearers.factors[owners] * np.clip(llrs, -MOST_LLR, MOST_LLR), is_there


def _is_in_place(seen: SeenTattoos, wearers: Wearers) -> _Truths:
    """Whether each match is seen in the very region of the tattoo that it is like."""
    matches, known = wearers.matches, wearers.inventory.regions
    places = np.array([*(-1 if one in NOWHERE else one for one in seen.regions), -1])
    where = places[np.minimum(matches.templates, len(seen.regions))]
    # The last one, of no known tattoo, is no place either.
    return np.asarray((np.append(known, -2)[matches.tattoos] == where) & (where >= 0))


def _said_to_be_clear(seen: SeenTattoos, grid: _Grid, wearers: Wearers) -> _Truths:
    """Regions said to be clear in which a tattoo is seen that is not rather the candidate's."""
    matches = wearers.matches
    own = np.flatnonzero(matches.may_be & (matches.templates < len(seen.regions)))
    places = np.array(seen.regions, np.int64)[matches.templates[own]]
    found = np.zeros((len(wearers), len(grid.regions)), bool)
    _set(found, grid.cells[~wearers.inventory.is_tattooed], to=True)
    _set(found, _cells(matches.wearers[own], places, grid.regions), to=False)
    return found & (wearers.weights > 0)[:, None]


def _not_seen(seen: SeenTattoos, grid: _Grid, wearers: Wearers) -> _Truths:
    """Regions in view of which something is known, and in which none of the candidate's tattoos is seen.

    None where what is seen was not compared with them: it may be any of them.
    """
    matches, is_told = wearers.matches, wearers.weights > 0
    found = np.zeros((len(wearers), len(grid.regions)), bool)
    # Where nothing is but what is said to be clear nothing can be missing.
    _set(found, grid.cells[wearers.inventory.is_tattooed], to=True)
    _set(found, grid.cells[matches.tattoos[matches.may_be & (matches.tattoos >= 0)]], to=False)
    if seen.regions:
        is_told &= np.bincount(matches.wearers[matches.is_named], minlength=len(wearers)) > 0
    return found & is_told[:, None]


def _is_clear(places: _Places, wearers: Wearers) -> Years:
    """Whether a source says that nothing is there, and nothing the contrary [places, years], 0..1."""
    known = wearers.inventory
    said = places.surest(known.are_within, ~known.is_tattooed)
    pictured = places.surest(known.had, known.is_pictured)
    words = places.surest(known.were_there, known.is_tattooed & ~known.is_pictured)
    return np.asarray(said * (1 - np.maximum(words, pictured)), np.float64)


def _has_in(places: _Places, wearers: Wearers) -> Years:
    """Probability that there is a tattoo [places, years]: of several the surest.

    Pictures first, else what sources say.
    """
    known = wearers.inventory
    has_picture = np.zeros(len(places) + 1, bool)
    has_picture[places.entries[known.is_pictured]] = True
    counts = known.is_pictured | ~(known.is_observed | has_picture[places.entries])
    has_it = places.surest(known.were_there, counts & known.is_tattooed)
    is_clear = counts & ~known.is_tattooed
    if (places.entries[is_clear] >= 0).any():
        has_it = has_it * (1 - places.surest(known.are_within, is_clear))
    return has_it


def _set(found: _Truths, cells: _Numbers, *, to: bool) -> None:
    found.ravel()[cells[cells >= 0]] = to


def _cells(wearers: _Numbers, regions: NDArray[np.int64], wanted: Sequence[int]) -> _Numbers:
    """Of each its cell; -1 for who is no wearer, and where none of the wanted regions is."""
    if not len(wanted):
        return np.full(len(regions), -1)
    is_in = regions[:, None] == np.array(wanted, np.int64)
    is_known = is_in.any(axis=1) & (wearers >= 0)
    return np.where(is_known, wearers * len(wanted) + is_in.argmax(axis=1), -1)
