"""Faces brought onto their embedder's template."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.face.alignment import aligned, similarity_transform
from services.face.mesh import FaceMesh
from services.face.picture import Picture
from services.face.templates import ARCFACE, DLIB, TEMPLATES, AlignmentTemplate, landmarks_of
from tests.fakes.face_meshes import frontal_mesh


@given(
    angle=st.floats(-math.pi, math.pi),
    scale=st.floats(0.05, 20),
    x=st.floats(-1000, 1000),
    y=st.floats(-1000, 1000),
    seed=st.integers(0, 1000),
)
def test_a_similarity_is_recovered(angle: float, scale: float, x: float, y: float, seed: int) -> None:
    """Points that were turned, scaled and shifted are brought back exactly."""
    target = np.random.default_rng(seed).uniform(0, 112, (5, 2))
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    source = target @ turn.T + np.array([x, y])
    assert np.allclose(_apply(similarity_transform(source, target), source), target, atol=1e-5)


@given(seed=st.integers(0, 10_000))
def test_noise_is_met_by_the_least_squares(seed: int) -> None:
    """No other turn, scale or shift near the answer brings noisy points nearer."""
    rng = np.random.default_rng(seed)
    source, target = rng.uniform(0, 100, (5, 2)), rng.uniform(0, 112, (5, 2))
    best = similarity_transform(source, target)
    error = ((_apply(best, source) - target) ** 2).sum()
    for _ in range(5):
        a, b, x, y = rng.normal(0, 0.01, 4)
        other = best + np.array([[a, -b, x], [b, a, y]])
        assert ((_apply(other, source) - target) ** 2).sum() >= error - 1e-9


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    """The map never turns a picture over: that would exchange left and right."""
    target = ARCFACE.target(112)
    source = target * np.array([-1.0, 1.0])
    assert np.linalg.det(similarity_transform(source, target)[:, :2]) > 0


def test_points_in_one_place_are_only_shifted() -> None:
    """A degenerate mesh is no division by zero."""
    transform = similarity_transform(np.full((5, 2), 3.0), ARCFACE.target(112))
    assert np.allclose(transform[:, :2], np.eye(2))


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
def test_a_template_scales_with_the_input(template: AlignmentTemplate) -> None:
    """Every template lies inside its input, and has as many points as it names landmarks."""
    target = template.target(200)
    assert target.shape == (len(template.landmarks), 2)
    assert np.allclose(target, 2 * template.target(100))
    assert (target > 0).all()
    assert (target < 200).all()


@pytest.mark.parametrize("roll", [0.0, 0.6, -2.0])
def test_a_leaning_face_is_aligned_upright(roll: float) -> None:
    """Eyes on the template's line, whatever the head's lean in the picture."""
    mesh = frontal_mesh(x=300, y=200, side=80, roll=roll)
    for template in (ARCFACE, DLIB):
        transform = similarity_transform(template.source(mesh), template.target(112))
        places = _apply(transform, landmarks_of(mesh))
        assert places[0, 1] == pytest.approx(places[1, 1], abs=1.5)
        assert places[0, 0] < places[1, 0]
        assert places[3, 1] > places[0, 1] + 20


def test_an_aligned_face_shows_the_face() -> None:
    """A mark on the nose tip in the picture is at the template's nose in the aligned face."""
    mesh = frontal_mesh(x=300, y=200, side=200)
    pixels = np.zeros((400, 600, 3), np.uint8)
    x, y = landmarks_of(mesh)[2]
    pixels[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4] = 255
    face = aligned(Picture(pixels), mesh, ARCFACE, 112)
    rows, columns = np.nonzero(face[..., 0] > 128)
    assert (columns.mean(), rows.mean()) == pytest.approx(tuple(ARCFACE.target(112)[2]), abs=8)


def _apply(transform: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(points @ transform[:, :2].T + transform[:, 2])


def test_a_mesh_gives_five_landmarks() -> None:
    """Eyes, nose tip and mouth corners, the person's right side first: left in the picture."""
    mesh = frontal_mesh(x=0, y=0, side=100)
    assert isinstance(mesh, FaceMesh)
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks_of(mesh)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert right_eye[1] < nose[1] < right_mouth[1]
