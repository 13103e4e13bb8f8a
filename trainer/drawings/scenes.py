"""Composes pictures of drawn people, with and without tattoos, and says where they are tattooed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.drawings.bodies import draw_body, paint_skin
from trainer.drawings.camera import photograph
from trainer.drawings.canvas import SIZE, Canvas
from trainer.drawings.clothing import add_head, add_locks, dress
from trainer.drawings.clutter import add_jewellery, add_overlay, background
from trainer.drawings.designs import collage_of, draw_design
from trainer.drawings.noise import Field
from trainer.drawings.placing import find_spot, place_tattoo
from trainer.drawings.skin import skin_tone

__all__ = ["Scene", "draw_scene"]

_COMPOSED = 0.75


@dataclass(frozen=True, slots=True)
class Scene:
    """A drawn photograph: `picture` uint8 [height, width, 3] RGB and `tattooed` [height, width] 0..1."""

    picture: NDArray[np.uint8]
    tattooed: Field


def draw_scene(rng: np.random.Generator, *, tattoos: bool, flats: NDArray[np.uint8] | None = None) -> Scene:
    """Draw one scene of a random kind; with `tattoos` one to four of them lie on the skin, else none does.

    flats: drawings [n, side, side, 4] of which most tattoos are composed then, large ones, around a limb.
    """
    height, width = _shape(rng)
    kind = rng.choice(["close", "limb", "torso", "figure", "portrait", "empty"], p=_shares(tattoos))
    tone = skin_tone(rng)
    canvas = Canvas(background(rng, height, width), *np.zeros((2, height, width), np.float32))
    if kind == "empty":
        return _finished(rng, canvas)
    body = draw_body(rng, str(kind), height, width)
    paint_skin(rng, canvas, body, tone)
    if tattoos:
        for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.5, 0.27, 0.15, 0.08]))):
            parts = flats if flats is not None and rng.random() < _COMPOSED else None
            spot = find_spot(rng, canvas, close=kind == "close", large=parts is not None)
            if spot is not None:
                design = draw_design(rng) if parts is None else collage_of(rng, parts)
                place_tattoo(rng, canvas, design, spot)
    dress(rng, canvas, str(kind))
    if kind in ("figure", "portrait") or rng.random() < 0.06:
        add_head(rng, canvas, tone, large=kind == "portrait")
    return _finished(rng, canvas)


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    short = int(SIZE * rng.choice([0.5625, 0.667, 0.75, 1.0, rng.uniform(0.5, 1.0)]))
    return (SIZE, short) if rng.random() < 0.5 else (short, SIZE)


def _shares(tattoos: bool) -> list[float]:
    return [0.3, 0.3, 0.2, 0.15, 0.05, 0.0] if tattoos else [0.12, 0.13, 0.12, 0.17, 0.36, 0.10]


def _finished(rng: np.random.Generator, canvas: Canvas) -> Scene:
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.85, 0.07, 0.05, 0.03]))):
        add_locks(rng, canvas)
    if rng.random() < 0.2:
        add_jewellery(rng, canvas.picture)
    if rng.random() < 0.15:
        add_overlay(rng, canvas.picture)
    return Scene(photograph(rng, canvas.picture), canvas.tattooed)
