"""The policy BAYESIAN: how probable each candidate is, and that it is nobody of the gallery. Pure.

docs/fusion.md derives it; `gateway/weighing.py` has one candidate's terms, `gateway/fusion` the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass

from gateway.circumstances import Circumstances
from gateway.fusion.posterior import Posterior, log_prior, posterior
from gateway.fusion.ratio import held
from gateway.fusion.scene_time import Years
from gateway.observations import Candidate, Signal
from gateway.people import PersonView
from gateway.person_status import leading_signal, status_of
from gateway.ranked import Contribution, Evidence, PersonScores, Ranked, RankedPerson
from gateway.summaries import spoken_ratio, summary_of
from gateway.weighing import Weighed, contribution, factor_of, weigh
from marquee.gateway.v1 import identification_pb2 as pb

__all__ = ["Belief", "Believed", "believe", "rank_bayesian"]

# A probability of 0 would have no logarithm.
_LEAST = 1e-300
# Less is nothing but rounding.
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed before anything is seen, and when a candidate counts as identified."""

    gallery_size: int
    """Performers who could be meant."""
    unknown: float
    """Probability, between 0 and 1, that a person in a picture is none of them."""
    identified: float
    """Probability, 0..1, from which on the first candidate is identified."""


@dataclass(frozen=True, slots=True, eq=False)
class Believed:
    """What is believed of one person, as if nobody else were in the picture."""

    posterior: Posterior
    weighed: Mapping[str, Weighed]
    """What it is made of, by candidate."""

    @property
    def years(self) -> Mapping[str, Years]:
        """P(year | candidate), of those who tell something of it."""
        return {one: each.years for one, each in self.weighed.items() if each.years is not None}


def believe(
    view: PersonView,
    *,
    scores: PersonScores,
    known: Set[str],
    hints: Mapping[str, float],
    belief: Belief,
    circumstances: Circumstances,
) -> Believed:
    """How probable each candidate of one person is, and that it is nobody of the gallery.

    known: performers that the catalogue has; nobody else appears or has any influence.
    hints: how many times as probable as others these performers are; they are listed in any case.

    A signal that says nothing of a candidate, or whose similarities are not calibrated, is neutral.
    """
    hinted = {one: factor for one, factor in hints.items() if one in known}
    candidates = frozenset[str]().union(*_proposed(view, known).values(), hinted)
    before = _Before(belief, hinted, len(candidates))
    weighed = {
        one: weigh(one, view, before=before.of(one), scores=scores, circumstances=circumstances)
        for one in candidates
    }
    odds = {one: each.log_odds for one, each in weighed.items()}
    return Believed(posterior(odds, log_unknown=0.0), weighed)


def rank_bayesian(
    view: PersonView,
    believed: Believed,
    together: Posterior,
    *,
    scores: PersonScores,
    known: Set[str],
    belief: Belief,
    limit: int,
) -> RankedPerson:
    """Rank one person's candidates by what is believed of them, with the evidence.

    together: the same when nobody is two of the people. limit: most candidates to keep; all share in the
    probabilities.
    """
    proposed, ranking = _proposed(view, known), list(together.probabilities)
    leading = leading_signal(view.person)
    # A prior alone, however sure, identifies nobody.
    is_seen = bool(ranking) and believed.weighed[ranking[0]].seen > 0
    first = together.probabilities[ranking[0]] if is_seen else None
    told = [
        (factor_of(signal, score), score.trust.is_of_this_library)
        for signal, of_signal in scores.items()
        for one, score in of_signal.items()
        if one in believed.weighed and held(score.llr) is not None
    ]
    return RankedPerson(
        view=view,
        status=status_of(leading, threshold=belief.identified, top_score=first),
        threshold=belief.identified if leading else 0.0,
        candidates=tuple(
            Ranked(
                one,
                together.probabilities[one],
                _evidence(view, one, proposed, scores),
                probability=together.probabilities[one],
                contributions=_contributions(one, believed, together),
            )
            for one in ranking[:limit]
        ),
        unknown=together.unknown,
        margin=together.margin,
        is_uncalibrated=any(factor > 0 and not is_own for factor, is_own in told),
        has_uncounted=any(factor == 0 for factor, _ in told),
    )


class _Before:
    """What is believed of each candidate before anything is seen, against unknown."""

    def __init__(self, belief: Belief, hints: Mapping[str, float], candidates: int) -> None:
        # Whoever is a candidate is in the gallery, also where it has grown since it was counted.
        self._size = max(belief.gallery_size, candidates, 1)
        self._unknown, self._hints = belief.unknown, hints
        self._plain = log_prior("", gallery_size=self._size, unknown=self._unknown)
        self._others = log_prior("", gallery_size=self._size, unknown=self._unknown, hints=hints)

    def of(self, candidate: str) -> list[Contribution]:
        """The prior; with hints also what those change, of others as well."""
        odds = self._plain - math.log(self._unknown)
        found = [contribution(pb.CONTRIBUTION_KIND_PRIOR, odds, f"one of {self._size:,} performers")]
        is_hinted = candidate in self._hints
        changed = (self._hinted(candidate) if is_hinted else self._others) - self._plain
        if abs(changed) > _NOTHING:
            words = "hinted" if is_hinted else "others are hinted"
            found.append(contribution(pb.CONTRIBUTION_KIND_HINT, changed, words))
        return found

    def _hinted(self, candidate: str) -> float:
        return log_prior(candidate, gallery_size=self._size, unknown=self._unknown, hints=self._hints)


def _contributions(candidate: str, believed: Believed, together: Posterior) -> tuple[Contribution, ...]:
    """With what the other people change; the sum is log(probability / unknown)."""
    weighed = believed.weighed[candidate]
    odds = math.log(max(together.probabilities[candidate], _LEAST)) - math.log(max(together.unknown, _LEAST))
    changed = odds - weighed.log_odds
    if abs(changed) <= _NOTHING:
        return weighed.contributions
    others = contribution(pb.CONTRIBUTION_KIND_OTHER_PEOPLE, changed, "other people in the picture")
    return (*weighed.contributions, others)


def _proposed(view: PersonView, known: Set[str]) -> Mapping[Signal, Mapping[str, Candidate]]:
    return {
        signal: {one: found for one, found in view.proposed(signal).items() if one in known}
        for signal in Signal
    }


def _evidence(
    view: PersonView,
    performer_id: str,
    proposed: Mapping[Signal, Mapping[str, Candidate]],
    scores: PersonScores,
) -> tuple[Evidence, ...]:
    """One for each signal that saw the person and knows the performer; the ratio is that of round 2."""
    found = {signal: scores.get(signal, {}).get(performer_id) for signal in Signal}
    factors = {signal: factor_of(signal, score) for signal, score in found.items()}
    total = sum(factors[signal] for signal in Signal if view.templates(signal))
    evidence = []
    for signal in Signal:
        candidate, score = proposed[signal].get(performer_id), found[signal]
        shown = score or candidate
        if shown is None:
            continue
        llr = score.llr if score else None
        words = [summary_of(signal, view, agreeing_points=shown.agreeing_points)]
        if llr is not None:
            words.append(spoken_ratio(llr) if factors[signal] > 0 else f"{spoken_ratio(llr)}, not counted")
        evidence.append(
            Evidence(
                signal=signal,
                similarity=shown.similarity,
                confidence=shown.confidence,
                weight=factors[signal] / total if total > 0 else 0.0,
                is_proposed=candidate is not None,
                llr=llr,
                is_compatible=score.is_compatible if score else None,
                summary="; ".join(word for word in words if word),
            )
        )
    return tuple(evidence)
