"""All candidates of one person, weighed: every term of the log odds against nobody enrolled. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.catalogue.names import Past
from gateway.circumstances import Circumstances
from gateway.counting import Counted, shares_of
from gateway.fusion.assumed import AFTER_CAREER, BEFORE_CAREER, UNDER_AGE, USUAL_NATURAL
from gateway.fusion.histories import Appearances, natural_llrs
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years, shares, spread
from gateway.fusion.tattoos import Located, SeenTattoos, absent_llrs, clear_llrs, present_llrs
from gateway.fusion.wearers import Wearers
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
_UNSCORED = SignalScore(0.0, 0.0)

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
        told = [(one, float(one.llrs[number])) for one in self.terms]
        return tuple(
            contribution(one.kind, llr, one.words(number))
            for one, llr in told
            if llr or one.kind == pb.CONTRIBUTION_KIND_PRIOR
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
    spreads = [spread(one.llrs) for one in yearly]
    found, together = shares(circumstances.moment.prior, [one.llrs for one in yearly], spreads)
    marginal = [Term.rounded(one.kind, share, one.words) for one, share in zip(yearly, found, strict=True)]
    terms = sorted([*before, *_constant(view, counted), *marginal], key=lambda one: one.kind)
    # Of whom not all years are alike.
    dating = np.flatnonzero(np.max(spreads, axis=0) > _NOTHING).tolist() if spreads else []
    return Weighed(
        {one: number for number, one in enumerate(candidates)},
        counted,
        tuple(terms),
        {candidates[number]: together.years[number] for number in dating},
    )


def _constant(view: PersonView, counted: Mapping[Signal, Counted]) -> list[Term]:
    """Face and body: when the picture was taken changes nothing."""
    kinds = {Signal.FACE: pb.CONTRIBUTION_KIND_FACE, Signal.BODY: pb.CONTRIBUTION_KIND_BODY}
    return [
        Term.rounded(kind, counted[signal].ratios, _same(summary_of(signal, view) or signal.label))
        for signal, kind in kinds.items()
    ]


def _yearly(
    candidates: Sequence[str],
    view: PersonView,
    scores: PersonScores,
    counted: Counted,
    circumstances: Circumstances,
) -> list[_Yearly]:
    """In the order in which they are counted: what is known of the time first."""
    moment = circumstances.moment
    pasts = [circumstances.pasts.get(one, _NO_PAST) for one in candidates]
    found = (
        _career(circumstances.careers(candidates), moment),
        *_inked(candidates, view, scores.get(Signal.TATTOO, {}), counted, circumstances),
        _appearance(pasts, moment, circumstances.natural),
    )
    return [one for one in found if one is not None]


def _inked(
    candidates: Sequence[str],
    view: PersonView,
    compared: Mapping[str, SignalScore],
    counted: Counted,
    circumstances: Circumstances,
) -> tuple[_Yearly | None, ...]:
    """Tattoos that are seen, and those that are not."""
    if not (compared or circumstances.facts):
        return ()
    scores = [compared.get(one, _UNSCORED) for one in candidates]
    wearers = _wearers(candidates, scores, counted, circumstances)
    seen, moment = circumstances.seen_tattoos(view), circumstances.moment
    return (
        _tattoo(view, seen, wearers, moment, scores),
        _absent(absent_llrs(seen, wearers, moment)),
    )


def _wearers(
    candidates: Sequence[str],
    scores: Sequence[SignalScore],
    counted: Counted,
    circumstances: Circumstances,
) -> Wearers:
    """What was scored counts by the weight told with it, the rest by the one told with what is known."""
    facts = circumstances.facts
    weights = [
        score.trust.weight if score is not _UNSCORED else facts[one].weight if one in facts else 1.0
        for one, score in zip(candidates, scores, strict=True)
    ]
    inventory, performers = circumstances.inventory(candidates, [one.facts for one in scores])
    return Wearers.of(
        inventory,
        performers,
        matches=[one.matches for one in scores],
        llrs=[one.llr for one in scores],
        factors=counted.factors,
        weights=shares_of(weights),
    )


def _career(llrs: Years | None, moment: Moment) -> _Yearly | None:
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
    wearers: Wearers,
    moment: Moment,
    scores: Sequence[SignalScore],
) -> _Yearly | None:
    """Tattoos that are seen: how alike they are, and whether sources say that nothing is there."""
    present, clear = present_llrs(seen, wearers, moment), clear_llrs(seen, wearers, moment)
    if present is None and clear is None:
        return None

    def words(number: int) -> str:
        found = [summary_of(Signal.TATTOO, view, agreeing_points=scores[number].agreeing_points)]
        if clear is not None and (regions := clear.regions_of(number)):
            found.append(f"{_labels(regions)} said to be clear")
        return ", ".join(word for word in found if word) or "tattoo"

    llrs = np.zeros((len(wearers), len(moment.years))) if present is None else present
    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO, llrs if clear is None else llrs + clear.llrs, words)


def _absent(absent: Located | None) -> _Yearly | None:
    if absent is None:
        return None

    def words(number: int) -> str:
        return f"{_labels(absent.regions_of(number))} in view, no tattoo"

    return _Yearly(pb.CONTRIBUTION_KIND_TATTOO_ABSENT, absent.llrs, words)


def _appearance(pasts: Sequence[Past], moment: Moment, stated: float | None) -> _Yearly | None:
    if stated is None:
        return None
    said = [
        (number, one, one.natural_probability)
        for number, past in enumerate(pasts)
        for one in past.breast_history
        if one.natural_probability is not None
    ]
    if not said:
        return None
    records = [one for _, one, _ in said]
    found = Appearances(
        owners=[number for number, *_ in said],
        natural=[probability for *_, probability in said],
        first=[one.effective_from.year if one.effective_from else -np.inf for one in records],
        last=[one.effective_until.year if one.effective_until else np.inf for one in records],
    )
    llrs = natural_llrs(moment.years, found, len(pasts), stated=stated, usual=USUAL_NATURAL)
    return _Yearly(pb.CONTRIBUTION_KIND_APPEARANCE, llrs, _same(f"natural stated with {stated:.2g}"))


def _same(words: str) -> _Words:
    return lambda _: words


def _labels(regions: Iterable[BodyRegion.ValueType]) -> str:
    return ", ".join(region_label(one) for one in regions)
