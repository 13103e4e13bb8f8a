"""Which parts of a body are in view, and where: a convex outline for each.

Visibility of a region = least visibility of the key points that span it x share of its surface that faces the
camera x share of its outline inside the picture x the network's probability that there is a person at all.
Regions under `LEAST_VISIBILITY` are left out.
docs/body.md has the definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.body.outline import Outline, area, clip, disc, grown, limb, unit
from services.body.pose import Pose
from services.body.region_names import Region
from services.body.sizes import head_pixels_per_metre, pixels_per_metre
from services.body.skeleton import EARS, KeyPoint
from services.body.torso import Torso, torso_of
from services.body.view import View, view_of

__all__ = ["LEAST_VISIBILITY", "RegionView", "regions_in_view"]

LEAST_VISIBILITY = 0.3
"""A region less visible than this is not in view."""

# With hips outside the picture nothing tells whether something hides the belly: mostly nothing does.
_HIPS_OUTSIDE = 0.6
# Share of each side of the torso, and of each hip, that is in view from the front or from behind: at the very
# edge of the figure, where outlines are off by more than they are wide.
_SIDE_SHARE = 0.4
_HIP_SHARE = 0.4
_PROFILE_EDGE = 0.22
_SHOULDERS = (KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER)
_HIPS = (KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP)
_EYES = (KeyPoint.LEFT_EYE, KeyPoint.RIGHT_EYE)
_MOUTH = (KeyPoint.MOUTH_LEFT, KeyPoint.MOUTH_RIGHT)


@dataclass(frozen=True, slots=True, eq=False)
class RegionView:
    """A region in view. RIBS_OR_SIDE may be there twice, once for each side."""

    region: Region
    outline: Outline
    """(n, 2) pixels inside the picture, convex."""
    visibility: float
    """LEAST_VISIBILITY..1."""


@dataclass(frozen=True, slots=True)
class _Limb:
    """A part between two joints: between which shares of its length, and how thick, metres.

    Near a joint nobody can say where one part ends and the next begins.
    """

    region: Region
    start: KeyPoint
    end: KeyPoint
    begins: float
    ends: float
    widths: tuple[float, float]


# Thickness: circumferences of ANSUR II (biceps, elbow, wrist, thigh, knee, calf, ankle) divided by pi.
_LIMBS = (
    _Limb(Region.LEFT_UPPER_ARM, KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_ELBOW, 0.15, 1.0, (0.12, 0.09)),
    _Limb(Region.RIGHT_UPPER_ARM, KeyPoint.RIGHT_SHOULDER, KeyPoint.RIGHT_ELBOW, 0.15, 1.0, (0.12, 0.09)),
    _Limb(Region.LEFT_FOREARM, KeyPoint.LEFT_ELBOW, KeyPoint.LEFT_WRIST, 0.0, 0.88, (0.09, 0.06)),
    _Limb(Region.RIGHT_FOREARM, KeyPoint.RIGHT_ELBOW, KeyPoint.RIGHT_WRIST, 0.0, 0.88, (0.09, 0.06)),
    _Limb(Region.LEFT_THIGH, KeyPoint.LEFT_HIP, KeyPoint.LEFT_KNEE, 0.12, 0.95, (0.19, 0.13)),
    _Limb(Region.RIGHT_THIGH, KeyPoint.RIGHT_HIP, KeyPoint.RIGHT_KNEE, 0.12, 0.95, (0.19, 0.13)),
    _Limb(Region.LEFT_LOWER_LEG, KeyPoint.LEFT_KNEE, KeyPoint.LEFT_ANKLE, 0.08, 0.88, (0.13, 0.08)),
    _Limb(Region.RIGHT_LOWER_LEG, KeyPoint.RIGHT_KNEE, KeyPoint.RIGHT_ANKLE, 0.08, 0.88, (0.13, 0.08)),
)
_Extremity = tuple[Region, tuple[KeyPoint, ...]]
_HANDS: tuple[_Extremity, ...] = (
    (
        Region.LEFT_HAND_OR_WRIST,
        (KeyPoint.LEFT_WRIST, KeyPoint.LEFT_PINKY, KeyPoint.LEFT_INDEX, KeyPoint.LEFT_THUMB),
    ),
    (
        Region.RIGHT_HAND_OR_WRIST,
        (KeyPoint.RIGHT_WRIST, KeyPoint.RIGHT_PINKY, KeyPoint.RIGHT_INDEX, KeyPoint.RIGHT_THUMB),
    ),
)
_FEET: tuple[_Extremity, ...] = (
    (Region.LEFT_FOOT_OR_ANKLE, (KeyPoint.LEFT_ANKLE, KeyPoint.LEFT_HEEL, KeyPoint.LEFT_FOOT_INDEX)),
    (Region.RIGHT_FOOT_OR_ANKLE, (KeyPoint.RIGHT_ANKLE, KeyPoint.RIGHT_HEEL, KeyPoint.RIGHT_FOOT_INDEX)),
)
# Metres of flesh around key points, and how far fingers reach beyond the knuckles.
_HAND_FLESH, _FOOT_FLESH, _SHOULDER_SIZE = 0.03, 0.045, 0.12
_FINGERS = 2.1
_HEAD_SIZE = (0.22, 0.19)
# The ears lie below the middle of a head.
_EARS_BELOW = 0.035
_NECK_WIDTH = 0.13


def regions_in_view(pose: Pose) -> list[RegionView]:
    """Every region in view, in the contract's order."""
    scale, view = pixels_per_metre(pose), view_of(pose)
    if scale <= 0:
        return []
    whole = [
        *_limbs(pose, scale),
        *_extremities(pose, scale),
        *_shoulders(pose, scale),
        *_torso(pose, view, torso_of(pose, view, scale)),
        *_head_and_neck(pose, scale),
    ]
    seen = (_seen(pose, *region) for region in whole)
    return sorted((one for one in seen if one is not None), key=lambda one: one.region)


