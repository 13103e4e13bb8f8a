"""Body regions in view: which, where, and how visible."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.images import cv2
from marquee.common.v1 import common_pb2
from services.body.outline import area, clip, disc, grown, hull, limb
from services.body.pose import Pose
from services.body.region_names import Region
from services.body.regions import LEAST_VISIBILITY, RegionView, regions_in_view
from services.body.skeleton import KEY_POINTS, KeyPoint
from tests.fakes.skeletons import mirrored, standing

_FRONT = {Region.CHEST, Region.ABDOMEN}
_BACK = {Region.UPPER_BACK, Region.LOWER_BACK, Region.LEFT_BUTTOCK, Region.RIGHT_BUTTOCK}
_ARMS_AND_LEGS = {region for region in Region if region <= Region.RIGHT_FOOT_OR_ANKLE}
_VIEWS = st.builds(
    standing,
    yaw=st.floats(-np.pi, np.pi),
    lean=st.floats(-1.2, 1.2),
    roll=st.floats(-np.pi, np.pi),
    height=st.integers(100, 800),
    hips=st.tuples(st.floats(-100, 500), st.floats(-100, 900)),
    confidence=st.floats(0, 1),
)


def _names(pose: Pose) -> set[Region]:
    return {view.region for view in regions_in_view(pose)}


def _one(pose: Pose, region: Region) -> RegionView:
    [view] = [view for view in regions_in_view(pose) if view.region is region]
    return view


def _center(view: RegionView) -> tuple[float, float]:
    moments = cv2.moments(view.outline.astype(np.float32))
    return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]


def test_regions_are_numbered_as_in_the_contract() -> None:
    """Every region of the contract that is a place on a body, under its number."""
    places = {
        name.removeprefix("BODY_REGION_"): number
        for name, number in common_pb2.BodyRegion.items()
        if number > common_pb2.BODY_REGION_OTHER
    }
    assert {region.name: region.value for region in Region} == places


def test_the_front_shows_all_but_the_back() -> None:
    """Facing us: limbs, head, neck, chest, abdomen, hips and both sides."""
    expected = set(Region) - _BACK
    assert _names(standing()) == expected


def test_the_back_shows_all_but_the_front() -> None:
    """Turning the back: back and buttocks instead of chest and abdomen."""
    assert _names(standing(yaw=np.pi)) == set(Region) - _FRONT


def test_left_is_the_persons_left() -> None:
    """On the right of a picture that shows the front, on the left of one that shows the back."""
    for region in (Region.LEFT_UPPER_ARM, Region.LEFT_THIGH, Region.LEFT_HIP, Region.LEFT_SHOULDER):
        assert _center(_one(standing(), region))[0] > 200
        assert _center(_one(standing(yaw=np.pi), region))[0] < 200
    assert _center(_one(standing(yaw=np.pi), Region.LEFT_BUTTOCK))[0] < 200


def test_upper_is_nearer_to_the_head_however_one_lies() -> None:
    """Upside down, the chest is lower in the picture than the abdomen."""
    upright, inverted = standing(), standing(roll=np.pi)
    assert _center(_one(upright, Region.CHEST))[1] < _center(_one(upright, Region.ABDOMEN))[1]
    assert _center(_one(inverted, Region.CHEST))[1] > _center(_one(inverted, Region.ABDOMEN))[1]


@pytest.mark.parametrize(
    ("yaw", "near", "far"), [(np.pi / 2, "LEFT", "RIGHT"), (-np.pi / 2, "RIGHT", "LEFT")]
)
def test_a_profile_shows_one_side(yaw: float, near: str, far: str) -> None:
    """From the side: the side and the hip that are near; neither chest nor back, nor the far hip."""
    names = _names(standing(yaw=yaw))
    assert Region.RIBS_OR_SIDE in names
    assert Region[f"{near}_HIP"] in names
    assert not names & {*_FRONT, Region.UPPER_BACK, Region.LOWER_BACK, Region[f"{far}_HIP"]}


@given(st.floats(0, np.pi / 2), st.floats(0, np.pi / 2))
def test_turning_away_hides_the_chest(first: float, second: float) -> None:
    """The chest's visibility falls with the turn."""
    less, more = sorted((first, second))

    def chest(yaw: float) -> float:
        views = regions_in_view(standing(yaw=yaw))
        return max((view.visibility for view in views if view.region is Region.CHEST), default=0.0)

    assert chest(less) >= chest(more) - 1e-6


