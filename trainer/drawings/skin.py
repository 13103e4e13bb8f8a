"""Skin and the body shapes that carry it: tone, texture, light, moles, hair."""

import cv2
import numpy as np

from trainer.drawings.noise import Field, clipped, fractal, grain, ramp

__all__ = ["skin_tone", "skin_surface", "rounded_light", "add_marks"]

_TONES = np.array(
    [
        [0.96, 0.85, 0.78],
        [0.93, 0.78, 0.68],
        [0.88, 0.70, 0.58],
        [0.82, 0.62, 0.48],
        [0.74, 0.53, 0.40],
        [0.62, 0.43, 0.32],
        [0.48, 0.32, 0.23],
        [0.36, 0.24, 0.18],
        [0.27, 0.18, 0.14],
    ],
    np.float32,
)
"""From very light to very dark, after the range of published skin tone scales."""


def skin_tone(rng: np.random.Generator) -> Field:
    """Return one RGB skin colour [3], between two neighbours of the scale, slightly reddened or yellowed."""
    place = rng.uniform(0, len(_TONES) - 1.001)
    low = int(place)
    tone = _TONES[low] * (1 - place + low) + _TONES[low + 1] * (place - low)
    return clipped(tone * rng.uniform([0.96, 0.93, 0.88], [1.05, 1.06, 1.1]))


def skin_surface(rng: np.random.Generator, height: int, width: int, tone: Field) -> Field:
    """Return [height, width, 3] of skin under even light: blotches of red, fine grain, pores."""
    blotch = fractal(rng, height, width, cells=int(rng.integers(2, 7)))[..., None] - 0.5
    warm = np.array([0.04, 0.10, 0.10], np.float32) * float(rng.uniform(0.2, 1.3))
    fine = grain(rng, height, width, size=rng.uniform(1, 3.5))[..., None] * float(rng.uniform(0.003, 0.025))
    return clipped(tone * (1 - blotch * warm * 2) + fine)


def rounded_light(rng: np.random.Generator, height: int, width: int) -> Field:
    """Return [height, width] brightness factors of a picture lit from one side with soft shadows."""
    side = ramp(rng, height, width) * rng.uniform(0.0, 0.55)
    folds = fractal(rng, height, width, cells=2, octaves=2) * rng.uniform(0.0, 0.35)
    return np.asarray(1.12 - side - folds, np.float32)


def add_marks(rng: np.random.Generator, picture: Field) -> None:
    """Draw moles, freckles, spots, body hair, creases or veins into `picture`, in place: none is a tattoo."""
    for mark, chance in ((_moles, 0.35), (_freckles, 0.15), (_hairs, 0.22), (_creases, 0.35), (_gloss, 0.3)):
        if rng.random() < chance:
            mark(rng, picture)


def _moles(rng: np.random.Generator, picture: Field) -> None:
    height, width = picture.shape[:2]
    for _ in range(int(rng.integers(1, 9))):
        centre = int(rng.integers(width)), int(rng.integers(height))
        dark = picture[centre[1], centre[0]] * rng.uniform(0.35, 0.7)
        cv2.circle(picture, centre, int(rng.integers(1, 5)), dark.tolist(), -1, cv2.LINE_AA)


def _freckles(rng: np.random.Generator, picture: Field) -> None:
    height, width = picture.shape[:2]
    spots = (grain(rng, height, width, size=rng.uniform(2, 4)) > rng.uniform(1.5, 2.2)).astype(np.float32)
    veil = cv2.GaussianBlur(spots, (0, 0), 0.8)[..., None] * rng.uniform(0.1, 0.35)
    picture *= 1 - veil * np.array([0.5, 0.8, 1.0], np.float32)


def _hairs(rng: np.random.Generator, picture: Field) -> None:
    height, width = picture.shape[:2]
    tint = (np.array([0.16, 0.11, 0.08]) * rng.uniform(0.5, 3)).tolist()
    middle, spread = rng.uniform(0.2, 0.8, 2) * [width, height], rng.uniform(0.1, 0.4) * width
    lean = rng.uniform(0, 6.3)
    sheet = picture.copy()
    for start in rng.normal(middle, spread, (int(rng.integers(60, 400)), 2)):
        angle, length = lean + rng.normal(0, 0.5), rng.uniform(4, 16)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(sheet, _at(start), _at(end), tint, 1, cv2.LINE_AA)
    cv2.addWeighted(sheet, share := float(rng.uniform(0.2, 0.8)), picture, 1 - share, 0, dst=picture)


def _creases(rng: np.random.Generator, picture: Field) -> None:
    height, width = picture.shape[:2]
    veil = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        points = np.cumsum(rng.normal(0, 0.12, (6, 2)), axis=0) + rng.uniform(0.1, 0.9, 2)
        pixels = np.round(points * [width, height]).astype(np.int32)
        cv2.polylines(
            veil, [pixels], False, float(rng.uniform(0.2, 0.6)), int(rng.integers(1, 6)), cv2.LINE_AA
        )
    soft = cv2.GaussianBlur(veil, (0, 0), float(rng.uniform(0.8, 4)))[..., None]
    picture *= 1 - soft * np.array([0.6, 0.8, 0.85], np.float32)


def _gloss(rng: np.random.Generator, picture: Field) -> None:
    height, width = picture.shape[:2]
    veil = np.clip(fractal(rng, height, width, cells=3) * 3 - rng.uniform(1.8, 2.4), 0, 1)[..., None]
    picture += (1 - picture) * veil * np.float32(rng.uniform(0.2, 0.8))


def _at(point: np.ndarray) -> tuple[int, int]:
    return int(np.clip(point[0], -2000, 2000)), int(np.clip(point[1], -2000, 2000))
