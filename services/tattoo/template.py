"""What is kept of one tattoo so that it can be recognised again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.fingerprint import Fingerprint
from services.tattoo.key_points import KeyPoints

__all__ = ["ModelKey", "Template", "Vector"]

ModelKey = tuple[str, str]
"""Name and version of an embedder; only vectors of the same key are ever compared."""

Vector = NDArray[np.float32]
"""[dimension], of length 1."""


@dataclass(frozen=True, slots=True)
class Template:
    """One view of a tattoo, as one or several embedders describe it."""

    vectors: Mapping[ModelKey, Vector]
    quality: float
    """0..1; see `quality`."""
    key_points: KeyPoints | None = None
    """At least one; None: there are none, or of another version."""
    fingerprint: Fingerprint | None = None
    """Of the picture it was seen in."""
