"""Quality: between 0 and 1, never better for a worse face, good for an ordinary good one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from chassis.images import cv2
from services.face.quality import (
    QualityFactors,
    detail_of,
    detection_factor,
    frontality_factor,
    sharpness_factor,
    size_factor,
    turn_of,
)
from tests.fakes.face_meshes import frontal_mesh
from tests.fakes.portrait import portrait

_SHARE = st.floats(0, 1)
_ANY = st.floats(-1e6, 1e6)


@given(values=st.tuples(_SHARE, _SHARE, _SHARE, _SHARE), which=st.integers(0, 3), better=_SHARE)
def test_quality_grows_with_every_factor(
    values: tuple[float, float, float, float], which: int, better: float
) -> None:
    """A better factor never makes an observation worth less, and quality stays in 0..1."""
    improved = list(values)
    improved[which] = max(values[which], better)
    before, after = QualityFactors(*values).quality, QualityFactors(*improved).quality
    assert 0 <= before <= after <= 1


@given(one=_ANY, other=_ANY)
def test_factors_grow_with_what_they_measure(one: float, other: float) -> None:
    """Surer, larger and sharper is never worse."""
    low, high = sorted((one, other))
    for factor in (detection_factor, size_factor, sharpness_factor):
        assert 0 <= factor(low) <= factor(high) <= 1


@given(one=st.floats(0, 180), other=st.floats(0, 180))
def test_turning_away_never_helps(one: float, other: float) -> None:
    """The further the head is turned, the less the observation is worth."""
    low, high = sorted((one, other))
    assert 0 <= frontality_factor(high) <= frontality_factor(low) <= 1


def test_an_ordinary_good_face_is_good() -> None:
    """Sharp, frontal, 100 pixels, ordinarily sure: above the 0.8 at which a face gets full weight."""
    sharpness = sharpness_factor(detail_of(_face()))
    factors = QualityFactors(detection_factor(0.75), size_factor(100), sharpness, frontality_factor(10))
    assert factors.quality > 0.8


def test_the_least_useful_face_is_poor() -> None:
    """A face of 40 pixels is just not good any more, one of 8 is worth nothing."""
    assert 0.7 < size_factor(40) <= 0.8
    assert size_factor(8) == 0


@settings(deadline=None)
@given(sigmas=st.tuples(st.floats(0.3, 6), st.floats(0.3, 6)))
def test_blur_lowers_detail(sigmas: tuple[float, float]) -> None:
    """The more a face is blurred, the less detail is measured."""
    less, more = sorted(sigmas)
    assert detail_of(_blurred(more)) <= detail_of(_blurred(less)) + 1e-3


@pytest.mark.parametrize("factor", [0.3, 0.6, 1.2])
def test_light_does_not_change_detail(factor: float) -> None:
    """A darker or flatter picture of the same face is as sharp."""
    face = (_face().astype(np.float64) * 0.8 * factor).clip(0, 255).astype(np.uint8)
    assert detail_of(face) == pytest.approx(detail_of(_face()), rel=0.15)


def test_an_even_surface_has_no_detail() -> None:
    """No contrast is no division by zero."""
    assert detail_of(np.full((64, 64, 3), 90, np.uint8)) == 0


@pytest.mark.parametrize("angle", [0.0, 20.0, 45.0, 70.0])
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("way", ["yaw", "pitch"])
def test_turn_is_the_angle_to_the_camera(angle: float, side: int, way: str) -> None:
    """To the left, to the right, up or down: the angle counts."""
    mesh = frontal_mesh(x=0, y=0, side=100, **{way: math.radians(side * angle)})
    assert turn_of(mesh) == pytest.approx(angle, abs=0.5)


@given(roll=st.floats(-3, 3))
def test_leaning_is_not_turning(roll: float) -> None:
    """A head on its side still faces the camera."""
    assert turn_of(frontal_mesh(x=50, y=50, side=100, roll=roll)) == pytest.approx(0, abs=0.1)


def test_a_face_seen_from_behind_is_worthless() -> None:
    """Turned by more than a right angle nothing is left."""
    mesh = frontal_mesh(x=0, y=0, side=100, yaw=math.radians(120))
    assert frontality_factor(turn_of(mesh)) == 0


def _face() -> NDArray[np.uint8]:
    return np.ascontiguousarray(portrait(200)[30:142, 44:156])


def _blurred(sigma: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.GaussianBlur(_face(), (0, 0), sigma), np.uint8)
