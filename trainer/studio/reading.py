"""Reads pictures at places between their pixels."""

from __future__ import annotations

import cv2
import numpy as np

from trainer.studio.arrays import Floats

__all__ = ["read_picture"]

_ROW = 8192


def read_picture(picture: Floats, place: Floats, border: int) -> Floats:
    """Values (n, c) of a picture (h, w, c) at pixels x, y (n, 2), by OpenCV's rule for `border`."""
    count, channels = len(place), picture.shape[2]
    if count == 0:
        return np.zeros((0, channels), np.float32)
    rows = -(-count // _ROW)
    x, y = np.zeros((2, rows, _ROW), np.float32)
    x.ravel()[:count], y.ravel()[:count] = place[:, 0], place[:, 1]
    # OpenCV takes at most four channels at once.
    parts = [
        cv2.remap(
            np.ascontiguousarray(picture[..., one : one + 4]), x, y, cv2.INTER_LINEAR, borderMode=border
        )
        for one in range(0, channels, 4)
    ]
    flat = [part.reshape(rows * _ROW, -1)[:count] for part in parts]
    return np.concatenate(flat, axis=1).astype(np.float32, copy=False)
