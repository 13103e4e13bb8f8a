"""Removing second detections of the same thing, so that nobody is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np

from chassis.geometry import Box
from gateway.observations import BodySeen, FaceSeen, TattooSeen

__all__ = ["distinct_faces", "distinct_tattoos", "distinct_bodies"]

# Two boxes of one face or one tattoo overlap this much; neighbours do not.
_SAME_FACE_IOU = 0.5
_SAME_TATTOO_IOU = 0.6
# Bodies in an embrace share a box, so bodies are told apart by their key points where they have them.
_SAME_BODY_IOU = 0.9
# Skeletons are compared only where the boxes overlap at all.
_NEIGHBOURS_IOU = 0.3
# Mean distance of two skeletons of one body, in diagonals of the box.
_SAME_BODY_DISTANCE = 0.05
_SEEN = 0.5
_LEAST_POINTS = 4


class _Detection(Protocol):
    @property
    def box(self) -> Box: ...
    @property
    def quality(self) -> float: ...
    @property
    def detection_confidence(self) -> float: ...


_SeenT = TypeVar("_SeenT", bound=_Detection)


def distinct_faces(faces: Sequence[FaceSeen]) -> tuple[FaceSeen, ...]:
    """The faces without second detections (IoU of at least 0.5); the surer one stays. Order is kept."""
    return _distinct(faces, lambda a, b: a.box.iou(b.box) >= _SAME_FACE_IOU)


def distinct_tattoos(tattoos: Sequence[TattooSeen]) -> tuple[TattooSeen, ...]:
    """The tattoos without second detections (IoU of at least 0.6); the surer one stays. Order is kept."""
    return _distinct(tattoos, lambda a, b: a.box.iou(b.box) >= _SAME_TATTOO_IOU)


def distinct_bodies(bodies: Sequence[BodySeen]) -> tuple[BodySeen, ...]:
    """The bodies without second detections (same skeleton, else IoU of at least 0.9). Order is kept."""
    return _distinct(bodies, _is_same_body)


def _distinct(detections: Sequence[_SeenT], is_same: Callable[[_SeenT, _SeenT], bool]) -> tuple[_SeenT, ...]:
    surest_first = sorted(range(len(detections)), key=lambda index: _sureness(detections[index]))
    kept: list[int] = []
    for index in surest_first:
        if not any(is_same(detections[index], detections[other]) for other in kept):
            kept.append(index)
    return tuple(detections[index] for index in sorted(kept))


def _sureness(detection: _Detection) -> tuple[float, float, float]:
    """A sort key: the most confident, then the best, then the largest detection first."""
    return (-detection.detection_confidence, -detection.quality, -detection.box.area)


def _is_same_body(a: BodySeen, b: BodySeen) -> bool:
    overlap = a.box.iou(b.box)
    if overlap < _NEIGHBOURS_IOU:
        return False
    distance = _skeleton_distance(a, b)
    return overlap >= _SAME_BODY_IOU if distance is None else distance <= _SAME_BODY_DISTANCE


def _skeleton_distance(a: BodySeen, b: BodySeen) -> float | None:
    """Mean distance of the points seen in both, in diagonals of the larger box; None with too few of them."""
    if len(a.key_points) != len(b.key_points):
        return None
    pairs = [
        (one.x - other.x, one.y - other.y)
        for one, other in zip(a.key_points, b.key_points, strict=True)
        if one.visibility >= _SEEN and other.visibility >= _SEEN
    ]
    diagonal = max(np.hypot(box.width, box.height) for box in (a.box, b.box))
    if len(pairs) < _LEAST_POINTS:
        return None
    return float(np.hypot(*np.array(pairs).T).mean() / diagonal)
