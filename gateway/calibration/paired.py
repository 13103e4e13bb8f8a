"""Whether tattoos, or bodies, help faces, on images in which both are enrolled. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from gateway.calibration.bootstrap import Interval, mean_interval
from gateway.fusion.posterior import Posterior, log_prior, posterior

__all__ = ["LEAST_IMAGES", "PairedImage", "PairedTest", "paired_test"]

LEAST_IMAGES = 30
"""Images without which nothing is tested."""
# A probability of 0 has no logarithm.
_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True, slots=True)
class PairedImage:
    """Natural logs of one image's likelihood ratios, by performer: the right one and others."""

    performer_id: str
    face: Mapping[str, float]
    added: Mapping[str, float]
    """By the other signal, as they count in an answer; the same performers."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What another signal adds to faces."""

    images: int
    performers: int
    rank1_face: float = 0.0
    """Share of images whose right performer comes first by face alone, 0..1."""
    rank1_both: float = 0.0
    rank1_gain: Interval | None = None
    """Mean over performers; None where it was not tested."""
    log_gain: Interval | None = None
    """Mean over performers of what the log probability of the right one gains."""
    tested_weight: float = 1.0
    """What the other signal's ratios were multiplied by, 0..1."""
    must_help: bool = False
    """Whether it counts only if it is shown to help; else it counts unless it is shown to hurt."""

    @property
    def is_tested(self) -> bool:
        return self.rank1_gain is not None

    @property
    def hurts(self) -> bool:
        """Whether the whole interval of either gain is below 0."""
        return any(one is not None and one.high < 0 for one in (self.rank1_gain, self.log_gain))

    @property
    def helps(self) -> bool:
        """Whether that of the log probability is above 0, and nothing hurts."""
        return self.log_gain is not None and self.log_gain.low > 0 and not self.hurts

    @property
    def weight(self) -> float:
        """The one tested, or 0: where it hurts, or where it does not help and must."""
        is_passed = not self.is_tested or (self.helps if self.must_help else not self.hurts)
        return self.tested_weight if is_passed else 0.0


def paired_test(
    images: Iterable[PairedImage],
    *,
    unknown: float,
    seed: int,
    tested_weight: float = 1.0,
    must_help: bool = False,
) -> PairedTest:
    """Compare the right performer's rank and probability by face alone with those by both.

    images: gone through once. unknown: probability, between 0 and 1, that a person is nobody of the gallery.
    tested_weight, must_help: see PairedTest. Under 30 images nothing is tested. Raises InvalidInput for a
    ratio that is not finite.
    """
    names: list[str] = []
    found: list[tuple[float, ...]] = []
    for one in images:
        both = {name: ratio + one.added[name] for name, ratio in one.face.items()}
        names.append(one.performer_id)
        found.append(
            tuple(value for ratios in (one.face, both) for value in _told(ratios, one.performer_id, unknown))
        )
    if len(names) < LEAST_IMAGES:
        return PairedTest(len(names), len(set(names)), tested_weight=tested_weight, must_help=must_help)
    first_face, log_face, first_both, log_both = np.array(found, np.float64).T
    return PairedTest(
        images=len(names),
        performers=len(set(names)),
        tested_weight=tested_weight,
        must_help=must_help,
        rank1_face=float(first_face.mean()),
        rank1_both=float(first_both.mean()),
        rank1_gain=mean_interval(names, first_both - first_face, seed=seed),
        log_gain=mean_interval(names, log_both - log_face, seed=seed),
    )


def _told(ratios: Mapping[str, float], name: str, unknown: float) -> tuple[float, float]:
    """1 where this one is more probable than all others, else 0, for a tie is no help; and the log of it."""
    probabilities = _believed(ratios, unknown).probabilities
    own = probabilities[name]
    is_first = all(own > other for who, other in probabilities.items() if who != name)
    return float(is_first), math.log(max(own, _LEAST_PROBABILITY))


def _believed(ratios: Mapping[str, float], unknown: float) -> Posterior:
    logs = {
        one: log_prior(one, gallery_size=len(ratios), unknown=unknown) + ratio
        for one, ratio in ratios.items()
    }
    return posterior(logs, log_unknown=math.log(unknown))
