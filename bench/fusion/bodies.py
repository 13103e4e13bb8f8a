"""Bodies of virtual performers: mannequins that were rendered, measured by the service's own code."""

from __future__ import annotations

import asyncio
import pickle
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.body.views import MeasuredView, measure_folder
from services.body.likelihood import are_compatible, log_likelihood_ratios
from services.body.measurement import combine, stack

__all__ = ["Bodies", "read_bodies"]

_ENROLLED = 3
_LEAST_QUALITY = 0.5
_TOLERANCE = 0.2


@dataclass(frozen=True, slots=True)
class Bodies:
    """Views against people of whom three good views are enrolled."""

    owners: NDArray[np.int64]
    """Of each view: which person's it is."""
    llrs: NDArray[np.float64]
    """[views, people]."""
    differences: NDArray[np.float64]
    """[views, people]: the largest relative difference of a ratio that both have; 0 where none is."""
    is_compatible: NDArray[np.bool_]


def read_bodies(folder: Path, cache: Path) -> Bodies:
    """People of FOLDER/PERSON/VIEW.jpg, as `python -m bench.body.render` makes them."""
    people: defaultdict[str, list[MeasuredView]] = defaultdict(list)
    for view in _measured(folder, cache):
        if view.quality >= _LEAST_QUALITY and view.measurement.is_measured.any():
            people[view.person].append(view)
    several = [views for views in people.values() if len(views) > _ENROLLED]
    enrolled = stack([combine([one.measurement for one in of[:_ENROLLED]]) for of in several])
    probes = [(number, one.measurement) for number, of in enumerate(several) for one in of[_ENROLLED:]]
    llrs, differences, compatible = [], [], []
    for _, probe in probes:
        both = probe.is_measured & enrolled.is_measured
        apart = np.where(both, np.expm1(np.abs(probe.logs - enrolled.logs)), 0.0)
        llrs.append(log_likelihood_ratios(probe, enrolled))
        differences.append(apart.max(axis=-1))
        compatible.append(are_compatible(probe, enrolled, tolerance=_TOLERANCE))
    owners = np.array([number for number, _ in probes])
    return Bodies(owners, np.array(llrs), np.array(differences), np.array(compatible))


def _measured(folder: Path, cache: Path) -> list[MeasuredView]:
    kept = cache / "bodies.pickle"
    if kept.exists():
        views: list[MeasuredView] = pickle.loads(kept.read_bytes())
        return views
    views, _ = asyncio.run(measure_folder(folder))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(views))
    return views
