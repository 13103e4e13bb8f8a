"""A drawn head and shoulders: the same pixels everywhere, and enough of a person for detectors to answer."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["portrait"]

# (centre x, centre y, radius x, radius y, RGB), as shares of the side, painted in this order.
_ELLIPSES = [
    (0.50, 1.02, 0.42, 0.30, (40, 60, 110)),  # shoulders
    (0.50, 0.74, 0.11, 0.16, (190, 140, 115)),  # neck
    (0.50, 0.38, 0.27, 0.33, (60, 40, 30)),  # hair
    (0.50, 0.46, 0.215, 0.285, (214, 164, 138)),  # face
    (0.41, 0.42, 0.045, 0.022, (245, 245, 245)),  # eyes
    (0.59, 0.42, 0.045, 0.022, (245, 245, 245)),
    (0.41, 0.42, 0.020, 0.021, (40, 30, 25)),
    (0.59, 0.42, 0.020, 0.021, (40, 30, 25)),
    (0.41, 0.365, 0.060, 0.012, (70, 45, 35)),  # brows
    (0.59, 0.365, 0.060, 0.012, (70, 45, 35)),
    (0.50, 0.50, 0.020, 0.055, (200, 146, 122)),  # nose
    (0.485, 0.550, 0.012, 0.007, (120, 75, 65)),
    (0.515, 0.550, 0.012, 0.007, (120, 75, 65)),
    (0.50, 0.630, 0.075, 0.022, (170, 80, 80)),  # mouth
    (0.50, 0.630, 0.070, 0.004, (90, 40, 40)),
]


def portrait(side: int) -> NDArray[np.uint8]:
    """Return RGB pixels (side, side, 3): soft ellipses before a lit wall, with a little noise."""
    y, x = (np.mgrid[0:side, 0:side] + 0.5) / side
    pixels = np.stack([150 + 60 * x, 160 + 50 * y, 175 - 40 * x], axis=-1)
    for center_x, center_y, radius_x, radius_y, color in _ELLIPSES:
        distance = np.hypot((x - center_x) / radius_x, (y - center_y) / radius_y)
        cover = np.clip((1 - distance) * min(radius_x, radius_y) * side + 0.5, 0, 1)[..., None]
        shade = (1.05 - 0.25 * abs(x - center_x) / radius_x)[..., None]
        pixels = pixels * (1 - cover) + np.array(color) * shade * cover
    noise = np.random.default_rng(7).normal(0, 3, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)
