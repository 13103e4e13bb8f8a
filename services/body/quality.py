"""How well a view shows a body's proportions, 0..1.

quality = across x along x seen x presence, where `across` is the cosine of the torso's turn from the
picture's plane, `along` the cosine of its lean to or from the camera, `seen` the mean visibility of the
twelve joints (shoulders, elbows, wrists, hips, knees, ankles; 0 outside the picture) and `presence` the
network's probability that there is a person. Frontal (or from behind), upright and fully visible is 1. Better
in any factor is never worse.
"""

from __future__ import annotations

from services.body.pose import Pose
from services.body.skeleton import KeyPoint
from services.body.view import View

__all__ = ["JOINTS", "view_quality"]

JOINTS = tuple(KeyPoint(row) for row in (11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28))
"""Shoulders, elbows, wrists, hips, knees, ankles."""


def view_quality(pose: Pose, view: View) -> float:
    """The quality of one view, 0..1."""
    seen = float(pose.visibility[list(JOINTS)].mean())
    return min(1.0, max(0.0, view.across * view.along * seen * pose.presence))
