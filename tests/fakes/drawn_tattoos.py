"""Photographs of one tattoo on one person, drawn: design and skin stay, everything else differs."""

from __future__ import annotations

import numpy as np

from chassis.images import RGBImage
from trainer.drawings.bodies import draw_body, paint_skin
from trainer.drawings.camera import photograph
from trainer.drawings.canvas import SIZE, Canvas
from trainer.drawings.clutter import background
from trainer.drawings.designs import Design, draw_design
from trainer.drawings.noise import Field
from trainer.drawings.placing import Spot, place_tattoo
from trainer.drawings.skin import skin_tone

__all__ = ["draw_photographs"]


def draw_photographs(seed: int, count: int) -> list[RGBImage]:
    """`count` pictures of one tattoo, a third of the picture wide, in the middle of a limb."""
    rng = np.random.default_rng(seed)
    design, tone = draw_design(rng), skin_tone(rng)
    return [_photograph(rng, design, tone) for _ in range(count)]


def _photograph(rng: np.random.Generator, design: Design, tone: Field) -> RGBImage:
    canvas = Canvas(background(rng, SIZE, SIZE), *np.zeros((2, SIZE, SIZE), np.float32))
    paint_skin(rng, canvas, draw_body(rng, "close", SIZE, SIZE), tone)
    place_tattoo(rng, canvas, design, Spot(SIZE / 2, SIZE / 2, SIZE * 0.4), turn=0.15)
    return np.ascontiguousarray(photograph(rng, canvas.picture))
