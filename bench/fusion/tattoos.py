"""Tattoos that virtual performers wear, through the service's own code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bench.fusion.nuisances import (
    CLEAR,
    KINDS,
    NUISANCES,
    PROFILE,
    Pixels,
    foreshortened,
    nuisance_rng,
    turn_of,
)
from bench.fusion.pictured import Pictured
from bench.tattoo import detectors
from bench.tattoo.describers import built_in
from chassis.geometry import Box
from services.tattoo.agreement import agreeing_points
from services.tattoo.crop import cut
from services.tattoo.finder import TattooFinder
from services.tattoo.key_points import FIRST_BYTES, find_key_points, to_bytes
from services.tattoo.quality import view_quality
from services.tattoo.screening import paired_points
from services.tattoo.table import built_in_detector

__all__ = ["Shown", "Tattoos", "read_tattoos"]

Matrix = NDArray[np.float64]

# Of a tattoo's box: what is around it is seen, too, when it is looked for in a spoilt picture.
_WINDOW = 2.5
_FOUND = 0.3
_MET = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """All views, spoilt alike or clear, against one view of each design that performers wear."""

    is_found: NDArray[np.bool_]
    """[views]: whether the detector finds the tattoo; else nothing is compared."""
    qualities: NDArray[np.float64]
    similarities: Matrix
    """[views, designs], by vectors alone."""
    agreeing: NDArray[np.int64]
    """[views, designs]: key points that agree."""
    paired: NDArray[np.int64]
    """[views, designs]: first key points that pair, by which it is chosen whom to compare."""
    impostors: NDArray[np.float64]
    """Sorted similarities of different designs."""
    impostors_seen: NDArray[np.int64]
    """[pairs, 2]: of different designs, the most alike of each view, first points that pair and all that
    agree."""


@dataclass(frozen=True, slots=True)
class Tattoos:
    """Views of designs."""

    designs: int
    worn: NDArray[np.int64]
    """Of each view: its design; those of strangers, which no performer wears, count on."""
    shown: Mapping[str, Shown]
    """By what spoils the picture."""


@dataclass(frozen=True, slots=True)
class _View:
    """A part of a picture with a tattoo in it."""

    name: str
    design: int
    window: Pixels
    box: Box
    """In the window."""
    found: tuple[Box, float] | None
    """Where the detector finds it in the whole picture, in the window, and how surely."""
    turned: float
    """As of `Pictured`."""


def read_tattoos(
    worn: Sequence[Sequence[Pictured]], strange: Sequence[Sequence[Pictured]], cache: Path, *, seed: int
) -> Tattoos:
    """Views of designs that performers wear, of which one is enrolled, and of others that strangers wear."""
    return asyncio.run(_read(worn, strange, cache, seed))


async def _read(
    worn: Sequence[Sequence[Pictured]], strange: Sequence[Sequence[Pictured]], cache: Path, seed: int
) -> Tattoos:
    finds = _Finds(cache)
    async with detectors.built_in().open() as finder:
        views = [
            await _view(one, number, finder, finds)
            for number, of in enumerate(track([*worn, *strange], "finding tattoos"))
            for one in of
        ]
        # The owner enrols what is found; where nothing is, the tattoo is pointed at.
        gallery = [_first([one for one in views if one.design == number]) for number in range(len(worn))]
        probes = [one for one in views if one not in gallery]
        enrolled = [_crop(one.window, one.found[0] if one.found else one.box) for one in gallery]
        shown = {}
        for kind in track((CLEAR, *KINDS), "comparing"):
            crops = [await _spoilt(one, kind, seed, finder, finds) for one in probes]
            shown[kind] = await _shown([one.design for one in probes], crops, enrolled)
    finds.keep()
    return Tattoos(len(worn), np.array([one.design for one in probes]), shown)


class _Finds:
    """What the detector found, kept: by picture or view, boxes as corners and confidences."""

    def __init__(self, cache: Path) -> None:
        row = built_in_detector()
        self._file = cache / "tattoos" / f"{row.name}-{row.version}.json"
        self._known: dict[str, list[list[float]]] = (
            json.loads(self._file.read_text()) if self._file.exists() else {}
        )

    async def of(self, name: str, pixels: Pixels, finder: TattooFinder) -> list[tuple[Box, float]]:
        """All found in these pixels, which `name` stands for."""
        if name not in self._known:
            found = await finder.find(pixels)
            self._known[name] = [
                [one.box.x, one.box.y, one.box.right, one.box.bottom, one.confidence] for one in found
            ]
            if len(self._known) % 200 == 0:
                self.keep()
        return [(Box.from_corners(*one[:4]), one[4]) for one in self._known[name]]

    def keep(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        aside = self._file.with_suffix(".new")
        aside.write_text(json.dumps(self._known))
        aside.replace(self._file)


async def _view(one: Pictured, design: int, finder: TattooFinder, finds: _Finds) -> _View:
    truth, pixels = one.box, one.load()
    found = _on(truth, await finds.of(one.name, pixels, finder))
    window = truth.scaled(_WINDOW).intersection(Box(0, 0, pixels.shape[1], pixels.shape[0]))
    left, top = round(window.x), round(window.y)

    def within(box: Box) -> Box:
        return Box(box.x - left, box.y - top, box.width, box.height)

    part = np.ascontiguousarray(pixels[top : round(window.bottom), left : round(window.right)])
    moved = (within(found[0]), found[1]) if found else None
    return _View(one.name, design, part, within(truth), moved, one.turned)


def _first(views: Sequence[_View]) -> _View:
    return next((one for one in views if one.found), views[0])


async def _spoilt(
    view: _View, kind: str, seed: int, finder: TattooFinder, finds: _Finds
) -> tuple[Pixels, float] | None:
    """The crop and the detector's confidence; None where it is missed, clear or spoilt."""
    if view.found is None or kind == CLEAR:
        return None if view.found is None else (_crop(view.window, view.found[0]), view.found[1])
    window, box = _changed(view, kind, seed)
    found = _on(box, await finds.of(f"{view.name}/{kind}/{seed}", window, finder))
    return (_crop(window, found[0]), found[1]) if found else None


