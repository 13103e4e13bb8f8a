"""Which face is the head of which body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box, Point
from gateway.observations import BodySeen, FaceSeen, KeyPoint
from gateway.polygons import points_of

__all__ = ["has_visible_head", "head_clearness", "match_heads"]

# BlazePose: nose, left eye, right eye, left and right corner of the mouth; the same places as a face's
# landmarks.
_HEAD = (0, 2, 5, 9, 10)
_SEEN = 0.5
_LEAST_POINTS = 2
# Mean distance from a head's key point to the nearest landmark, in sides of the face's box. Measured on 120
# photographs of one or a few people: right pairs 0.04 to 0.13 (5% to 95%), wrong ones from 0.7 on.
_FARTHEST = 0.4
# The same, to the middle of the face's box where a face has no landmarks: the points lie around it.
_FARTHEST_FROM_CENTER = 0.5
# A head far behind may lie inside a large face in front: the sizes must agree within this factor.
_MOST_UNLIKE_SIZE = 2.5
# A body whose head points cannot be used has its head in the upper part of its box, or just above it.
_HEAD_SHARE = 0.4
_ABOVE = 0.15


def match_heads(faces: Sequence[FaceSeen], bodies: Sequence[BodySeen]) -> Mapping[int, int]:
    """Body of each face that has one: index of the face -> index of the body; each body once.

    Nearest pairs first, by the distance between the body's visible head points and the face's landmarks. A
    body without visible head points gets a face only if the face's middle lies where its head must be and
    there is no other choice for either.
    """
    costs = _costs(faces, bodies)
    pairs = _nearest_first(costs)
    free_faces = [index for index in range(len(faces)) if index not in pairs]
    headless = [index for index in range(len(bodies)) if not _visible_head(bodies[index])]
    return pairs | _only_choices(free_faces, headless, faces, bodies)


def head_clearness(face: FaceSeen, body: BodySeen) -> float:
    """How well a face lies on the head of the body that it was matched with, 0..1: 1 less the part of the
    farthest distance allowed; 0 where the head is not seen, and they are only each other's only choice.
    """
    head = _visible_head(body)
    if not head:
        return 0.0
    cost = _cost(face, np.array([(point.x, point.y) for point in head]))
    farthest = _FARTHEST if face.landmarks else _FARTHEST_FROM_CENTER
    return max(0.0, 1 - cost / farthest) if np.isfinite(cost) else 0.0


def has_visible_head(body: BodySeen) -> bool:
    """Whether enough of the head's key points are in view to tell where it is."""
    return bool(_visible_head(body))


def _costs(faces: Sequence[FaceSeen], bodies: Sequence[BodySeen]) -> NDArray[np.float64]:
    """(faces, bodies):

    distance of head and face in sides of the face's box; infinite where they cannot be one.
    """
    costs = np.full((len(faces), len(bodies)), np.inf)
    for column, body in enumerate(bodies):
        head = _visible_head(body)
        if head:
            points = np.array([(point.x, point.y) for point in head])
            costs[:, column] = [_cost(face, points) for face in faces]
    return costs


def _cost(face: FaceSeen, head: NDArray[np.float64]) -> float:
    side = max(face.box.width, face.box.height)
    targets = points_of(face.landmarks or (face.box.center,))
    if _is_far(face.box, head) or not _is_like_size(face.landmarks, head):
        return np.inf
    distances = np.linalg.norm(head[:, None] - targets[None], axis=2).min(axis=1)
    cost = float(distances.mean()) / side
    return cost if cost <= (_FARTHEST if face.landmarks else _FARTHEST_FROM_CENTER) else np.inf


def _is_far(box: Box, head: NDArray[np.float64]) -> bool:
    """A cheap first look: most pairs of a crowd end here."""
    x, y = head[:, 0].mean(), head[:, 1].mean()
    return not box.scaled(2.0).contains(Point(float(x), float(y)))


def _is_like_size(landmarks: Sequence[Point], head: NDArray[np.float64]) -> bool:
    if len(landmarks) != len(_HEAD) or len(head) != len(_HEAD):
        return True
    face_size, head_size = _spread(points_of(landmarks)), _spread(head)
    return max(face_size, head_size) <= _MOST_UNLIKE_SIZE * min(face_size, head_size)


def _spread(points: NDArray[np.float64]) -> float:
    """Root mean square distance from the middle, pixels."""
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))


def _nearest_first(costs: NDArray[np.float64]) -> dict[int, int]:
    pairs: dict[int, int] = {}
    for flat in np.argsort(costs, axis=None, kind="stable"):
        face, body = divmod(int(flat), costs.shape[1])
        if not np.isfinite(costs[face, body]):
            break
        if face not in pairs and body not in pairs.values():
            pairs[face] = body
    return pairs


def _visible_head(body: BodySeen) -> list[KeyPoint]:
    """The head's key points that are in view; none if they are too few to tell."""
    if len(body.key_points) <= max(_HEAD):
        return []
    visible = [body.key_points[index] for index in _HEAD if body.key_points[index].visibility >= _SEEN]
    return visible if len(visible) >= _LEAST_POINTS else []


def _only_choices(
    faces: Sequence[int], bodies: Sequence[int], all_faces: Sequence[FaceSeen], all_bodies: Sequence[BodySeen]
) -> dict[int, int]:
    """Pairs of a free face and a headless body in which neither fits anybody else."""
    fits = {
        (face, body)
        for face in faces
        for body in bodies
        if _head_place(all_bodies[body].box).contains(all_faces[face].box.center)
    }
    return {
        face: body for face, body in fits if sum(face == other or body == one for other, one in fits) == 1
    }


def _head_place(body: Box) -> Box:
    above = _ABOVE * body.height
    return Box(body.x, body.y - above, body.width, above + _HEAD_SHARE * body.height)
