"""What a camera and a video codec do to a picture: light, colour cast, blur, noise, compression."""

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.noise import Field

__all__ = ["photograph"]


def photograph(rng: np.random.Generator, picture: Field) -> NDArray[np.uint8]:
    """Return `picture` [height, width, 3] RGB 0..1 as a uint8 photograph of random, mostly fair quality."""
    light = np.clip(picture, 0, 1) ** rng.uniform(0.7, 1.4)
    light = (light - 0.5) * rng.uniform(0.75, 1.2) + 0.5 + rng.uniform(-0.08, 0.08)
    light = light * rng.normal(1, 0.05, 3)
    if rng.random() < 0.07:
        light = np.repeat(light.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.5:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), float(rng.uniform(0.3, 1.5))), np.float64)
    light = light + rng.normal(0, rng.uniform(0, 0.03), light.shape)
    return _compressed(rng, np.clip(light * 255, 0, 255).astype(np.uint8))


def _compressed(rng: np.random.Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 97))]
    _, data = cv2.imencode(".jpg", picture[:, :, ::-1], quality)
    decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[:, :, ::-1])
