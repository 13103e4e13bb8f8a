"""Least-squares similarity transform: turns, scales and shifts a face onto its template."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.images import RGBImage
from services.face.mesh import FaceMesh
from services.face.picture import Picture
from services.face.templates import AlignmentTemplate

__all__ = ["similarity_transform", "aligned"]


def similarity_transform(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The (2, 3) map of turn, scale and shift that brings `source` (n, 2) nearest to `target` (n, 2).

    Never mirrors. Umeyama 1991, "Least-squares estimation of transformation parameters between two point
    patterns", equations 40 to 43. Source points that all coincide are only shifted.
    """
    source_center, target_center = source.mean(axis=0), target.mean(axis=0)
    from_center, to_center = source - source_center, target - target_center
    left, strengths, right = np.linalg.svd(to_center.T @ from_center)
    signs = np.array([1.0, np.sign(np.linalg.det(left @ right)) or 1.0])
    spread = float((from_center**2).sum())
    scale = float((strengths * signs).sum()) / spread if spread > 0 else 1.0
    linear = scale * (left * signs) @ right
    return np.column_stack([linear, target_center - linear @ source_center])


def aligned(
    picture: Picture, mesh: FaceMesh, template: AlignmentTemplate, size: int, *, zoom: float = 1.0
) -> RGBImage:
    """The face as an embedder wants it: `size` x `size` x 3, points as near to the template's as can be.

    `zoom` shows it larger or smaller than the template, around the centre.
    """
    target = (template.target(size) - size / 2) * zoom + size / 2
    return picture.warp(similarity_transform(template.source(mesh), target), size, is_smooth=True)
