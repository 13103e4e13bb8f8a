"""Bones of rendered adults, of lengths that differ as people's do. Needs numpy and the package anny.

The traits of the body model alone give other spreads than people have, and they move all ratios together. So
each person gets log ratios of their own, `draw_ratios`, and the model's measures of bones (shoulders, hips,
torso, thighs, lower legs, upper arms, forearms) are turned until its joints have them, `fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["BONES", "RATIOS", "SPREADS", "draw_ratios", "fit", "log_ratios"]

Floats = NDArray[np.float64]

RATIOS = (
    "shoulder_hip",
    "leg_torso",
    "shoulder_torso",
    "arm_torso",
    "thigh_lower_leg",
    "upper_arm_forearm",
)
"""In the order of `services.body.kinds.KINDS`."""

SPREADS: Floats = np.array([0.070, 0.050, 0.055, 0.045, 0.035, 0.040])
"""(6,) standard deviations of the log ratios between people: those of `services.body.population`."""

_OWN_MEANS: Floats = np.array([0.460, 0.603, -0.304, 0.096, 0.003, 0.115])
_OWN_SPREADS: Floats = np.array([0.058, 0.034, 0.063, 0.030, 0.096, 0.045])
"""Of the log ratios of bodies that the traits alone make, joint to joint; 1,000 of them."""
_OWN_PART = 0.7
"""Correlation of a ratio with what the traits alone make of it: who is built broad stays broad."""
_FARTHEST = 2.5
"""Nobody is farther from the mean, in standard deviations."""

BONES: Mapping[str, Floats] = {
    "measure-shoulder-dist-incr": np.array([0.100, 0.0, 0.100, 0.0, 0.0, 0.0]),
    "hip-scale-horiz-incr": np.array([-0.195, 0.0, 0.0, 0.0, 0.0, 0.0]),
    "torso-scale-vert-incr": np.array([0.0, -0.140, -0.140, -0.140, 0.0, 0.0]),
    "measure-upperleg-height-incr": np.array([0.0, 0.099, 0.0, 0.0, 0.197, 0.0]),
    "measure-lowerleg-height-incr": np.array([0.0, 0.077, 0.0, 0.0, -0.151, 0.0]),
    "measure-upperarm-length-incr": np.array([0.0, 0.0, 0.0, 0.107, 0.0, 0.200]),
    "measure-lowerarm-length-incr": np.array([0.0, 0.0, 0.0, 0.099, 0.0, -0.207]),
}
"""The model's measures, each about -1..1, and how much a whole one changes the log ratios (6,)."""

_STEPS = 12
_CLOSE = 5e-4


def log_ratios(joints: Mapping[str, Floats]) -> Floats:
    """(6,) true log ratios, from where the bones of a body at rest begin."""

    def length(start: str, end: str) -> float:
        return float(np.linalg.norm(joints[start] - joints[end]))

    def middle(bone: str) -> Floats:
        return (joints[f"{bone}.L"] + joints[f"{bone}.R"]) / 2

    def both(start: str, end: str) -> float:
        return (length(f"{start}.L", f"{end}.L") + length(f"{start}.R", f"{end}.R")) / 2

    shoulders, hips = length("upperarm01.L", "upperarm01.R"), length("upperleg01.L", "upperleg01.R")
    torso = float(np.linalg.norm(middle("upperarm01") - middle("upperleg01")))
    thigh, lower_leg = both("upperleg01", "lowerleg01"), both("lowerleg01", "foot")
    upper_arm, forearm = both("upperarm01", "lowerarm01"), both("lowerarm01", "wrist")
    ratios = [
        shoulders / hips,
        (thigh + lower_leg) / torso,
        shoulders / torso,
        (upper_arm + forearm) / torso,
        thigh / lower_leg,
        upper_arm / forearm,
    ]
    logs: Floats = np.log(ratios)
    return logs


def draw_ratios(rng: np.random.Generator, own: Floats) -> Floats:
    """(6,) log ratios of a person whose traits alone make `own`: the same means, the spreads of people."""
    by_traits = (own - _OWN_MEANS) / _OWN_SPREADS
    drawn = _OWN_PART * by_traits + np.sqrt(1 - _OWN_PART**2) * rng.normal(size=len(RATIOS))
    ratios: Floats = _OWN_MEANS + SPREADS * np.clip(drawn, -_FARTHEST, _FARTHEST)
    return ratios


def fit(wanted: Floats, ratios_of: Callable[[Mapping[str, float]], Floats]) -> dict[str, float]:
    """How far to turn each measure of the model until `ratios_of` them are the wanted (6,) log ratios.

    Of all ways the one that turns them least; within 0.0005 where the model gets there at all.
    """
    turned = np.zeros(len(BONES))
    undone = np.linalg.pinv(np.array(list(BONES.values())).T)
    for _ in range(_STEPS):
        missing = wanted - ratios_of(_named(turned))
        if np.abs(missing).max() <= _CLOSE:
            break
        turned += undone @ missing
    return _named(turned)


def _named(turned: Floats) -> dict[str, float]:
    return {bone: float(amount) for bone, amount in zip(BONES, turned, strict=True)}
