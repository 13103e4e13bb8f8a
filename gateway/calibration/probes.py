"""Which enrolled images are compared with the rest of the gallery, and with whom. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.calibration.performers import Numbers, Performers

__all__ = [
    "MOST_OF_A_PERFORMER",
    "MOST_OTHERS",
    "Images",
    "Probe",
    "choose_paired",
    "choose_probes",
    "others_of",
]

MOST_OF_A_PERFORMER = 4
"""Probes of one performer: many alike pictures of one person say little more than a few."""
MOST_OTHERS = 200
"""Other performers that a probe is compared with."""
# As many images as a query can leave out.
_MOST_EXCEPT = 1000

Images = Mapping[str, Mapping[str, str]]
"""By performer, the images that something is enrolled from, and the day of each: YYYY-MM-DD or ""."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One performer in one enrolled image."""

    performer_id: str
    image_hash: str
    except_images: tuple[str, ...]
    """What is not compared: the image itself and the performer's others of the same day, sorted."""
    is_undated: bool
    """Whether the day of this image, or of one that it is compared with, is unknown: one shoot, perhaps."""


def choose_probes(images: Images, *, most: int, seed: int) -> tuple[Probe, ...]:
    """Up to four images of each performer who is seen in two shoots, `most` in all; the seed decides which.

    A day is a shoot; an image without a day is one of its own. Where there are more than `most`, every
    performer has a first one before anybody has a second one.
    """
    by_performer = [
        _drawn(performer_id, _eligible(performer_id, own, own), seed)
        for performer_id, own in _shuffled(images, seed)
    ]
    return _in_turn(by_performer, most)


def choose_paired(face: Images, tattoo: Images, *, most: int, seed: int) -> tuple[Probe, ...]:
    """The same of images in which both are enrolled of one performer, with both in another shoot, too."""
    both = {one: face[one] for one in face.keys() & tattoo.keys()}
    by_performer = []
    for performer_id, own in _shuffled(both, seed):
        own_tattoos = tattoo[performer_id]
        days = {**own, **own_tattoos} | {one: day for one, day in own.items() if day}
        by_face = {one.image_hash for one in _eligible(performer_id, own, days)}
        shared = [one for one in _eligible(performer_id, own_tattoos, days) if one.image_hash in by_face]
        by_performer.append(_drawn(performer_id, shared, seed))
    return _in_turn(by_performer, most)


def others_of(probe: Probe, performers: Performers, *, seed: int) -> Numbers:
    """Up to 200 other performers, drawn at random; the same for the same seed, probe and performers."""
    rng = _rng(seed, probe.performer_id, probe.image_hash)
    count = min(MOST_OTHERS + 1, len(performers))
    drawn = rng.choice(len(performers), count, replace=False).astype(np.int32)
    others: Numbers = drawn[drawn != performers.numbers.get(probe.performer_id, -1)]
    return others[:MOST_OTHERS]


def _eligible(performer_id: str, own: Mapping[str, str], days: Mapping[str, str]) -> list[Probe]:
    """Images of `own` that can be compared with another one of it; `days`: of all that are to be left out."""
    by_day: dict[str, set[str]] = {}
    for image_hash, day in days.items():
        by_day.setdefault(day, set()).add(image_hash)
    undated = sum(not days[one] for one in own)
    found = []
    for image_hash in sorted(own):
        day = days[image_hash]
        out = by_day[day] if day else {image_hash}
        has_rest = sum(one in own for one in out) < len(own)
        if has_rest and len(out) <= _MOST_EXCEPT:
            # Undated ones are compared with all others but themselves.
            is_undated = not day or undated > 0
            found.append(Probe(performer_id, image_hash, tuple(sorted(out)), is_undated))
    return found


def _shuffled(images: Images, seed: int) -> list[tuple[str, Mapping[str, str]]]:
    ids = sorted(images)
    return [(ids[place], images[ids[place]]) for place in _rng(seed).permutation(len(ids))]


def _drawn(performer_id: str, eligible: Sequence[Probe], seed: int) -> list[Probe]:
    order = _rng(seed, performer_id).permutation(len(eligible))
    return [eligible[place] for place in order[:MOST_OF_A_PERFORMER]]


def _in_turn(by_performer: Sequence[Sequence[Probe]], most: int) -> tuple[Probe, ...]:
    turns = range(MOST_OF_A_PERFORMER)
    in_turn = [probes[turn] for turn in turns for probes in by_performer if turn < len(probes)]
    return tuple(in_turn[:most])


def _rng(seed: int, *names: str) -> np.random.Generator:
    """The same whatever else is enrolled."""
    digest = hashlib.sha256(" ".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8]))
