"""The policy BAYESIAN: how probable each candidate is, and that it is nobody of the gallery. Pure.

docs/fusion.md derives it; `gateway/fusion` has the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from gateway.fusion.posterior import Posterior, log_prior, posterior
from gateway.observations import Candidate, Signal
from gateway.people import PersonView
from gateway.person_status import leading_signal, status_of
from gateway.ranked import Evidence, PersonScores, Ranked, RankedPerson
from gateway.summaries import summary_of

__all__ = ["FACTORS", "UNCALIBRATED", "Belief", "believe", "rank_bayesian", "spoken_ratio"]

FACTORS = {Signal.FACE: 1.0, Signal.TATTOO: 1.0, Signal.BODY: 0.0}
"""What each signal's log ratio is multiplied by. A body's is told; it counts when it is shown to help."""

UNCALIBRATED = 0.8
"""Not fitted. Calibrations that ship know other libraries' pictures, so they are believed less."""
# A performer whom the caller names is so many times as probable as the others before anything is seen.
_HINTED = 20.0


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed before anything is seen, and when a candidate counts as identified."""

    gallery_size: int
    """Performers who could be meant."""
    unknown: float
    """Probability, between 0 and 1, that a person in a picture is none of them."""
    identified: float
    """Probability, 0..1, from which on the first candidate is identified."""


def believe(
    view: PersonView, *, scores: PersonScores, known: Set[str], hints: Sequence[str], belief: Belief
) -> Posterior:
    """How probable each candidate of one person is, and that it is nobody of the gallery.

    known: performers that the catalogue has; nobody else appears or has any influence.
    hints: performers to list even if no signal proposes them.

    A signal that says nothing of a candidate, or whose similarities are not calibrated, is neutral.
    """
    hinted = frozenset(known).intersection(hints)
    candidates = frozenset[str]().union(*_proposed(view, known).values()) | hinted
    # Whoever is a candidate is in the gallery, also where it has grown since it was counted.
    size = max(belief.gallery_size, len(candidates), 1)
    factors = dict.fromkeys(hinted, _HINTED)
    logs = {
        one: log_prior(one, gallery_size=size, unknown=belief.unknown, hints=factors) + _ratio(one, scores)
        for one in candidates
    }
    return posterior(logs, log_unknown=math.log(belief.unknown))


def rank_bayesian(
    view: PersonView,
    believed: Posterior,
    *,
    scores: PersonScores,
    known: Set[str],
    belief: Belief,
    limit: int,
) -> RankedPerson:
    """Rank one person's candidates by what is believed of them, with the evidence.

    limit: most candidates to keep; all share in the probabilities.
    """
    proposed, ranking = _proposed(view, known), list(believed.probabilities)
    leading = leading_signal(view.person)
    # A prior alone, however sure, identifies nobody.
    is_seen = bool(ranking) and _ratio(ranking[0], scores) > 0
    first = believed.probabilities[ranking[0]] if is_seen else None
    return RankedPerson(
        view=view,
        status=status_of(leading, threshold=belief.identified, top_score=first),
        threshold=belief.identified if leading else 0.0,
        candidates=tuple(
            Ranked(
                one,
                believed.probabilities[one],
                _evidence(view, one, proposed, scores),
                probability=believed.probabilities[one],
            )
            for one in ranking[:limit]
        ),
        unknown=believed.unknown,
        margin=believed.margin,
        is_uncalibrated=True,
    )


def spoken_ratio(llr: float) -> str:
    """`speaks for, 150 : 1`, `speaks against, 1 : 20`; `says nothing` between 1 : 1.1 and 1.1 : 1."""
    if abs(llr) < math.log(1.1):
        return "says nothing"
    ratio = math.exp(min(abs(llr), 50.0))
    told = f"{ratio:.1f}" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"
    return f"speaks for, {told} : 1" if llr > 0 else f"speaks against, 1 : {told}"


def _proposed(view: PersonView, known: Set[str]) -> Mapping[Signal, Mapping[str, Candidate]]:
    return {
        signal: {one: found for one, found in view.proposed(signal).items() if one in known}
        for signal in Signal
    }


def _ratio(candidate: str, scores: PersonScores) -> float:
    """Log ratio of all that is seen, this candidate over a stranger."""
    return UNCALIBRATED * sum(
        FACTORS[signal] * _llr(candidate, signal, scores) for signal in scores if FACTORS[signal] > 0
    )


def _llr(candidate: str, signal: Signal, scores: PersonScores) -> float:
    score = scores[signal].get(candidate)
    return score.llr if score is not None and score.llr is not None and math.isfinite(score.llr) else 0.0


def _evidence(
    view: PersonView,
    performer_id: str,
    proposed: Mapping[Signal, Mapping[str, Candidate]],
    scores: PersonScores,
) -> tuple[Evidence, ...]:
    """One for each signal that saw the person and knows the performer; the ratio is that of round 2."""
    seen = {signal for signal in Signal if view.templates(signal)}
    total = sum(FACTORS[signal] for signal in seen)
    evidence = []
    for signal in Signal:
        candidate, score = proposed[signal].get(performer_id), scores.get(signal, {}).get(performer_id)
        shown = score or candidate
        if shown is None:
            continue
        llr = score.llr if score else None
        words = [summary_of(signal, view, agreeing_points=shown.agreeing_points)]
        if llr is not None:
            words.append(spoken_ratio(llr) if FACTORS[signal] > 0 else f"{spoken_ratio(llr)}, not counted")
        evidence.append(
            Evidence(
                signal=signal,
                similarity=shown.similarity,
                confidence=shown.confidence,
                weight=FACTORS[signal] / total if total > 0 else 0.0,
                is_proposed=candidate is not None,
                llr=llr,
                is_compatible=score.is_compatible if score else None,
                summary="; ".join(word for word in words if word),
            )
        )
    return tuple(evidence)
