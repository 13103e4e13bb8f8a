"""What BAYESIAN assumes where nothing has been fitted, in one place."""

from __future__ import annotations

import math

__all__ = [
    "AFTER_CAREER",
    "BEFORE_CAREER",
    "CLEAR",
    "FIRST_YEAR",
    "FURTHER_TATTOOS",
    "LEAST_ABSENT",
    "LEAST_MEASUREMENTS",
    "MISSED",
    "MOST_LLR",
    "UNCALIBRATED",
    "UNDER_AGE",
    "USUAL_NATURAL",
]

UNCALIBRATED = 0.8
"""Times the ratios of a calibration that came with Marquee: it knows other libraries' pictures."""

MOST_LLR = 50.0
"""Bound of one signal's log ratio; no number of pairs would ever support more."""

MISSED = 0.8
"""Probability that a tattoo in a region in view is not found.

Rendered whole bodies, IoU 0.5: average precision 0.23 for tattoos under 5% of the body, 0.39 for all of them
(docs/tattoo.md). Average precision stands in for recall, and clothes, which nothing sees, hide behind it too.
Pictures that a body fills are not measured, so it is the same for all.
"""

LEAST_ABSENT = math.log(1 / 20)
"""Bound of all absent tattoos of one candidate: clothes, light and the detector hide all of them at once."""

CLEAR = math.log(1 / 10)
"""A tattoo seen where a source says that the candidate has none, once for each person: sources are late."""

FURTHER_TATTOOS = 0.0
"""Share that the tattoos of one picture count beyond the best one: they are blurred, or not, together."""

UNDER_AGE = math.log(1 / 1000)
"""A year before the one in which the candidate turned 18: birth dates and scene dates are wrong at times."""

BEFORE_CAREER = math.log(1 / 10)
"""A year before the career is said to have begun."""

AFTER_CAREER = math.log(1 / 3)
"""A year after the career is said to have ended: scenes come out later, and careers go on."""

USUAL_NATURAL = 0.5
"""Share of all performers of whom a statement `natural` is true."""

LEAST_MEASUREMENTS = 3
"""Bodies enrolled of a candidate, from which on proportions count."""

FIRST_YEAR = 1980
"""First year in which a scene without a date can have been made; the last one is today's."""
