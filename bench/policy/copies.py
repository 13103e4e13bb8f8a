"""The same picture as another file: saved again, smaller, cut, brighter, mirrored."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "write_copies"]

_Pixels = NDArray[np.uint8]


def _jpeg(pixels: _Pixels, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _half(pixels: _Pixels) -> bytes:
    half = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return _jpeg(half.astype(np.uint8))


def _cut(pixels: _Pixels) -> bytes:
    height, width = pixels.shape[:2]
    return _jpeg(pixels[height // 16 : -height // 16, width // 25 : -width // 25])


def _brighter(pixels: _Pixels) -> bytes:
    return _jpeg(cv2.convertScaleAbs(pixels, alpha=1.2, beta=10).astype(np.uint8))


def _mirrored(pixels: _Pixels) -> bytes:
    return _jpeg(np.ascontiguousarray(pixels[:, ::-1]))


KINDS: dict[str, Callable[[_Pixels], bytes]] = {
    "JPEG quality 50": lambda pixels: _jpeg(pixels, 50),
    "JPEG quality 20": lambda pixels: _jpeg(pixels, 20),
    "half the size": _half,
    "edges cut off": _cut,
    "brighter": _brighter,
    "mirrored": _mirrored,
}
"""From pixels, BGR as OpenCV reads them, to the bytes of another file."""


def write_copies(files: Iterable[Path], folder: Path) -> dict[str, list[tuple[Path, Path]]]:
    """For each kind pairs of an original and its copy, which is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs: dict[str, list[tuple[Path, Path]]] = {kind: [] for kind in KINDS}
    for file in files:
        pixels = np.asarray(cv2.imread(str(file)), np.uint8)
        for number, (kind, change) in enumerate(KINDS.items()):
            copy = folder / f"{file.stem}.{number}.jpg"
            copy.write_bytes(change(pixels))
            pairs[kind].append((file, copy))
    return pairs
