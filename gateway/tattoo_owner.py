"""Whose skin a tattoo is on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.geometry import Box, Point
from gateway.observations import BodySeen, FaceSeen, TattooSeen
from gateway.polygons import Points, distance_to_outline, grid, inside, inside_any, is_inside
from marquee.common.v1 import common_pb2

__all__ = ["Ownership", "owner_of", "skin_points", "reach_of", "IN_VIEW"]

# A region counts as in view from this probability on.
IN_VIEW = 0.5
_PER_SIDE = 8
# Of two bodies whose regions hold the tattoo, one must hold this much more of it.
_CLEAR_SHARE = 0.25
# Of two bodies or faces that are near, one must be at most this fraction as far.
_CLEAR_DISTANCE = 0.5
# Key points end at wrists and hips' joints; skin goes on a little beyond the box around them.
_BODY_MARGIN = 1.1
# So far from the regions in view, in diagonals of the body's box, a tattoo is as likely another's.
_FAR_FROM_SKIN = 0.15
# No outline reaches farther than this, in boxes; most pairs of a crowd end here.
_FAR_FROM_BODY = 2.0
# What a face without a body may have around it, in widths and heights of the face's box: a body is 7 to 8
# heads tall, and arms reach about 3 head widths to either side; a little less, because of neighbours.
# Shoulders are 2.5 boxes of a face wide: farther from the middle there can be only an arm.
_HALF_A_TRUNK = 1.25
# Eyes, nose, corners of the mouth.
_LANDMARKS = 5
_REACH_SIDEWAYS = 2.5
_REACH_ABOVE = 1.0
_REACH_BELOW = 5.0

# Regions below the waist.
_LOWER_PART = frozenset(
    {
        common_pb2.BODY_REGION_LEFT_THIGH,
        common_pb2.BODY_REGION_RIGHT_THIGH,
        common_pb2.BODY_REGION_LEFT_LOWER_LEG,
        common_pb2.BODY_REGION_RIGHT_LOWER_LEG,
        common_pb2.BODY_REGION_LEFT_FOOT_OR_ANKLE,
        common_pb2.BODY_REGION_RIGHT_FOOT_OR_ANKLE,
        common_pb2.BODY_REGION_LEFT_HIP,
        common_pb2.BODY_REGION_RIGHT_HIP,
        common_pb2.BODY_REGION_LEFT_BUTTOCK,
        common_pb2.BODY_REGION_RIGHT_BUTTOCK,
    }
)

_Bare = tuple[FaceSeen | None, BodySeen | None]


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose a tattoo is: index of the person, None when nobody's, or not clearly somebody's.

    clearness: 0..1, how far it is from being somebody else's, or nobody's; by geometry, no probability.
    """

    person: int | None
    clearness: float = 0.0


def owner_of(tattoo: TattooSeen, people: Sequence[_Bare]) -> Ownership:
    """Whose skin the tattoo is on.

    In this order: the middle of the tattoo lies in somebody's face; in a body region that is in view; in a
    body's box, clearly nearer to it than to anybody else; near a face that has no body, or one of which
    nothing below the waist is in view: a body that is guessed from head and shoulders says nothing of the
    skin below. The first of these that holds for anybody decides.
    """
    points = skin_points(tattoo)
    center = Point(float(points[:, 0].mean()), float(points[:, 1].mean()))
    for rule in (_by_face, _by_region, _by_body, _by_reach):
        found = rule(points, center, people)
        if found is not None:
            return found
    return Ownership(None)


def skin_points(tattoo: TattooSeen) -> Points:
    """Sample points on the inked skin: of the mask where there is one, else of the box."""
    points = grid(tattoo.box, _PER_SIDE)
    covered = points[inside(points, tattoo.mask)]
    return covered if len(covered) else points


def _by_face(_points: Points, center: Point, people: Sequence[_Bare]) -> Ownership | None:
    owners = [index for index, (face, _) in enumerate(people) if face and face.box.contains(center)]
    return Ownership(owners[0], 1.0) if len(owners) == 1 else None


def _by_region(points: Points, center: Point, people: Sequence[_Bare]) -> Ownership | None:
    shares = {
        index: float(inside_any(points, outlines).mean())
        for index, (_, body) in enumerate(people)
        if body and (outlines := _outlines_at(body, center))
    }
    if not shares:
        return None
    best = max(shares, key=lambda index: shares[index])
    others = [share for index, share in shares.items() if index != best]
    if not others:
        return Ownership(best, shares[best])
    apart = shares[best] - max(others)
    return Ownership(best, apart) if apart >= _CLEAR_SHARE else Ownership(None)


def _outlines_at(body: BodySeen, center: Point) -> list[tuple[Point, ...]]:
    """The outlines of all the body's regions in view if one of them holds the point; else none."""
    if not body.box.scaled(_FAR_FROM_BODY).contains(center):
        return []
    outlines = [view.outline for view in body.regions if view.visibility >= IN_VIEW]
    return outlines if any(is_inside(center, outline) for outline in outlines) else []


