"""When a scene was made, as far as the people in it tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.fusion.moment import Moment
from gateway.fusion.posterior import Posterior
from gateway.fusion.scene_time import Years

__all__ = ["scene_years"]

# Years that are less probable are left out.
_LEAST = 1e-3
# An answer that is no farther from the prior, of 1, tells nothing.
_NOTHING = 1e-3
# No single person makes a year impossible.
_DOUBT = 1e-9


def scene_years(
    moment: Moment, people: Sequence[tuple[Posterior, Mapping[str, Years]]]
) -> Mapping[int, float]:
    """Probability, 0..1, of each year, sums to 1; empty where the date is known, or nothing tells.

    people: how probable each candidate of each person is, and P(year | candidate) where it is not the prior.
    Of one person P(year) is the mean over the candidates, unknown with the prior; people were there at the
    same time, so theirs over the prior are multiplied.
    """
    if moment.day is not None or not people:
        return {}
    logs = np.log(moment.prior) + sum(
        np.log(_years_of(*one, moment) + _DOUBT * moment.prior) - np.log(moment.prior) for one in people
    )
    years = _normalised(np.exp(logs - logs.max()))
    if np.abs(years - moment.prior).sum() / 2 < _NOTHING:
        return {}
    shown = _normalised(np.where(years < _LEAST, 0.0, years))
    return {int(year): float(p) for year, p in zip(moment.years, shown, strict=True) if p > 0}


def _years_of(believed: Posterior, years: Mapping[str, Years], moment: Moment) -> Years:
    told = [one for one in believed.probabilities if one in years]
    if not told:
        return moment.prior
    masses = np.array([believed.probabilities[one] for one in told])
    mean = masses @ np.array([years[one] for one in told])
    return np.asarray(mean + max(0.0, 1 - masses.sum()) * moment.prior, np.float64)


def _normalised(masses: Years) -> Years:
    return np.asarray(masses / masses.sum(), np.float64)
