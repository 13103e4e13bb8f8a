"""Whether somebody was an adult, and at work, in each year. Pure."""

from __future__ import annotations

import numpy as np

from gateway.age import ADULT_AGE
from gateway.fusion.assumed import AFTER_CAREER, BEFORE_CAREER, UNDER_AGE
from gateway.fusion.moment import Moment
from gateway.fusion.scene_time import Years, dated

__all__ = ["career_llrs"]


def career_llrs(moment: Moment, *, birth_year: int = 0, start: int = 0, end: int = 0) -> Years | None:
    """Log ratio of each year; None where nothing is known of the career. 0: unknown.

    Of a scene whose date is known: 0 at work, BEFORE_CAREER and AFTER_CAREER beside it, UNDER_AGE before the
    year of the eighteenth birthday. Without a date these only say which years are likely for this performer,
    and are scaled so that, alone, they say nothing of who it is: a short career is no reason to doubt.
    """
    if not (birth_year or start or end):
        return None
    years = moment.years
    llrs = np.zeros(len(years))
    # An end before the start contradicts it: neither is believed.
    if not (start and end and end < start):
        llrs[years < start] = BEFORE_CAREER
        llrs[years > (end or years.max())] = AFTER_CAREER
    if birth_year:
        llrs[years < birth_year + ADULT_AGE] = UNDER_AGE
    return llrs if moment.day is not None else llrs - dated(moment.prior, [llrs]).llr
