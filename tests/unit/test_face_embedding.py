"""From aligned faces to an embedder's input, and from its output to unit vectors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ModelError
from chassis.images import cv2
from services.face.embedding import embedder_input, unit_vectors, views_of
from services.face.picture import Picture
from services.face.table import BUILT_IN_ROWS, FaceView
from tests.fakes.face_meshes import frontal_mesh
from tests.fakes.portrait import portrait

_MOBILEFACENET, _DLIB = BUILT_IN_ROWS["mobilefacenet"], BUILT_IN_ROWS["dlib_resnet"]


def test_looks_are_taken_as_the_row_says() -> None:
    """Each zoom of the row, as it is and mirrored; a larger zoom shows less of the picture."""
    pixels = portrait(300)
    row = dataclasses.replace(
        _MOBILEFACENET, views=(FaceView(1.0, False), FaceView(2.0, False), FaceView(2.0, True))
    )
    plain, near, mirrored = views_of(row, Picture(pixels), frontal_mesh(x=150, y=150, side=100))
    assert plain.shape == (112, 112, 3)
    assert np.array_equal(mirrored, near[:, ::-1])
    enlarged = cv2.resize(plain[28:84, 28:84], (112, 112), interpolation=cv2.INTER_CUBIC)
    assert np.corrcoef(enlarged.ravel(), near.ravel())[0, 1] > 0.8


def test_input_is_normalised() -> None:
    """MobileFaceNet's row: channels last, -1..1 in steps of 1/128."""
    looks = np.random.default_rng(1).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    batch = embedder_input(_MOBILEFACENET, list(looks))
    assert batch.dtype == np.float32
    assert np.allclose(batch, (looks.astype(np.float32) - 127.5) / 128)


def test_layout_and_normalisation_are_the_row_s() -> None:
    """dlib's row: channels first, plain pixel values."""
    look = np.random.default_rng(2).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    batch = embedder_input(_DLIB, [look])
    assert batch.shape == (1, 3, 150, 150)
    assert batch.flags.c_contiguous
    assert np.array_equal(batch[0, 2], look[..., 2])


def test_colour_order_is_the_row_s() -> None:
    """A row that wants blue first gets that."""
    row = dataclasses.replace(_MOBILEFACENET, color="BGR", subtract=0.0, divide=1.0)
    look = np.random.default_rng(3).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    [only] = embedder_input(row, [look])
    assert np.array_equal(only[..., 0], look[..., 2])


@given(seed=st.integers(0, 1000), count=st.integers(1, 5))
def test_vectors_are_of_length_one(seed: int, count: int) -> None:
    """Whatever the network gives, averaged over looks or not."""
    raw = np.random.default_rng(seed).normal(0, 10, (2 * count, 16)).astype(np.float32)
    for views, expected in ((2, count), (1, 2 * count)):
        vectors = unit_vectors(raw, views=views)
        assert vectors.shape == (expected, 16)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_looks_count_the_same() -> None:
    """The mean of directions: a longer vector has no more say."""
    raw = np.array([[100.0, 0.0], [0.0, 1.0]], np.float32)
    assert unit_vectors(raw, views=2)[0] == pytest.approx([np.sqrt(0.5)] * 2)


def test_a_zero_vector_is_the_model_s_fault() -> None:
    """It has no direction, so the model is not what its row says."""
    with pytest.raises(ModelError, match="zero"):
        unit_vectors(np.zeros((2, 8), np.float32), views=2)
