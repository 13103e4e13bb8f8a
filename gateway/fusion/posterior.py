"""From a prior and log-likelihood ratios to probabilities that sum to 1 with *unknown*. Pure.

Bayes' rule over the candidates and one more hypothesis, that the person is nobody of the gallery: a ratio
compares "it is this performer" with "it is a stranger", so the stranger's own is 1. All logs are natural.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chassis.errors import InvalidInput

__all__ = ["Posterior", "log_prior", "log_priors", "posterior"]

_MOST_HINT = 100.0


@dataclass(frozen=True, slots=True)
class Posterior:
    """Probabilities, 0..1; all of them and `unknown` sum to 1."""

    probabilities: Mapping[str, float]
    """By performer id, most probable first, ties by id."""
    unknown: float
    """That it is nobody of the gallery."""

    @property
    def margin(self) -> float:
        """How much more probable the first candidate is than the next one, or than unknown; 0 for none.

        Small where look-alikes compete; negative where unknown is more probable than everybody.
        """
        ranked = list(self.probabilities.values())
        return ranked[0] - max([*ranked[1:2], self.unknown]) if ranked else 0.0


def log_prior(
    candidate: str, *, gallery_size: int, unknown: float, hints: Mapping[str, float] | None = None
) -> float:
    """Log of what is believed of one performer of the gallery before anything is seen.

    (1 - unknown) / gallery_size each. A hint says how many times as probable as the others a performer is; it
    is held to 1/100..100, and what it adds others lose. Only here the size of the gallery counts.

    Raises InvalidInput for a gallery of nobody, `unknown` outside 0..1 (exclusive), or a hint that is not a
    positive number.
    """
    [found] = log_priors([candidate], gallery_size=gallery_size, unknown=unknown, hints=hints)
    return found


def log_priors(
    candidates: Iterable[str], *, gallery_size: int, unknown: float, hints: Mapping[str, float] | None = None
) -> list[float]:
    """The same of each of several."""
    if gallery_size < 1:
        raise InvalidInput("gallery_size: nobody is enrolled")
    if not 0 < unknown < 1:
        raise InvalidInput("unknown: between 0 and 1, exclusive")
    shares = {one: _held(value) for one, value in (hints or {}).items()}
    total = max(gallery_size, len(shares)) - len(shares) + sum(shares.values())
    others = math.log1p(-unknown) - math.log(total)
    return [others + math.log(shares[one]) if one in shares else others for one in candidates]


def posterior(logs: Mapping[str, float], *, log_unknown: float) -> Posterior:
    """Normalise log prior + sum of log ratios of each candidate, and log P(unknown) before any evidence.

    Nobody to choose from: it is unknown. Raises InvalidInput for a value that is not finite.
    """
    if not all(map(math.isfinite, (*logs.values(), log_unknown))):
        raise InvalidInput("a log-likelihood ratio is not finite")
    largest = max([*logs.values(), log_unknown])
    masses = {one: math.exp(value - largest) for one, value in logs.items()}
    stranger = math.exp(log_unknown - largest)
    total = stranger + math.fsum(masses.values())
    ranked = sorted(masses, key=lambda one: (-masses[one], one))
    return Posterior({one: masses[one] / total for one in ranked}, stranger / total)


def _held(hint: float) -> float:
    if not (math.isfinite(hint) and hint > 0):
        raise InvalidInput("hints: not a positive number")
    return min(_MOST_HINT, max(1 / _MOST_HINT, hint))