def _changed(view: _View, kind: str, seed: int) -> tuple[Pixels, Box]:
    """The window, spoilt, and where the tattoo is in it then."""
    if kind == PROFILE:
        return foreshortened(view.window, view.box, view.turned * turn_of(view.name, seed))
    return NUISANCES[kind](view.window, nuisance_rng(seed, kind, view.name)), view.box


def _on(truth: Box, found: Sequence[tuple[Box, float]]) -> tuple[Box, float] | None:
    return max((one for one in found if one[0].iou(truth) >= _FOUND), key=lambda one: one[1], default=None)


def _crop(pixels: Pixels, box: Box) -> Pixels:
    return np.ascontiguousarray(cut(pixels, box))


async def _shown(
    designs: Sequence[int], crops: Sequence[tuple[Pixels, float] | None], enrolled: Sequence[Pixels]
) -> Shown:
    is_found = np.array([one is not None for one in crops])
    seen = [one for one in crops if one is not None]
    pixels = [one for one, _ in seen]
    similarities = np.full((len(crops), len(enrolled)), -np.inf)
    agreeing, paired = (np.zeros((len(crops), len(enrolled)), np.int64) for _ in range(2))
    is_own = np.array(designs)[:, None] == np.arange(len(enrolled))
    is_best = np.zeros_like(is_own)
    qualities = np.zeros(len(crops))
    qualities[is_found] = [view_quality(*one) for one in seen]
    if seen:
        similarities[is_found] = await built_in().similarities(pixels, enrolled)
        is_best = _best(similarities) & is_found[:, None]
        points = dict(zip(np.flatnonzero(is_found).tolist(), map(find_key_points, pixels), strict=True))
        theirs = [find_key_points(one) for one in enrolled]
        starts = [to_bytes(one)[:FIRST_BYTES] for one in theirs]
        for view, probe in points.items():
            paired[view] = paired_points(probe, starts)
            agreeing[view] = [agreeing_points(probe, other) for other in theirs]
    is_other = ~is_own & is_found[:, None]
    met = is_best & is_other
    return Shown(
        is_found, qualities, similarities, agreeing, paired, np.sort(similarities[is_other]),
        np.stack([paired[met], agreeing[met]], axis=1),
    )  # fmt: skip


def _best(similarities: Matrix) -> NDArray[np.bool_]:
    """Of each row the ten most alike, whom those most resemble that a large gallery puts first."""
    most = min(_MET, similarities.shape[1])
    best = np.zeros(similarities.shape, bool)
    np.put_along_axis(best, np.argsort(-similarities, axis=1)[:, :most], True, axis=1)
    return best
