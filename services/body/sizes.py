"""How large people are: what turns a distance in pixels into a scale, and bones into flesh."""

from __future__ import annotations

import numpy as np

from services.body.pose import Pose
from services.body.skeleton import KeyPoint

__all__ = ["pixels_per_metre", "head_pixels_per_metre"]

# Metres between key points of an average adult. Joint lengths are ANSUR II's (Gordon et al. 2014) medians of
# women and men; the eyes are BlazePose's middle points, the ears its tragus points.
_BODY = (
    (KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER, 0.34),
    (KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_HIP, 0.50),
    (KeyPoint.RIGHT_SHOULDER, KeyPoint.RIGHT_HIP, 0.50),
    (KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_ELBOW, 0.28),
    (KeyPoint.RIGHT_SHOULDER, KeyPoint.RIGHT_ELBOW, 0.28),
    (KeyPoint.LEFT_HIP, KeyPoint.LEFT_KNEE, 0.41),
    (KeyPoint.RIGHT_HIP, KeyPoint.RIGHT_KNEE, 0.41),
    (KeyPoint.LEFT_KNEE, KeyPoint.LEFT_ANKLE, 0.39),
    (KeyPoint.RIGHT_KNEE, KeyPoint.RIGHT_ANKLE, 0.39),
)
_HEAD = (
    (KeyPoint.LEFT_EAR, KeyPoint.RIGHT_EAR, 0.150),
    (KeyPoint.LEFT_EYE, KeyPoint.RIGHT_EYE, 0.064),
    (KeyPoint.LEFT_EYE, KeyPoint.MOUTH_LEFT, 0.072),
    (KeyPoint.RIGHT_EYE, KeyPoint.MOUTH_RIGHT, 0.072),
)
_VISIBLE = 0.5


def pixels_per_metre(pose: Pose) -> float:
    """Pixels a metre at the person's body; from the head when no bone is in view, 0 when that is not either.

    A bone that points at the camera looks short, never long: the largest estimate is the least foreshortened.
    """
    return _largest(pose, _BODY) or head_pixels_per_metre(pose)


def head_pixels_per_metre(pose: Pose) -> float:
    """Pixels a metre at the person's head; 0 when it is not in view."""
    return _largest(pose, _HEAD)


def _largest(pose: Pose, bones: tuple[tuple[KeyPoint, KeyPoint, float], ...]) -> float:
    return max(
        (
            float(np.linalg.norm(pose.point(start) - pose.point(end))) / metres
            for start, end, metres in bones
            if pose.least_visibility((start, end)) >= _VISIBLE
        ),
        default=0.0,
    )
