"""How proportions vary between adults: what a measurement is compared with.

All in natural logs of the ratios as BlazePose sees them. The means were measured on rendered adult bodies;
the spread between people is that of ANSUR II (Gordon et al. 2014, 6,068 adults), 3 to 7%.
docs/body.md says how, and how far to trust it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS, RatioKind

__all__ = ["MEANS", "SPREADS", "PLAUSIBLE"]

_TABLE: dict[RatioKind, tuple[float, float]] = {
    # kind: (mean of the log, standard deviation between people)
    RatioKind.SHOULDER_HIP: (0.650, 0.070),
    RatioKind.LEG_TORSO: (0.491, 0.050),
    RatioKind.SHOULDER_TORSO: (-0.425, 0.055),
    RatioKind.ARM_TORSO: (0.006, 0.045),
    RatioKind.THIGH_LOWER_LEG: (0.017, 0.035),
    RatioKind.UPPER_ARM_FOREARM: (0.083, 0.040),
}

MEANS: NDArray[np.float64] = np.array([_TABLE[kind][0] for kind in KINDS])
"""(6,) mean log ratio of the population."""
SPREADS: NDArray[np.float64] = np.array([_TABLE[kind][1] for kind in KINDS])
"""(6,) standard deviation of the log ratio between people, above 0."""
PLAUSIBLE = 0.35
"""Farthest a log ratio lies from its mean; beyond, at five standard deviations or more, the pose is wrong."""
