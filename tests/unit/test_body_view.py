"""Poses, views and their quality."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.body.pose import EDGE_MARGIN
from services.body.quality import JOINTS, view_quality
from services.body.skeleton import KEY_POINTS, KeyPoint
from services.body.view import view_of
from tests.fakes.skeletons import from_space, mirrored, standing

_ANGLES = st.floats(-np.pi, np.pi)
_QUARTER = st.floats(0, np.pi / 2)
_SHARES = st.floats(0, 1)


def _quality(**changes: float) -> float:
    pose = standing(**changes)  # type: ignore[arg-type]  # angles and confidence, by name
    return view_quality(pose, view_of(pose))


def test_a_point_outside_the_picture_is_not_visible() -> None:
    """Whatever the network says of it, and also just inside the edge, where it puts what it cannot see."""
    pose = standing(hips=(200, 790))
    assert pose.visibility[KeyPoint.LEFT_SHOULDER] == 1
    assert pose.visibility[KeyPoint.LEFT_KNEE] == 0
    assert pose.confidence[KeyPoint.LEFT_KNEE] == 1
    edge = EDGE_MARGIN * 400
    inside, outside = standing(hips=(200, 800 - 2 * edge)), standing(hips=(200, 800 - edge / 2))
    assert inside.visibility[KeyPoint.LEFT_HIP] == 1
    assert outside.visibility[KeyPoint.LEFT_HIP] == 0


def test_the_box_holds_what_is_in_view() -> None:
    """Around the visible key points only; none when there are too few."""
    confidence = np.ones(KEY_POINTS)
    confidence[KeyPoint.LEFT_ANKLE :] = 0.2
    whole, part = standing().box(), standing(confidence=confidence).box()
    assert whole is not None
    assert part is not None
    assert part.right == whole.right
    assert part.bottom < whole.bottom
    assert standing(confidence=0.1).box() is None


@pytest.mark.parametrize(
    ("yaw", "front", "left"),
    [(0.0, 1, 0), (np.pi, -1, 0), (np.pi / 2, 0, 1), (-np.pi / 2, 0, -1)],
    ids=["front", "back", "left side", "right side"],
)
def test_who_turns_shows_other_sides(yaw: float, front: float, left: float) -> None:
    """Chest, back and sides by the order of the shoulders in space."""
    view = view_of(standing(yaw=yaw))
    assert (view.front, view.left) == pytest.approx((front, left), abs=1e-9)


@given(_ANGLES, _ANGLES)
def test_a_picture_turned_shows_the_same_view(yaw: float, roll: float) -> None:
    """Lying or upside down: what faces the camera faces the camera."""
    upright, turned = view_of(standing(yaw=yaw)), view_of(standing(yaw=yaw, roll=roll))
    assert turned.front == pytest.approx(upright.front, abs=1e-9)
    assert turned.left == pytest.approx(upright.left, abs=1e-9)
    assert turned.across == pytest.approx(upright.across, abs=1e-9)


@given(_ANGLES)
def test_the_mirror_swaps_sides_and_nothing_else(yaw: float) -> None:
    """A mirrored picture shows the front of a person whose left and right are swapped."""
    view, mirror = view_of(standing(yaw=yaw)), view_of(mirrored(standing(yaw=yaw)))
    assert mirror.front == pytest.approx(view.front, abs=1e-9)
    assert mirror.left == pytest.approx(-view.left, abs=1e-9)


def test_a_pose_without_depth_is_no_error() -> None:
    """All points in one place: no view at all, and quality 0."""
    pose = from_space(np.zeros((KEY_POINTS, 3)))
    assert view_of(pose).across == 0
    assert view_quality(pose, view_of(pose)) == 0


def test_the_best_view_is_1() -> None:
    """Frontal or from behind, upright, everything visible."""
    assert _quality() == pytest.approx(1)
    assert _quality(yaw=np.pi) == pytest.approx(1)


@given(_QUARTER, _QUARTER)
def test_turning_away_never_helps(first: float, second: float) -> None:
    """Quality falls with the turn, to 0 in profile."""
    less, more = sorted((first, second))
    assert _quality(yaw=less) >= _quality(yaw=more) - 1e-9
    assert _quality(yaw=np.pi / 2) == pytest.approx(0, abs=1e-9)


@given(_QUARTER, _QUARTER)
def test_leaning_never_helps(first: float, second: float) -> None:
    """Quality falls as the torso points at the camera."""
    less, more = sorted((first, second))
    assert _quality(lean=less) >= _quality(lean=more) - 1e-9


@given(_SHARES, _SHARES)
def test_hiding_never_helps(first: float, second: float) -> None:
    """Quality falls with the visibility of all joints."""
    less, more = sorted((first, second))
    assert _quality(confidence=less) <= _quality(confidence=more) + 1e-9


@given(st.sampled_from(JOINTS), _SHARES, _SHARES)
def test_hiding_one_joint_never_helps(joint: KeyPoint, first: float, second: float) -> None:
    """Quality falls with the visibility of each joint alone."""

    def quality(visibility: float) -> float:
        confidence = np.ones(KEY_POINTS)
        confidence[joint] = visibility
        pose = standing(confidence=confidence)
        return view_quality(pose, view_of(pose))

    less, more = sorted((first, second))
    assert quality(less) <= quality(more) + 1e-9


@given(st.floats(0.1, 1.5), st.floats(0.1, 1.5))
def test_a_tighter_crop_never_helps(first: float, second: float) -> None:
    """The more of a body a picture cuts off, the lower the quality."""
    less, more = sorted((first, second))
    qualities = [
        view_quality(pose, view_of(pose))
        for pose in (standing(height=int(share * 800), hips=(200, 400)) for share in (less, more))
    ]
    assert qualities[0] <= qualities[1] + 1e-9
