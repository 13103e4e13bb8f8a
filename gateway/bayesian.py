"""The policy BAYESIAN: how probable each candidate is, and that it is nobody of the gallery. Pure.

docs/fusion.md derives it; `gateway/weighing.py` has the candidates' terms, `gateway/fusion` the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from gateway.circumstances import Circumstances
from gateway.fusion.posterior import Posterior, log_prior, log_priors, posterior
from gateway.fusion.scene_time import Years
from gateway.observations import Candidate, Signal
from gateway.people import PersonView
from gateway.person_status import leading_signal, status_of
from gateway.ranked import Contribution, Evidence, PersonScores, Ranked, RankedPerson
from gateway.summaries import spoken_ratio, summary_of
from gateway.weighing import Term, Weighed, contribution, weigh
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
    weighed: Weighed
    """What it is made of."""
    proposed: Mapping[Signal, Mapping[str, Candidate]]
    """Who of the performers that the catalogue has is on each signal's own list."""

    @property
    def years(self) -> Mapping[str, Years]:
        """P(year | candidate), of those who tell something of it."""
        return self.weighed.years


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
    proposed = _proposed(view, known)
    candidates = sorted(frozenset[str]().union(*proposed.values(), hinted))
    before = _before(candidates, belief, hinted)
    weighed = weigh(candidates, view, before=before, scores=scores, circumstances=circumstances)
    return Believed(posterior(weighed.log_odds, log_unknown=0.0), weighed, proposed)


def rank_bayesian(
    view: PersonView,
    believed: Believed,
    together: Posterior,
    *,
    scores: PersonScores,
    belief: Belief,
    limit: int,
) -> RankedPerson:
    """Rank one person's candidates by what is believed of them, with the evidence.

    together: the same when nobody is two of the people. limit: most candidates to keep; all share in the
    probabilities.
    """
    ranking, counted = list(together.probabilities), believed.weighed.counted
    leading = leading_signal(view.person)
    # A prior alone, however sure, identifies nobody.
    is_seen = bool(ranking) and believed.weighed.seen(ranking[0]) > 0
    first = together.probabilities[ranking[0]] if is_seen else None
    return RankedPerson(
        view=view,
        status=status_of(leading, threshold=belief.identified, top_score=first),
        threshold=belief.identified if leading else 0.0,
        candidates=tuple(
            Ranked(
                one,
                together.probabilities[one],
                _evidence(view, one, believed, scores),
                probability=together.probabilities[one],
                contributions=_contributions(one, believed, together),
            )
            for one in ranking[:limit]
        ),
        unknown=together.unknown,
        margin=together.margin,
        is_uncalibrated=any(
            (one.is_told & (one.factors > 0) & ~one.is_own).any() for one in counted.values()
        ),
        # A body of few views is expected to count nothing.
        has_uncounted=any(
            (one.is_told & (one.factors == 0)).any()
            for signal, one in counted.items()
            if signal is not Signal.BODY
        ),
    )


def _before(candidates: Sequence[str], belief: Belief, hints: Mapping[str, float]) -> list[Term]:
    """The prior against unknown; with hints also what those change, of others as well."""
    # Whoever is a candidate is in the gallery, also where it has grown since it was counted.
    size, unknown = max(belief.gallery_size, len(candidates), 1), belief.unknown
    plain = log_prior("", gallery_size=size, unknown=unknown)
    prior = np.full(len(candidates), plain - math.log(unknown))
    words = f"one of {size:,} performers"
    found = [Term(pb.CONTRIBUTION_KIND_PRIOR, prior, lambda _: words)]
    if hints:
        changed = np.array(log_priors(candidates, gallery_size=size, unknown=unknown, hints=hints)) - plain
        found.append(
            Term.rounded(
                pb.CONTRIBUTION_KIND_HINT,
                changed,
                lambda number: "hinted" if candidates[number] in hints else "others are hinted",
            )
        )
    return found


def _contributions(candidate: str, believed: Believed, together: Posterior) -> tuple[Contribution, ...]:
    """With what the other people change; the sum is log(probability / unknown)."""
    told = believed.weighed.contributions(candidate)
    odds = math.log(max(together.probabilities[candidate], _LEAST)) - math.log(max(together.unknown, _LEAST))
    changed = odds - math.fsum(one.log_ratio for one in told)
    if abs(changed) <= _NOTHING:
        return told
    others = contribution(pb.CONTRIBUTION_KIND_OTHER_PEOPLE, changed, "other people in the picture")
    return (*told, others)


def _proposed(view: PersonView, known: Set[str]) -> Mapping[Signal, Mapping[str, Candidate]]:
    lists = {signal: view.proposed(signal) for signal in Signal}
    return {
        signal: listed
        if listed.keys() <= known
        else {one: found for one, found in listed.items() if one in known}
        for signal, listed in lists.items()
    }


def _evidence(
    view: PersonView,
    performer_id: str,
    believed: Believed,
    scores: PersonScores,
) -> tuple[Evidence, ...]:
    """One for each signal that saw the person and knows the performer; the ratio is that of round 2."""
    number, counted = believed.weighed.numbers[performer_id], believed.weighed.counted
    factors = {
        signal: float(one.factors[number]) if one.is_told[number] else 0.0 for signal, one in counted.items()
    }
    total = sum(factors.values())
    evidence = []
    for signal in Signal:
        candidate = believed.proposed[signal].get(performer_id)
        score = scores.get(signal, {}).get(performer_id)
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
