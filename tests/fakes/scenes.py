"""Drawn people for tests:

faces, bodies and tattoos whose geometry fits together, as the signals would report it.
"""

from __future__ import annotations

from collections.abc import Sequence

from chassis.geometry import Box, Point
from gateway.observations import BodySeen, Candidate, FaceSeen, KeyPoint, RegionView, TattooSeen
from marquee.common.v1 import common_pb2

__all__ = ["face_at", "body_at", "tattoo_at", "rectangle", "template_of", "candidates"]

_FACE, _TATTOO, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO, common_pb2.SIGNAL_BODY
# Eyes, nose, corners of the mouth, as shares of the face's box.
_LANDMARKS = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
# The same places in BlazePose's order: left is the person's left, which is image-right in a frontal picture.
_HEAD_POINTS = {0: (0.5, 0.6), 2: (0.7, 0.4), 5: (0.3, 0.4), 9: (0.65, 0.8), 10: (0.35, 0.8)}
# Regions of a standing person as rectangles (x, y, width, height) in units of the face's side, from the
# middle of the face.
_REGIONS = {
    common_pb2.BODY_REGION_CHEST: (-1.0, 1.0, 2.0, 1.5),
    common_pb2.BODY_REGION_ABDOMEN: (-1.0, 2.5, 2.0, 1.0),
    common_pb2.BODY_REGION_LEFT_UPPER_ARM: (1.0, 1.0, 0.5, 1.5),
    common_pb2.BODY_REGION_RIGHT_UPPER_ARM: (-1.5, 1.0, 0.5, 1.5),
    common_pb2.BODY_REGION_LEFT_FOREARM: (1.0, 2.5, 0.5, 1.5),
    common_pb2.BODY_REGION_RIGHT_FOREARM: (-1.5, 2.5, 0.5, 1.5),
    common_pb2.BODY_REGION_LEFT_THIGH: (0.0, 3.5, 1.0, 2.0),
    common_pb2.BODY_REGION_RIGHT_THIGH: (-1.0, 3.5, 1.0, 2.0),
}


def template_of(
    signal: common_pb2.Signal.ValueType, name: str, *, quality: float = 0.9
) -> common_pb2.Template:
    """A template that carries a name in place of a vector, so that fakes can tell one from the other."""
    embedding = common_pb2.Embedding(model="fake", version="1", vector=name.encode())
    return common_pb2.Template(signal=signal, embeddings=[embedding], quality=quality)


def candidates(**confidences: float) -> tuple[Candidate, ...]:
    """Candidates by name, best first; the similarity is the confidence."""
    ranked = sorted(confidences.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Candidate(name, confidence, confidence) for name, confidence in ranked)


def face_at(
    x: float,
    y: float,
    side: float = 100.0,
    *,
    quality: float = 0.9,
    confidence: float = 0.9,
    name: str = "face",
    found: Sequence[Candidate] = (),
) -> FaceSeen:
    """A face whose middle is at (x, y)."""
    box = Box(x - side / 2, y - side / 2, side, side)
    landmarks = tuple(Point(box.x + u * side, box.y + v * side) for u, v in _LANDMARKS)
    return FaceSeen(box, quality, confidence, landmarks, template_of(_FACE, name), tuple(found))


def body_at(
    x: float,
    y: float,
    side: float = 100.0,
    *,
    quality: float = 0.7,
    confidence: float = 0.9,
    head_visibility: float = 0.9,
    visibility: float = 0.9,
    is_measured: bool = True,
    name: str = "body",
    found: Sequence[Candidate] = (),
) -> BodySeen:
    """A standing body whose face has its middle at (x, y) and the given side."""
    return BodySeen(
        box=Box(x - 1.5 * side, y - 0.5 * side, 3.0 * side, 6.0 * side),
        quality=quality,
        detection_confidence=confidence,
        key_points=tuple(_key_points(x, y, side, head_visibility)),
        regions=tuple(
            RegionView(region, rectangle(x + u * side, y + v * side, w * side, h * side), visibility)
            for region, (u, v, w, h) in _REGIONS.items()
        ),
        template=template_of(_BODY, name) if is_measured else None,
        candidates=tuple(found),
    )


def tattoo_at(
    x: float,
    y: float,
    side: float = 20.0,
    *,
    quality: float = 0.8,
    confidence: float = 0.9,
    mask: Sequence[Point] = (),
    name: str = "tattoo",
    found: Sequence[Candidate] = (),
) -> TattooSeen:
    """A tattoo whose middle is at (x, y)."""
    box = Box(x - side / 2, y - side / 2, side, side)
    return TattooSeen(box, quality, confidence, tuple(mask), template_of(_TATTOO, name), tuple(found))


def rectangle(x: float, y: float, width: float, height: float) -> tuple[Point, ...]:
    """Four corners."""
    return (Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height))


def _key_points(x: float, y: float, side: float, head_visibility: float) -> list[KeyPoint]:
    points = [KeyPoint(x, y + (0.5 + index / 8) * side, 0.9) for index in range(33)]
    for index in range(11):
        u, v = _HEAD_POINTS.get(index, (0.5, 0.5))
        points[index] = KeyPoint(x + (u - 0.5) * side, y + (v - 0.5) * side, head_visibility)
    return points
