"""One performer is at most one of the people in a picture: probabilities of all people together. Pure.

Each person alone says how probable each candidate is; together, an assignment in which two people are the
same performer is impossible. For two who compete the sums over all other assignments are exact; for more they
are found by belief propagation, which converges and is close. Source: Williams and Lau, "Approximate
evaluation of marginal association probabilities with belief propagation" (2014).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.fusion.posterior import Posterior

__all__ = ["exclusive"]

_ROUNDS = 200
_CLOSE = 1e-9
# Whoever is less probable than this in all but one person competes with nobody.
_CONTESTED = 1e-6
# An unknown of probability 0 would make every ratio infinite. Far under what any evidence leaves.
_LEAST = 1e-100

_Array = NDArray[np.float64]


def exclusive(people: Sequence[Posterior]) -> list[Posterior]:
    """Return each person's probabilities given that nobody is two of them.

    The same for whom nobody competes: of one person, or of one whose candidates are nobody else's.
    """
    contested = _contested(people)
    rivals = [one for one in people if not contested.isdisjoint(one.probabilities)]
    if not rivals:
        return list(people)
    if len(rivals) == 2:
        first, second = rivals
        weighed = iter([_weighed(first, _free(second)), _weighed(second, _free(first))])
    else:
        weighed = iter(_propagated(rivals, sorted(contested)))
    return [one if contested.isdisjoint(one.probabilities) else next(weighed) for one in people]


def _propagated(people: Sequence[Posterior], contested: Sequence[str]) -> list[Posterior]:
    """By belief propagation: what each person leaves of a candidate for the others."""
    masses = np.array([[one.probabilities.get(c, 0.0) for c in contested] for one in people])
    # What a person may also be, that nobody else is, competes as unknown does.
    among = frozenset(contested)
    own = [math.fsum(p for c, p in one.probabilities.items() if c not in among) for one in people]
    free = np.array([[mass + max(one.unknown, _LEAST)] for mass, one in zip(own, people, strict=True)])
    to_person = np.ones_like(masses)
    for _ in range(_ROUNDS):
        to_candidate = masses / (free + _others(masses * to_person))
        before, to_person = to_person, 1 / (1 + _others(to_candidate.T).T)
        if np.abs(to_person / before - 1).max() < _CLOSE:
            break
    return [
        _weighed(one, dict(zip(contested, map(float, row), strict=True)))
        for one, row in zip(people, to_person, strict=True)
    ]


def _others(rows: _Array) -> _Array:
    """Of each number the sum of the others in its row, also where one outweighs all of them."""
    largest = rows.argmax(axis=1)[:, None]
    rest = rows.copy()
    np.put_along_axis(rest, largest, 0.0, axis=1)
    found = np.asarray(rows.sum(axis=1, keepdims=True) - rows, np.float64)
    np.put_along_axis(found, largest, rest.sum(axis=1, keepdims=True), axis=1)
    return found


def _free(other: Posterior) -> dict[str, float]:
    """Probability that the other person is not the candidate, of each of the other's candidates."""
    names, masses = list(other.probabilities), [*other.probabilities.values(), max(other.unknown, _LEAST)]
    total = math.fsum(masses)
    left = _others(np.array([masses]))[0, :-1] / total
    return dict(zip(names, left.tolist(), strict=True))


def _contested(people: Sequence[Posterior]) -> frozenset[str]:
    """Candidates of more than one person."""
    counts = Counter(
        candidate
        for one in people
        for candidate, probability in one.probabilities.items()
        if probability >= _CONTESTED
    )
    return frozenset(candidate for candidate, count in counts.items() if count > 1)


def _weighed(one: Posterior, factors: Mapping[str, float]) -> Posterior:
    """Each probability times its factor, normalised; most probable first, ties by id."""
    masses = {c: p * factors.get(c, 1.0) for c, p in one.probabilities.items()}
    unknown = max(one.unknown, _LEAST)
    total = math.fsum(masses.values()) + unknown
    ranked = sorted(masses, key=lambda c: (-masses[c], c))
    return Posterior({c: masses[c] / total for c in ranked}, unknown / total)
