"""What spoils a picture: one of them is drawn for a picture, and spoils its face and its tattoo alike.

Five only change pixels. The sixth, PROFILE, turns the person: head (`heads`) and skin (`foreshortened`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box

__all__ = [
    "CLEAR",
    "KINDS",
    "NUISANCES",
    "PROFILE",
    "Pixels",
    "foreshortened",
    "kind_of",
    "nuisance_rng",
    "turn_of",
]

CLEAR = "clear"
"""What nothing spoils."""
PROFILE = "profile"
"""What is seen from the side."""
# Degrees.
_TURNS = (45.0, 80.0)

Pixels = NDArray[np.uint8]
_Rng = np.random.Generator


def _blurred(pixels: Pixels, rng: _Rng) -> Pixels:
    """Out of focus by 2% to 4% of the width."""
    sigma = rng.uniform(0.02, 0.04) * pixels.shape[1]
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), max(0.5, float(sigma))), np.uint8)


def _exposed(pixels: Pixels, rng: _Rng) -> Pixels:
    """Far too dark or too bright: gamma 2.5 to 4, either way."""
    gamma = rng.uniform(2.5, 4.0)
    gamma = gamma if rng.random() < 0.5 else 1 / gamma
    return np.clip((pixels.astype(np.float32) / 255) ** gamma * 255, 0, 255).astype(np.uint8)


def _compressed(pixels: Pixels, rng: _Rng) -> Pixels:
    """JPEG of quality 3 to 8."""
    quality = int(rng.integers(3, 9))
    is_done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert is_done, "JPEG takes any picture"
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None, "it was encoded here"
    return np.ascontiguousarray(decoded[..., ::-1], np.uint8)


def _distant(pixels: Pixels, rng: _Rng) -> Pixels:
    """Of 14% to 24% of the width, enlarged again."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.14, 0.24)
    size = max(6, round(width * share)), max(6, round(height * share))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _occluded(pixels: Pixels, rng: _Rng) -> Pixels:
    """A bar of one colour over 35% to 50% of it, from one side of its middle part."""
    height, width = pixels.shape[:2]
    covered = pixels.copy()
    share, color = rng.uniform(0.35, 0.5), rng.integers(0, 256, 3)
    # Faces fill the middle half of a portrait; crops of tattoos are covered in proportion.
    top, left = height // 4, width // 4
    if rng.random() < 0.5:
        covered[top : top + round(height * share), left // 2 : width - left // 2] = color
    else:
        covered[top // 2 : height - top // 2, left : left + round(width * share)] = color
    return covered


NUISANCES: Mapping[str, Callable[[Pixels, _Rng], Pixels]] = {
    "blur": _blurred,
    "exposure": _exposed,
    "compression": _compressed,
    "distance": _distant,
    "occlusion": _occluded,
}
"""By name: a picture, uint8 RGB, spoiled."""
KINDS = (*NUISANCES, PROFILE)
"""All of them."""


def kind_of(name: str, seed: int, kinds: Sequence[str] = KINDS) -> str:
    """What spoils this picture: each of the kinds as likely, drawn by seed and name.

    With PROFILE among them every other picture keeps what it has without.
    """
    if PROFILE in kinds and nuisance_rng(seed, "turned", name).random() < 1 / len(kinds):
        return PROFILE
    return str(nuisance_rng(seed, "kind", name).choice([one for one in kinds if one != PROFILE]))


def turn_of(name: str, seed: int) -> float:
    """Degrees from the front, 45 to 80, by which PROFILE turns this picture's person."""
    return float(nuisance_rng(seed, PROFILE, name).uniform(*_TURNS))


def foreshortened(pixels: Pixels, box: Box, turn: float) -> tuple[Pixels, Box]:
    """Skin in `box` seen from `turn` degrees beside the way it was, and its new box; what is around fills up.

    Flat skin: as narrow as the cosine. The picture keeps its size, its sides are drawn out.
    """
    width = pixels.shape[1]
    left, right = max(0.0, box.x), min(width - 1.0, box.right)
    center, half = (left + right) / 2, (right - left) / 2 * math.cos(math.radians(turn))
    new = [0.0, center - half, center + half, width - 1.0]
    columns = np.interp(np.arange(width), new, [0.0, left, right, width - 1.0])
    from_x = np.broadcast_to(columns.astype(np.float32), pixels.shape[:2])
    from_y = np.broadcast_to(np.arange(pixels.shape[0], dtype=np.float32)[:, None], pixels.shape[:2])
    # A narrower picture has less detail.
    smoothing = max(0.1, 0.4 * math.tan(math.radians(turn)))
    smooth = cv2.GaussianBlur(pixels, (0, 0), sigmaX=smoothing, sigmaY=0.1)
    warped = cv2.remap(smooth, np.ascontiguousarray(from_x), np.ascontiguousarray(from_y), cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8), Box(center - half, box.y, 2 * half, box.height)


def nuisance_rng(seed: int, kind: str, name: str) -> _Rng:
    """The same for the same picture, whatever else is drawn."""
    return np.random.default_rng([seed, *kind.encode(), *name.encode()])
