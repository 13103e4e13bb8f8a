"""Copies of a picture as they are found: encoded again, smaller, in a black frame."""

from __future__ import annotations

import numpy as np

from chassis.images import RGBImage, cv2

__all__ = ["encoded_again", "framed"]


def encoded_again(picture: RGBImage, *, quality: int = 60, scale: float = 1.0) -> RGBImage:
    """Made `scale` times as large, and through a JPEG of a quality."""
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def framed(picture: RGBImage, *, above: int = 0, beside: int = 0) -> RGBImage:
    """Between black bars of some pixels."""
    bars = ((above, above), (beside, beside), (0, 0))
    return np.ascontiguousarray(np.pad(picture, bars))
