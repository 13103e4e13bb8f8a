"""One candidate of one person, weighed: every term of the log odds against nobody enrolled. Pure."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gateway.catalogue.names import Past
from gateway.circumstances import Circumstances
from gateway.fusion.assumed import (
    AFTER_CAREER,
    BEFORE_CAREER,
    LEAST_MEASUREMENTS,
    UNCALIBRATED,
    UNDER_AGE,
    USUAL_NATURAL,
)
from gateway.fusion.career import career_llrs
from gateway.fusion.histories import Appearance, natural_llrs
from gateway.fusion.moment import Moment
from gateway.fusion.ratio import held
from gateway.fusion.scene_time import Years, dated, shares
from gateway.fusion.tattoos import absent_llrs, clear_llrs, present_llrs
from gateway.observations import Signal
from gateway.people import PersonView
from gateway.ranked import Contribution, PersonScores
from gateway.signals import SignalScore, TattooFacts
from gateway.summaries import region_label, spoken_ratio, summary_of
from marquee.common.v1.common_pb2 import BodyRegion
from marquee.gateway.v1 import identification_pb2 as pb
from marquee.gateway.v1.identification_pb2 import ContributionKind

__all__ = ["Weighed", "contribution", "factor_of", "weigh"]

_SEEN = {pb.CONTRIBUTION_KIND_FACE, pb.CONTRIBUTION_KIND_TATTOO, pb.CONTRIBUTION_KIND_BODY}
# Less is nothing but rounding.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """All that counts for and against one candidate, but for the other people in the picture."""

    contributions: tuple[Contribution, ...]
    years: Years | None = None
    """P(year | it is this candidate); None where it is what it was before."""

    @property
    def log_odds(self) -> float:
        """Natural log of P(candidate) / P(unknown)."""
        return math.fsum(one.log_ratio for one in self.contributions)

    @property
    def seen(self) -> float:
        """What the signals say of it, and neither the prior nor the time."""
        return math.fsum(one.log_ratio for one in self.contributions if one.kind in _SEEN)


@dataclass(frozen=True, slots=True, eq=False)
class _Yearly:
    """Evidence that hangs on the year: log ratio of each, and what it is in words."""

    kind: ContributionKind.ValueType
    llrs: Years
    words: str


def contribution(kind: ContributionKind.ValueType, log_ratio: float, words: str) -> Contribution:
    return Contribution(kind, log_ratio, f"{words}: {spoken_ratio(log_ratio)}")


def factor_of(signal: Signal, score: SignalScore | None) -> float:
    """What a signal's log ratio is multiplied by, 0..1; 0: it is told and not counted.

    The weight of its calibration, times UNCALIBRATED where that is not of this library. A body counts only
    by a calibration of this library, and where the candidate has LEAST_MEASUREMENTS.
    """
    found = score or SignalScore(0.0, 0.0)
    trust = found.trust
    weight = min(1.0, max(0.0, trust.weight)) if math.isfinite(trust.weight) else 0.0
    if signal is Signal.BODY:
        is_counted = trust.is_of_this_library and found.measurements >= LEAST_MEASUREMENTS
        return weight if is_counted else 0.0
    return weight if trust.is_of_this_library else weight * UNCALIBRATED


def weigh(
    candidate: str,
    view: PersonView,
    *,
    before: Iterable[Contribution],
    scores: PersonScores,
    circumstances: Circumstances,
) -> Weighed:
    """`before`: what is believed before anything is seen. A kind of which nothing is known is left out."""
    found = [*before, *_constant(candidate, view, scores)]
    yearly = _yearly(candidate, view, scores, circumstances)
    prior, llrs = circumstances.moment.prior, [one.llrs for one in yearly]
    found += [
        contribution(one.kind, share, one.words)
        for one, share in zip(yearly, shares(prior, llrs), strict=True)
        if abs(share) > _NOTHING
    ]
    is_told = any(np.ptp(one) > _NOTHING for one in llrs)
    return Weighed(
        tuple(sorted(found, key=lambda one: one.kind)), dated(prior, llrs).years if is_told else None
    )


def _constant(candidate: str, view: PersonView, scores: PersonScores) -> list[Contribution]:
    """Face and body: when the picture was taken changes nothing."""
    kinds = {Signal.FACE: pb.CONTRIBUTION_KIND_FACE, Signal.BODY: pb.CONTRIBUTION_KIND_BODY}
    found = []
    for signal, kind in kinds.items():
        score = scores.get(signal, {}).get(candidate)
        llr = held(score.llr) if score is not None else None
        counted = factor_of(signal, score) * (llr or 0.0)
        if abs(counted) > _NOTHING:
            found.append(contribution(kind, counted, summary_of(signal, view) or signal.label))
    return found


def _yearly(
    candidate: str, view: PersonView, scores: PersonScores, circumstances: Circumstances
) -> list[_Yearly]:
    """In the order in which they are counted: what is known of the time first."""
    moment, past = circumstances.moment, circumstances.pasts.get(candidate, Past())
    score = scores.get(Signal.TATTOO, {}).get(candidate)
    facts = circumstances.facts.get(candidate) or (score.facts if score else TattooFacts())
    found = (
        _career(past, moment),
        _tattoo(view, score, facts, circumstances),
        # Where nothing compared what is seen, nobody can tell what is missing.
        _absent(view, score, facts, circumstances) if _is_compared(view, scores) else None,
        _appearance(past, moment, circumstances.natural),
    )
    return [one for one in found if one is not None]


def _career(past: Past, moment: Moment) -> _Yearly | None:
    llrs = career_llrs(
        moment,
        birth_year=past.birth_date.year if past.birth_date else 0,
        start=past.career_start_year,
        end=past.career_end_year,
    )
    if llrs is None:
        return None
    reasons = {UNDER_AGE: "under 18", BEFORE_CAREER: "before the career", AFTER_CAREER: "after the career"}
    reason = reasons.get(float(llrs[0]), "career") if moment.day else "career"
    words = f"{moment.day.year}, {reason}" if moment.day else reason
    return _Yearly(pb.CONTRIBUTION_KIND_CAREER, llrs, words)


def _tattoo(
    view: PersonView, score: SignalScore | None, facts: TattooFacts, circumstances: Circumstances
) -> _Yearly | None:
    """Tattoos that are seen: how alike they are, and whether sources say that nothing is there."""
    matches, moment = score.matches if score else (), circumstances.moment
    factor = factor_of(Signal.TATTOO, score)
    present = present_llrs(matches, facts, moment, factor=factor)
    if present is None and score is not None and (llr := held(score.llr)) is not None:
        present = np.full(len(moment.years), factor * llr)
    clear = clear_llrs(circumstances.seen_tattoos(view), matches, facts, moment)
    if present is None and clear is None:
        return None
    llrs = np.zeros(len(moment.years)) if present is None else present
    words = [summary_of(Signal.TATTOO, view, agreeing_points=score.agreeing_points if score else 0)]
    if clear is not None:
        llrs = llrs + clear[0]
        words.append(f"{_labels(clear[1])} said to be clear")
    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO, llrs, ", ".join(word for word in words if word) or "tattoo")


def _is_compared(view: PersonView, scores: PersonScores) -> bool:
    return not view.person.tattoos or Signal.TATTOO in scores


def _absent(
    view: PersonView, score: SignalScore | None, facts: TattooFacts, circumstances: Circumstances
) -> _Yearly | None:
    absent = absent_llrs(
        circumstances.seen_tattoos(view), score.matches if score else (), facts, circumstances.moment
    )
    if absent is None:
        return None
    words = f"{_labels(absent[1])} in view, no tattoo"
    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO_ABSENT, absent[0], words)


def _appearance(past: Past, moment: Moment, stated: float | None) -> _Yearly | None:
    if stated is None:
        return None
    history = [
        Appearance(
            natural=one.natural_probability,
            first=_year(one.effective_from),
            last=_year(one.effective_until),
        )
        for one in past.breast_history
        if one.natural_probability is not None
    ]
    if not history:
        return None
    llrs = natural_llrs(moment.years, history, stated=stated, usual=USUAL_NATURAL)
    return _Yearly(pb.CONTRIBUTION_KIND_APPEARANCE, llrs, f"natural stated with {stated:.2g}")


def _labels(regions: Iterable[BodyRegion.ValueType]) -> str:
    return ", ".join(region_label(one) for one in regions)


def _year(day: datetime.date | None) -> int | None:
    return day.year if day is not None else None
