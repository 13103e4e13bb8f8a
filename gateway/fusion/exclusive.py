"""One performer is at most one of the people in a picture: probabilities of all people together. Pure.

Each person alone says how probable each candidate is; together, an assignment in which two people are the
same performer is impossible. For two people the sums over all other assignments are exact; for more they are
found by belief propagation, which converges and is close. Source: Williams and Lau, "Approximate evaluation
of marginal association probabilities with belief propagation" (2014).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.fusion.posterior import Posterior

__all__ = ["exclusive"]

_ROUNDS = 200
_CLOSE = 1e-9
# Whoever is less probable than this in all but one person competes with nobody.
_CONTESTED = 1e-6
# An unknown of probability 0 would make every ratio infinite.
_LEAST = 1e-12


def exclusive(people: Sequence[Posterior]) -> list[Posterior]:
    """Return each person's probabilities given that nobody is two of them; of one person, the same."""
    contested = _contested(people)
    if not contested:
        return list(people)
    if len(people) == 2:
        first, second = people
        return [_weighed(first, _free(first, second)), _weighed(second, _free(second, first))]
    ratios = np.array(
        [[one.probabilities.get(c, 0.0) / max(one.unknown, _LEAST) for c in contested] for one in people]
    )
    # What a person may also be, that nobody else is: it competes as unknown does.
    own = np.array(
        [
            sum(p for c, p in one.probabilities.items() if c not in contested) / max(one.unknown, _LEAST)
            for one in people
        ]
    )
    free = 1 + own[:, None]
    to_person = np.ones_like(ratios)
    for _ in range(_ROUNDS):
        weighed = ratios * to_person
        to_candidate = ratios / (free + weighed.sum(axis=1, keepdims=True) - weighed)
        before, to_person = to_person, 1 / (1 + to_candidate.sum(axis=0) - to_candidate)
        if np.abs(to_person - before).max() < _CLOSE:
            break
    return [
        _weighed(one, dict(zip(contested, map(float, row), strict=True)))
        for one, row in zip(people, to_person, strict=True)
    ]


def _free(one: Posterior, other: Posterior) -> dict[str, float]:
    """Probability that the other person is not the candidate, for each candidate."""
    total = sum(other.probabilities.values()) + max(other.unknown, _LEAST)
    return {c: 1 - other.probabilities.get(c, 0.0) / total for c in one.probabilities}


def _contested(people: Sequence[Posterior]) -> dict[str, None]:
    """Candidates of more than one person, in order."""
    counts: dict[str, int] = {}
    for one in people:
        for candidate, probability in one.probabilities.items():
            if probability >= _CONTESTED:
                counts[candidate] = counts.get(candidate, 0) + 1
    return {candidate: None for candidate, count in sorted(counts.items()) if count > 1}


def _weighed(one: Posterior, factors: Mapping[str, float]) -> Posterior:
    """Each probability times its factor, normalised; most probable first, ties by id."""
    masses = {c: p * factors.get(c, 1.0) for c, p in one.probabilities.items()}
    unknown = max(one.unknown, _LEAST)
    total = sum(masses.values()) + unknown
    ranked = sorted(masses, key=lambda c: (-masses[c], c))
    return Posterior({c: masses[c] / total for c in ranked}, unknown / total)
