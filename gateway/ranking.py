"""One person's answer: everybody who was proposed, scored by the policy, with the evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from gateway.observations import Candidate, OperatingPoint, Signal
from gateway.people import PersonView
from gateway.person_status import leading_signal, status_of, threshold_of
from gateway.ranked import Evidence, PersonScores, Ranked, RankedPerson
from gateway.signals import SignalScore
from gateway.summaries import summary_of
from gateway.weighted import Scored, Weights, rank_weighted, weights_of

__all__ = ["BODY_ONLY_SCORE", "rank_person"]

BODY_ONLY_SCORE = 0.1
"""The most that a body alone can score: enough to put candidates in an order, never enough for a name."""


def rank_person(
    view: PersonView,
    *,
    scores: PersonScores,
    known: Set[str],
    hints: Sequence[str],
    operating_points: Mapping[Signal, Sequence[OperatingPoint]],
    limit: int,
) -> RankedPerson:
    """Rank by WEIGHTED.

    known: performers that the catalogue has; nobody else appears or has any influence.
    hints: performers to list even if no signal proposes them.
    operating_points: of each signal that answered; the leading signal's decides what counts as identified.
    limit: most candidates to keep.
    """
    proposed = {signal: _known_only(view.proposed(signal), known) for signal in Signal}
    weights = _weights(view)
    ranked = _rank(view, proposed, scores, frozenset(known).intersection(hints), weights)
    leading = leading_signal(view.person)
    threshold = threshold_of(operating_points.get(leading, ())) if leading else 0.0
    status = status_of(leading, threshold=threshold, top_score=ranked[0].score if ranked else None)
    candidates = tuple(
        Ranked(one.performer_id, one.score, _evidence(view, one.performer_id, proposed, scores, weights))
        for one in ranked[:limit]
    )
    return RankedPerson(view, status, threshold, candidates)


_Proposed = Mapping[Signal, Mapping[str, Candidate]]


def _rank(
    view: PersonView, proposed: _Proposed, scores: PersonScores, hints: frozenset[str], weights: Weights
) -> tuple[Scored, ...]:
    union = frozenset[str]().union(*proposed.values())
    if leading_signal(view.person) is None:
        return _rank_body_only(union | hints, proposed[Signal.BODY])
    return rank_weighted(
        union | hints,
        weights=weights,
        face=_confidences(proposed[Signal.FACE]),
        tattoo=_confidences(proposed[Signal.TATTOO]),
        compatible=_compatible(union, scores.get(Signal.BODY)),
    )


def _rank_body_only(candidates: frozenset[str], proposed: Mapping[str, Candidate]) -> tuple[Scored, ...]:
    """Low and flat: WEIGHTED gives a body no weight, so this order is all there is to say."""
    confidences = _confidences(proposed)
    scored = [Scored(one, BODY_ONLY_SCORE * confidences.get(one, 0.0)) for one in candidates]
    return tuple(sorted(scored, key=lambda one: (-one.score, one.performer_id)))


def _compatible(union: frozenset[str], scores: Mapping[str, SignalScore] | None) -> frozenset[str]:
    """Of everybody proposed, those whose proportions agree or were never measured;

    empty: nothing is known.
    """
    if scores is None:
        return frozenset()
    return frozenset(one for one in union if one not in scores or scores[one].is_compatible)


def _weights(view: PersonView) -> Weights:
    face, tattoos = view.person.face, view.person.tattoos
    return weights_of(
        face_quality=face.quality if face else None, tattoo_coverage=view.coverage if tattoos else None
    )


def _evidence(
    view: PersonView, performer_id: str, proposed: _Proposed, scores: PersonScores, weights: Weights
) -> tuple[Evidence, ...]:
    """One for each signal that saw the person and knows the performer."""
    shares = {Signal.FACE: weights.face, Signal.TATTOO: weights.tattoo, Signal.BODY: 0.0}
    evidence = []
    for signal in Signal:
        candidate = proposed[signal].get(performer_id)
        score = scores.get(signal, {}).get(performer_id)
        # The round-1 figures are those that the score was made of, so they are shown where there are any.
        shown = candidate or score
        if shown is not None:
            evidence.append(
                Evidence(
                    signal=signal,
                    similarity=shown.similarity,
                    confidence=shown.confidence,
                    weight=shares[signal],
                    is_proposed=candidate is not None,
                    llr=score.llr if score else None,
                    is_compatible=score.is_compatible if score else None,
                    summary=summary_of(signal, view, agreeing_points=shown.agreeing_points),
                )
            )
    return tuple(evidence)


def _known_only(candidates: Mapping[str, Candidate], known: Set[str]) -> dict[str, Candidate]:
    return {one: candidate for one, candidate in candidates.items() if one in known}


def _confidences(candidates: Mapping[str, Candidate]) -> dict[str, float]:
    return {one: candidate.confidence for one, candidate in candidates.items()}
