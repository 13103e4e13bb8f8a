"""Drawn pictures of skin with and without a tattoo: nobody's, and the same ones every time."""

from __future__ import annotations

import numpy as np

from chassis.images import RGBImage
from trainer.drawings.bodies import paint_skin
from trainer.drawings.canvas import Canvas
from trainer.drawings.designs import Design, draw_paths
from trainer.drawings.motifs import figure, rose
from trainer.drawings.placing import Spot, place_tattoo

__all__ = ["SPOT", "clean_skin", "tattooed_skin"]

SPOT = Spot(150, 160, 220)
"""Where the tattoo is, pixels of a picture of 300 x 320."""

_LIGHT_SKIN = np.array([0.88, 0.70, 0.58], np.float32)
_HEIGHT, _WIDTH = 320, 300
_MOTIFS = {"rose": rose, "figure": figure}
_SEED = 2


def clean_skin(view: int = 0) -> RGBImage:
    """A close-up of skin without a tattoo; every `view` has another light."""
    return _photograph(_canvas(np.random.default_rng(view)))


def tattooed_skin(motif: str, view: int) -> RGBImage:
    """A close-up of the tattoo of a motif, "rose" or "figure"; every `view` has another light and angle."""
    rng = np.random.default_rng(view)
    canvas = _canvas(rng)
    place_tattoo(rng, canvas, _design(motif), SPOT, turn=0.1)
    return _photograph(canvas)


def _design(motif: str) -> Design:
    return draw_paths(np.random.default_rng(_SEED), _MOTIFS[motif](np.random.default_rng(_SEED)))


def _canvas(rng: np.random.Generator) -> Canvas:
    empty = np.zeros((_HEIGHT, _WIDTH, 3), np.float32)
    canvas = Canvas(empty, *np.zeros((2, _HEIGHT, _WIDTH), np.float32))
    paint_skin(rng, canvas, np.ones((_HEIGHT, _WIDTH), np.float32), _LIGHT_SKIN)
    return canvas


def _photograph(canvas: Canvas) -> RGBImage:
    return np.ascontiguousarray(np.clip(canvas.picture * 255, 0, 255).astype(np.uint8))
