"""A scene in the making: what is painted, where skin shows, where a tattoo is."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.noise import Field

__all__ = ["Canvas", "SIZE", "outline", "pixel"]

SIZE = 320
"""Longer side of a drawn scene, pixels."""


@dataclass(slots=True)
class Canvas:
    """Layers of [height, width]: `picture` RGB; `skin` and `tattooed` say 0..1 where either shows."""

    picture: Field
    skin: Field
    tattooed: Field

    @property
    def height(self) -> int:
        return int(self.skin.shape[0])

    @property
    def width(self) -> int:
        return int(self.skin.shape[1])

    def cover(self, layer: Field, mask: Field) -> None:
        """Paint `layer` [height, width, 3] where `mask` is 1; skin and tattoos below vanish."""
        self.picture += (layer - self.picture) * mask[..., None]
        self.skin *= 1 - mask
        self.tattooed *= 1 - mask


def outline(rng: np.random.Generator, canvas: Canvas, *, radius: float) -> Field:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = radius * SIZE * (1 + 0.25 * np.sin(3 * angle + rng.uniform(0, 6)) + rng.normal(0, 0.06, 24))
    ring = np.stack([np.cos(angle) * reach * rng.uniform(0.5, 1.4), np.sin(angle) * reach], axis=1)
    points = ring + rng.uniform(-0.1, 1.1, 2) * [canvas.width, canvas.height]
    mask = np.zeros((canvas.height, canvas.width), np.float32)
    cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 1.0, cv2.LINE_AA)
    return mask


def pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
