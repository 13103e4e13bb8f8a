"""All candidates of one person, weighed: every term of the log odds against nobody enrolled. Pure."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.catalogue.names import Past
from gateway.circumstances import Circumstances
from gateway.counting import Counted, shares_of
from gateway.fusion.assumed import AFTER_CAREER, BEFORE_CAREER, UNDER_AGE, USUAL_NATURAL
from gateway.fusion.career import career_llrs
from gateway.fusion.histories import Appearance, natural_llrs
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years, shares
from gateway.fusion.tattoos import Located, SeenTattoos, Wearer, absent_llrs, clear_llrs, present_llrs
from gateway.known_tattoos import TattooFacts
from gateway.observations import Signal
from gateway.people import PersonView
from gateway.ranked import Contribution, PersonScores
from gateway.signals import SignalScore
from gateway.summaries import region_label, spoken_ratio, summary_of
from marquee.common.v1.common_pb2 import BodyRegion
from marquee.gateway.v1 import identification_pb2 as pb
from marquee.gateway.v1.identification_pb2 import ContributionKind

__all__ = ["Term", "Weighed", "contribution", "weigh"]

_SEEN = {pb.CONTRIBUTION_KIND_FACE, pb.CONTRIBUTION_KIND_TATTOO, pb.CONTRIBUTION_KIND_BODY}
# Less is nothing but rounding.
_NOTHING = 1e-9
_NO_PAST = Past()
_STRANGER = Wearer(TattooFacts())

_Words = Callable[[int], str]
"""What a term is in words, by number of the candidate: few candidates are told of."""


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One kind of evidence: log ratios [candidates], and its words; a ratio of 0 is not told of."""

    kind: ContributionKind.ValueType
    llrs: NDArray[np.float64]
    words: _Words

    @classmethod
    def rounded(cls, kind: ContributionKind.ValueType, llrs: NDArray[np.float64], words: _Words) -> Term:
        """Without what is nothing but rounding."""
        return cls(kind, np.where(np.abs(llrs) > _NOTHING, llrs, 0.0), words)


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """All that counts for and against each candidate, but for the other people in the picture."""

    numbers: Mapping[str, int]
    """Of the candidates: their rows."""
    counted: Mapping[Signal, Counted]
    terms: tuple[Term, ...]
    """In the order in which they are told."""
    years: Mapping[str, Years]
    """P(year | it is this candidate), of those of whom it is not what it was before."""

    @property
    def log_odds(self) -> Mapping[str, float]:
        """Natural log of P(candidate) / P(unknown)."""
        total = np.zeros(len(self.numbers))
        for one in self.terms:
            total = total + one.llrs
        return dict(zip(self.numbers, total.tolist(), strict=True))

    def contributions(self, candidate: str) -> tuple[Contribution, ...]:
        """The terms of one candidate. The prior is one in any case."""
        number = self.numbers[candidate]
        return tuple(
            contribution(one.kind, float(one.llrs[number]), one.words(number))
            for one in self.terms
            if one.llrs[number] or one.kind == pb.CONTRIBUTION_KIND_PRIOR
        )

    def seen(self, candidate: str) -> float:
        """What the signals say of one candidate, and neither the prior nor the time."""
        number = self.numbers[candidate]
        return math.fsum(one.llrs[number] for one in self.terms if one.kind in _SEEN)


@dataclass(frozen=True, slots=True, eq=False)
class _Yearly:
    """Evidence that hangs on the year: log ratios [candidates, years], and what it is in words."""

    kind: ContributionKind.ValueType
    llrs: Years
    words: _Words


def contribution(kind: ContributionKind.ValueType, log_ratio: float, words: str) -> Contribution:
    return Contribution(kind, log_ratio, f"{words}: {spoken_ratio(log_ratio)}")


def weigh(
    candidates: Sequence[str],
    view: PersonView,
    *,
    before: Iterable[Term],
    scores: PersonScores,
    circumstances: Circumstances,
) -> Weighed:
    """`before`: what is believed before anything is seen. A kind of which nothing is known is left out."""
    counted = {signal: Counted.of(signal, candidates, scores.get(signal, {})) for signal in Signal}
    yearly = _yearly(candidates, view, scores, counted[Signal.TATTOO], circumstances)
    found, together = shares(circumstances.moment.prior, [one.llrs for one in yearly])
    marginal = [Term.rounded(one.kind, share, one.words) for one, share in zip(yearly, found, strict=True)]
    terms = sorted([*before, *_constant(view, counted), *marginal], key=lambda one: one.kind)
    return Weighed(
        {one: number for number, one in enumerate(candidates)},
        counted,
        tuple(terms),
        {candidates[number]: together.years[number] for number in _dating(yearly)},
    )


def _constant(view: PersonView, counted: Mapping[Signal, Counted]) -> list[Term]:
    """Face and body: when the picture was taken changes nothing."""
    kinds = {Signal.FACE: pb.CONTRIBUTION_KIND_FACE, Signal.BODY: pb.CONTRIBUTION_KIND_BODY}
    return [
        Term.rounded(kind, counted[signal].ratios, _same(summary_of(signal, view) or signal.label))
        for signal, kind in kinds.items()
    ]


