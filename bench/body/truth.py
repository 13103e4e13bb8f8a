"""What is true of rendered people, beside what the pose network makes of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.body.kinds import KINDS

__all__ = ["Followed", "followed", "read_truth"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Followed:
    """A ratio in truth and as measured, over people: natural logs."""

    mean: float
    spread: float
    slope: float
    """How much the measured mean of a person changes with the true one: 1 where the network follows it."""
    correlation: float


def read_truth(folder: Path) -> Mapping[str, _Floats]:
    """(6,) true log ratios of each person; empty where the set does not tell."""
    path = folder / "truth.json"
    if not path.exists():
        return {}
    people = json.loads(path.read_text())
    return {
        name: np.array([ratios[kind.name.lower()] for kind in KINDS], np.float64)
        for name, ratios in people.items()
    }


def followed(truth: Mapping[str, _Floats], measured: Mapping[str, _Floats]) -> list[Followed]:
    """For each of the six ratios; `measured`: a person's mean over all views, (6,), NaN where unknown."""
    both = [(truth[name], measured[name]) for name in truth if name in measured]
    true, seen = (np.array(side) for side in zip(*both, strict=True))
    return [_followed(true[:, row], seen[:, row]) for row in range(len(KINDS))]


def _followed(true: _Floats, seen: _Floats) -> Followed:
    known = ~np.isnan(seen)
    slope = np.polyfit(true[known], seen[known], 1)[0]
    correlation = np.corrcoef(true[known], seen[known])[0, 1]
    return Followed(float(true.mean()), float(true.std()), float(slope), float(correlation))
