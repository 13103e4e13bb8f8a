"""How people stand, sit and lie: directions of limbs, with a spread, in axes of the trunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.spatial.transform import Rotation

from trainer.studio.arrays import Floats, unit
from trainer.studio.rig import Motion, turn_between

__all__ = ["Pose", "Support", "draw_pose", "motion_of"]

Support = Literal["floor", "seat", "bed"]
Direction = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where limbs point. Axes of the trunk: x to the person's left, y backwards, z up."""

    name: str
    limbs: Mapping[str, Floats]
    """By limb and side, as `upper_arm.L`: a unit direction (3,) away from the trunk."""
    bend: Rotation
    """Of the spine, spread over its bones."""
    head: Rotation
    root: Rotation
    """Of the whole body."""
    support: Support
    """What it rests on."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """Directions on the left; the right mirrors them. Each is a choice of which one is drawn, a side each."""

    arms: tuple[str, ...]
    legs: tuple[str, ...]
    support: Support
    weight: float
    root: Direction = (0, 0, 0)
    """Degrees about x, y and z."""


_ARMS: Mapping[str, tuple[Direction, Direction]] = {
    "down": ((0.28, 0.05, -1), (0.12, -0.2, -1)),
    "apart": ((0.7, 0.0, -0.8), (0.55, -0.25, -0.8)),
    "hip": ((0.75, 0.3, -0.65), (-0.75, -0.45, -0.35)),
    "up": ((0.55, 0.0, 0.85), (0.15, -0.1, 1)),
    "head": ((0.9, -0.05, 0.45), (-0.75, 0.2, 0.65)),
    "out": ((1, 0.0, 0.05), (1, -0.2, 0.1)),
    "front": ((0.35, -0.8, -0.5), (-0.25, -0.9, 0.35)),
    "lap": ((0.3, -0.25, -0.9), (-0.2, -0.85, -0.35)),
    "behind": ((0.45, 0.55, -0.75), (0.1, 0.35, -0.9)),
    "lean": ((0.35, 0.45, -0.85), (0.15, 0.25, -1)),
}
_LEGS: Mapping[str, tuple[Direction, Direction]] = {
    "straight": ((0.11, 0.0, -1), (0.05, 0.03, -1)),
    "apart": ((0.33, 0.0, -1), (0.25, 0.04, -1)),
    "step": ((0.1, -0.4, -1), (0.05, 0.15, -1)),
    "back": ((0.08, 0.3, -1), (0.05, 0.5, -1)),
    "bent": ((0.2, -0.7, -0.8), (0.05, 0.45, -0.9)),
    "seat": ((0.22, -1, -0.03), (0.08, -0.05, -1)),
    "seat_out": ((0.3, -1, 0.02), (0.15, -0.8, -0.55)),
    "floor": ((0.25, -0.85, 0.5), (0.1, -0.6, -0.75)),
    "long": ((0.2, -1, 0.03), (0.12, -1, -0.03)),
    "kneel": ((0.22, -0.2, -1), (0.1, 1, -0.12)),
    "heels": ((0.25, -0.93, -0.3), (0.1, 1, 0.05)),
    "knee_up": ((0.2, -0.75, -0.45), (0.0, 0.65, -0.7)),
}
_STANDING = ("down", "down", "apart", "hip", "up", "head", "out", "front", "behind")
_PLANS: Mapping[str, _Plan] = {
    "standing": _Plan(_STANDING, ("straight", "apart", "step", "back"), "floor", 0.46),
    "arms_up": _Plan(("up", "head", "up"), ("straight", "apart", "step"), "floor", 0.1),
    "one_knee": _Plan(("down", "hip", "front"), ("bent", "straight"), "floor", 0.05),
    "sitting": _Plan(("lap", "lean", "head", "front"), ("seat", "seat_out"), "seat", 0.12),
    "sitting_low": _Plan(("lap", "lean", "front", "behind"), ("floor", "long"), "bed", 0.07),
    "kneeling": _Plan(("lap", "hip", "head", "up", "down"), ("kneel", "heels"), "bed", 0.06),
    "on_back": _Plan(("apart", "up", "head"), ("straight", "step", "straight"), "bed", 0.06, (-90, 0, 0)),
    "on_front": _Plan(("apart", "up", "head"), ("straight", "step"), "bed", 0.04, (90, 0, 0)),
    "on_side": _Plan(("front", "up", "lap"), ("step", "straight", "bent"), "bed", 0.04, (0, 90, 0)),
}  # fmt: skip
_JITTER = 0.12
_SPINE = ("spine05", "spine04", "spine03", "spine02", "spine01")
_CLAVICLE_SHARE = 0.28
_BONES: Mapping[str, tuple[str, str, str]] = {
    "upper_arm": ("upperarm01", "lowerarm01", "shoulder01"),
    "forearm": ("lowerarm01", "wrist", "upperarm01"),
    "thigh": ("upperleg01", "lowerleg01", ""),
    "shin": ("lowerleg01", "foot", "upperleg01"),
}


def draw_pose(rng: np.random.Generator) -> Pose:
    """Draw one of the poses with its spread."""
    names = list(_PLANS)
    weights = np.array([_PLANS[name].weight for name in names])
    name = names[rng.choice(len(names), p=weights / weights.sum())]
    plan = _PLANS[name]
    limbs: dict[str, Floats] = {}
    is_alike = rng.random() < 0.45
    arms, legs = rng.choice(plan.arms), rng.choice(plan.legs)
    for side, sign in ((".L", 1.0), (".R", -1.0)):
        arm = _ARMS[arms if is_alike else rng.choice(plan.arms)]
        leg = _LEGS[legs if is_alike or plan.support != "floor" else rng.choice(plan.legs)]
        for limb, direction in zip(("upper_arm", "forearm", "thigh", "shin"), (*arm, *leg), strict=True):
            spread = _JITTER * (1.5 if "arm" in limb else 0.6)
            limbs[limb + side] = unit(np.array(direction) * [sign, 1, 1] + rng.normal(0, spread, 3))
    return Pose(
        name=name,
        limbs=limbs,
        bend=Rotation.from_rotvec(rng.normal(0, [0.12, 0.08, 0.1])),
        head=Rotation.from_rotvec(rng.normal(0, [0.2, 0.12, 0.35])),
        root=_root(rng, plan),
        support=plan.support,
    )


def _root(rng: np.random.Generator, plan: _Plan) -> Rotation:
    about_y = plan.root[1] * rng.choice([-1, 1])
    return Rotation.from_euler("xyz", [plan.root[0], about_y, plan.root[2]], degrees=True)


def motion_of(pose: Pose, joints: Mapping[str, Floats]) -> Motion:
    """How each bone must turn for a body whose joints at rest are these."""
    turns: dict[str, Rotation] = {"root": pose.root, "head": pose.head}
    # The spine's bend is shared out; the arms point in axes of the bent trunk, the legs in those of the hips.
    part = Rotation.from_rotvec(pose.bend.as_rotvec() / len(_SPINE))
    turns.update(dict.fromkeys(_SPINE, part))
    for side in (".L", ".R"):
        _aim_chain(turns, pose, joints, side, ("upper_arm", "forearm"))
        _aim_chain(turns, pose, joints, side, ("thigh", "shin"))
    return turns


def _aim_chain(
    turns: dict[str, Rotation], pose: Pose, joints: Mapping[str, Floats], side: str, chain: tuple[str, str]
) -> None:
    """Turn the upper bone, then the lower one relative to it; a raised arm takes its shoulder along."""
    before = Rotation.identity()
    for limb in chain:
        start, end, parent = _BONES[limb]
        wanted = before.inv().apply(pose.limbs[limb + side])
        own = turn_between(joints[end + side] - joints[start + side], wanted)
        if limb == "upper_arm":
            lift = Rotation.from_rotvec(own.as_rotvec() * _CLAVICLE_SHARE)
            turns[parent + side] = lift
            own = lift.inv() * own
            before = lift
        turns[start + side] = own
        before = before * own
