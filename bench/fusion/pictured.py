"""Pictures of the tattoos that virtual performers wear: rendered ones, and changed copies of photographs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from bench.fusion.nuisances import Pixels, nuisance_rng
from bench.tattoo.photographs import TattooPhotograph, read_bivtatt
from chassis.geometry import Box
from trainer.drawings.calibration import is_for_calibration
from trainer.embedder.lessons import worn_designs
from trainer.learning.truth import load_pixels, read_pictures

__all__ = ["Pictured", "photographed", "rendered"]

_VIEWS = 5
# Of the subjects with one photograph, this share is worn by strangers.
_STRANGERS = 4
# Skin on a whole figure already looks anywhere: turning the person turns some of it to the camera.
_TURNED = 0.5


@dataclass(frozen=True, slots=True)
class Pictured:
    """A tattoo in a picture."""

    name: str
    box: Box
    load: Callable[[], Pixels]
    turned: float = 1.0
    """Of the turn of a person who is seen from the side, what the skin is turned away."""


def rendered(sets: Sequence[Path], *, split: str) -> tuple[list[list[Pictured]], list[list[Pictured]]]:
    """The studio's designs of a split: views of those with several, seen best first, and of the others."""
    designs = [
        [
            Pictured(
                f"{one.picture.file.parent.parent.name}/{one.picture.file.name}#{one.tattoo.tattoo_id}",
                Box.from_corners(*one.tattoo.box),
                partial(load_pixels, one.picture),
                _TURNED,
            )
            for one in sorted(of, key=lambda each: each.tattoo.view_angle)[: 1 + _VIEWS]
        ]
        for of in worn_designs(read_pictures(sets, split=split), least_views=1)
    ]
    return [of for of in designs if len(of) > 1], [of for of in designs if len(of) == 1]


def photographed(
    folder: Path, *, fitting: bool, seed: int
) -> tuple[list[list[Pictured]], list[list[Pictured]]]:
    """Subjects of one half of BIVTatt: a photograph, then others of it and changed copies; and strangers'."""
    subjects: defaultdict[str, list[TattooPhotograph]] = defaultdict(list)
    for one in read_bivtatt(folder):
        if is_for_calibration(one.subject) == fitting:
            subjects[one.subject].append(one)
    worn, strange = [], []
    for number, (_, of) in enumerate(sorted(subjects.items())):
        first, *others = [Pictured(one.name, one.main, partial(_as_is, one)) for one in of]
        copies = [_changed(of[0], seed, copy) for copy in range(_VIEWS - len(others))]
        if number % _STRANGERS or others:
            worn.append([first, *others[:_VIEWS], *copies])
        else:
            strange.append([first])
    return worn, strange


def _as_is(one: TattooPhotograph) -> Pixels:
    return one.pixels


def _changed(one: TattooPhotograph, seed: int, copy: int) -> Pictured:
    """Turned by up to 35 degrees, 0.6 to 1.2 times as large, foreshortened to 70%, in another light."""
    rng = nuisance_rng(seed, "copy", f"{one.name}/{copy}")
    turn = cv2.getRotationMatrix2D((0, 0), rng.uniform(-35, 35), rng.uniform(0.6, 1.2))
    narrowing = rng.uniform(0.7, 1.0)
    matrix = np.array([[narrowing, 0], [0, 1]]) @ turn[:, :2]
    gamma, warmth = float(np.exp(rng.uniform(-0.6, 0.6))), rng.uniform(-0.15, 0.15)
    height, width = one.pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix.T
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = tuple(int(side) for side in np.ceil(high - low))
    full = np.hstack([matrix, -low[:, None]])
    box = one.main
    middle = matrix @ [box.center.x, box.center.y] - low
    # Half the sides of the box around a turned ellipse.
    half = np.hypot(matrix[:, 0] * box.width / 2, matrix[:, 1] * box.height / 2)

    def load() -> Pixels:
        warped = cv2.warpAffine(one.pixels, full, size, borderMode=cv2.BORDER_REFLECT)
        lit = (warped / 255) ** gamma * [1 + warmth, 1, 1 - warmth] * 255
        return np.clip(lit, 0, 255).astype(np.uint8)

    return Pictured(
        f"{one.name}/{copy}/{seed}", Box(middle[0] - half[0], middle[1] - half[1], *(2 * half)), load
    )
