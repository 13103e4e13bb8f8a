"""The studio's held-out pictures: precision of the detector, and one design found again in another view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.tattoo.describers import Describer
from bench.tattoo.figures import Share, share
from chassis.geometry import Box
from services.tattoo.crop import cut
from services.tattoo.finder import TattooFinder
from trainer.detector.evaluating import Found, precisions
from trainer.embedder.flat import read_flat_names
from trainer.embedder.lessons import Worn, draw_views, worn_designs
from trainer.learning.truth import Picture, load_pixels

__all__ = ["precision_figures", "alarm_figures", "Views", "views_of", "filled_up", "rank1_figures"]

_ANGLES = (0, 30, 50, 90)
_OCCLUSIONS = (0.0, 0.1, 0.3, 1.01)
_RESAMPLES = 300
_SIDE = 224


async def precision_figures(
    finder: TattooFinder, pictures: Sequence[Picture], *, seed: int
) -> dict[str, object]:
    """AP50 with 95% intervals by drawing performers; `finder` must tell boxes of any confidence."""
    found = [Found(one, tuple(await finder.find(load_pixels(one)))) for one in pictures]
    values = precisions(found)
    intervals = _intervals(found, seed=seed)
    return {name: {"value": value, **intervals[name]} for name, value in values.items()}


async def alarm_figures(finder: TattooFinder, pictures: Sequence[Picture]) -> dict[str, Share]:
    """In how many pictures without any tattoo something is found, by whether an overlay lies over them."""
    alarms: defaultdict[str, list[bool]] = defaultdict(list)
    for picture in pictures:
        if not picture.tattoos:
            kind = "with an overlay" if picture.has_overlay else "clean"
            alarms[kind].append(bool(await finder.find(load_pixels(picture))))
    return {kind: share(sum(fired), len(fired)) for kind, fired in sorted(alarms.items())}


def _intervals(found: Sequence[Found], *, seed: int) -> Mapping[str, Mapping[str, float]]:
    of_performer: defaultdict[str, list[Found]] = defaultdict(list)
    for one in found:
        of_performer[one.picture.performer_id].append(one)
    names, rng = sorted(of_performer), np.random.default_rng(seed)
    drawn = []
    for _ in range(_RESAMPLES):
        chosen = [
            one for index in rng.integers(len(names), size=len(names)) for one in of_performer[names[index]]
        ]
        drawn.append(precisions(chosen))
    ends = {name: np.nanquantile([one[name] for one in drawn], [0.025, 0.975]) for name in drawn[0]}
    return {name: {"low": float(low), "high": float(high)} for name, (low, high) in ends.items()}


@dataclass(frozen=True, slots=True)
class Views:
    """A gallery with one view of each design, and other views of designs in it."""

    gallery: tuple[NDArray[np.uint8], ...]
    probes: tuple[NDArray[np.uint8], ...]
    designs: tuple[int, ...]
    """Place in the gallery of each probe's design."""
    worn: tuple[Worn, ...]
    """Each probe's truth."""


def views_of(pictures: Sequence[Picture], *, most: int, probes_each: int) -> Views:
    """Up to `most` designs; enrolled is the view that faces the camera most.

    Designs of which there is one view only are in the gallery, too, and nobody looks for them.
    """
    gallery, probes, designs, worn = [], [], [], []
    by_views = sorted(worn_designs(pictures, least_views=1), key=lambda views: len(views) < 2)
    for number, views in enumerate(by_views[:most]):
        enrolled, *others = sorted(views, key=lambda one: (one.tattoo.view_angle, one.picture.file))
        gallery.append(_crop(enrolled))
        for other in others[:probes_each]:
            probes.append(_crop(other))
            designs.append(number)
            worn.append(other)
    return Views(tuple(gallery), tuple(probes), tuple(designs), tuple(worn))


def filled_up(views: Views, drawings: Path, *, most: int, seed: int) -> Views:
    """With drawings on drawn skin as further designs of the gallery, until it has `most`."""
    known = {one.tattoo.design_id for one in views.worn}
    flats, names = np.load(drawings, mmap_mode="r"), read_flat_names(drawings)
    others = [number for number, name in enumerate(names) if name not in known]
    wanted = others[: max(0, most - len(views.gallery))]
    made = [
        draw_views(np.random.default_rng([seed, number]), flats[number], 1, _SIDE)[0] for number in wanted
    ]
    return replace(views, gallery=(*views.gallery, *made))


async def rank1_figures(describer: Describer, views: Views) -> dict[str, Share]:
    """How many probes find their design first: all, by view angle, by how much is hidden."""
    similarities = await describer.similarities(views.probes, views.gallery)
    right = similarities.argmax(axis=1) == np.array(views.designs)
    angles = np.array([one.tattoo.view_angle for one in views.worn])
    hidden = np.array([one.tattoo.occlusion for one in views.worn])
    figures = {"all": _share_of(right)}
    for low, high in pairwise(_ANGLES):
        figures[f"seen from {low} to {high} degrees"] = _share_of(right[(angles >= low) & (angles < high)])
    for start, end in pairwise(_OCCLUSIONS):
        chosen = (hidden >= start) & (hidden < end)
        figures[f"{start:.0%} to {min(end, 1):.0%} hidden"] = _share_of(right[chosen])
    return figures


def _crop(one: Worn) -> NDArray[np.uint8]:
    return cut(load_pixels(one.picture), Box.from_corners(*one.tattoo.box))


def _share_of(right: NDArray[np.bool_]) -> Share:
    return share(int(right.sum()), len(right))
