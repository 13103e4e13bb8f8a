"""What the embedder learns from and is measured on: several views each of several designs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.embedder.flat import Flat
from trainer.embedder.views import any_tone, flat_view
from trainer.learning.truth import Picture, Tattoo

__all__ = ["Worn", "worn_designs", "draw_views"]

_LEAST_SIDE = 24


@dataclass(frozen=True, slots=True)
class Worn:
    """A tattoo in one of the studio's pictures."""

    picture: Picture
    tattoo: Tattoo


def worn_designs(pictures: Sequence[Picture], *, least_views: int = 2) -> list[list[Worn]]:
    """The designs of which there are so many views or more, each with its views that can be told apart."""
    views: defaultdict[str, list[Worn]] = defaultdict(list)
    for picture in pictures:
        for tattoo in picture.tattoos:
            left, top, right, bottom = tattoo.box
            if (
                tattoo.is_plain
                and tattoo.visible_fraction > 0.35
                and min(right - left, bottom - top) >= _LEAST_SIDE
            ):
                views[tattoo.design_id].append(Worn(picture, tattoo))
    return [views[name] for name in sorted(views) if len(views[name]) >= least_views]


def draw_views(rng: np.random.Generator, flat: Flat, views: int, side: int) -> list[NDArray[np.uint8]]:
    """Views of one drawing, each on skin of its own: what stays is the drawing."""
    return [flat_view(rng, flat, side, any_tone(rng)) for _ in range(views)]
