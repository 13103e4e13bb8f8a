"""Puts pictures together: a portrait, skin below it, and a photographed tattoo on that. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from chassis.geometry import Box

__all__ = ["APART", "OVERLAPPING", "Composite", "Figure", "Ink", "Pixels", "Shown", "compose", "covered"]

Pixels = NDArray[np.uint8]

APART, OVERLAPPING = 600, 210
"""Pixels from one person to the next: two whole pictures side by side, or skin that overlaps by 30%."""

_WIDTH, _HEIGHT = 600, 800
_PORTRAIT = 250
_SKIN_WIDTH = 300
# LFW's portraits are cut so that the face has 1 / 2.2 of their width, in the middle.
_FACE = Box(68, 68, 114, 114)
_GREY = 128
_TATTOO_SIDE = (180, 260)
_FEATHER = 8
# A tattoo that shows less than this share of its width is not counted as shown.
_LEAST_SHOWN = 0.6
_SKIN = np.array([[241, 214, 195], [224, 182, 152], [198, 146, 112], [141, 93, 66], [92, 60, 45]])


@dataclass(frozen=True, slots=True)
class Ink:
    """A tattoo and some skin around it, uint8 RGB, and where in that the tattoo is."""

    pixels: Pixels
    box: Box


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be seen of one person; the portrait is uint8 RGB."""

    owner: int
    portrait: Pixels
    tattoo: Ink | None


@dataclass(frozen=True, slots=True)
class Figure:
    """Where one person truly is: the face, also if it is covered, and the tattoo that shows."""

    owner: int
    face: Box
    tattoo: Box | None


@dataclass(frozen=True, slots=True)
class Composite:
    """uint8 RGB [height, width, 3], and who is in it from left to right."""

    pixels: Pixels
    figures: tuple[Figure, ...]


def compose(people: Sequence[Shown], rng: np.random.Generator, *, step: int = APART) -> Composite:
    """People from left to right, each one `step` pixels farther and in front of the one before."""
    canvas = _background(rng, _WIDTH + step * (len(people) - 1))
    figures: list[Figure] = []
    for place, person in enumerate(people):
        figure, edge = _drawn(canvas, person, place * step, rng)
        figures = [*(_behind(one, edge) for one in figures), figure]
    return Composite(canvas, tuple(figures))


def covered(portrait: Pixels) -> Pixels:
    """A portrait of LFW with a grey box over the face."""
    hidden = portrait.copy()
    _part(hidden, _FACE)[:] = _GREY
    return hidden


def _background(rng: np.random.Generator, width: int) -> Pixels:
    """One colour, or that with coarse noise."""
    color = rng.integers(90, 190, 3)
    coarse = rng.normal(0, 30 * (rng.random() < 0.5), (_HEIGHT // 20, width // 20, 3)).astype(np.float32)
    noise = cv2.resize(coarse, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(color + noise, 0, 255), np.uint8)


def _drawn(canvas: Pixels, person: Shown, left: int, rng: np.random.Generator) -> tuple[Figure, float]:
    """The figure, and where its skin and portrait begin."""
    x = left + (_WIDTH - _PORTRAIT) // 2 + int(rng.integers(-20, 21))
    y = int(rng.integers(20, 61))
    skin = Box(x - (_SKIN_WIDTH - _PORTRAIT) / 2, y + _PORTRAIT - 10, _SKIN_WIDTH, _HEIGHT)
    skin = skin.intersection(Box(0, 0, canvas.shape[1], _HEIGHT))
    _part(canvas, skin)[:] = rng.choice(_SKIN)
    _part(canvas, Box(x, y, _PORTRAIT, _PORTRAIT))[:] = _fitted(person.portrait)
    tattoo = None if person.tattoo is None else _inked(canvas, person.tattoo, skin, rng)
    return Figure(person.owner, Box(x + _FACE.x, y + _FACE.y, _FACE.width, _FACE.height), tattoo), skin.x


def _fitted(portrait: Pixels) -> Pixels:
    return np.asarray(cv2.resize(portrait, (_PORTRAIT, _PORTRAIT)), np.uint8)


def _inked(canvas: Pixels, tattoo: Ink, skin: Box, rng: np.random.Generator) -> Box:
    """Draw the tattoo with soft edges somewhere on the upper part of the skin; where it is itself."""
    scale = rng.uniform(*_TATTOO_SIDE) / max(tattoo.pixels.shape[:2])
    width, height = (max(4 * _FEATHER, round(side * scale)) for side in tattoo.pixels.shape[1::-1])
    drawn = cv2.resize(tattoo.pixels, (width, height), interpolation=cv2.INTER_AREA)
    x, y = round(skin.x + rng.uniform(0, skin.width - width)), round(skin.y + rng.uniform(20, 81))
    part, cover = _part(canvas, Box(x, y, width, height)), _cover(height, width)
    part[:] = np.round(part * (1 - cover) + drawn * cover)
    box = tattoo.box
    return Box(x + scale * box.x, y + scale * box.y, scale * box.width, scale * box.height)


def _cover(height: int, width: int) -> NDArray[np.float32]:
    """1 inside, falling to 0 at the edges."""
    inside = np.zeros((height, width), np.float32)
    inside[_FEATHER:-_FEATHER, _FEATHER:-_FEATHER] = 1
    return np.asarray(cv2.GaussianBlur(inside, (0, 0), _FEATHER / 2), np.float32)[..., None]


def _behind(figure: Figure, edge: float) -> Figure:
    """What is left of a figure when somebody stands in front from `edge` on."""
    tattoo = figure.tattoo
    if tattoo is None or tattoo.right <= edge:
        return figure
    seen = Box.from_corners(tattoo.x, tattoo.y, edge, tattoo.bottom)
    is_shown = seen.width >= _LEAST_SHOWN * tattoo.width
    return Figure(figure.owner, figure.face, seen if is_shown else None)


def _part(pixels: Pixels, box: Box) -> Pixels:
    return pixels[round(box.y) : round(box.bottom), round(box.x) : round(box.right)]