_Whole = tuple[Region, Outline, float]


def _seen(pose: Pose, region: Region, outline: Outline, visibility: float) -> RegionView | None:
    """The part of a region inside the picture."""
    total = area(outline)
    if visibility < LEAST_VISIBILITY or total <= 0:
        return None
    inside = clip(outline, width=pose.width, height=pose.height)
    if inside is None:
        return None
    visibility *= min(1.0, area(inside) / total) * pose.presence
    return RegionView(region, inside, visibility) if visibility >= LEAST_VISIBILITY else None


def _limbs(pose: Pose, scale: float) -> Iterator[_Whole]:
    for part in _LIMBS:
        start, end = pose.point(part.start), pose.point(part.end)
        begin, end = (start + share * (end - start) for share in (part.begins, part.ends))
        widths = (part.widths[0] * scale, part.widths[1] * scale)
        points_at_camera = float(np.linalg.norm(end - begin)) < max(widths) / 2
        outline = (
            grown(np.array([begin, end]), max(widths) / 2)
            if points_at_camera
            else limb(begin, end, widths=widths)
        )
        yield part.region, outline, pose.least_visibility((part.start, part.end))


def _extremities(pose: Pose, scale: float) -> Iterator[_Whole]:
    for region, keys in _HANDS:
        wrist = pose.point(keys[0])
        fingertips = wrist + _FINGERS * (pose.middle(keys[1:3]) - wrist)
        points = np.concatenate([pose.points[list(keys)], fingertips[None]])
        yield region, grown(points, _HAND_FLESH * scale), pose.least_visibility(keys[:3])
    for region, keys in _FEET:
        yield region, grown(pose.points[list(keys)], _FOOT_FLESH * scale), pose.least_visibility(keys)


def _shoulders(pose: Pose, scale: float) -> Iterator[_Whole]:
    size = _SHOULDER_SIZE * scale
    for region, key in zip((Region.LEFT_SHOULDER, Region.RIGHT_SHOULDER), _SHOULDERS, strict=True):
        outline = disc(pose.point(key), np.array([0.0, 1.0]), length=size, width=size)
        yield region, outline, pose.least_visibility([key])