def _by_body(_points: Points, center: Point, people: Sequence[_Bare]) -> Ownership | None:
    """The body in whose box it lies, unless somebody else may as well be the one.

    That is another body that is about as near, in its box or not, or a face whose body is not found.
    """
    bodies = {
        index: body
        for index, (_, body) in enumerate(people)
        if body and body.box.scaled(_FAR_FROM_BODY).contains(center)
    }
    around = [index for index, body in bodies.items() if body.box.scaled(_BODY_MARGIN).contains(center)]
    if not around:
        return None
    distances = {index: _distance_to_body(body, center) for index, body in bodies.items()}
    nearest = _nearest(distances)
    if nearest.person not in around or any(
        face and not body and _is_near(face.box, center) for face, body in people
    ):
        return Ownership(None)
    closeness = _closeness(bodies[nearest.person].box, distances[nearest.person])
    return Ownership(nearest.person, min(nearest.clearness, closeness))


def _closeness(body: Box, distance: float) -> float:
    """1 on the regions in view, 0 from `_FAR_FROM_SKIN` on."""
    diagonal = math.hypot(body.width, body.height)
    return max(0.0, 1 - distance / (_FAR_FROM_SKIN * diagonal)) if diagonal else 0.0


def _distance_to_body(body: BodySeen, center: Point) -> float:
    """From the nearest region in view, else from the middle of the box, in pixels."""
    outlines = [view.outline for view in body.regions if view.visibility >= IN_VIEW]
    if not outlines:
        return _distance(center, body.box.center)
    return min(distance_to_outline(center, outline) for outline in outlines)


def _by_reach(_points: Points, center: Point, people: Sequence[_Bare]) -> Ownership | None:
    """Of the faces in whose reach it is the one below which, and beside all others, it is; else the nearest.

    A body that is in view down to the legs leaves its face no reach; but what is nearest to such a face is
    nobody else's.
    """
    near = {index: face for index, (face, _) in enumerate(people) if face and _is_near(face.box, center)}
    open_ended = [index for index in near if not _has_lower_part(people[index][1])]
    if not open_ended:
        return None
    distances = {index: _distance(center, face.box.center) / _side(face) for index, face in near.items()}
    for index in open_ended:
        others = [one for one in near if one != index]
        if others and all(_is_beside(near[index], near[one], center) for one in others):
            return Ownership(index, max(0.0, 1 - distances[index] / min(distances[one] for one in others)))
    found = _nearest(distances)
    return found if found.person in open_ended else Ownership(None)


def _is_near(face: Box, center: Point) -> bool:
    return reach_of(face).contains(center)


def _is_beside(owner: FaceSeen, other: FaceSeen, center: Point) -> bool:
    """Whether a point is below one face and beside the trunk of the other one.

    So it has to be as the picture is turned, and as either head is: heads lean, and people lie.
    """
    return all(
        _aside(other, center, down) >= _HALF_A_TRUNK
        and _aside(owner, center, down) <= _CLEAR_DISTANCE * _aside(other, center, down)
        for down in (Point(0.0, 1.0), _down(owner), _down(other))
    )


def _aside(face: FaceSeen, center: Point, down: Point) -> float:
    """How far a point is from the line through a face's middle in a direction, in sides of the face's box."""
    x, y = center.x - face.box.center.x, center.y - face.box.center.y
    return abs(x * down.y - y * down.x) / _side(face)


def _down(face: FaceSeen) -> Point:
    """From the eyes to the mouth, length 1; down in the picture where there are no landmarks."""
    if len(face.landmarks) != _LANDMARKS:
        return Point(0.0, 1.0)
    left, right, _, *mouth = face.landmarks
    x = sum(one.x for one in mouth) - left.x - right.x
    y = sum(one.y for one in mouth) - left.y - right.y
    length = float((x**2 + y**2) ** 0.5)
    return Point(x / length, y / length) if length else Point(0.0, 1.0)


def _side(face: FaceSeen) -> float:
    return max(face.box.width, face.box.height)


def _has_lower_part(body: BodySeen | None) -> bool:
    return body is not None and any(
        view.visibility >= IN_VIEW and view.region in _LOWER_PART for view in body.regions
    )


def reach_of(face: Box) -> Box:
    """Where the skin of somebody of whom only the face was found may be."""
    return Box.from_corners(
        face.center.x - _REACH_SIDEWAYS * face.width,
        face.y - _REACH_ABOVE * face.height,
        face.center.x + _REACH_SIDEWAYS * face.width,
        face.bottom + _REACH_BELOW * face.height,
    )


def _nearest(distances: Mapping[int, float]) -> Ownership:
    """The owner at the least distance; nobody where another is less than twice as far. Needs one at least."""
    (nearest, best), *others = sorted((distance, index) for index, distance in distances.items())
    if not others:
        return Ownership(best, 1.0)
    is_clear = nearest <= _CLEAR_DISTANCE * others[0][0]
    return (
        Ownership(best, 1 - nearest / others[0][0] if others[0][0] else 1.0) if is_clear else Ownership(None)
    )


def _distance(a: Point, b: Point) -> float:
    return float(((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5)
