"""From a tattoo's box to the embedder's input. Pure."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.images import cv2

__all__ = ["ColorOrder", "Layout", "cut", "coarsened", "to_input"]

Layout = Literal["NCHW", "NHWC"]
ColorOrder = Literal["RGB", "BGR"]

_LEAST_SIDE = 8


def cut(image: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Return the part of `image` [height, width, 3] inside `box`, at least 8 x 8 pixels if the image is."""
    height, width = image.shape[:2]
    left = int(np.clip(round(box.x), 0, max(0, width - _LEAST_SIDE)))
    top = int(np.clip(round(box.y), 0, max(0, height - _LEAST_SIDE)))
    right = min(width, max(round(box.right), left + _LEAST_SIDE))
    bottom = min(height, max(round(box.bottom), top + _LEAST_SIDE))
    return image[top:bottom, left:right]


def coarsened(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return uint8 RGB `crop` with `side` x `side` pixels: what is left of it out of focus or far away."""
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def to_input(
    crop: NDArray[np.uint8],
    *,
    size: int,
    mean: tuple[float, float, float],
    deviation: tuple[float, float, float],
    layout: Layout = "NCHW",
    color: ColorOrder = "RGB",
) -> NDArray[np.float32]:
    """Return uint8 RGB `crop` stretched to `size` x `size` as (x / 255 - mean) / deviation, float32.

    Shape [3, size, size] or [size, size, 3], by `layout`; `mean` and `deviation` are in the order of `color`.
    """
    shrinks = max(crop.shape[:2]) > size
    scaled = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    ordered = scaled if color == "RGB" else scaled[:, :, ::-1]
    pixels = (ordered.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1) if layout == "NCHW" else pixels)
