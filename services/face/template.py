"""A face template: the vectors of one observed face by model, and what the observation is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.face.ensemble import ModelKey

__all__ = ["FaceTemplate"]


@dataclass(frozen=True, slots=True, eq=False)
class FaceTemplate:
    """Only vectors of embedders in use; others are left out when a template is read.

    A library compares those of its own embedders; the others are of models that are being prepared.
    """

    vectors: Mapping[ModelKey, NDArray[np.float32]]
    """Unit vectors, float32 (dimension,), by model and version."""
    quality: float
    """0..1, see services.face.quality."""
