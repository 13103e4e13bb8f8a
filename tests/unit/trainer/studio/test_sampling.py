"""Rays where something begins or ends, and rounder bodies."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.studio.casting import blended
from trainer.studio.sampling import edges_of
from trainer.studio.tessellation import on_coarse, refined


def test_the_border_of_two_meshes_is_an_edge() -> None:
    """And what lies deep inside one of them is not."""
    mesh = np.zeros((20, 20), np.int32)
    mesh[:, 10:] = 1
    edges = edges_of(mesh, np.ones((20, 20)), ())
    assert edges[:, 9:11].all()
    assert not edges[:, :7].any()


def test_a_limb_before_the_trunk_has_edges() -> None:
    """The same mesh, but nearer."""
    distance = np.full((20, 20), 2.0)
    distance[5:15, 5:15] = 1.7
    edges = edges_of(np.zeros((20, 20), np.int32), distance, ())
    assert edges[5, 5:15].all()
    assert not edges[10, 10]


def test_hair_is_all_edges() -> None:
    """Meshes that are named get more rays everywhere."""
    mesh = np.full((9, 9), 3, np.int32)
    assert edges_of(mesh, np.ones((9, 9)), (3,)).all()
    assert not edges_of(mesh, np.ones((9, 9)), ()).any()


def ball(columns: int = 12, rows: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Part of a ball of one metre around its middle, coarse; its normals are its vertices."""
    turn, height = np.meshgrid(np.linspace(0, 1.2, columns), np.linspace(-0.5, 0.5, rows))
    flat = np.sqrt(1 - height**2)
    points = np.stack([flat * np.cos(turn), flat * np.sin(turn), height], axis=-1).reshape(-1, 3)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([corner, corner + 1, corner + columns], axis=1),
            np.stack([corner + 1, corner + columns + 1, corner + columns], axis=1),
        ]
    )
    return points.astype(np.float32), faces.astype(np.int32)


def test_a_finer_ball_is_rounder() -> None:
    """New corners lie nearer to the ball than the middles of edges do."""
    points, faces = ball()
    finer, parts = refined(points, faces, points)
    assert len(parts) == 4 * len(faces)
    assert finer[: len(points)] == pytest.approx(points)
    middles = np.concatenate(
        [(points[faces[:, a]] + points[faces[:, b]]) / 2 for a, b in ((0, 1), (1, 2), (2, 0))]
    )
    flat_error = np.abs(np.linalg.norm(middles, axis=1) - 1).mean()
    error = np.abs(np.linalg.norm(finer[len(points) :], axis=1) - 1).mean()
    assert error < 0.5 * flat_error


def test_a_point_of_the_finer_mesh_is_told_on_the_coarse_one() -> None:
    """On a flat mesh, where both are the same surface, it is the very same point."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32)
    faces = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
    finer, parts = refined(points, faces, np.tile(np.array([0, 0, 1], np.float32), (4, 1)))
    weights = np.random.default_rng(0).dirichlet([1, 1, 1], len(parts)).astype(np.float32)
    face = np.arange(len(parts))
    coarse_face, coarse_weights = on_coarse(face, weights)
    assert blended(points, faces, coarse_face, coarse_weights) == pytest.approx(
        blended(finer, parts, face, weights), abs=1e-6
    )