@given(_VIEWS)
def test_the_mirrored_picture_has_mirrored_regions(pose: Pose) -> None:
    """Left and right change places and nothing else."""
    mirror = regions_in_view(mirrored(pose))
    swapped = {
        region: Region[region.name.replace("LEFT", "?").replace("RIGHT", "LEFT").replace("?", "RIGHT")]
        for region in Region
    }
    expected = sorted(
        (swapped[view.region], round(area(view.outline)), round(view.visibility, 3))
        for view in regions_in_view(pose)
    )
    found = sorted((view.region, round(area(view.outline)), round(view.visibility, 3)) for view in mirror)
    assert [one[0] for one in found] == [one[0] for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[1:] == pytest.approx(other[1:], rel=0.02, abs=2)


@given(_VIEWS)
def test_outlines_are_convex_and_inside_the_picture(pose: Pose) -> None:
    """Whatever the view: corners within the picture, an area, a visibility worth telling."""
    for view in regions_in_view(pose):
        assert len(view.outline) >= 3
        assert (view.outline >= 0).all()
        assert (view.outline <= [pose.width, pose.height]).all()
        assert area(view.outline) > 0
        assert area(hull(view.outline)) == pytest.approx(area(view.outline), rel=1e-3, abs=0.5)
        assert LEAST_VISIBILITY <= view.visibility <= 1


def test_what_the_picture_cuts_off_is_not_in_view() -> None:
    """Cut at the thighs: no legs below, and outlines end at the picture's edge."""
    pose = standing(height=500, hips=(200, 400))
    names = _names(pose)
    assert not names & {Region.LEFT_LOWER_LEG, Region.LEFT_FOOT_OR_ANKLE, Region.LEFT_THIGH}
    assert names >= {*_FRONT, Region.LEFT_FOREARM, Region.HEAD}


def test_half_a_region_is_half_as_visible() -> None:
    """A chest of which the picture shows the left half has half the visibility."""
    whole = _one(standing(), Region.CHEST).visibility
    cut = standing(hips=(0, 400), confidence=1.0)
    assert Region.CHEST not in _names(cut)  # the right shoulder is outside
    low = _one(standing(height=270, hips=(200, 400)), Region.CHEST)
    assert low.visibility == pytest.approx(whole * 70 / 100, abs=0.02)


def test_a_portrait_shows_head_neck_shoulders_and_chest() -> None:
    """Cut below the chest: nothing of the hips or legs is claimed."""
    names = _names(standing(height=290, hips=(200, 400)))
    assert names >= {Region.HEAD, Region.NECK, Region.LEFT_SHOULDER, Region.RIGHT_SHOULDER, Region.CHEST}
    assert not any(region.name.endswith(("HIP", "THIGH", "LEG", "BUTTOCK")) for region in names)


def test_hips_out_of_the_picture_leave_the_abdomen_open() -> None:
    """With hips below the edge nothing tells whether the abdomen is hidden: in view, but never surely."""
    pose = standing(height=398, hips=(200, 400))
    assert _one(pose, Region.ABDOMEN).visibility == pytest.approx(0.6, abs=0.02)


def test_hidden_limbs_are_not_in_view() -> None:
    """The least visible key point decides."""
    confidence = np.ones(KEY_POINTS)
    confidence[KeyPoint.LEFT_ELBOW] = 0.1
    confidence[KeyPoint.RIGHT_KNEE] = 0.6
    pose = standing(confidence=confidence)
    assert not _names(pose) & {Region.LEFT_UPPER_ARM, Region.LEFT_FOREARM}
    assert _one(pose, Region.RIGHT_THIGH).visibility == pytest.approx(0.6)
    assert _one(pose, Region.LEFT_THIGH).visibility == pytest.approx(1)


def test_nobody_in_view_has_no_regions() -> None:
    """No visible key point: no scale, no regions, no error."""
    assert regions_in_view(standing(confidence=0.0)) == []


def test_a_face_alone_is_a_head() -> None:
    """A picture of nothing but a face shows a head."""
    face = standing(scale=2000, width=400, height=400, hips=(200, 1600))
    assert _names(face) == {Region.HEAD}


@given(st.floats(200, 2000))
def test_regions_grow_with_the_picture(scale: float) -> None:
    """Twice the size, four times the area."""
    side = int(4 * scale)
    small = {view.region: view for view in regions_in_view(standing(width=side, height=side, scale=scale))}
    large = regions_in_view(standing(width=2 * side, height=2 * side, scale=2 * scale))
    for view in large:
        assert area(view.outline) == pytest.approx(4 * area(small[view.region].outline), rel=0.01)


def test_every_key_point_of_a_limb_lies_in_its_region() -> None:
    """The middle of a bone is inside the outline around it."""
    pose = standing()
    for region, start, end in (
        (Region.LEFT_UPPER_ARM, KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_ELBOW),
        (Region.RIGHT_FOREARM, KeyPoint.RIGHT_ELBOW, KeyPoint.RIGHT_WRIST),
        (Region.LEFT_THIGH, KeyPoint.LEFT_HIP, KeyPoint.LEFT_KNEE),
        (Region.RIGHT_LOWER_LEG, KeyPoint.RIGHT_KNEE, KeyPoint.RIGHT_ANKLE),
        (Region.LEFT_HAND_OR_WRIST, KeyPoint.LEFT_WRIST, KeyPoint.LEFT_INDEX),
        (Region.RIGHT_FOOT_OR_ANKLE, KeyPoint.RIGHT_HEEL, KeyPoint.RIGHT_FOOT_INDEX),
        (Region.HEAD, KeyPoint.NOSE, KeyPoint.NOSE),
    ):
        x, y = pose.middle((start, end))
        outline = _one(pose, region).outline.astype(np.float32)
        assert cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=False) > 0


def test_a_limb_that_points_at_the_camera_is_round() -> None:
    """An arm without length in the picture still has its thickness."""
    pose = standing()
    pose.points[KeyPoint.LEFT_ELBOW] = pose.points[KeyPoint.LEFT_SHOULDER] + 0.5
    assert area(_one(pose, Region.LEFT_UPPER_ARM).outline) > 0.1**2 * 400**2 / 2


def test_shapes() -> None:
    """Limbs, discs and grown hulls have the sizes they are told; clipping keeps what is inside."""
    origin, right = np.zeros(2), np.array([10.0, 0.0])
    assert area(limb(origin, right, widths=(4, 2))) == pytest.approx(30)
    assert area(disc(origin, right, length=20, width=10)) == pytest.approx(3.0 * 10 * 5, rel=0.01)
    assert area(grown(np.array([origin, right]), 1)) == pytest.approx(10 * 2 + 3.0, rel=0.01)
    square = np.array([[-5.0, -5], [5, -5], [5, 5], [-5, 5]])
    inside = clip(square, width=100, height=100)
    assert inside is not None
    assert area(inside) == pytest.approx(25)
    assert clip(square - 50, width=100, height=100) is None
