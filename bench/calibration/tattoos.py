"""Views of tattoos that a calibration is fitted on: photographs, and designs on the studio's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bench.tattoo import detectors
from bench.tattoo.describers import built_in
from bench.tattoo.photographs import read_bivtatt
from chassis.geometry import Box
from services.tattoo.agreement import agreeing_points
from services.tattoo.config import TattooSection
from services.tattoo.crop import cut
from services.tattoo.key_points import find_key_points
from services.tattoo.quality import view_quality
from services.tattoo.table import built_in_detector
from services.tattoo.verification import verified
from trainer.embedder.lessons import worn_designs
from trainer.learning.truth import load_pixels, read_pictures

__all__ = ["tattoo_views", "verified_similarities"]

Pixels = NDArray[np.uint8]

_FOUND = 0.3


@dataclass(frozen=True, slots=True)
class _View:
    """A tattoo in a picture, and whose it is."""

    owner: str
    pixels: Pixels
    box: Box


async def tattoo_views(
    photographs: Path, rendered: Sequence[Path]
) -> tuple[NDArray[np.float64], tuple[float, ...], tuple[str, ...]]:
    """Return similarities [n, n] of all views as the service tells them, their qualities and owners.

    rendered: sets of the studio, of which the validation split counts.
    """
    views = [_View(one.subject, one.pixels, one.main) for one in read_bivtatt(photographs)]
    for designs in worn_designs(read_pictures(rendered, split="validation")) if rendered else ():
        views += [
            _View(one.tattoo.design_id, load_pixels(one.picture), Box.from_corners(*one.tattoo.box))
            for one in designs
        ]
    crops = [cut(one.pixels, one.box) for one in views]
    similarities = await built_in().similarities(crops, crops)
    # A view is never compared with itself.
    np.fill_diagonal(similarities, -1.0)
    confidences = await _confidences(views)
    qualities = tuple(view_quality(*each) for each in zip(crops, confidences, strict=True))
    told = verified_similarities(similarities, crops, crops)
    return told, qualities, tuple(one.owner for one in views)


async def _confidences(views: Sequence[_View]) -> list[float]:
    """The detector's, as Observe has it; the median of the others' where a tattoo is not found."""
    found: list[float | None] = []
    async with detectors.built_in().open() as finder:
        for view in track(views, "finding"):
            on_it = [one for one in await finder.find(view.pixels) if one.box.iou(view.box) >= _FOUND]
            found.append(max((one.confidence for one in on_it), default=None))
    usual = float(np.median([one for one in found if one is not None] or [built_in_detector().threshold]))
    return [usual if one is None else one for one in found]


def verified_similarities(
    similarities: NDArray[np.float64], probes: Sequence[Pixels], gallery: Sequence[Pixels]
) -> NDArray[np.float64]:
    """Similarities [probes, gallery], the most alike ten of each row compared by key points.

    Not all that Score looks over: in a gallery as small as this one the right view would then always be
    compared, so that all others were doubted in nearly every row, and impostors would look too seldom alike.
    """
    ours = [find_key_points(crop) for crop in track(probes, "key points")]
    theirs = ours if probes is gallery else [find_key_points(crop) for crop in gallery]
    point, most = built_in().row.operating_point, TattooSection().verify_candidates
    rows = []
    for probe, row in enumerate(track(similarities, "verifying")):
        best = [int(index) for index in np.argsort(-row)[:most]]
        agreeing = {
            str(index): count for index in best if (count := agreeing_points(ours[probe], theirs[index]))
        }
        told = verified({str(index): float(value) for index, value in enumerate(row)}, agreeing, point)
        rows.append([told[str(index)] for index in range(len(row))])
    return np.array(rows, np.float64)
