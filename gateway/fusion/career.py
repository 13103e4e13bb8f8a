"""Whether somebody was an adult, and at work, in each year. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from gateway.age import ADULT_AGE
from gateway.fusion.assumed import AFTER_CAREER, BEFORE_CAREER, UNDER_AGE
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years, log_mean

__all__ = ["career_llrs"]

_LLRS = np.array([0.0, BEFORE_CAREER, AFTER_CAREER, UNDER_AGE])


def career_llrs(
    moment: Moment, *, birth_year: ArrayLike = 0, start: ArrayLike = 0, end: ArrayLike = 0
) -> Years | None:
    """Log ratio of each year; None where nothing is known of any career. 0: unknown.

    One number each, or one for each performer: then it is [performers, years], and 0 for who is unknown.

    Of a scene whose date is known: 0 at work, BEFORE_CAREER and AFTER_CAREER beside it, UNDER_AGE before the
    year of the eighteenth birthday. Without a date these only say which years are likely for this performer,
    and are scaled so that, alone, they say nothing of who it is: a short career is no reason to doubt.
    """
    birth, first, last = (np.asarray(one)[..., None] for one in (birth_year, start, end))
    if not (birth.any() or first.any() or last.any()):
        return None
    years = moment.years
    # An end before the start contradicts it: neither is believed.
    is_believed = (first == 0) | (last == 0) | (first <= last)
    before, after = is_believed & (years < first), is_believed & (last > 0) & (years > last)
    under_age = (birth > 0) & (years < birth + ADULT_AGE)
    # The last one that is so decides.
    which = np.maximum(np.maximum(before.view(np.int8), after * np.int8(2)), under_age * np.int8(3))
    llrs = np.asarray(_LLRS[which], np.float64)
    return llrs if moment.day is not None else llrs - log_mean(np.log(moment.prior) + llrs)[..., None]