def _torso(pose: Pose, view: View, torso: Torso) -> Iterator[_Whole]:
    upper = pose.least_visibility(_SHOULDERS)
    lower = min(upper, _hips_visibility(pose))
    middle = (torso.right_side, torso.left_side)
    front, back = _facing(view.front), _facing(-view.front)
    yield Region.CHEST, torso.patch(middle, (0.0, 0.5)), upper * front
    yield Region.ABDOMEN, torso.patch(middle, (0.5, 1.0)), lower * front
    yield Region.UPPER_BACK, torso.patch(middle, (0.0, 0.5)), upper * back
    yield Region.LOWER_BACK, torso.patch(middle, (0.5, 1.0)), lower * back
    sides = ((0.0, torso.right_side, -view.left), (torso.left_side, 1.0, view.left))
    for first, last, toward in sides:
        share = float(np.clip(_SIDE_SHARE + toward, 0, 1))
        # In profile chest and back are at the edges.
        inset = _PROFILE_EDGE * max(0.0, toward) * (last - first)
        columns = (first + inset, last - inset)
        yield Region.RIBS_OR_SIDE, torso.patch(columns, (0.25, 0.75)), lower * share
    yield from _hips_and_buttocks(view, torso, lower)


def _hips_and_buttocks(view: View, torso: Torso, visibility: float) -> Iterator[_Whole]:
    back = float(np.clip((0.3 - view.front) / 0.8, 0, 1))
    columns = (
        (Region.LEFT_HIP, Region.LEFT_BUTTOCK, 1, (0.5, 0.95), view.left),
        (Region.RIGHT_HIP, Region.RIGHT_BUTTOCK, -1, (0.05, 0.5), -view.left),
    )
    for hip, buttock, side, buttock_columns, toward in columns:
        near = float(np.clip(_HIP_SHARE + 1.2 * toward, 0, 1))
        behind = float(np.clip(1 + 1.2 * toward, 0, 1)) * back
        # From the front a hip is at the edge, from the side in the middle.
        column = 0.5 + 0.375 * side * view.across
        yield hip, torso.patch((column - 0.175, column + 0.175), (0.85, 1.2)), visibility * near
        yield buttock, torso.patch(buttock_columns, (0.85, 1.28)), visibility * behind


def _head_and_neck(pose: Pose, scale: float) -> Iterator[_Whole]:
    # A head seen from the side or from behind hides some of these, never all.
    visibility = float(pose.visibility[[KeyPoint.NOSE, *_EYES, *EARS]].max())
    ears = pose.middle(EARS)
    head_scale = head_pixels_per_metre(pose) or scale
    length, width = (size * head_scale for size in _HEAD_SIZE)
    center = ears + _EARS_BELOW * head_scale * _up(pose)
    yield Region.HEAD, disc(center, _up(pose), length=length, width=width), visibility
    base = pose.middle(_SHOULDERS)
    start, end = base + 0.25 * (ears - base), base + 0.65 * (ears - base)
    neck = limb(start, end, widths=(1.2 * _NECK_WIDTH * scale, _NECK_WIDTH * scale))
    yield Region.NECK, neck, min(visibility, pose.least_visibility(_SHOULDERS))


def _up(pose: Pose) -> NDArray[np.float64]:
    """From the mouth to the eyes."""
    return unit(pose.middle(_EYES) - pose.middle(_MOUTH))


def _hips_visibility(pose: Pose) -> float:
    x, y = pose.middle(_HIPS)
    is_inside = 0 <= x <= pose.width and 0 <= y <= pose.height
    return pose.least_visibility(_HIPS) if is_inside else _HIPS_OUTSIDE


def _facing(cosine: float) -> float:
    """Share of a flat side that can be recognised, 0..1: all up to 60 degrees, nothing from 75 on."""
    return float(np.clip(4 * cosine - 1, 0, 1))
