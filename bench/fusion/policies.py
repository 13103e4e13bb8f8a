"""What each policy makes of a picture: its first candidate and the score. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.fusion.virtual import Probe
from chassis.signal.calibration import Calibration
from chassis.signal.operating_point import OperatingPoint
from gateway.fusion.assumed import UNCALIBRATED
from gateway.fusion.posterior import log_prior, posterior
from gateway.weighted import rank_weighted, weights_of

__all__ = ["FACE_ONLY", "BAYESIAN", "PRODUCT", "WEIGHTED", "First", "Policies"]

FACE_ONLY, WEIGHTED, PRODUCT, BAYESIAN = "face only", "WEIGHTED", "product rule", "BAYESIAN"
# Of the visible skin, what a tattoo takes for WEIGHTED.
_COVERAGE = 0.1


@dataclass(frozen=True, slots=True)
class First:
    """The first candidate, None for nobody, and its score."""

    candidate: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Policies:
    """All of them on the same evidence."""

    face: Calibration
    tattoo: Calibration
    face_point: OperatingPoint
    tattoo_point: OperatingPoint
    gallery: int
    unknown: float

    def all(self) -> Mapping[str, Callable[[Probe], First]]:
        """By name."""
        return {
            FACE_ONLY: lambda probe: self._bayesian(probe, with_tattoo=False),
            WEIGHTED: self._weighted,
            PRODUCT: self._product,
            BAYESIAN: lambda probe: self._bayesian(probe, with_tattoo=True),
        }

    def _bayesian(self, probe: Probe, *, with_tattoo: bool) -> First:
        tattoo = probe.tattoo if with_tattoo else {}
        prior = log_prior("", gallery_size=self.gallery, unknown=self.unknown)
        logs = {}
        for one in probe.proposed:
            llr = self.face.llr(probe.face[one], probe.face_quality) if one in probe.face else 0.0
            llr += self.tattoo.llr(tattoo[one], probe.tattoo_quality) if one in tattoo else 0.0
            logs[one] = prior + UNCALIBRATED * llr
        believed = posterior(logs, log_unknown=math.log(self.unknown)).probabilities
        first = next(iter(believed), None)
        return First(first, believed[first] if first is not None else 0.0)

    def _weighted(self, probe: Probe) -> First:
        weights = weights_of(
            face_quality=probe.face_quality if probe.face else None,
            tattoo_coverage=_COVERAGE if probe.tattoo else None,
        )
        ranked = rank_weighted(
            probe.proposed,
            weights=weights,
            face={one: self.face_point.confidence(value) for one, value in probe.face.items()},
            tattoo={one: self.tattoo_point.confidence(value) for one, value in probe.tattoo.items()},
        )
        return First(ranked[0].performer_id, ranked[0].score) if ranked else First(None, 0.0)

    def _product(self, probe: Probe) -> First:
        scores = {one: _face_factor(probe, one) * _tattoo_factor(probe, one) for one in probe.proposed}
        first = min(scores, key=lambda one: (-scores[one], one), default=None)
        return First(first, scores[first] if first is not None else 0.0)


def _face_factor(probe: Probe, candidate: str) -> float:
    """1 / (1 + distance), distance 1 - similarity; that of the farthest for who has no face."""
    return 1 / (2 - probe.face[candidate]) if candidate in probe.face else 1 / 3


def _tattoo_factor(probe: Probe, candidate: str) -> float:
    """Multiplied by hand-picked numbers, as public systems did."""
    if not probe.tattoo:
        return 1.0
    similarity = probe.tattoo.get(candidate)
    if similarity is None:
        return 0.7
    if similarity > 0.7:
        return 1.3 + 0.2 * min(1.0, (similarity - 0.7) / 0.3)
    return 1.1 if similarity > 0.5 else 1.0
