"""How much a view of a tattoo is worth. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chassis.images import cv2

__all__ = ["view_quality", "sharpness"]

# From this width and height (geometric mean) on, pixels are no limit: the embedder itself sees 224.
_LARGE = 160.0
# The side at which sharpness is judged, so that it does not depend on the resolution of the picture.
_JUDGED_SIDE = 128
# Detail, relative to contrast, at which a view counts as half sharp; sharp line work has three times it.
_HALF_SHARP = 0.4
# Variance that rounding pixels to whole numbers alone gives the Laplacian: 1/12 times its squared taps.
_ROUNDING = 20 / 12
_LEAST_CONTRAST = 4.0


def view_quality(crop: NDArray[np.uint8], detection_confidence: float) -> float:
    """Return 0..1: the geometric mean of size, sharpness and the detector's confidence.

    `crop`: uint8 RGB [height, width, 3], the tattoo's box. Size is the geometric mean of its sides over 160
    pixels, at most 1. Quality rises with each of the three and is 0 where one of them is.
    """
    height, width = crop.shape[:2]
    size = min(1.0, float(np.sqrt(height * width)) / _LARGE)
    certainty = min(1.0, max(0.0, detection_confidence))
    return float((size * sharpness(crop) * certainty) ** (1 / 3))


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Return 0..1: detail (deviation of the Laplacian) relative to contrast (deviation of brightness).

    Relative, so that a faded tattoo is not blurred and dim light is not either.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    scale = _JUDGED_SIDE / max(grey.shape)
    if scale < 1:
        size = [max(1, round(side * scale)) for side in grey.shape[::-1]]
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    detail = float(np.sqrt(max(0.0, float(cv2.Laplacian(grey, cv2.CV_32F).var()) - _ROUNDING)))
    contrast = max(float(grey.std()), _LEAST_CONTRAST)
    relative = detail / contrast
    return relative / (relative + _HALF_SHARP)
