"""Bodies of virtual performers: mannequins that were rendered, measured by the service's own code."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bench.body.views import MeasuredView, measure_pictures
from bench.fusion.nuisances import CLEAR, NUISANCES, PROFILE, nuisance_rng
from bench.tattoo.photographs import pixels_of
from chassis.images import RGBImage
from services.body.likelihood import are_compatible, log_likelihood_ratios
from services.body.measurement import Measurement, combine, stack

__all__ = ["Bodies", "BodiesShown", "read_bodies"]

_ENROLLED = 3
_LEAST_QUALITY = 0.5
_TOLERANCE = 0.2
# Cosine of 45 degrees: whoever shows less of the width is seen from the side.
_TURNED = 0.707

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BodiesShown:
    """All views, spoilt alike or clear, against people of whom three good views are enrolled."""

    is_seen: NDArray[np.bool_]
    """[views]: whether anything is measured."""
    llrs: Matrix
    """[views, people]; 0 where nothing is measured."""
    differences: Matrix
    """[views, people]: the largest relative difference of a ratio that both have; 0 where none is."""
    is_compatible: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bodies:
    """Views of some people."""

    owners: NDArray[np.int64]
    """Of each view: which person's it is."""
    full_views: NDArray[np.int64]
    """Of each person: enrolled views that show every proportion."""
    shown: Mapping[str, BodiesShown]
    """By what spoils the picture."""

    @property
    def people(self) -> int:
        return len(self.full_views)

    def views_of(self, person: int, kind: str) -> NDArray[np.int64]:
        """Views of a person; from the side those that are, where there are any."""
        views = np.flatnonzero(self.owners == person)
        turned = views[self.shown[kind].is_seen[views]] if kind == PROFILE else views
        return turned if len(turned) else views

    def others(self, kind: str) -> Matrix:
        """Log ratios of views, spoilt so, that were seen, with everybody whose they are not, (n,)."""
        shown = self.shown[kind]
        is_other = self.owners[:, None] != np.arange(self.people)
        llrs: Matrix = shown.llrs[is_other & shown.is_seen[:, None]]
        return llrs

    def own(self, kind: str) -> Matrix:
        """The same with those whose they are."""
        shown = self.shown[kind]
        llrs: Matrix = shown.llrs[np.arange(len(self.owners)), self.owners][shown.is_seen]
        return llrs


def read_bodies(folder: Path, cache: Path, *, fitting: bool, seed: int) -> Bodies:
    """Half of the people of FOLDER/PERSON/VIEW.jpg, as `python -m bench.body.render` makes them.

    fitting: the half on which numbers may be fitted, else the one that is reported. Enrolled are three good
    views that nothing spoils, those that show every proportion first; the others, spoilt or not, are probes.
    """
    files = sorted(folder.glob("*/*.jpg"))
    chosen = [one for one in files if (int(one.parent.name) % 2 == 0) == fitting]
    clear = _measured(chosen, CLEAR, cache, seed)
    of_person: defaultdict[str, list[int]] = defaultdict(list)
    for place, file in enumerate(chosen):
        of_person[file.parent.name].append(place)
    enrolled = [found for of in of_person.values() if (found := _enrolled(of, clear)) is not None]
    owners = {chosen[places[0]].parent.name: number for number, places in enumerate(enrolled)}
    taken = {place for places in enrolled for place in places}
    probes = [place for place, file in enumerate(chosen) if file.parent.name in owners and place not in taken]
    gallery = [[_needed(clear[place]).measurement for place in places] for places in enrolled]
    known = stack([combine(of) for of in gallery])
    shown = {}
    for kind in (CLEAR, *NUISANCES):
        views = _measured(chosen, kind, cache, seed)
        shown[kind] = _shown([views[place] for place in probes], known)
    shown[PROFILE] = _shown([_from_the_side(clear[place]) for place in probes], known)
    return Bodies(
        np.array([owners[chosen[place].parent.name] for place in probes], np.int64),
        np.array([int(stack(of).is_measured.all(axis=-1).sum()) for of in gallery], np.int64),
        shown,
    )


def _enrolled(places: Sequence[int], views: Sequence[MeasuredView | None]) -> Sequence[int] | None:
    """Three good views of a person, fullest first; None where there are no more than these."""
    good = [place for place in places if (view := views[place]) is not None and _is_good(view)]
    fullest = sorted(good, key=lambda place: -int(_needed(views[place]).measurement.is_measured.all()))
    return fullest[:_ENROLLED] if len(good) > _ENROLLED else None


def _from_the_side(view: MeasuredView | None) -> MeasuredView | None:
    """None for who is seen from the front or from behind."""
    return view if view is not None and view.view.across < _TURNED else None


def _is_good(view: MeasuredView) -> bool:
    return view.quality >= _LEAST_QUALITY and bool(view.measurement.is_measured.any())


def _needed(view: MeasuredView | None) -> MeasuredView:
    assert view is not None, "only measured views are enrolled"
    return view


def _shown(views: Sequence[MeasuredView | None], known: Measurement) -> BodiesShown:
    people = len(known.logs)
    is_seen = np.array([one is not None and bool(one.measurement.is_measured.any()) for one in views], bool)
    llrs, differences = np.zeros((len(views), people)), np.zeros((len(views), people))
    compatible = np.ones((len(views), people), bool)
    for row in map(int, np.flatnonzero(is_seen)):
        probe = _needed(views[row]).measurement
        both = probe.is_measured & known.is_measured
        llrs[row] = log_likelihood_ratios(probe, known)
        differences[row] = np.where(both, np.expm1(np.abs(probe.logs - known.logs)), 0.0).max(axis=-1)
        compatible[row] = are_compatible(probe, known, tolerance=_TOLERANCE)
    return BodiesShown(is_seen, llrs, differences, compatible)


def _measured(files: Sequence[Path], kind: str, cache: Path, seed: int) -> list[MeasuredView | None]:
    """What the service makes of each picture, spoilt so; kept."""
    told = "\n".join(f"{one.parent.name}/{one.name} {one.stat().st_size}" for one in files)
    name = hashlib.sha256(f"{seed} {kind}\n{told}".encode()).hexdigest()[:16]
    kept = cache / "bodies" / f"{kind}-{name}.pickle"
    if kept.exists():
        views: list[MeasuredView | None] = pickle.loads(kept.read_bytes())
        return views
    pictures = track(_spoilt(files, kind, seed), f"bodies, {kind}", total=len(files))
    views = asyncio.run(measure_pictures(pictures))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(views))
    return views


def _spoilt(files: Sequence[Path], kind: str, seed: int) -> Iterator[tuple[str, RGBImage]]:
    for file in files:
        name, pixels = f"{file.parent.name}/{file.stem}", pixels_of(file)
        if kind != CLEAR:
            pixels = NUISANCES[kind](pixels, nuisance_rng(seed, kind, name))
        yield file.parent.name, pixels
