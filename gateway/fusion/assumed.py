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
    "LEAST_FULL_VIEWS",
    "MISSED",
    "MOST_LLR",
    "UNCALIBRATED",
    "UNDER_AGE",
    "UNENROLLED",
    "USUAL_NATURAL",
]

UNCALIBRATED = 0.9
"""Times the ratios of a calibration that came with Marquee: it knows other libraries' pictures.

Fitted: of 0.7, 0.8, 0.9 and 1 the one with the least calibration error on people and a gallery that the
calibration does not know (docs/accuracy.md).
"""

MOST_LLR = 50.0
"""Bound of one signal's log ratio; no number of pairs would ever support more."""

MISSED = 0.8
"""Probability that a tattoo in a region in view is not found.

Between what is measured (bench.fusion.missed, on people and designs that nothing is reported of): of virtual
performers' tattoos in regions that are said to be in view, covered ones included, rendered ones are missed
with 0.70 in clear pictures and with 0.89 in spoilt ones, photographed ones, from near, with 0.13 and 0.54. Of
0.4 to 1 the right answers' log score is best with 0.4 in clear pictures of either and with 1 in spoilt ones,
and nowhere by more than 0.005 a picture better than with 0.8; so it stays one for all.
"""

LEAST_ABSENT = math.log(1 / 20)
"""Bound of all absent tattoos of one candidate: clothes, light and the detector hide all of them at once."""

UNENROLLED = 0.7
"""Probability that a tattoo that is seen is none of those that are enrolled of the performer whose it is.

It may be new, or was never enrolled. So one that is unlike what is enrolled says next to nothing, but where
the candidate is known to have another one in that very place. Fitted: of 0, 0.2, 0.5, 0.7 and 0.85 the least
with which pictures whose tattoo came after the enrolled ones are not named a point less often than by the
face alone (docs/accuracy.md).
"""

CLEAR = math.log(1 / 10)
"""A tattoo seen where a source says that the candidate has none, once for each person: sources are late."""

FURTHER_TATTOOS = 0.5
"""Share that the tattoos of one picture count beyond the best one: they are blurred, or not, together.

Fitted: of 0, 0.25, 0.5, 0.75 and 1 the one with the least squared error where two photographed tattoos of one
virtual performer are spoilt alike (bench.fusion.discounts).
"""

UNDER_AGE = math.log(1 / 1000)
"""A year before the one in which the candidate turned 18: birth dates and scene dates are wrong at times."""

BEFORE_CAREER = math.log(1 / 10)
"""A year before the career is said to have begun."""

AFTER_CAREER = math.log(1 / 3)
"""A year after the career is said to have ended: scenes come out later, and careers go on."""

USUAL_NATURAL = 0.5
"""Share of all performers of whom a statement `natural` is true."""

LEAST_FULL_VIEWS = 3
"""Full frontal views enrolled of a candidate from which on a body counts that nothing here has tested."""

FIRST_YEAR = 1980
"""First year in which a scene without a date can have been made; the last one is today's."""
