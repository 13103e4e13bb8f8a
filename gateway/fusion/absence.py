"""What a tattoo says that is seen, or is not, where a performer is known to have one at some time. Pure.

`has_it` is the probability that the performer had it: one number, or one for each year [..., years].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from gateway.fusion.assumed import UNENROLLED

__all__ = ["absence_llrs", "another_there", "enrolled_or_not", "presence_llrs"]

Years = NDArray[np.float64]

# Not fitted: how often who is known without a tattoo wears another one there, over how often a stranger does.
_ANOTHER = 0.1


def absence_llrs(*, has_it: Years, in_view: float | Years, missed: float) -> Years:
    """Natural log of P(nothing seen | this performer) / P(nothing seen | a stranger), at most 0.

    has_it: probability that the performer has the tattoo when the picture was taken; in_view: that its region
    is seen, broadcast; missed: that a tattoo in view is not found. All 0..1. A stranger is taken to have none
    there, so the denominator is 1. Raises InvalidInput for a value outside 0..1.
    """
    _check_share("has_it", has_it)
    _check_share("in_view", in_view)
    _check_share("missed", missed)
    seen = np.asarray(has_it * -(np.asarray(in_view) * (1 - missed)), np.float64)
    np.maximum(seen, -1 + 1e-9, out=seen)
    return np.log1p(seen, out=seen)


def presence_llrs(llr: float | Years, *, has_it: Years, another: float | Years = 1.0) -> Years:
    """The ratio of a tattoo that is seen, and as alike as `llr` says one that the performer has then or not.

    log(has_it x ratio + (1 - has_it) x another). another: above 0, how much more often the performer without
    the tattoo wears what is seen than a stranger does; 1 where nothing tells. Both are broadcast.

    Raises InvalidInput for has_it outside 0..1, or a ratio that is not finite.
    """
    _check_share("has_it", has_it)
    if not np.isfinite(llr).all():
        raise InvalidInput("a log-likelihood ratio is not finite")
    with np.errstate(divide="ignore"):
        found = np.logaddexp(np.log(has_it) + llr, np.log1p(-has_it) + np.log(another))
    return np.asarray(found, np.float64)


def enrolled_or_not(llr: float | Years) -> Years:
    """The ratio of a tattoo that is seen, which may be none of the enrolled ones, whosever it is.

    log(u + (1 - u) x ratio), u = UNENROLLED: rises with `llr`, and its mean over strangers stays 1.
    """
    return np.asarray(np.logaddexp(math.log(UNENROLLED), math.log1p(-UNENROLLED) + llr), np.float64)


def another_there(llr: Years) -> Years:
    """`another` of a tattoo that is seen in the very place of the one that it is like.

    It has an owner, and the more alike it is the less is that the performer without it: 1 for one that is not
    alike, then 1 / ratio, and 1/10 at the least.
    """
    return np.asarray(np.clip(np.exp(-llr), _ANOTHER, 1.0), np.float64)


def _check_share(name: str, value: float | Years) -> None:
    values = np.asarray(value)
    # What is not a number is within nothing.
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise InvalidInput(f"{name}: not within 0..1")
