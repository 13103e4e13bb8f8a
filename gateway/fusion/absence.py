"""What a tattoo says that is seen, or is not, where a performer is known to have one at some time. Pure.

`has_it` is the probability that the performer had it: one number, or one for each year [..., years].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput

__all__ = ["absence_llr", "absence_llrs", "presence_llr", "presence_llrs"]

Years = NDArray[np.float64]

# Not fitted: how often who is known without a tattoo wears another one there, over how often a stranger does.
_ANOTHER = 0.1


def absence_llr(*, has_it: float, in_view: float, missed: float) -> float:
    """Natural log of P(nothing seen | this performer) / P(nothing seen | a stranger), at most 0.

    has_it: probability that the performer has the tattoo when the picture was taken; in_view: that its region
    is seen; missed: that a tattoo in view is not found. All 0..1. A stranger is taken to have none there, so
    the denominator is 1. Raises InvalidInput for a value outside 0..1.
    """
    return float(absence_llrs(has_it=np.array([has_it]), in_view=in_view, missed=missed)[0])


def absence_llrs(*, has_it: Years, in_view: float | Years, missed: float) -> Years:
    """The same of each year, and of several tattoos at a time; `in_view` is broadcast."""
    _check_share("has_it", has_it)
    _check_share("in_view", in_view)
    _check_share("missed", missed)
    seen = has_it * in_view * (1 - missed)
    return np.asarray(np.log1p(-np.minimum(seen, 1 - 1e-9)), np.float64)


def presence_llr(llr: float, *, has_it: float) -> float:
    """The ratio of a tattoo that is seen and alike one that the performer has then with probability `has_it`.

    log(has_it x ratio + (1 - has_it) x 1/10): before its first day or after its removal it is not the
    performer's, and who is known without it wears another one there less often than a stranger does.

    Raises InvalidInput for has_it outside 0..1, or a ratio that is not finite.
    """
    return float(presence_llrs(llr, has_it=np.array([has_it]))[0])


def presence_llrs(llr: float | Years, *, has_it: Years) -> Years:
    """The same of each year, and of several tattoos at a time; `llr` is broadcast."""
    _check_share("has_it", has_it)
    if not np.isfinite(llr).all():
        raise InvalidInput("a log-likelihood ratio is not finite")
    with np.errstate(divide="ignore"):
        return np.logaddexp(np.log(has_it) + llr, np.log1p(-has_it) + math.log(_ANOTHER))


def _check_share(name: str, value: float | Years) -> None:
    if not np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1)):
        raise InvalidInput(f"{name}: not within 0..1")
