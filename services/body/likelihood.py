"""How much one measurement speaks for or against the person of others.

Two-covariance Gaussian model (Brummer & de Villiers 2010) on log ratios, each ratio on its own: a person's
true value y ~ N(m, b^2) with m, b from `population`, a measurement x ~ N(y, w^2) with w from its view. For a
probe x with variance w^2 and enrolled measurements with the precision-weighted mean e and variance v, where
both w^2 and v hold `SHARED_ERROR`^2, which no further picture averages away,

    y | enrolled ~ N(m + k (e - m), b^2 (1 - k)),   k = b^2 / (b^2 + v)
    LLR = sum over ratios of ln N(x; m + k (e - m), b^2 (1 - k) + w^2) - ln N(x; m, b^2 + w^2)

A pose goes wrong now and then, and then says nothing about anybody: with probability `OUTLIERS` the probe is
such a one, LLR' = ln((1 - OUTLIERS) exp(LLR) + OUTLIERS). Together with `LARGEST` this bounds the answer. The
more the view hides (w grows) or the fewer pictures are enrolled (v grows), the nearer LLR' is to 0.

Every function takes one probe, (6,), and one or many others, (6,) or (n, 6), and answers () or (n,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.population import MEANS, SPREADS

__all__ = [
    "LARGEST",
    "OUTLIERS",
    "SHARED_ERROR",
    "log_likelihood_ratios",
    "similarities",
    "compared_ratios",
    "are_compatible",
]

SHARED_ERROR = 0.02
"""Log error common to pictures of one day (shoes, clothes, camera)."""
OUTLIERS = 0.05
"""Share of poses that are simply wrong; the LLR is never below its logarithm, about -3."""
LARGEST = 3.0
"""Most that proportions can say for somebody."""

# Standard errors by which a tolerance is widened.
_WIDENING = 2.0

_Floats = NDArray[np.float64]


def log_likelihood_ratios(probe: Measurement, enrolled: Measurement) -> _Floats:
    """Natural log of P(probe | the enrolled person) / P(probe | anybody), ln(OUTLIERS)..LARGEST.

    enrolled: all measurements of a person, combined. 0 where no ratio is measured on both sides.
    """
    between = SPREADS**2
    within, enrolled_variance = probe.variances + SHARED_ERROR**2, enrolled.variances + SHARED_ERROR**2
    gain = between / (between + enrolled_variance)
    expected = MEANS + gain * (enrolled.logs - MEANS)
    known = _log_normal(probe.logs, expected, between * (1 - gain) + within)
    anybody = _log_normal(probe.logs, MEANS, between + within)
    llr = (known - anybody).sum(axis=-1)
    tempered: _Floats = np.logaddexp(np.log1p(-OUTLIERS) + llr, np.log(OUTLIERS))
    return np.minimum(tempered, LARGEST)


def similarities(first: Measurement, second: Measurement) -> _Floats:
    """exp(-d^2 / 2), 0..1, symmetric: 1 for sure measurements that agree, about 0.6 for strangers.

    d^2 is the mean over all six ratios of r (x - y)^2 / s^2 + (1 - r), where s^2 = 2 b^2 + w_x^2 + w_y^2 is
    how much the ratio differs between strangers' pictures and r = 2 b^2 / s^2 is the people's part of that.
    So a ratio that is unsure or missing counts as much as between strangers: 1.
    """
    between = 2 * SPREADS**2
    total = between + first.variances + second.variances
    reliability = between / total
    gained = (reliability * (1 - (first.logs - second.logs) ** 2 / total)).sum(axis=-1) / len(KINDS)
    similarity: _Floats = np.exp((gained - 1) / 2)
    return similarity


def compared_ratios(first: Measurement, second: Measurement) -> NDArray[np.intp]:
    """How many ratios both sides have, 0..6."""
    return np.asarray((first.is_measured & second.is_measured).sum(axis=-1))


def are_compatible(first: Measurement, second: Measurement, *, tolerance: float) -> NDArray[np.bool_]:
    """Whether every ratio that both sides have agrees; true when there is none.

    Agrees: within `tolerance`, relative, plus twice the standard error of the difference, so that a bad view
    excludes nobody.
    """
    errors = np.sqrt(first.variances + second.variances + 2 * SHARED_ERROR**2)
    is_close = np.abs(first.logs - second.logs) <= np.log1p(tolerance) + _WIDENING * errors
    return np.asarray(is_close.all(axis=-1))


def _log_normal(values: _Floats, means: _Floats, variances: _Floats) -> _Floats:
    """Up to a constant."""
    density: _Floats = -0.5 * (np.log(variances) + (values - means) ** 2 / variances)
    return density
