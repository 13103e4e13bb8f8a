"""What a person's tattoos say of the candidates: those that are seen, and those that are not. Pure.

Tattoos of one picture are blurred, or covered, together. So of those that are seen the best one counts and a
share of the others, a region in which something is missing counts once, and what is missing is bounded.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np

from gateway.fusion.absence import absence_llrs, another_there, enrolled_or_not, presence_llrs
from gateway.fusion.assumed import CLEAR, FURTHER_TATTOOS, LEAST_ABSENT, MISSED
from gateway.fusion.grouped import largest, summed
from gateway.fusion.moment import Moment, Span, are_within, is_possible, were_there
from gateway.fusion.ratio import held
from gateway.fusion.scene_time import Years
from gateway.known_tattoos import KnownTattoo, TattooFacts, TattooMatch
from marquee.common.v1.common_pb2 import (
    BODY_REGION_OTHER,
    BODY_REGION_UNKNOWN,
    BODY_REGION_UNSPECIFIED,
    BodyRegion,
)

__all__ = [
    "NOWHERE",
    "Located",
    "SeenTattoos",
    "Wearer",
    "absent_llrs",
    "clear_llrs",
    "present_llrs",
    "together",
]

NOWHERE = frozenset({BODY_REGION_UNSPECIFIED, BODY_REGION_UNKNOWN, BODY_REGION_OTHER})
"""Regions that are no place: a tattoo there may be anywhere."""

# The source of what was seen in pictures; the tattoos themselves tell it better.
_OBSERVED = "observed"
_ALWAYS: Span = (None, None)

_Place = tuple[int, BodyRegion.ValueType]
_Spans = list[tuple[int, Span]]


@dataclass(frozen=True, slots=True)
class SeenTattoos:
    """What was seen of one person's tattoos.

    regions: of the templates, in the order in which they were compared. in_view: visibility, 0..1, of every
    region in view. is_searched: whether anything looked for tattoos, and every one found has its place.
    """

    regions: tuple[BodyRegion.ValueType, ...] = ()
    in_view: Mapping[BodyRegion.ValueType, float] | None = None
    is_searched: bool = False


@dataclass(frozen=True, slots=True)
class Wearer:
    """One candidate: what is known of the tattoos, and of which one each that is seen is most like.

    llr: of all that are seen, where no match tells. factor: what ratios are multiplied by; weight: what the
    rest is, 0..1. 0: it counts nothing.
    """

    facts: TattooFacts
    matches: Sequence[TattooMatch] = ()
    llr: float | None = None
    factor: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Log ratios [wearers, years], 0 for whom nothing follows, and the regions from which it does."""

    llrs: Years
    regions: Mapping[int, Sequence[BodyRegion.ValueType]]
    """By number of the wearer; who is missing has none."""


def present_llrs(seen: SeenTattoos, wearers: Sequence[Wearer], moment: Moment) -> Years | None:
    """Log ratios [wearers, years] of the tattoos that are seen, each as alike as the matches say.

    One that is seen may be none of the enrolled ones, but for one that is in the place of what it is like. A
    match counts as far as its tattoo was there. Where it was not, one in the same place that is alike is
    another one's; elsewhere nothing follows. Without a date all this only says which years are likely, and is
    scaled so that a match that says nothing, 0, counts nothing: a tattoo with dates is no reason to doubt.

    0 for whom nothing was compared; None: for nobody.
    """
    found = [(number, *one) for number, wearer in enumerate(wearers) for one in _compared(seen, wearer)]
    if not found:
        return None
    owners, llrs, spans, are_there = zip(*found, strict=True)
    told, same_place = np.array(llrs)[:, None], np.array(are_there)[:, None]
    ratios, has_it = np.where(same_place, told, enrolled_or_not(told)), were_there(moment, spans)
    another = np.where(same_place, another_there(ratios), 1.0)
    present = presence_llrs(ratios, has_it=has_it, another=another)
    if moment.day is None:
        in_any_year = np.minimum(has_it @ moment.prior, 1.0)[:, None]
        present -= presence_llrs(0.0, has_it=in_any_year, another=another)
    return together(present, owners, len(wearers))


