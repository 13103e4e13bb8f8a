"""What makes performers more or less probable before a picture is looked at. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chassis.errors import InvalidInput
from marquee.gateway.v1.identification_pb2 import (
    HINT_KIND_POPULARITY,
    HINT_KIND_STUDIO,
    HINT_KIND_TAGGED,
    HintKind,
)

__all__ = ["TAGGED", "Hint", "bounded_hint", "factors_of"]

TAGGED = 20.0
"""Not fitted. A performer who is tagged is so many times as probable as the others."""

_BOUNDS: Mapping[HintKind.ValueType, tuple[float, float]] = {
    HINT_KIND_TAGGED: (1.0, 100.0),
    HINT_KIND_STUDIO: (0.1, 10.0),
    HINT_KIND_POPULARITY: (0.1, 10.0),
}


@dataclass(frozen=True, slots=True)
class Hint:
    """One reason; `factor`: how many times as probable as without it, above 0."""

    performer_id: str
    factor: float = TAGGED
    kind: HintKind.ValueType = HINT_KIND_TAGGED


def bounded_hint(performer_id: str, kind: HintKind.ValueType, factor: float) -> Hint:
    """A hint within the bounds of its kind; a tag's factor of 0 is TAGGED.

    Raises InvalidInput for another kind, or a factor that is not a number above 0.
    """
    if kind not in _BOUNDS:
        raise InvalidInput("hints.kind: not a kind of hint")
    if kind == HINT_KIND_TAGGED and factor == 0:
        return Hint(performer_id)
    if not (math.isfinite(factor) and factor > 0):
        raise InvalidInput("hints.factor: not a number above 0")
    least, most = _BOUNDS[kind]
    return Hint(performer_id, min(most, max(least, factor)), kind)


def factors_of(hints: Iterable[Hint]) -> dict[str, float]:
    """How many times as probable each performer is who has a hint.

    Of one kind one counts, of tags the largest and else the last; kinds multiply.
    """
    of_kind: dict[tuple[str, HintKind.ValueType], float] = {}
    for one in hints:
        place = (one.performer_id, one.kind)
        before = of_kind.get(place, 0.0) if one.kind == HINT_KIND_TAGGED else 0.0
        of_kind[place] = max(before, one.factor)
    factors: dict[str, float] = {}
    for (performer_id, _), factor in of_kind.items():
        factors[performer_id] = factors.get(performer_id, 1.0) * factor
    return factors
