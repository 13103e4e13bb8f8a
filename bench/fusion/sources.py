"""Similarities that virtual performers are made of: real faces, and tattoos that the studio rendered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from bench.calibration.tattoos import verified_similarities
from bench.faces.comparing import Comparison
from bench.faces.dataset import is_for_calibration, read_photographs
from bench.faces.observing import Look, observe_all
from bench.fusion.nuisances import NUISANCES, Pixels
from bench.tattoo.describers import built_in
from bench.tattoo.photographs import pixels_of
from chassis.config import load_config
from chassis.geometry import Box
from services.face.config import FaceConfig
from services.tattoo.crop import cut
from services.tattoo.quality import view_quality
from services.tattoo.table import built_in_detector
from trainer.embedder.lessons import Worn, worn_designs
from trainer.learning.truth import load_pixels, read_pictures

__all__ = ["CLEAR", "Compared", "Faces", "Tattoos", "read_faces", "read_tattoos"]

CLEAR = "clear"
_MOST_PROBES = 4
_VIEWS = 5

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Compared:
    """Probes against one photograph of each performer."""

    similarities: Matrix
    """[probes, performers]; minus infinity where no face was found."""
    qualities: NDArray[np.float64]
    impostors: NDArray[np.float64]
    """Sorted similarities of other people's pictures, spoilt likewise, and photographs."""


@dataclass(frozen=True, slots=True)
class Faces:
    """Probes of performers and strangers."""

    performers: tuple[str, ...]
    owners: NDArray[np.int64]
    """Of each probe: its performer; strangers count on from the performers."""
    clear: Compared
    spoilt: Compared
    kinds: tuple[str, ...]
    """What spoils each probe."""


@dataclass(frozen=True, slots=True)
class Tattoos:
    """Views against one view of each design that performers wear."""

    designs: int
    worn: NDArray[np.int64]
    """Of each view: its design; those of strangers, which no performer wears, count on."""
    similarities: Mapping[str, Matrix]
    """By what spoils the picture: [views, designs], verified by key points."""
    qualities: Mapping[str, NDArray[np.float64]]
    impostors: Mapping[str, NDArray[np.float64]]


def read_faces(data: Path, cache: Path, *, seed: int) -> Faces:
    """The people of LFW who set no number; impostors are pairs of those who did."""
    photographs = read_photographs(data)
    people = {**photographs.distractors, **photographs.identities}
    reported = {
        name: files[: 1 + _MOST_PROBES]
        for name, files in photographs.identities.items()
        if not is_for_calibration(name)
    }
    strangers = [of[0] for name, of in photographs.distractors.items() if not is_for_calibration(name)]
    others = [of[0] for name, of in people.items() if is_for_calibration(name)]
    own = [file for files in reported.values() for file in files]
    spoilt = {file: _spoilt(file, cache / "spoilt", seed) for file in [*own, *strangers, *others]}
    files = [*spoilt, *spoilt.values()]
    with Progress() as progress:
        config = load_config(FaceConfig)
        look = asyncio.run(observe_all(files, config, cache=cache / "faces", progress=progress))
    gallery = [max(of, key=lambda file: _quality(look, file)) for of in reported.values()]
    probes = [file for file in own if file not in set(gallery)]
    numbers = {name: number for number, name in enumerate(reported)}
    owners = [numbers[file.parent.name] for file in probes]
    owners += range(len(reported), len(reported) + len(strangers))
    seen = [*probes, *strangers]
    return Faces(
        tuple(reported),
        np.array(owners),
        _compared(look, seen, gallery, others, others),
        _compared(look, [spoilt[one] for one in seen], gallery, [spoilt[one] for one in others], others),
        tuple(_kind_of(file, seed) for file in seen),
    )


def read_tattoos(rendered: Sequence[Path], *, seed: int) -> Tattoos:
    """The studio's test split: designs with other views are worn by performers, the rest by strangers."""
    designs = worn_designs(read_pictures(rendered, split="test"), least_views=1)
    several = [sorted(views, key=lambda one: one.tattoo.view_angle) for views in designs if len(views) > 1]
    single = [views for views in designs if len(views) == 1]
    gallery = [_crop(views[0]) for views in several]
    views = [(number, _crop(one)) for number, of in enumerate(several) for one in of[1 : 1 + _VIEWS]]
    views += [(len(several) + number, _crop(of[0])) for number, of in enumerate(single)]
    worn = np.array([number for number, _ in views])
    similarities, qualities, impostors = {}, {}, {}
    for kind in (CLEAR, *NUISANCES):
        crops = [_crop_spoilt(crop, kind, seed, number) for number, (_, crop) in enumerate(views)]
        similarities[kind] = asyncio.run(_tattoo_similarities(crops, gallery))
        qualities[kind] = np.array([view_quality(crop, built_in_detector().threshold) for crop in crops])
        is_own = worn[:, None] == np.arange(len(gallery))
        impostors[kind] = np.sort(similarities[kind][~is_own])
    return Tattoos(len(gallery), worn, similarities, qualities, impostors)


async def _tattoo_similarities(crops: Sequence[Pixels], gallery: Sequence[Pixels]) -> Matrix:
    return verified_similarities(await built_in().similarities(crops, gallery), crops, gallery)


def _compared(
    look: Look,
    probes: Sequence[Path],
    gallery: Sequence[Path],
    other_probes: Sequence[Path],
    others: Sequence[Path],
) -> Compared:
    comparison = Comparison(look.ensemble.rows, look.seen)
    impostors = comparison.similarities(other_probes, others)
    np.fill_diagonal(impostors, -np.inf)
    # Some people are in the set under two names: what is as alike as a typical genuine pair is one of them.
    impostors[impostors > look.ensemble.primary.operating_point.genuine_median] = -np.inf
    return Compared(
        comparison.similarities(probes, gallery),
        np.array([_quality(look, one) for one in probes]),
        np.sort(impostors[np.isfinite(impostors)]),
    )


def _quality(look: Look, file: Path) -> float:
    seen = look.seen[file]
    return seen.factors.quality if seen is not None else 0.0


def _kind_of(file: Path, seed: int) -> str:
    """What spoils this photograph: one kind, drawn by seed and name."""
    return str(_rng(seed, "kind", file.stem).choice(list(NUISANCES)))


def _spoilt(file: Path, folder: Path, seed: int) -> Path:
    """A spoilt copy of a photograph, made once."""
    copy = folder / str(seed) / file.parent.name / f"{file.stem}.png"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        kind = _kind_of(file, seed)
        pixels = NUISANCES[kind](pixels_of(file), _rng(seed, kind, file.stem))
        cv2.imwrite(str(copy), pixels[..., ::-1])
    return copy


def _crop_spoilt(crop: Pixels, kind: str, seed: int, number: int) -> Pixels:
    return crop if kind == CLEAR else NUISANCES[kind](crop, _rng(seed, kind, str(number)))


def _rng(seed: int, kind: str, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, *kind.encode(), *name.encode()])


def _crop(one: Worn) -> Pixels:
    return cut(load_pixels(one.picture), Box.from_corners(*one.tattoo.box))
