"""What a tattoo says that is seen, or is not, where a performer is known to have one at some time. Pure."""

from __future__ import annotations

import math

import numpy as np

from chassis.errors import InvalidInput

__all__ = ["absence_llr", "presence_llr"]

# Not fitted: how often who is known without a tattoo wears another one there, over how often a stranger does.
_ANOTHER = 0.1


def absence_llr(*, has_it: float, in_view: float, missed: float) -> float:
    """Natural log of P(nothing seen | this performer) / P(nothing seen | a stranger), at most 0.

    has_it: probability that the performer has the tattoo when the picture was taken; in_view: that its region
    is seen; missed: that a tattoo in view is not found. All 0..1. A stranger is taken to have none there, so
    the denominator is 1. Raises InvalidInput for a value outside 0..1.
    """
    for name, value in (("has_it", has_it), ("in_view", in_view), ("missed", missed)):
        if not 0 <= value <= 1:
            raise InvalidInput(f"{name}: not within 0..1")
    seen = has_it * in_view * (1 - missed)
    return math.log1p(-min(seen, 1 - 1e-9))


def presence_llr(llr: float, *, has_it: float) -> float:
    """The ratio of a tattoo that is seen and alike one that the performer has then with probability `has_it`.

    log(has_it x ratio + (1 - has_it) x 1/10): before its first day or after its removal it is not the
    performer's, and who is known without it wears another one there less often than a stranger does.

    Raises InvalidInput for has_it outside 0..1, or a ratio that is not finite.
    """
    if not 0 <= has_it <= 1:
        raise InvalidInput("has_it: not within 0..1")
    if not math.isfinite(llr):
        raise InvalidInput("a log-likelihood ratio is not finite")
    if has_it in (0.0, 1.0):
        return llr if has_it else math.log(_ANOTHER)
    return float(np.logaddexp(math.log(has_it) + llr, math.log1p(-has_it) + math.log(_ANOTHER)))
