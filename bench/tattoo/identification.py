"""Who of BIVTatt's subjects a tattoo belongs to: other photographs of it, and seeded copies of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.tattoo.describers import Describer
from bench.tattoo.photographs import TattooPhotograph
from bench.tattoo.screened import screened
from bench.tattoo.transforms import TRANSFORMS, Pixels
from chassis.signal.operating_point import OperatingPoint
from services.tattoo.agreement import agreeing_points
from services.tattoo.crop import cut
from services.tattoo.key_points import KeyPoints, find_key_points
from services.tattoo.verification import verified

__all__ = ["MATES", "Protocol", "Answers", "protocol_of", "answer", "with_verification"]

MATES = "another photograph"
"""Kind of the probes that are photographs of their own."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """Probes, each against the whole gallery."""

    gallery: tuple[Pixels, ...]
    subjects: tuple[str, ...]
    """Of each gallery crop."""
    probes: tuple[Pixels, ...]
    probe_subjects: tuple[str, ...]
    kinds: tuple[str, ...]
    """What was done to each probe."""
    left_out: tuple[int | None, ...]
    """The gallery crop that each probe itself is."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a describer made of the probes."""

    similarities: NDArray[np.float64]
    is_wrong: NDArray[np.bool_]

    def wrong_of(self, protocol: Protocol) -> Mapping[str, tuple[int, int]]:
        """Errors and probes of each kind."""
        kinds = np.array(protocol.kinds)
        return {
            kind: (int(self.is_wrong[kinds == kind].sum()), int((kinds == kind).sum()))
            for kind in dict.fromkeys(kinds)
        }


def protocol_of(photographs: Sequence[TattooPhotograph], *, seed: int) -> Protocol:
    """Leave one out for subjects with several photographs; every photograph by every transform."""
    gallery = [cut(one.pixels, one.main) for one in photographs]
    subjects = [one.subject for one in photographs]
    probes: list[tuple[Pixels, str, str, int | None]] = [
        (gallery[index], one.subject, MATES, index)
        for index, one in enumerate(photographs)
        if subjects.count(one.subject) > 1
    ]
    for kind_number, (kind, transform) in enumerate(TRANSFORMS.items()):
        for index, one in enumerate(photographs):
            rng = np.random.default_rng([seed, kind_number, index])
            probes.append((transform(one, rng), one.subject, kind, None))
    pixels, owners, kinds, left_out = zip(*probes, strict=True)
    return Protocol(tuple(gallery), tuple(subjects), pixels, owners, kinds, left_out)


async def answer(describer: Describer, protocol: Protocol) -> Answers:
    """Rank the gallery for each probe."""
    return _judged(protocol, await describer.similarities(protocol.probes, protocol.gallery))


def with_verification(answers: Answers, protocol: Protocol, point: OperatingPoint) -> Answers:
    """The same with key points of the most alike views counted, as the service does it by default."""
    points = [find_key_points(crop) for crop in protocol.gallery]
    similarities = answers.similarities.copy()
    for number, probe in enumerate(protocol.probes):
        similarities[number] = _verified(find_key_points(probe), points, similarities[number], point)
    return _judged(protocol, similarities)


def _verified(
    probe: KeyPoints, gallery: Sequence[KeyPoints], similarities: NDArray[np.float64], point: OperatingPoint
) -> NDArray[np.float64]:
    """Of one probe; what is left out is not comparable, and stays so."""
    places = np.flatnonzero(np.isfinite(similarities))
    found = dict(zip(places.tolist(), similarities[places].tolist(), strict=True))
    alike = sorted(found, key=lambda place: -found[place])
    best = screened(probe, {place: gallery[place] for place in alike})
    agreeing = {place: agreeing_points(probe, gallery[place]) for place in best}
    counted = similarities.copy()
    counted[places] = list(verified(found, agreeing, point).values())
    return counted


def _judged(protocol: Protocol, similarities: NDArray[np.float64]) -> Answers:
    scores = similarities.copy()
    for number, itself in enumerate(protocol.left_out):
        if itself is not None:
            scores[number, itself] = -np.inf
    best = np.array(protocol.subjects)[scores.argmax(axis=1)]
    return Answers(scores, best != np.array(protocol.probe_subjects))
