"""From aligned faces to an embedder's input, and from its output to unit vectors."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import ModelError
from services.face.embedding import embedder_input, unit_vectors
from services.face.table import BUILT_IN_ROWS

_MOBILEFACENET, _DLIB = BUILT_IN_ROWS["mobilefacenet"], BUILT_IN_ROWS["dlib_resnet"]


def test_each_face_is_followed_by_its_mirror_image() -> None:
    """Two faces are four inputs: face, mirror, face, mirror."""
    faces = np.random.default_rng(1).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    batch = embedder_input(_MOBILEFACENET, list(faces))
    assert batch.shape == (4, 112, 112, 3)
    assert np.array_equal(batch[1], batch[0][:, ::-1])
    assert np.allclose(batch[2], (faces[1].astype(np.float32) - 127.5) / 128)


def test_layout_and_normalisation_are_the_row_s() -> None:
    """dlib's row: channels first, plain pixel values."""
    face = np.random.default_rng(2).integers(0, 256, (150, 150, 3), dtype=np.uint8)
    batch = embedder_input(_DLIB, [face])
    assert batch.shape == (2, 3, 150, 150)
    assert batch.flags.c_contiguous
    assert np.array_equal(batch[0, 2], face[..., 2])


def test_colour_order_and_mirroring_are_the_row_s() -> None:
    """A row that wants blue first and no mirror image gets that."""
    row = dataclasses.replace(_MOBILEFACENET, color="BGR", mirror=False, subtract=0.0, divide=1.0)
    face = np.random.default_rng(3).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    [only] = embedder_input(row, [face])
    assert np.array_equal(only[..., 0], face[..., 2])


@given(seed=st.integers(0, 1000), count=st.integers(1, 5))
def test_vectors_are_of_length_one(seed: int, count: int) -> None:
    """Whatever the network gives, with and without mirror averaging."""
    raw = np.random.default_rng(seed).normal(0, 10, (2 * count, 16)).astype(np.float32)
    for mirror, expected in ((True, count), (False, 2 * count)):
        vectors = unit_vectors(raw, mirror=mirror)
        assert vectors.shape == (expected, 16)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_face_and_its_mirror_image_count_the_same() -> None:
    """The mean of directions: a longer vector has no more say."""
    raw = np.array([[100.0, 0.0], [0.0, 1.0]], np.float32)
    assert unit_vectors(raw, mirror=True)[0] == pytest.approx([np.sqrt(0.5)] * 2)


def test_a_zero_vector_is_the_model_s_fault() -> None:
    """It has no direction, so the model is not what its row says."""
    with pytest.raises(ModelError, match="zero"):
        unit_vectors(np.zeros((2, 8), np.float32), mirror=True)
