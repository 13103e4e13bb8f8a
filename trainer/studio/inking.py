"""Styles of tattooing: what ink makes of a silhouette."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from trainer.drawings.noise import clipped, fractal
from trainer.studio.arrays import Floats

__all__ = ["Design", "STYLES", "inked", "black", "colour", "extent_of", "stack"]


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A drawing in ink on nothing: `opacity` (h, w) and `color` (h, w, 3) RGB, all 0..1."""

    opacity: Floats
    color: Floats

    @property
    def aspect(self) -> float:
        """Width divided by height."""
        return float(self.opacity.shape[1]) / float(self.opacity.shape[0])


Style = Callable[[np.random.Generator, Floats], Design]

_COLOURS = np.array(
    [[0.70, 0.10, 0.12], [0.78, 0.22, 0.38], [0.10, 0.32, 0.58], [0.08, 0.50, 0.52], [0.14, 0.42, 0.18],
     [0.86, 0.62, 0.10], [0.82, 0.38, 0.08], [0.42, 0.16, 0.50], [0.88, 0.84, 0.80], [0.42, 0.24, 0.14]],
    np.float32,
)  # fmt: skip


def black(rng: np.random.Generator) -> Floats:
    """Black ink under skin: bluish or greenish grey, (3,)."""
    base = np.array([0.075, 0.085, 0.10]) + rng.normal(0, 0.012, 3) + rng.beta(1, 4) * 0.10
    return np.clip(base, 0.02, 0.3).astype(np.float32)


def colour(rng: np.random.Generator) -> Floats:
    """A usual ink, (3,)."""
    return clipped(_COLOURS[rng.integers(len(_COLOURS))] * rng.uniform(0.75, 1.15, 3))


def inked(rng: np.random.Generator, mask: Floats, style: str) -> Design:
    """A silhouette (h, w) 0..1 in one of STYLES."""
    return STYLES[style](rng, mask)


def extent_of(opacity: Floats, *, reach: float = 0.05) -> Floats:
    """The area (h, w) 0 or 1 that a design takes up: its ink and the gaps between strokes.

    `reach` is the gap bridged as a share of the longer side.
    """
    radius = max(1, round(reach * max(opacity.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    ink = np.pad((opacity > 0.12).astype(np.uint8), radius)
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, kernel)
    return closed[radius:-radius, radius:-radius].astype(np.float32)


def stack(lower: Design, upper: Design) -> Design:
    """One design over another of the same size; what is new covers most of what was there."""
    top = upper.opacity[..., None]
    opacity = np.maximum(lower.opacity * (1 - 0.85 * upper.opacity), upper.opacity)
    return Design(
        opacity.astype(np.float32), (lower.color * (1 - top) + upper.color * top).astype(np.float32)
    )


def _flat(mask: Floats, color: Floats) -> Floats:
    return np.broadcast_to(color, (*mask.shape, 3)).astype(np.float32)


def _outline(rng: np.random.Generator, mask: Floats, *, thick: float = 1.0) -> Floats:
    width = max(2, round(rng.choice([2, 3, 5, 7]) * thick))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    edge = cv2.morphologyEx(mask.astype(np.float32), cv2.MORPH_GRADIENT, kernel)
    return cv2.GaussianBlur(edge, (0, 0), 0.7).astype(np.float32)


def _depth(mask: Floats) -> Floats:
    """Distance from the silhouette's edge, 0..1."""
    far = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    return (far / max(float(far.max()), 1.0)).astype(np.float32)


def _noise(rng: np.random.Generator, mask: Floats, *, cells: int, decay: float = 0.55) -> Floats:
    return fractal(rng, *mask.shape, cells=cells, decay=decay).astype(np.float32)


def _solid(rng: np.random.Generator, mask: Floats) -> Design:
    return Design(mask * np.float32(rng.uniform(0.8, 1.0)), _flat(mask, black(rng)))


def _line(rng: np.random.Generator, mask: Floats) -> Design:
    color = black(rng) if rng.random() < 0.9 else colour(rng)
    return Design(_outline(rng, mask), _flat(mask, color))


def _grey(rng: np.random.Generator, mask: Floats) -> Design:
    """Grey wash that fades from the edge, under an outline."""
    fade = np.clip(1 - _depth(mask) * rng.uniform(1.0, 2.5), 0, 1)
    wash = mask * fade * (0.35 + 0.6 * _noise(rng, mask, cells=5))
    line = _outline(rng, mask) * (rng.random() < 0.8)
    return Design(np.maximum(line, wash).astype(np.float32), _flat(mask, black(rng)))


def _filled(rng: np.random.Generator, mask: Floats) -> Design:
    """Two or three inks that run into each other, under a black outline."""
    blend = _noise(rng, mask, cells=int(rng.integers(2, 6)))[..., None]
    color = colour(rng) * blend + colour(rng) * (1 - blend)
    if rng.random() < 0.5:
        color = np.where(_noise(rng, mask, cells=3)[..., None] > 0.55, colour(rng), color)
    shade = 0.55 + 0.45 * _depth(mask)[..., None]
    fill = mask * np.float32(rng.uniform(0.6, 0.95))
    line = _outline(rng, mask, thick=1.3) * (rng.random() < 0.85)
    share = np.clip(line, 0, 1)[..., None]
    return Design(
        np.maximum(fill, line).astype(np.float32),
        (share * black(rng) + (1 - share) * color * shade).astype(np.float32),
    )


def _realism(rng: np.random.Generator, mask: Floats) -> Design:
    """Soft light and dark that follow the form: how portraits and animals are done."""
    light = _noise(rng, mask, cells=int(rng.integers(4, 10)), decay=0.75)
    angle = rng.uniform(0, 2 * np.pi)
    depth = cv2.GaussianBlur(_depth(mask), (0, 0), 4)
    slope_y, slope_x = np.gradient(depth)
    relief = slope_x * np.cos(angle) + slope_y * np.sin(angle)
    relief = relief / max(float(np.abs(relief).max()), 1e-6)
    tone = 0.5 + 0.5 * relief + rng.uniform(0.5, 1.1) * (light - 0.5)
    around = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), float(rng.uniform(4, 14))) * 0.45
    opacity = np.clip(np.maximum(mask * np.clip(tone * 1.15, 0.05, 0.97), (1 - mask) * around), 0, 1)
    is_coloured = rng.random() < 0.3
    color = (
        colour(rng) * light[..., None] + black(rng) * (1 - light[..., None]) if is_coloured else black(rng)
    )
    return Design(
        opacity.astype(np.float32), _flat(mask, color) if not is_coloured else color.astype(np.float32)
    )


