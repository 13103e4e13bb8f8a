"""Faces of virtual performers: those of real people, through the service's own code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from bench.faces.comparing import Comparison
from bench.faces.dataset import SAME_FACE, is_for_calibration, read_photographs
from bench.faces.observing import Look, observe_all
from bench.fusion.nuisances import KINDS, NUISANCES, PROFILE, kind_of, nuisance_rng
from bench.fusion.profiles import turn_heads
from bench.tattoo.photographs import pixels_of
from chassis.config import load_config
from services.face.config import FaceConfig
from services.face.table import EmbedderRow

__all__ = ["Compared", "Faces", "read_faces"]

_MOST_PROBES = 4

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


def read_faces(
    data: Path,
    cache: Path,
    *,
    fitting: bool,
    seed: int,
    embedders: Sequence[str] = (),
    limit: int | None = None,
    kinds: Sequence[str] = KINDS,
) -> Faces:
    """One half of the people of LFW: those on whom numbers may be fitted, or the others, who are reported.

    embedders: names of those that count, all in use by default. limit: people of each kind, for a quick look.
    kinds: what may spoil a picture.
    """
    photographs = read_photographs(data, limit=limit)
    people = {
        name: files[: 1 + _MOST_PROBES]
        for name, files in photographs.identities.items()
        if is_for_calibration(name) == fitting
    }
    strangers = [of[0] for name, of in photographs.distractors.items() if is_for_calibration(name) == fitting]
    own = [file for files in people.values() for file in files]
    spoilt = _spoilt([*own, *strangers], cache / "spoilt", seed, kinds)
    files = [*spoilt, *spoilt.values()]
    with Progress() as progress:
        config = load_config(FaceConfig)
        look = asyncio.run(observe_all(files, config, cache=cache / "faces", progress=progress))
    rows = tuple(row for row in look.ensemble.rows if not embedders or row.name in embedders)
    gallery = [max(of, key=lambda file: _quality(look, file)) for of in people.values()]
    probes = [file for file in own if file not in set(gallery)]
    numbers = {name: number for number, name in enumerate(people)}
    owners = [numbers[file.parent.name] for file in probes]
    owners += range(len(people), len(people) + len(strangers))
    seen, others = [*probes, *strangers], [*gallery, *strangers]
    return Faces(
        tuple(people),
        np.array(owners),
        _compared(rows, look, seen, gallery, others, others),
        _compared(
            rows, look, [spoilt[one] for one in seen], gallery, [spoilt[one] for one in others], others
        ),
        tuple(kind_of(file.stem, seed, kinds) for file in seen),
    )


def _compared(
    rows: tuple[EmbedderRow, ...],
    look: Look,
    probes: Sequence[Path],
    gallery: Sequence[Path],
    other_probes: Sequence[Path],
    others: Sequence[Path],
) -> Compared:
    comparison = Comparison(rows, look.seen)
    impostors = comparison.similarities(other_probes, others)
    names = [file.parent.name for file in others]
    same = [(names.index(one), names.index(two)) for one, two in SAME_FACE if {one, two} <= set(names)]
    for one, two in [*same, *((two, one) for one, two in same), *((n, n) for n in range(len(names)))]:
        impostors[one, two] = -np.inf
    return Compared(
        comparison.similarities(probes, gallery),
        np.array([_quality(look, one) for one in probes]),
        np.sort(impostors[np.isfinite(impostors)]),
    )


def _quality(look: Look, file: Path) -> float:
    seen = look.seen[file]
    return seen.factors.quality if seen is not None else 0.0


def _spoilt(files: Sequence[Path], folder: Path, seed: int, kinds: Sequence[str]) -> dict[Path, Path]:
    """Spoilt copies of photographs, made once."""
    found = {file: kind_of(file.stem, seed, kinds) for file in files}
    copies = {file: _copy_of(file, folder / str(seed), kind) for file, kind in found.items()}
    missing = {file: copy for file, copy in copies.items() if not copy.exists()}
    for file, copy in missing.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        kind = found[file]
        if kind != PROFILE:
            pixels = NUISANCES[kind](pixels_of(file), nuisance_rng(seed, kind, file.stem))
            cv2.imwrite(str(copy), pixels[..., ::-1])
    turn_heads({file: copy for file, copy in missing.items() if found[file] == PROFILE}, seed=seed)
    return copies


def _copy_of(file: Path, folder: Path, kind: str) -> Path:
    """Who is turned has another copy than what the picture has without."""
    mark = "-turned" if kind == PROFILE else ""
    return folder / file.parent.name / f"{file.stem}{mark}.png"
