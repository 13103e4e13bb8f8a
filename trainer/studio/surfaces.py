"""What walls and floors are made of: plaster mostly, boards, tiles, paper, bricks, or something busy."""

from __future__ import annotations

import cv2
import numpy as np

from trainer.drawings.clutter import background
from trainer.drawings.noise import fractal
from trainer.studio.arrays import Floats

__all__ = ["surface"]


def surface(rng: np.random.Generator, side: int) -> Floats:
    """(side, side, 3) of display values 0..1."""
    kinds = (_plaster, _boards, _tiles, _paper, _bricks, _busy)
    kind = kinds[rng.choice(len(kinds), p=[0.46, 0.16, 0.1, 0.08, 0.06, 0.14])]
    return np.clip(kind(rng, side), 0, 1).astype(np.float32)


def _tone(rng: np.random.Generator) -> Floats:
    """The colour of a room: light and pale as a rule."""
    level = rng.choice([rng.uniform(0.6, 0.95), rng.uniform(0.08, 0.6)], p=[0.65, 0.35])
    return np.asarray(np.clip(level * (1 + rng.normal(0, 0.09, 3)), 0, 1), np.float32)


def _plaster(rng: np.random.Generator, side: int) -> Floats:
    stains = fractal(rng, side, side, cells=4)[..., None] * rng.uniform(0, 0.14)
    return np.asarray(_tone(rng) * (1.04 - stains), np.float32)


def _boards(rng: np.random.Generator, side: int) -> Floats:
    wood = np.array([[0.55, 0.38, 0.24], [0.35, 0.22, 0.14], [0.72, 0.58, 0.42], [0.5, 0.48, 0.45]])[
        rng.integers(4)
    ]
    count = int(rng.integers(5, 14))
    wide = side // count + 1
    grain = cv2.resize(rng.random((side // 2, 8), dtype=np.float32), (side, side))
    board = np.arange(side) // wide
    level = 0.85 + 0.3 * rng.random(count + 2)[board]
    gap = np.where(np.arange(side) % wide < 1, 0.45, 1.0)
    rows = (level * gap)[:, None, None] * (0.85 + 0.3 * grain[..., None])
    picture = wood * rows
    return np.asarray(picture if rng.random() < 0.5 else picture.transpose(1, 0, 2), np.float32)


def _tiles(rng: np.random.Generator, side: int) -> Floats:
    size, joint = int(rng.integers(24, 100)), int(rng.integers(1, 4))
    first, second = _tone(rng), _tone(rng)
    rows, columns = np.mgrid[:side, :side]
    other = ((rows // size + columns // size) % 2 > 0) & (rng.random() < 0.4)
    picture = np.where(other[..., None], second, first)
    lines = (rows % size < joint) | (columns % size < joint)
    return np.asarray(np.where(lines[..., None], picture * 0.7, picture), np.float32)


def _paper(rng: np.random.Generator, side: int) -> Floats:
    """Wallpaper: stripes or a repeated blot."""
    ground, figure = _tone(rng), _tone(rng)
    if rng.random() < 0.5:
        period = int(rng.integers(12, 60))
        mask = np.tile((np.arange(side) % period < period * rng.uniform(0.1, 0.6))[None], (side, 1)).astype(
            np.float32
        )
    else:
        size = int(rng.integers(24, 90))
        blot = fractal(rng, size, size, cells=4)
        mask = np.tile((blot > 0.58).astype(np.float32), (side // size + 1, side // size + 1))[:side, :side]
    return np.asarray(ground + (figure - ground) * mask[..., None], np.float32)


def _bricks(rng: np.random.Generator, side: int) -> Floats:
    tall = int(rng.integers(14, 34))
    wide = tall * 3
    rows, columns = np.mgrid[:side, :side]
    shifted = columns + (rows // tall % 2) * (wide // 2)
    mortar = (rows % tall < 2) | (shifted % wide < 2)
    tones = 0.8 + 0.4 * rng.random((side // tall + 2, side // wide + 3))
    clay = np.array([[0.6, 0.32, 0.25], [0.85, 0.83, 0.8], [0.45, 0.42, 0.4]])[rng.integers(3)]
    picture = clay * tones[rows // tall, shifted // wide][..., None]
    return np.asarray(np.where(mortar[..., None], 0.7, picture), np.float32)


def _busy(rng: np.random.Generator, side: int) -> Floats:
    return background(rng, side, side)