def _dating(yearly: Sequence[_Yearly]) -> Sequence[int]:
    """Candidates of whom not all years are alike."""
    if not yearly:
        return ()
    is_dating = np.any([np.ptp(one.llrs, axis=1) > _NOTHING for one in yearly], axis=0)
    return [int(number) for number in np.flatnonzero(is_dating)]


def _yearly(
    candidates: Sequence[str],
    view: PersonView,
    scores: PersonScores,
    counted: Counted,
    circumstances: Circumstances,
) -> list[_Yearly]:
    """In the order in which they are counted: what is known of the time first."""
    moment, compared = circumstances.moment, scores.get(Signal.TATTOO, {})
    pasts = [circumstances.pasts.get(one, _NO_PAST) for one in candidates]
    wearers = _wearers(candidates, compared, circumstances.facts, counted)
    seen = circumstances.seen_tattoos(view)
    found = (
        _career(pasts, moment),
        _tattoo(view, seen, wearers, moment, [compared.get(one) for one in candidates]),
        _absent(absent_llrs(seen, wearers, moment)),
        _appearance(pasts, moment, circumstances.natural),
    )
    return [one for one in found if one is not None]


def _wearers(
    candidates: Sequence[str],
    scores: Mapping[str, SignalScore],
    known: Mapping[str, TattooFacts],
    counted: Counted,
) -> list[Wearer]:
    """What was scored counts by the weight told with it, the rest by the one told with what is known."""
    told = [(scores.get(one), known.get(one)) for one in candidates]
    weights = shares_of(
        [score.trust.weight if score else facts.weight if facts else 1.0 for score, facts in told]
    )
    factors = counted.factors.tolist()
    return [
        _wearer(score, facts, factor, weight)
        for (score, facts), factor, weight in zip(told, factors, weights.tolist(), strict=True)
    ]


def _wearer(score: SignalScore | None, facts: TattooFacts | None, factor: float, weight: float) -> Wearer:
    if score is None:
        return Wearer(facts, factor=factor, weight=weight) if facts else _STRANGER
    return Wearer(facts or score.facts, score.matches, score.llr, factor, weight)


def _career(pasts: Sequence[Past], moment: Moment) -> _Yearly | None:
    llrs = career_llrs(
        moment,
        birth_year=[one.birth_date.year if one.birth_date else 0 for one in pasts],
        start=[one.career_start_year for one in pasts],
        end=[one.career_end_year for one in pasts],
    )
    if llrs is None:
        return None

    reasons = {UNDER_AGE: "under 18", BEFORE_CAREER: "before the career", AFTER_CAREER: "after the career"}

    def words(number: int) -> str:
        if moment.day is None:
            return "career"
        return f"{moment.day.year}, {reasons.get(float(llrs[number, 0]), 'career')}"

    return _Yearly(pb.CONTRIBUTION_KIND_CAREER, llrs, words)


def _tattoo(
    view: PersonView,
    seen: SeenTattoos,
    wearers: Sequence[Wearer],
    moment: Moment,
    scores: Sequence[SignalScore | None],
) -> _Yearly | None:
    """Tattoos that are seen: how alike they are, and whether sources say that nothing is there."""
    present, clear = present_llrs(seen, wearers, moment), clear_llrs(seen, wearers, moment)
    if present is None and clear is None:
        return None

    def words(number: int) -> str:
        score = scores[number]
        found = [summary_of(Signal.TATTOO, view, agreeing_points=score.agreeing_points if score else 0)]
        if clear is not None and number in clear.regions:
            found.append(f"{_labels(clear.regions[number])} said to be clear")
        return ", ".join(word for word in found if word) or "tattoo"

    llrs = np.zeros((len(wearers), len(moment.years))) if present is None else present
    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO, llrs if clear is None else llrs + clear.llrs, words)


def _absent(absent: Located | None) -> _Yearly | None:
    if absent is None:
        return None

    def words(number: int) -> str:
        return f"{_labels(absent.regions[number])} in view, no tattoo"

    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO_ABSENT, absent.llrs, words)


def _appearance(pasts: Sequence[Past], moment: Moment, stated: float | None) -> _Yearly | None:
    if stated is None:
        return None
    histories = [
        [
            Appearance(
                natural=one.natural_probability,
                first=_year(one.effective_from),
                last=_year(one.effective_until),
            )
            for one in past.breast_history
            if one.natural_probability is not None
        ]
        for past in pasts
    ]
    if not any(histories):
        return None
    llrs = natural_llrs(moment.years, histories, stated=stated, usual=USUAL_NATURAL)
    return _Yearly(pb.CONTRIBUTION_KIND_APPEARANCE, llrs, _same(f"natural stated with {stated:.2g}"))


def _same(words: str) -> _Words:
    return lambda _: words


def _labels(regions: Iterable[BodyRegion.ValueType]) -> str:
    return ", ".join(region_label(one) for one in regions)


def _year(day: datetime.date | None) -> int | None:
    return day.year if day is not None else None
