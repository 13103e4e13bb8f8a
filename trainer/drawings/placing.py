"""Puts a drawn design on painted skin: turned, bent, faded, blurred, healing, lit like the skin below."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.drawings.canvas import SIZE, Canvas
from trainer.drawings.designs import Design, extent_of
from trainer.drawings.noise import Field, clipped, fractal

__all__ = ["Spot", "find_spot", "place_tattoo"]

# Mean change of colour, 0..1, that a tattoo must make on its skin to be visible.
_FAINTEST = 0.035
_NEITHER = 0.3
# Brightness of ink relative to the bare skin there, at most.
_BRIGHTEST = 1.08


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a tattoo goes: its centre and its width, pixels."""

    x: float
    y: float
    size: float


def find_spot(rng: np.random.Generator, canvas: Canvas, *, close: bool, large: bool = False) -> Spot | None:
    """Pick a place for a tattoo on bare skin; None where too little shows. `large`: beyond a limb's edges."""
    bare = (canvas.skin > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(bare, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    deepest = float(depth.max())
    if deepest < 12:
        return None
    candidates = np.argwhere(depth > deepest * rng.uniform(0.3, 0.85))
    y, x = candidates[rng.integers(len(candidates))]
    room = min(float(depth[y, x]), 0.45 * SIZE)
    least, most = (1.5, 5.0) if large else (0.9, 2.6) if close else (1.3, 3.4)
    size = room * rng.uniform(least, most)
    return Spot(float(x), float(y), float(np.clip(size, 46, SIZE)))


def place_tattoo(
    rng: np.random.Generator, canvas: Canvas, design: Design, spot: Spot, *, turn: float = 0.6
) -> None:
    """Put `design` on the skin at `spot`, turned by a random angle of `turn` radians deviation."""
    matrix = _placement(rng, spot, design.opacity.shape[0], turn)
    shape = canvas.width, canvas.height
    sharp = cv2.warpAffine(design.opacity, matrix, shape, flags=cv2.INTER_AREA) * canvas.skin
    color = np.asarray(cv2.warpAffine(design.color, matrix, shape, flags=cv2.INTER_LINEAR), np.float32)
    region = cv2.warpAffine(extent_of(design.opacity), matrix, shape) * canvas.skin
    soft = cv2.GaussianBlur(sharp, (0, 0), float(rng.uniform(0.3, 1.4)))
    opacity = soft * _strength(rng, canvas.height, canvas.width)
    _inflame(rng, canvas, region)
    change = (_lit(canvas, color, region) - canvas.picture) * opacity[..., None]
    canvas.picture += change
    # What nobody can see is neither a tattoo nor clean skin: such cells teach nothing (see `fitting`).
    seen = 1.0 if np.abs(change).sum() > _FAINTEST * 3 * region.sum() else _NEITHER
    canvas.tattooed = np.maximum(canvas.tattooed, region * seen).astype(np.float32)


def _lit(canvas: Canvas, color: Field, region: Field) -> Field:
    """The ink's colour under the light that falls on the skin around it.

    Ink lies under the skin and absorbs light: hardly any tattoo is brighter than its skin.
    """
    light = canvas.picture.mean(axis=2, keepdims=True)
    inside = region > 0.5
    usual = max(float(light[inside].mean()), 0.05) if inside.any() else 1.0
    lit = np.minimum(color * (0.45 + 0.75 * light / usual), canvas.picture * _BRIGHTEST)
    return clipped(lit)


def _placement(rng: np.random.Generator, spot: Spot, side: int, turn: float) -> NDArray[np.float64]:
    angle, stretch = rng.normal(0, turn), np.exp(rng.normal(0, 0.25))
    across = np.array([np.cos(angle), np.sin(angle)]) * spot.size / side * np.sqrt(stretch)
    down = np.array([-np.sin(angle), np.cos(angle)]) * spot.size / side / np.sqrt(stretch)
    linear = np.stack([across, down + across * rng.normal(0, 0.12)], axis=1)
    shift = np.array([spot.x, spot.y]) - linear @ [side / 2, side / 2]
    return np.concatenate([linear, shift[:, None]], axis=1)


def _strength(rng: np.random.Generator, height: int, width: int) -> Field:
    wear = 1 - fractal(rng, height, width, cells=8) * rng.uniform(0, 0.35)
    return np.asarray(wear * rng.uniform(0.65, 1.0), np.float32)


def _inflame(rng: np.random.Generator, canvas: Canvas, region: Field) -> None:
    if rng.random() < 0.2:
        halo = cv2.GaussianBlur(region, (0, 0), float(rng.uniform(3, 12)))[..., None] * rng.uniform(0.05, 0.3)
        canvas.picture *= 1 - halo * canvas.skin[..., None] * np.array([0.0, 0.5, 0.4], np.float32)