def together(llrs: Years, owners: Sequence[int], count: int) -> Years:
    """Several tattoos of one picture: the best one, and of the others the share FURTHER_TATTOOS."""
    best = largest(llrs, owners, count)
    return best + FURTHER_TATTOOS * (summed(llrs, owners, count) - best)


def clear_llrs(seen: SeenTattoos, wearers: Sequence[Wearer], moment: Moment) -> Located | None:
    """A tattoo where the candidate is known to have none, CLEAR once. None: no such thing of anybody.

    Neither where another source, or a picture, says that there is one, nor of a tattoo that is alike one of
    the candidate's.
    """
    if NOWHERE.issuperset(seen.regions):
        return None
    places = [(n, region) for n, one in enumerate(wearers) for region in _said_to_be_clear(seen, one)]
    if not places:
        return None
    is_clear = _is_clear(places, wearers, moment)
    found = CLEAR * largest(is_clear, [number for number, _ in places], len(wearers))
    return _located(found * _weights(wearers), places, is_clear)


def absent_llrs(
    seen: SeenTattoos, wearers: Sequence[Wearer], moment: Moment, *, missed: float = MISSED
) -> Located | None:
    """Log ratios, LEAST_ABSENT to 0, of tattoos that the candidates have in regions in view, and that are not
    seen there. None: nothing is missing of anybody.

    Nothing is where nothing looked, or where a tattoo is seen that may lie in any region.
    missed: probability, 0..1, that a tattoo in view is not found.
    """
    if not seen.is_searched or not NOWHERE.isdisjoint(seen.regions):
        return None
    in_view = seen.in_view or {}
    places = [(n, region) for n, one in enumerate(wearers) for region in _not_seen(seen, one)]
    if not places:
        return None
    has_it = _has_in(places, wearers, moment)
    visibility = np.array([in_view[region] for _, region in places])[:, None]
    llrs = absence_llrs(has_it=has_it, in_view=visibility, missed=missed)
    found = summed(llrs, [number for number, _ in places], len(wearers))
    return _located(np.maximum(found, LEAST_ABSENT) * _weights(wearers), places, has_it)


def _compared(seen: SeenTattoos, wearer: Wearer) -> list[tuple[float, Span, bool]]:
    """Of each that is seen: its ratio, when the tattoo that it is like was there, and if in this place."""
    if wearer.factor <= 0 or not (wearer.matches or wearer.llr):
        return []
    known = {one.tattoo_id: one for one in wearer.facts.tattoos}
    found = []
    for one, place in zip(wearer.matches, chain(seen.regions, repeat(BODY_REGION_UNKNOWN)), strict=False):
        llr, tattoo = held(one.llr), known.get(one.tattoo_id)
        if llr is not None:
            is_there = tattoo is not None and tattoo.region == place and place not in NOWHERE
            found.append((wearer.factor * llr, _had(tattoo), is_there))
    if not found and (llr := held(wearer.llr)) is not None:
        return [(wearer.factor * llr, _ALWAYS, False)]
    return found


def _said_to_be_clear(seen: SeenTattoos, wearer: Wearer) -> list[BodyRegion.ValueType]:
    """Regions said to be clear in which a tattoo is seen that is not rather the candidate's."""
    if wearer.weight <= 0:
        return []
    places = {one.region for one in wearer.facts.regions if not one.is_tattooed} & set(seen.regions) - NOWHERE
    if not places:
        return []
    matched = zip(seen.regions, wearer.matches, strict=False)
    return sorted(places - {place for place, one in matched if _may_be(one)})


