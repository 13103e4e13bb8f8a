"""The proportions that are measured, numbered as in the contract."""

from enum import IntEnum

__all__ = ["RatioKind", "KINDS"]


class RatioKind(IntEnum):
    """`marquee.body.v1.RatioKind` without the value that is no proportion."""

    SHOULDER_HIP = 1
    LEG_TORSO = 2
    SHOULDER_TORSO = 3
    ARM_TORSO = 4
    THIGH_LOWER_LEG = 5
    UPPER_ARM_FOREARM = 6


KINDS: tuple[RatioKind, ...] = tuple(RatioKind)
"""The order of every array over proportions."""
