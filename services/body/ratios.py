"""Proportions of a body from its key points, each with the error that the view suggests.

Lengths are in pixels, so that the picture's aspect does not matter, and each is divided by the cosine of its
angle to the picture's plane, as the network guesses it in space. The error of a ratio's natural log is

    error^2 = base(ratio)^2 + error(numerator)^2 + error(denominator)^2
    error(bone)^2 = (0.4 ln(1 / cosine))^2 + (0.15 (1 - visibility))^2 + (1 / pixels)^2

A bone is measured when both ends are in the picture with a visibility of at least 0.6, its angle is at most
60 degrees and it is at least 8 pixels long. docs/body.md says where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS, RatioKind
from services.body.measurement import Measurement
from services.body.population import MEANS, PLAUSIBLE
from services.body.pose import Pose
from services.body.skeleton import KeyPoint

__all__ = ["LEAST_VISIBILITY", "LEAST_COSINE", "LARGEST_ERROR", "BASE_ERRORS", "measure"]

LEAST_VISIBILITY = 0.6
"""Of both ends of a bone."""
LEAST_COSINE = 0.5
"""A bone that points more towards the camera is not measured."""
LARGEST_ERROR = 0.15
"""A ratio with a larger log error says nothing about anybody and is left out."""

BASE_ERRORS: dict[RatioKind, float] = {
    RatioKind.SHOULDER_HIP: 0.09,
    RatioKind.LEG_TORSO: 0.06,
    RatioKind.SHOULDER_TORSO: 0.06,
    RatioKind.ARM_TORSO: 0.07,
    RatioKind.THIGH_LOWER_LEG: 0.045,
    RatioKind.UPPER_ARM_FOREARM: 0.085,
}
"""Log error in the best view: where the network puts joints, the lens, the height of the camera."""

_TURN, _HIDDEN, _PIXEL = 0.4, 0.15, 1.0
_LEAST_PIXELS = 8.0
_SHOULDERS = (KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER)
_HIPS = (KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP)
_LEGS = (
    (KeyPoint.LEFT_HIP, KeyPoint.LEFT_KNEE, KeyPoint.LEFT_ANKLE),
    (KeyPoint.RIGHT_HIP, KeyPoint.RIGHT_KNEE, KeyPoint.RIGHT_ANKLE),
)
_ARMS = (
    (KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_ELBOW, KeyPoint.LEFT_WRIST),
    (KeyPoint.RIGHT_SHOULDER, KeyPoint.RIGHT_ELBOW, KeyPoint.RIGHT_WRIST),
)


@dataclass(frozen=True, slots=True)
class _Length:
    pixels: float
    log_error: float


def measure(pose: Pose) -> Measurement:
    """Every proportion that this view shows; nothing at all is a valid answer."""
    ratios: dict[RatioKind, tuple[float, float]] = {}
    for kind, (upper, lower) in _pairs(pose).items():
        if upper is not None and lower is not None:
            value = upper.pixels / lower.pixels
            error = float(np.sqrt(BASE_ERRORS[kind] ** 2 + upper.log_error**2 + lower.log_error**2))
            if error <= LARGEST_ERROR and _is_plausible(kind, value):
                ratios[kind] = (value, error)
    return Measurement.of(ratios)


def _pairs(pose: Pose) -> dict[RatioKind, tuple[_Length | None, _Length | None]]:
    """Numerator and denominator of each ratio."""
    shoulders, hips = _bone(pose, _SHOULDERS[:1], _SHOULDERS[1:]), _bone(pose, _HIPS[:1], _HIPS[1:])
    torso = _bone(pose, _SHOULDERS, _HIPS)
    if torso is None:
        # Without the torso between them, from above say, the widths are not at one distance.
        shoulders = hips = None
    thighs, lower_legs, legs = _limbs(pose, _LEGS)
    upper_arms, forearms, arms = _limbs(pose, _ARMS)
    return {
        RatioKind.SHOULDER_HIP: (shoulders, hips),
        RatioKind.LEG_TORSO: (legs, torso),
        RatioKind.SHOULDER_TORSO: (shoulders, torso),
        RatioKind.ARM_TORSO: (arms, torso),
        RatioKind.THIGH_LOWER_LEG: (thighs, lower_legs),
        RatioKind.UPPER_ARM_FOREARM: (upper_arms, forearms),
    }


def _limbs(
    pose: Pose, sides: Iterable[tuple[KeyPoint, KeyPoint, KeyPoint]]
) -> tuple[_Length | None, _Length | None, _Length | None]:
    """Upper part, lower part and whole of arms or legs: of those sides that show both parts."""
    parts = [(_bone(pose, [a], [b]), _bone(pose, [b], [c])) for a, b, c in sides]
    whole = [(upper, lower) for upper, lower in parts if upper is not None and lower is not None]
    return (
        _mean([upper for upper, _ in whole]),
        _mean([lower for _, lower in whole]),
        _mean([_sum(upper, lower) for upper, lower in whole]),
    )


def _bone(pose: Pose, start: Iterable[KeyPoint], end: Iterable[KeyPoint]) -> _Length | None:
    """The distance between the middles of two groups of key points, as if seen at a right angle."""
    first, last = list(start), list(end)
    visibility = pose.least_visibility([*first, *last])
    direction = pose.world[first].mean(axis=0) - pose.world[last].mean(axis=0)
    cosine = _share_in_plane(direction)
    pixels = float(np.linalg.norm(pose.middle(first) - pose.middle(last)))
    if visibility < LEAST_VISIBILITY or cosine < LEAST_COSINE or pixels < _LEAST_PIXELS:
        return None
    terms = (_TURN * np.log(cosine), _HIDDEN * (1 - visibility), _PIXEL / pixels)
    return _Length(pixels / cosine, float(np.linalg.norm(terms)))


def _share_in_plane(direction: NDArray[np.float64]) -> float:
    """Cosine of a direction's angle to the picture's plane; 0 for none."""
    length = float(np.linalg.norm(direction))
    return float(np.hypot(direction[0], direction[1])) / length if length > 0 else 0.0


def _sum(upper: _Length, lower: _Length) -> _Length:
    whole = upper.pixels + lower.pixels
    error = np.hypot(upper.pixels * upper.log_error, lower.pixels * lower.log_error) / whole
    return _Length(whole, float(error))


def _mean(lengths: list[_Length]) -> _Length | None:
    """Both sides of one body, the surer one counting more. They share a view: the smaller error stays."""
    if not lengths:
        return None
    weights = np.array([1 / (one.log_error**2 + min(BASE_ERRORS.values()) ** 2) for one in lengths])
    pixels = float(weights @ np.array([one.pixels for one in lengths]) / weights.sum())
    return _Length(pixels, min(one.log_error for one in lengths))


def _is_plausible(kind: RatioKind, value: float) -> bool:
    return bool(abs(np.log(value) - MEANS[KINDS.index(kind)]) <= PLAUSIBLE)
