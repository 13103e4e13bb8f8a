"""From the numbers of a picture file to light and back."""

from __future__ import annotations

import numpy as np

from trainer.studio.arrays import Floats

__all__ = ["to_light", "to_display", "luminance"]


def to_light(display: Floats) -> Floats:
    """sRGB values 0..1 to linear light, by the plain power 2.2."""
    return np.asarray(np.clip(display, 0, 1).astype(np.float32) ** np.float32(2.2))


def to_display(light: Floats) -> Floats:
    """Linear light to sRGB values 0..1; what is too bright turns white."""
    return np.asarray(np.clip(light, 0, 1) ** (1 / 2.2), np.float32)


def luminance(light: Floats) -> Floats:
    """(...,) of (..., 3) linear RGB."""
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722], np.float32))
