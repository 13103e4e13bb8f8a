"""What each policy makes of the people of a picture: the first candidates and their scores. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.fusion.known import Known, known_llrs
from bench.fusion.virtual import Probe
from chassis.signal.calibration import Calibration
from chassis.signal.operating_point import OperatingPoint
from chassis.signal.shipped_calibration import shipped_for
from gateway.fusion.absence import enrolled_or_not
from gateway.fusion.assumed import UNCALIBRATED
from gateway.fusion.exclusive import exclusive
from gateway.fusion.posterior import Posterior, log_prior, posterior
from gateway.weighted import rank_weighted, weights_of
from services.face.table import BUILT_IN_ROWS, DEFAULT_EMBEDDERS
from services.tattoo.table import built_in_embedder

__all__ = [
    "BAYESIAN",
    "FACE_ONLY",
    "PRODUCT",
    "SHIPPED",
    "SHIPPED_FACE",
    "WEIGHTED",
    "Answer",
    "Maps",
    "Policies",
    "shipped_policies",
]

FACE_ONLY, WEIGHTED, PRODUCT, BAYESIAN = "face only", "WEIGHTED", "product rule", "BAYESIAN"
SHIPPED_FACE, SHIPPED = "face only, as shipped", "BAYESIAN, as shipped"
# Of the visible skin, what a tattoo takes for WEIGHTED.
_COVERAGE = 0.1
_LISTED = 5
# Of the product rule: factors of bodies that differ by more.
_BODIES = ((0.35, 0.3), (0.2, 0.6), (0.12, 0.85))


@dataclass(frozen=True, slots=True)
class Answer:
    """The first five candidates, and the score of the first one; for BAYESIAN its probability."""

    candidates: tuple[str, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Maps:
    """Calibrations, and what their ratios are multiplied by."""

    face: Calibration
    tattoo: Calibration
    face_factor: float = 1.0
    tattoo_factor: float = 1.0

    def llr(self, probe: Probe, candidate: str, *, with_tattoo: bool = True) -> float:
        """Natural log of what is seen of a probe, were it this candidate, over a stranger."""
        face, tattoo = probe.face.get(candidate), probe.tattoo.get(candidate)
        llr = 0.0 if face is None else self.face_factor * self.face.llr(face, probe.face_quality)
        if with_tattoo and probe.known is not None:
            [found] = self._known(probe, probe.known, [candidate])
            return llr + found
        if with_tattoo and tattoo is not None:
            told = self.tattoo_factor * self.tattoo.llr(tattoo, probe.tattoo_quality)
            llr += float(enrolled_or_not(told))
        return llr

    def llrs(self, probe: Probe, *, with_tattoo: bool) -> Mapping[str, float]:
        """The same of all who are proposed."""
        if not with_tattoo or probe.known is None:
            return {one: self.llr(probe, one, with_tattoo=with_tattoo) for one in probe.proposed}
        found = zip(probe.proposed, self._known(probe, probe.known, probe.proposed), strict=True)
        return {one: self.llr(probe, one, with_tattoo=False) + tattoos for one, tattoos in found}

    def _known(self, probe: Probe, known: Known, candidates: Sequence[str]) -> list[float]:
        """What tattoos say where it is known where they are, and which skin is in view."""
        told = {
            one: self.tattoo.llr(probe.tattoo[one], probe.tattoo_quality)
            for one in candidates
            if one in probe.tattoo
        }
        found: list[float] = known_llrs(known, candidates, told, factor=self.tattoo_factor).tolist()
        return found


@dataclass(frozen=True, slots=True)
class Policies:
    """All of them on the same evidence; a decision is about all people of one picture."""

    fitted: Maps
    """On this library."""
    shipped: Maps
    face_point: OperatingPoint
    tattoo_point: OperatingPoint
    gallery: int
    unknown: float

    def all(self) -> Mapping[str, Callable[[Sequence[Probe]], list[Answer]]]:
        """By name."""
        return {
            FACE_ONLY: lambda people: self._bayesian(people, self.fitted, with_tattoo=False),
            WEIGHTED: lambda people: [self._weighted(one) for one in people],
            PRODUCT: lambda people: [_product(one) for one in people],
            BAYESIAN: lambda people: self._bayesian(people, self.fitted, with_tattoo=True),
            SHIPPED_FACE: lambda people: self._bayesian(people, self.shipped, with_tattoo=False),
            SHIPPED: lambda people: self._bayesian(people, self.shipped, with_tattoo=True),
        }

    def _bayesian(self, people: Sequence[Probe], maps: Maps, *, with_tattoo: bool) -> list[Answer]:
        """As `gateway.bayesian` does it: a body counts nothing."""
        alone = [self._believed(one, maps, with_tattoo=with_tattoo) for one in people]
        return [_first(one) for one in exclusive(alone)]

    def _believed(self, probe: Probe, maps: Maps, *, with_tattoo: bool) -> Posterior:
        prior = log_prior("", gallery_size=self.gallery, unknown=self.unknown)
        logs = {one: prior + llr for one, llr in maps.llrs(probe, with_tattoo=with_tattoo).items()}
        return posterior(logs, log_unknown=math.log(self.unknown))

    def _weighted(self, probe: Probe) -> Answer:
        weights = weights_of(
            face_quality=probe.face_quality if probe.face else None,
            tattoo_coverage=_COVERAGE if probe.tattoo else None,
        )
        compatible = {one for one in probe.proposed if one in probe.body and probe.body[one].is_compatible}
        ranked = rank_weighted(
            frozenset(probe.proposed),
            weights=weights,
            face={one: self.face_point.confidence(value) for one, value in probe.face.items()},
            tattoo={one: self.tattoo_point.confidence(value) for one, value in probe.tattoo.items()},
            compatible=frozenset(compatible),
        )
        first = tuple(one.performer_id for one in ranked[:_LISTED])
        return Answer(first, min(1.0, ranked[0].score) if ranked else 0.0)


def shipped_policies(*, gallery: int, unknown: float) -> Policies:
    """As Identify runs with nothing calibrated. Raises LookupError where no calibration ships."""
    rows = [BUILT_IN_ROWS[name] for name in DEFAULT_EMBEDDERS]
    tattoo = built_in_embedder()
    maps = Maps(
        _needed(shipped_for("services.face", [row.key for row in rows])),
        _needed(shipped_for("services.tattoo", [tattoo.key])),
        UNCALIBRATED,
        UNCALIBRATED,
    )
    return Policies(
        fitted=maps,
        shipped=maps,
        face_point=rows[0].operating_point,
        tattoo_point=tattoo.operating_point,
        gallery=gallery,
        unknown=unknown,
    )


def _needed(calibration: Calibration | None) -> Calibration:
    if calibration is None:
        raise LookupError("no calibration ships for the built-in embedders: python -m bench.calibration")
    return calibration


def _first(believed: Posterior) -> Answer:
    first = tuple(believed.probabilities)[:_LISTED]
    return Answer(first, believed.probabilities[first[0]] if first else 0.0)


def _product(probe: Probe) -> Answer:
    scores = {
        one: _face_factor(probe, one) * _tattoo_factor(probe, one) * _body_factor(probe, one)
        for one in probe.proposed
    }
    ranked = sorted(scores, key=lambda one: (-scores[one], one))
    return Answer(tuple(ranked[:_LISTED]), min(1.0, scores[ranked[0]]) if ranked else 0.0)


def _face_factor(probe: Probe, candidate: str) -> float:
    """1 / (1 + distance), distance 1 - similarity; that of the farthest for who has no face."""
    return 1 / (2 - probe.face[candidate]) if candidate in probe.face else 1 / 3


def _tattoo_factor(probe: Probe, candidate: str) -> float:
    """Multiplied by hand-picked numbers, as public systems did."""
    if not probe.tattoo:
        return 0.95 if candidate in probe.wearers else 1.0
    similarity = probe.tattoo.get(candidate)
    if similarity is None:
        return 0.7
    if similarity > 0.7:
        return 1.3 + 0.2 * min(1.0, (similarity - 0.7) / 0.3)
    return 1.1 if similarity > 0.5 else 1.0


def _body_factor(probe: Probe, candidate: str) -> float:
    if candidate not in probe.body:
        return 1.0
    difference = probe.body[candidate].difference
    return next(
        (factor for least, factor in ((0.35, 0.3), (0.2, 0.6), (0.12, 0.85)) if difference > least), 1.0
    )
