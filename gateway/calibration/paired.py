"""Whether tattoos help faces, on images in which both are enrolled. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.calibration.bootstrap import Interval, Values, mean_interval
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
    tattoo: Mapping[str, float]
    """The same performers."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """What tattoos add to faces."""

    images: int
    performers: int
    rank1_face: float = 0.0
    """Share of images whose right performer comes first by face alone, 0..1."""
    rank1_both: float = 0.0
    rank1_gain: Interval | None = None
    """Mean over performers; None where it was not tested."""
    log_gain: Interval | None = None
    """Mean over performers of what the log probability of the right one gains."""

    @property
    def is_tested(self) -> bool:
        return self.rank1_gain is not None

    @property
    def weight(self) -> float:
        """0 where tattoos hurt: where the whole interval of either gain is below 0; else 1."""
        gains = (self.rank1_gain, self.log_gain)
        return 0.0 if any(one is not None and one.high < 0 for one in gains) else 1.0


def paired_test(images: Sequence[PairedImage], *, unknown: float, seed: int) -> PairedTest:
    """Compare the right performer's rank and probability by face alone with those by both.

    unknown: probability, between 0 and 1, that a person is nobody of the gallery. Under 30 images nothing is
    tested. Raises InvalidInput for a ratio that is not finite.
    """
    names = [one.performer_id for one in images]
    if len(images) < LEAST_IMAGES:
        return PairedTest(len(images), len(set(names)))
    alone = [_believed(one.face, unknown) for one in images]
    both = [
        _believed({name: ratio + one.tattoo[name] for name, ratio in one.face.items()}, unknown)
        for one in images
    ]
    firsts = [_are_first(believed, names) for believed in (alone, both)]
    logs = [_logs(believed, names) for believed in (alone, both)]
    return PairedTest(
        images=len(images),
        performers=len(set(names)),
        rank1_face=float(firsts[0].mean()),
        rank1_both=float(firsts[1].mean()),
        rank1_gain=mean_interval(names, firsts[1] - firsts[0], seed=seed),
        log_gain=mean_interval(names, logs[1] - logs[0], seed=seed),
    )


def _believed(ratios: Mapping[str, float], unknown: float) -> Posterior:
    logs = {
        one: log_prior(one, gallery_size=len(ratios), unknown=unknown) + ratio
        for one, ratio in ratios.items()
    }
    return posterior(logs, log_unknown=math.log(unknown))


def _are_first(believed: Sequence[Posterior], names: Sequence[str]) -> Values:
    """1 where the right performer is more probable than all others, else 0: a tie is no help."""
    found = []
    for one, name in zip(believed, names, strict=True):
        own = one.probabilities[name]
        found.append(all(own > other for who, other in one.probabilities.items() if who != name))
    return np.array(found, np.float64)


def _logs(believed: Sequence[Posterior], names: Sequence[str]) -> Values:
    own = [one.probabilities[name] for one, name in zip(believed, names, strict=True)]
    return np.log(np.maximum(own, _LEAST_PROBABILITY))
