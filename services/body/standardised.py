"""Measurements as points: what the index of look-alikes searches.

Six z-scores, (log ratio - population mean) / population spread, each shrunk towards 0, the average person, by
its reliability b^2 / (b^2 + w^2): an unsure ratio lies near 0, one that was not measured at 0. Euclidean
distances between such points follow the similarity closely enough to find those worth comparing exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS
from services.body.measurement import Measurement
from services.body.population import MEANS, SPREADS

__all__ = ["POINT_DIMENSION", "point_of"]

POINT_DIMENSION = len(KINDS)


def point_of(measurement: Measurement) -> NDArray[np.float32]:
    """The point of one measurement, float32 (6,)."""
    reliability = SPREADS**2 / (SPREADS**2 + measurement.variances)
    return (reliability * (measurement.logs - MEANS) / SPREADS).astype(np.float32)
