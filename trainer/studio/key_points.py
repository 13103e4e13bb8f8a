"""The 33 key points of a body and its true proportions, from its joints and skin."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from services.body.skeleton import KEY_POINTS, KeyPoint
from trainer.studio.arrays import Floats
from trainer.studio.atlas import load_atlas

__all__ = ["key_points", "true_ratios"]

_JOINTS: Mapping[KeyPoint, str] = {
    KeyPoint.LEFT_SHOULDER: "upperarm01.L",
    KeyPoint.RIGHT_SHOULDER: "upperarm01.R",
    KeyPoint.LEFT_ELBOW: "lowerarm01.L",
    KeyPoint.RIGHT_ELBOW: "lowerarm01.R",
    KeyPoint.LEFT_WRIST: "wrist.L",
    KeyPoint.RIGHT_WRIST: "wrist.R",
    KeyPoint.LEFT_PINKY: "finger5-1.L",
    KeyPoint.RIGHT_PINKY: "finger5-1.R",
    KeyPoint.LEFT_INDEX: "finger2-1.L",
    KeyPoint.RIGHT_INDEX: "finger2-1.R",
    KeyPoint.LEFT_THUMB: "finger1-2.L",
    KeyPoint.RIGHT_THUMB: "finger1-2.R",
    KeyPoint.LEFT_HIP: "upperleg01.L",
    KeyPoint.RIGHT_HIP: "upperleg01.R",
    KeyPoint.LEFT_KNEE: "lowerleg01.L",
    KeyPoint.RIGHT_KNEE: "lowerleg01.R",
    KeyPoint.LEFT_ANKLE: "foot.L",
    KeyPoint.RIGHT_ANKLE: "foot.R",
    KeyPoint.LEFT_FOOT_INDEX: "toe1-2.L",
    KeyPoint.RIGHT_FOOT_INDEX: "toe1-2.R",
}


def key_points(vertices: Floats, joints: Mapping[str, Floats]) -> Floats:
    """(33, 3) metres, of a posed body: its skin (13718, 3) and where its bones begin."""
    points = np.zeros((KEY_POINTS, 3))
    for key, label in _JOINTS.items():
        points[key] = joints[label]
    for key, vertex in _on_skin().items():
        points[key] = vertices[vertex]
    return points


def true_ratios(joints: Mapping[str, Floats]) -> dict[str, float]:
    """The proportions that services/body names, measured between joints in space."""

    def length(start: str, end: str) -> float:
        return float(np.linalg.norm(joints[start] - joints[end]))

    shoulders, hips = length("upperarm01.L", "upperarm01.R"), length("upperleg01.L", "upperleg01.R")
    middle_of_shoulders = (joints["upperarm01.L"] + joints["upperarm01.R"]) / 2
    middle_of_hips = (joints["upperleg01.L"] + joints["upperleg01.R"]) / 2
    torso = float(np.linalg.norm(middle_of_shoulders - middle_of_hips))
    legs = [
        length("upperleg01" + side, "lowerleg01" + side) + length("lowerleg01" + side, "foot" + side)
        for side in (".L", ".R")
    ]
    return {
        "shoulder_hip_ratio": shoulders / hips,
        "leg_torso_ratio": sum(legs) / 2 / torso,
        "shoulder_torso_ratio": shoulders / torso,
    }


@cache
def _on_skin() -> Mapping[KeyPoint, int]:
    """The vertex of each key point that no joint marks, found once on the neutral body."""
    atlas = load_atlas()
    points = atlas.vertices.astype(np.float64)
    found: dict[KeyPoint, int] = {}
    chin = atlas.joints["head"][2] - 0.05
    face = np.where((points[:, 2] > chin)[:, None] & ~atlas.eyes[:, None], points, np.nan)
    nose = int(np.nanargmin(face[:, 1]))
    found[KeyPoint.NOSE] = nose
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        eye = atlas.joints["eye.L" if sign > 0 else "eye.R"].astype(np.float64)
        front = eye - np.array([0, 0.015, 0])
        for name, shift in (("EYE_INNER", -0.016), ("EYE", 0.0), ("EYE_OUTER", 0.018)):
            found[KeyPoint[f"{side}_{name}"]] = _nearest(
                points, front + np.array([sign * shift, 0.004 * abs(shift), 0])
            )
        found[KeyPoint[f"{side}_EAR"]] = int(np.nanargmax(sign * face[:, 0]))
        mouth = points[nose] + np.array([sign * 0.024, 0.024, -0.043])
        found[KeyPoint[f"MOUTH_{side}"]] = _nearest(points, mouth)
        foot = atlas.joints["foot.L" if sign > 0 else "foot.R"]
        heel = (points[:, 0] * sign > 0) & (points[:, 2] < foot[2] - 0.03)
        found[KeyPoint[f"{side}_HEEL"]] = int(np.nanargmax(np.where(heel, points[:, 1], np.nan)))
    return found


def _nearest(points: Floats, target: Floats) -> int:
    return int(np.argmin(np.linalg.norm(points - target, axis=1)))
