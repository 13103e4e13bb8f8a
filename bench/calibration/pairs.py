"""Probes against performers, leave one out: what a calibration is fitted on. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.signal.calibration import Calibration, cllr
from chassis.signal.calibration_fitting import Pairs

__all__ = ["Judged", "judged", "probe_pairs"]

MOST_ENROLLED = 3
"""Views of a performer that a probe is compared with, drawn at random."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a calibration is worth on pairs that it was not fitted on."""

    genuine: int
    impostors: int
    cllr: float
    """Bits: 0 is perfect, 1 says nothing."""
    misleading_genuine: float
    """Share of genuine pairs with a ratio against them."""
    misleading_impostors: float
    """Share of impostor pairs with a ratio for them."""


def probe_pairs(
    similarities: NDArray[np.float64],
    qualities: Sequence[float],
    owners: Sequence[str],
    *,
    seed: int,
    enrolled: Sequence[bool] | None = None,
) -> tuple[Pairs, Pairs]:
    """Return genuine and impostor pairs of a probe and a performer.

    similarities [n, n] of all views, minus infinity where two cannot be compared; qualities and owners;
    which views can be enrolled, all by default. Each view is a probe against every performer with another
    view, of which up to MOST_ENROLLED count; the most similar one decides, as when performers are scored.
    Quality is the probe's.
    """
    rng = np.random.default_rng(seed)
    views: dict[str, list[int]] = {}
    for index, owner in enumerate(owners):
        if enrolled is None or enrolled[index]:
            views.setdefault(owner, []).append(index)
    found: Mapping[bool, list[tuple[float, float]]] = {True: [], False: []}
    for probe, owner in enumerate(owners):
        for performer, all_views in views.items():
            others = [view for view in all_views if view != probe]
            if not others:
                continue
            chosen = rng.choice(others, min(MOST_ENROLLED, len(others)), replace=False)
            best = float(similarities[probe, chosen].max())
            if np.isfinite(best):
                found[performer == owner].append((best, qualities[probe]))
    return _pairs(found[True]), _pairs(found[False])


def judged(calibration: Calibration, genuine: Pairs, impostors: Pairs) -> Judged:
    """Measure a calibration on other pairs."""
    ours, theirs = (calibration.llrs(one.similarities, one.qualities) for one in (genuine, impostors))
    return Judged(
        len(genuine),
        len(impostors),
        cllr(ours, theirs),
        float((ours < 0).mean()),
        float((theirs > 0).mean()),
    )


def _pairs(found: Sequence[tuple[float, float]]) -> Pairs:
    values = np.array(found, np.float64).reshape(-1, 2)
    return Pairs(values[:, 0], values[:, 1])