def _hatched(rng: np.random.Generator, mask: Floats) -> Design:
    """Engraving: parallel lines that thicken where it is dark."""
    rows, columns = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(5, 11)
    bend = 12 * _noise(rng, mask, cells=3)
    wave = np.sin((columns * np.cos(angle) + rows * np.sin(angle) + bend) * 2 * np.pi / period)
    lines = (wave > 1.4 * _depth(mask) - 0.5).astype(np.float32)
    opacity = np.maximum(_outline(rng, mask), mask * cv2.GaussianBlur(lines, (0, 0), 0.7))
    return Design(opacity.astype(np.float32), _flat(mask, black(rng)))


def _dotted(rng: np.random.Generator, mask: Floats) -> Design:
    chance = mask * np.clip(1.1 - 1.5 * _depth(mask), 0.04, 1) * 0.5
    dots = (rng.random(mask.shape, dtype=np.float32) < chance).astype(np.float32)
    dots = np.clip(cv2.GaussianBlur(dots, (0, 0), 0.9) * 2.2, 0, 1)
    line = _outline(rng, mask) * (rng.random() < 0.6)
    return Design(np.maximum(line, dots).astype(np.float32), _flat(mask, black(rng)))


def _negative(rng: np.random.Generator, mask: Floats) -> Design:
    """The drawing left out of a black ground."""
    height, width = mask.shape
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    power = rng.choice([2.0, 8.0])
    ground = (np.abs(rows) ** power + np.abs(columns) ** power < 0.93).astype(np.float32)
    return Design(ground * (1 - mask) * np.float32(0.93), _flat(mask, black(rng)))


def _watercolour(rng: np.random.Generator, mask: Floats) -> Design:
    splash = np.clip(_noise(rng, mask, cells=3) * 2.2 - 1.0, 0, 1) * cv2.GaussianBlur(mask, (0, 0), 22) * 1.3
    blend = _noise(rng, mask, cells=4)[..., None]
    ground = Design(
        np.clip(splash, 0, 0.7).astype(np.float32),
        (colour(rng) * blend + colour(rng) * (1 - blend)).astype(np.float32),
    )
    return stack(ground, _line(rng, mask) if rng.random() < 0.6 else _grey(rng, mask))


STYLES: Mapping[str, Style] = {
    "solid": _solid,
    "line": _line,
    "grey": _grey,
    "filled": _filled,
    "realism": _realism,
    "hatched": _hatched,
    "dotted": _dotted,
    "negative": _negative,
    "watercolour": _watercolour,
}