def _not_seen(seen: SeenTattoos, wearer: Wearer) -> list[BodyRegion.ValueType]:
    """Regions in view of which something is known, and in which none of the candidate's tattoos is seen.

    None where what is seen was not compared with them: it may be any of them.
    """
    facts = wearer.facts
    if wearer.weight <= 0 or not (facts.tattoos or facts.regions):
        return []
    if seen.regions and not any(one.tattoo_id for one in wearer.matches):
        return []
    told = {one.region for one in facts.tattoos} | {one.region for one in facts.regions}
    found_again = {one.tattoo_id for one in wearer.matches if _may_be(one)}
    told -= {one.region for one in facts.tattoos if one.tattoo_id in found_again}
    told -= NOWHERE.union(seen.regions)
    return [region for region in seen.in_view or () if region in told]


def _is_clear(places: Sequence[_Place], wearers: Sequence[Wearer], moment: Moment) -> Years:
    """Whether a source says that nothing is there, and nothing the contrary [places, years], 0..1."""
    said: _Spans = []
    contrary: _Spans = []
    for number, place_of in _by_wearer(places):
        facts = wearers[number].facts
        for one in facts.regions:
            if one.region in place_of:
                (contrary if one.is_tattooed else said).append((place_of[one.region], (one.since, one.until)))
        contrary += [(place_of[one.region], _had(one)) for one in facts.tattoos if one.region in place_of]
    return _within(said, moment, len(places)) * (1 - _there(contrary, moment, len(places)))


def _has_in(places: Sequence[_Place], wearers: Sequence[Wearer], moment: Moment) -> Years:
    """Probability that there is a tattoo [places, years]: of several the surest.

    Pictures first, else what sources say.
    """
    had: _Spans = []
    clear: _Spans = []
    for number, place_of in _by_wearer(places):
        facts = wearers[number].facts
        own = [one for one in facts.tattoos if one.region in place_of]
        had += [(place_of[one.region], (one.first_seen, _last_day(one))) for one in own]
        in_words = place_of.keys() - {one.region for one in own}
        for one in facts.regions:
            if one.region in in_words and one.source != _OBSERVED:
                (had if one.is_tattooed else clear).append((place_of[one.region], (one.since, one.until)))
    return _there(had, moment, len(places)) * (1 - _within(clear, moment, len(places)))


def _weights(wearers: Sequence[Wearer]) -> Years:
    return np.array([[one.weight] for one in wearers])


def _by_wearer(places: Sequence[_Place]) -> Iterable[tuple[int, Mapping[BodyRegion.ValueType, int]]]:
    """Which of the places each wearer's regions are."""
    found: dict[int, dict[BodyRegion.ValueType, int]] = {}
    for place, (number, region) in enumerate(places):
        found.setdefault(number, {})[region] = place
    return found.items()


def _located(llrs: Years, places: Sequence[_Place], why: Years) -> Located | None:
    """Of the places of which anything follows in any year."""
    regions: dict[int, list[BodyRegion.ValueType]] = {}
    for (number, region), is_one in zip(places, np.asarray(why.any(axis=1)), strict=True):
        if is_one:
            regions.setdefault(number, []).append(region)
    return Located(llrs, regions) if regions else None


def _there(spans: _Spans, moment: Moment, count: int) -> Years:
    """The surest of each place; 0 for none. Dates that contradict each other say nothing."""
    possible = [one for one in spans if is_possible(one[1])]
    return largest(were_there(moment, [one for _, one in possible]), [place for place, _ in possible], count)


def _within(spans: _Spans, moment: Moment, count: int) -> Years:
    return largest(are_within(moment, [one for _, one in spans]), [place for place, _ in spans], count)


def _had(tattoo: KnownTattoo | None) -> Span:
    """Always where nothing, or nothing that makes sense, is known of the time."""
    span = _ALWAYS if tattoo is None else (tattoo.first_seen, _last_day(tattoo))
    return span if is_possible(span) else _ALWAYS


def _last_day(tattoo: KnownTattoo) -> datetime.date | None:
    removed = tattoo.removed
    if removed is None or removed == datetime.date.min:
        return removed
    return removed - datetime.timedelta(days=1)


def _may_be(match: TattooMatch) -> bool:
    """Whether it is rather the candidate's tattoo than another one, or nothing tells which."""
    if match.llr is None or not math.isfinite(match.llr):
        return bool(match.tattoo_id)
    return match.llr > 0
