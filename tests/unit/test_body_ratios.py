"""Proportions and their errors, from poses of a body whose proportions are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.body.kinds import KINDS, RatioKind
from services.body.measurement import Measurement
from services.body.ratios import BASE_ERRORS, LARGEST_ERROR, measure
from services.body.skeleton import KEY_POINTS, KeyPoint
from tests.fakes.skeletons import BODY, from_space, mirrored, standing

_LEGS = {RatioKind.LEG_TORSO, RatioKind.THIGH_LOWER_LEG}
_HIPS = {RatioKind.SHOULDER_HIP, RatioKind.LEG_TORSO, RatioKind.SHOULDER_TORSO, RatioKind.ARM_TORSO}


def _length(first: KeyPoint, last: KeyPoint) -> float:
    return float(np.linalg.norm(BODY[first] - BODY[last]))


_SHOULDERS = _length(KeyPoint.LEFT_SHOULDER, KeyPoint.RIGHT_SHOULDER)
_TORSO = float(BODY[KeyPoint.LEFT_HIP][1] - BODY[KeyPoint.LEFT_SHOULDER][1])
_THIGH = _length(KeyPoint.LEFT_HIP, KeyPoint.LEFT_KNEE)
_LOWER_LEG = _length(KeyPoint.LEFT_KNEE, KeyPoint.LEFT_ANKLE)
_UPPER_ARM = _length(KeyPoint.LEFT_SHOULDER, KeyPoint.LEFT_ELBOW)
_FOREARM = _length(KeyPoint.LEFT_ELBOW, KeyPoint.LEFT_WRIST)
_TRUTH = {
    RatioKind.SHOULDER_HIP: _SHOULDERS / _length(KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP),
    RatioKind.LEG_TORSO: (_THIGH + _LOWER_LEG) / _TORSO,
    RatioKind.SHOULDER_TORSO: _SHOULDERS / _TORSO,
    RatioKind.ARM_TORSO: (_UPPER_ARM + _FOREARM) / _TORSO,
    RatioKind.THIGH_LOWER_LEG: _THIGH / _LOWER_LEG,
    RatioKind.UPPER_ARM_FOREARM: _UPPER_ARM / _FOREARM,
}


def _values(measurement: Measurement) -> dict[RatioKind, float]:
    return {kind: value for kind, (value, _) in measurement.ratios().items()}


def _errors(measurement: Measurement) -> dict[RatioKind, float]:
    return {kind: error for kind, (_, error) in measurement.ratios().items()}


def test_the_best_view_measures_everything_right() -> None:
    """Frontal and fully visible: the body's own proportions, with errors of 4.5% to 9%."""
    measurement = measure(standing(scale=2000, width=4000, height=4000))
    assert _values(measurement) == pytest.approx(_TRUTH)
    assert _errors(measurement) == pytest.approx(BASE_ERRORS, abs=0.002)
    assert min(BASE_ERRORS.values()) >= 0.04


@given(st.floats(150, 5000), st.floats(-np.pi, np.pi), st.floats(0, 1), st.floats(0, 1))
def test_place_size_turn_and_aspect_of_the_picture_do_not_matter(
    scale: float, roll: float, x: float, y: float
) -> None:
    """Lengths are pixels: proportions are the same wherever a person stands or lies, in any format."""
    side = int(5 * scale)
    hips = (side * (0.25 + 0.5 * x), side * (0.25 + 0.5 * y))
    pose = standing(scale=scale, roll=roll, width=side, height=side, hips=hips)
    assert _values(measure(pose)) == pytest.approx(_TRUTH)


@given(st.floats(0, 0.5), st.floats(0.01, 0.5))
def test_a_turn_changes_the_error_and_not_the_ratio(yaw: float, more: float) -> None:
    """Foreshortening is undone by the pose in space; the farther one turns, the less sure."""
    straight, turned = measure(standing(yaw=yaw)), measure(standing(yaw=yaw + more))
    assert _values(turned) == pytest.approx({kind: _TRUTH[kind] for kind in _values(turned)})
    for kind, error in _errors(turned).items():
        assert error >= _errors(straight)[kind] - 1e-9
    assert set(_values(turned)) <= set(_values(straight))


def test_a_profile_measures_no_widths() -> None:
    """From the side shoulders and hips are no widths at all."""
    kinds = set(_values(measure(standing(yaw=1.4))))
    assert not kinds & {RatioKind.SHOULDER_HIP, RatioKind.SHOULDER_TORSO}
    assert kinds >= _LEGS


