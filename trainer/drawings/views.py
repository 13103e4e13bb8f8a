"""Draws several photographs of one tattoo, cropped as the service does: what the embedding is fitted on."""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from trainer.drawings.bodies import draw_body, paint_skin
from trainer.drawings.camera import photograph
from trainer.drawings.canvas import SIZE, Canvas
from trainer.drawings.clutter import background
from trainer.drawings.designs import Design, draw_design
from trainer.drawings.noise import Field
from trainer.drawings.placing import find_spot, place_tattoo
from trainer.drawings.skin import skin_tone

__all__ = ["draw_views"]

_FEWEST_PIXELS = 500
_ATTEMPTS = 3


def draw_views(rng: np.random.Generator, count: int) -> list[NDArray[np.uint8]]:
    """Return `count` crops, uint8 RGB of various sizes, of one design on one skin in different pictures.

    Light, angle, size, sharpness, wear, compression, surroundings and the crop's margins differ.
    """
    while True:
        design, tone = draw_design(rng), skin_tone(rng)
        attempts = (_view(rng, design, tone) for _ in range(_ATTEMPTS * count))
        views = list(islice((view for view in attempts if view is not None), count))
        if len(views) == count:  # else it is too small, or too faint on this skin, to be told from others
            return views


def _view(rng: np.random.Generator, design: Design, tone: Field) -> NDArray[np.uint8] | None:
    height, width = (int(SIZE * rng.uniform(0.7, 1.0)) for _ in range(2))
    canvas = Canvas(background(rng, height, width), *np.zeros((2, height, width), np.float32))
    kind = str(rng.choice(["close", "limb", "torso"], p=[0.5, 0.3, 0.2]))
    paint_skin(rng, canvas, draw_body(rng, kind, height, width), tone)
    spot = find_spot(rng, canvas, close=True)
    if spot is None:
        return None
    place_tattoo(rng, canvas, design, spot, turn=0.25)
    if (canvas.tattooed > 0.5).sum() < _FEWEST_PIXELS:
        return None
    return _cropped(rng, photograph(rng, canvas.picture), canvas.tattooed > 0.5)


def _cropped(
    rng: np.random.Generator, picture: NDArray[np.uint8], tattooed: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Cut out the tattoo with the error of a detector's box: each side off by some 5% of the width."""
    rows, columns = np.nonzero(tattooed)
    corners = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    span = corners[2:] - corners[:2]
    corners += rng.normal(0, 0.05, 4) * np.tile(span, 2)
    left, top = np.clip(corners[:2], 0, None).astype(int)
    right, bottom = np.maximum(corners[2:], [left + 8, top + 8]).astype(int)
    return np.ascontiguousarray(picture[top:bottom, left:right])
