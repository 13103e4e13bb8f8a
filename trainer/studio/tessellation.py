"""Rounder bodies: each triangle in four, whose new corners follow the curve that the normals tell.

Boubekeur and Alexa 2008, "Phong tessellation". Points on the finer mesh are told as points on the coarse one.
"""

from __future__ import annotations

import numpy as np

from trainer.studio.arrays import Floats, Ints

__all__ = ["refined", "on_coarse"]

_ROUNDNESS = 0.7
# Corners of the four parts in barycentric coordinates of the whole: three at its corners, one in the middle.
_PARTS = np.array(
    [
        [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5]],
        [[0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5]],
        [[0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 1]],
        [[0.5, 0.5, 0], [0, 0.5, 0.5], [0.5, 0, 0.5]],
    ],
    np.float32,
)


def refined(vertices: Floats, faces: Ints, normals: Floats) -> tuple[Floats, Ints]:
    """Vertices and triangles of the finer mesh; triangle 4 i + k is part k of triangle i."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [0, 2]]]), axis=1)
    keys, which = np.unique(edges[:, 0].astype(np.int64) * len(vertices) + edges[:, 1], return_inverse=True)
    start, end = keys // len(vertices), keys % len(vertices)
    middle = (vertices[start] + vertices[end]) / 2
    lifted = sum(
        middle - np.einsum("ni,ni->n", middle - vertices[one], normals[one])[:, None] * normals[one]
        for one in (start, end)
    )
    middle = (1 - _ROUNDNESS) * middle + _ROUNDNESS * np.asarray(lifted) / 2
    first, second, third = (which.reshape(3, -1) + len(vertices)).astype(np.int32)
    a, b, c = faces.T
    parts = np.stack(
        [
            np.stack([a, first, third], axis=1),
            np.stack([first, b, second], axis=1),
            np.stack([third, second, c], axis=1),
            np.stack([first, second, third], axis=1),
        ],
        axis=1,
    )
    return np.concatenate([vertices, middle]).astype(np.float32), parts.reshape(-1, 3).astype(np.int32)


def on_coarse(face: Ints, weights: Floats) -> tuple[Ints, Floats]:
    """Triangles (n,) and barycentric coordinates (n, 3) on the coarse mesh of points on the finer one."""
    parts = _PARTS[face % 4]
    return face // 4, np.einsum("nk,nkc->nc", weights, parts).astype(np.float32)