def test_a_body_that_points_at_the_camera_measures_nothing() -> None:
    """Seen from above or below, every length is foreshortened beyond use."""
    assert not measure(standing(lean=1.3)).is_measured.any()


@pytest.mark.parametrize("cut", ["below the chest", "at the waist", "just above the hips"])
def test_a_portrait_measures_nothing_below_it(cut: str) -> None:
    """A head-and-shoulder picture says nothing about hips and legs, however sure the network is of them."""
    height = {"below the chest": 250, "at the waist": 320, "just above the hips": 398}[cut]
    measured = set(_values(measure(standing(height=height, hips=(200, 400), confidence=1.0))))
    assert not measured & (_HIPS | _LEGS)


def test_a_point_pushed_inside_the_edge_measures_nothing() -> None:
    """The network sometimes places what it cannot see just inside the picture: at the edge, and unsure."""
    confidence = np.ones(KEY_POINTS)
    confidence[[KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP]] = 0.5
    assert not set(_values(measure(standing(height=420, hips=(200, 400), confidence=confidence)))) & _HIPS


@given(st.floats(0.6, 1), st.floats(0.6, 1))
def test_a_hidden_joint_costs_sureness(first: float, second: float) -> None:
    """The less visible the joints, the larger the error; below 0.6 nothing is measured."""
    less, more = sorted((first, second))
    worse, better = _errors(measure(standing(confidence=less))), _errors(measure(standing(confidence=more)))
    assert all(worse[kind] >= better[kind] - 1e-9 for kind in worse)
    assert not measure(standing(confidence=0.59)).is_measured.any()


@given(st.floats(20, 2000), st.floats(20, 2000))
def test_small_people_are_measured_less_surely(first: float, second: float) -> None:
    """The fewer pixels, the larger the error, up to nothing at all."""
    small, large = sorted((first, second))
    of_small, of_large = (
        _errors(measure(standing(scale=scale, width=5000, height=5000))) for scale in (small, large)
    )
    assert set(of_small) <= set(of_large)
    assert all(of_small[kind] >= of_large[kind] - 1e-9 for kind in of_small)


def test_one_leg_and_one_arm_are_enough() -> None:
    """The other side may be hidden."""
    confidence = np.ones(KEY_POINTS)
    confidence[[KeyPoint.LEFT_KNEE, KeyPoint.LEFT_ANKLE, KeyPoint.RIGHT_ELBOW]] = 0.1
    assert _values(measure(standing(confidence=confidence))) == pytest.approx(_TRUTH)


def test_the_surer_side_counts_more() -> None:
    """A lower leg that looks longer because it is half hidden moves the mean less than a clear one would."""
    body = BODY.copy()
    body[KeyPoint.LEFT_ANKLE] += [0, 0.1, 0]

    def log_of(visibility: float) -> float:
        confidence = np.ones(KEY_POINTS)
        confidence[KeyPoint.LEFT_ANKLE] = visibility
        return _values(measure(from_space(body, confidence=confidence)))[RatioKind.THIGH_LOWER_LEG]

    assert abs(log_of(0.65) - _TRUTH[RatioKind.THIGH_LOWER_LEG]) < abs(
        log_of(1.0) - _TRUTH[RatioKind.THIGH_LOWER_LEG]
    )


def test_an_impossible_body_is_a_wrong_pose() -> None:
    """Proportions that no adult has are not measured; the others are."""
    body = BODY.copy()
    body[[KeyPoint.LEFT_HIP, KeyPoint.RIGHT_HIP], 0] *= 0.5
    measured = set(_values(measure(from_space(body))))
    assert RatioKind.SHOULDER_HIP not in measured
    assert measured == set(KINDS) - {RatioKind.SHOULDER_HIP}


@given(st.floats(-np.pi, np.pi))
def test_the_mirrored_picture_measures_the_same(yaw: float) -> None:
    """Left and right do not matter."""
    pose = standing(yaw=yaw)
    assert _values(measure(mirrored(pose))) == pytest.approx(_values(measure(pose)))


@given(st.floats(-np.pi, np.pi), st.floats(-1.5, 1.5), st.floats(0, 1), st.integers(50, 900))
def test_what_is_measured_is_sure_enough(yaw: float, lean: float, confidence: float, height: int) -> None:
    """In any view: errors of 4% to 15%, or nothing."""
    pose = standing(yaw=yaw, lean=lean, confidence=confidence, height=height, hips=(200, 400))
    for error in _errors(measure(pose)).values():
        assert 0.04 <= error <= LARGEST_ERROR
