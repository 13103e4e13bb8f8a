"""What a person's tattoos say of one candidate: those that are seen, and those that are not. Pure.

Tattoos of one picture are blurred, or covered, together. So of those that are seen the best one counts, a
region in which something is missing counts once, and what all of them can say against somebody is bounded.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.fusion.absence import absence_llrs, presence_llrs
from gateway.fusion.assumed import CLEAR, FURTHER_TATTOOS, LEAST_ABSENT, MISSED
from gateway.fusion.moment import Moment, is_within, was_there
from gateway.fusion.ratio import held
from gateway.fusion.scene_time import Years
from gateway.signals import KnownRegion, KnownTattoo, TattooFacts, TattooMatch
from marquee.common.v1.common_pb2 import (
    BODY_REGION_OTHER,
    BODY_REGION_UNKNOWN,
    BODY_REGION_UNSPECIFIED,
    BodyRegion,
)

__all__ = ["NOWHERE", "SeenTattoos", "absent_llrs", "clear_llrs", "present_llrs", "together"]

NOWHERE = frozenset({BODY_REGION_UNSPECIFIED, BODY_REGION_UNKNOWN, BODY_REGION_OTHER})
"""Regions that are no place: a tattoo there may be anywhere."""

# The source of what was seen in pictures; the tattoos themselves tell it better.
_OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class SeenTattoos:
    """What was seen of one person's tattoos.

    regions: of the templates, in the order in which they were compared. in_view: visibility, 0..1, of every
    region in view. is_searched: whether anything looked for tattoos, and every one found has its place.
    """

    regions: tuple[BodyRegion.ValueType, ...] = ()
    in_view: Mapping[BodyRegion.ValueType, float] | None = None
    is_searched: bool = False


def present_llrs(
    matches: Sequence[TattooMatch], facts: TattooFacts, moment: Moment, *, factor: float
) -> Years | None:
    """Log ratio of the tattoos that are seen, each as alike the candidate's as `matches` says.

    factor: what the ratios are multiplied by. A match counts as far as its tattoo was there. None: nothing.
    """
    known = {one.tattoo_id: one for one in facts.tattoos}
    found = [
        presence_llrs(factor * llr, has_it=_had(known.get(one.tattoo_id), moment))
        for one in matches
        if (llr := held(one.llr)) is not None
    ]
    return together(found) if found and factor > 0 else None


def together(llrs: Sequence[Years]) -> Years:
    """Several tattoos of one picture: the best one, and of the others the share FURTHER_TATTOOS."""
    best_first = np.sort(np.stack(llrs), axis=0)[::-1]
    return np.asarray(best_first[0] + FURTHER_TATTOOS * best_first[1:].sum(axis=0), np.float64)


def clear_llrs(
    seen: SeenTattoos, matches: Sequence[TattooMatch], facts: TattooFacts, moment: Moment
) -> tuple[Years, tuple[BodyRegion.ValueType, ...]] | None:
    """A tattoo where the candidate is known to have none, CLEAR once; the regions. None: no such thing.

    Neither where another source, or a picture, says that there is one, nor of a tattoo that is alike one of
    the candidate's.
    """
    places = {one.region for one in facts.regions if not one.is_tattooed} & set(seen.regions) - NOWHERE
    if matches:
        places -= {place for place, one in zip(seen.regions, matches, strict=False) if _may_be(one)}
    clear = {place: _clear(place, facts, moment) for place in sorted(places)}
    regions = tuple(place for place, years in clear.items() if years.any())
    if not regions:
        return None
    return CLEAR * np.max([clear[one] for one in regions], axis=0), regions


def absent_llrs(
    seen: SeenTattoos, matches: Sequence[TattooMatch], facts: TattooFacts, moment: Moment
) -> tuple[Years, tuple[BodyRegion.ValueType, ...]] | None:
    """Log ratio, LEAST_ABSENT to 0, of tattoos that the candidate has in regions in view, and that are not
    seen there; the regions. None: nothing is missing.

    Nothing is where nothing looked, or where a tattoo is seen that may lie in any region.
    """
    if not seen.is_searched or not NOWHERE.isdisjoint(seen.regions):
        return None
    found_again = {one.tattoo_id for one in matches if _may_be(one)}
    covered = {*seen.regions, *(one.region for one in facts.tattoos if one.tattoo_id in found_again)}
    told = {one.region for one in facts.tattoos} | {one.region for one in facts.regions}
    found = {}
    for region, visibility in (seen.in_view or {}).items():
        if region not in told or region in covered or region in NOWHERE:
            continue
        has_it = _has_in(region, facts, moment)
        if has_it.any():
            found[region] = absence_llrs(has_it=has_it, in_view=visibility, missed=MISSED)
    if not found:
        return None
    return np.maximum(np.sum(list(found.values()), axis=0), LEAST_ABSENT), tuple(found)


def _has_in(region: BodyRegion.ValueType, facts: TattooFacts, moment: Moment) -> Years:
    """Probability that there is a tattoo: of several the surest. Pictures first, else what sources say."""
    own = [one for one in facts.tattoos if one.region == region]
    if own:
        return _surest([was_there(moment, first=one.first_seen, last=_last_day(one)) for one in own], moment)
    words = [one for one in facts.regions if one.region == region and one.source != _OBSERVED]
    said = [was_there(moment, first=one.since, last=one.until) for one in words if one.is_tattooed]
    return _surest(said, moment) * (1 - _says_clear(words, moment))


def _clear(region: BodyRegion.ValueType, facts: TattooFacts, moment: Moment) -> Years:
    """1 in the years in which a source says that nothing is there, less what says the contrary."""
    words = [one for one in facts.regions if one.region == region]
    tattooed = [was_there(moment, first=one.since, last=one.until) for one in words if one.is_tattooed]
    own = [_had(one, moment) for one in facts.tattoos if one.region == region]
    return _says_clear(words, moment) * (1 - _surest([*tattooed, *own], moment))


def _says_clear(words: Iterable[KnownRegion], moment: Moment) -> Years:
    said = [is_within(moment, since=one.since, until=one.until) for one in words if not one.is_tattooed]
    return _surest(said, moment)


def _surest(each: Iterable[Years | None], moment: Moment) -> Years:
    """The highest of each year; 0 for none. Dates that contradict each other say nothing."""
    told = [np.zeros(len(moment.years)), *(one for one in each if one is not None)]
    return np.asarray(np.max(told, axis=0), np.float64)


def _had(tattoo: KnownTattoo | None, moment: Moment) -> Years:
    """1 where nothing, or nothing that makes sense, is known of the time."""
    had = None
    if tattoo is not None:
        had = was_there(moment, first=tattoo.first_seen, last=_last_day(tattoo))
    return np.ones(len(moment.years)) if had is None else had


def _last_day(tattoo: KnownTattoo) -> datetime.date | None:
    removed = tattoo.removed
    if removed is None or removed == datetime.date.min:
        return removed
    return removed - datetime.timedelta(days=1)


def _may_be(match: TattooMatch) -> bool:
    """Whether it is rather the candidate's tattoo than another one, or nothing tells which."""
    llr = held(match.llr)
    return bool(match.tattoo_id) if llr is None else llr > 0
