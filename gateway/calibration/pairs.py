"""Compared probes as genuine and impostor pairs, whole and in halves that share no performer. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.signal.calibration_fitting import LEAST_PAIRS, Pairs
from gateway.calibration.compared import Compared
from gateway.calibration.performers import Numbers, Performers
from gateway.calibration.probes import MOST_OF_A_PERFORMER

__all__ = ["LEAST_GENUINE", "Among", "Dating", "Kind", "LabelledPairs", "dated", "halves", "labelled"]

LEAST_GENUINE = 2 * LEAST_PAIRS + MOST_OF_A_PERFORMER
"""Genuine pairs without which nothing is fitted: each half of the performers then has enough."""


Among = NDArray[np.bool_]
"""Whether each performer is one of some, by number."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Pairs of one kind, with whose they are."""

    pairs: Pairs
    probes: Numbers
    """The probe's performer, (n,)."""
    others: Numbers
    """The one it is compared with, (n,)."""

    def of(self, performers: Among) -> Kind:
        """The pairs whose both performers are among these."""
        places = np.flatnonzero(performers[self.probes] & performers[self.others])
        pairs = Pairs(self.pairs.similarities[places], self.pairs.qualities[places])
        return Kind(pairs, self.probes[places], self.others[places])

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """Pairs of both kinds."""

    everybody: Performers
    """Whom the numbers mean."""
    genuine: Kind
    impostors: Kind

    def of(self, performers: Among) -> LabelledPairs:
        """The pairs of these performers among themselves."""
        return LabelledPairs(self.everybody, self.genuine.of(performers), self.impostors.of(performers))

    @property
    def performers(self) -> int:
        """Performers with a probe."""
        return len(np.unique(self.genuine.probes))


@dataclass(frozen=True, slots=True)
class Dating:
    """How many genuine pairs may be two pictures of one shoot, which are far more alike than others."""

    undated: int
    """In which a day is unknown."""
    genuine: int
    """All that were compared."""
    are_left_out: bool
    """Whether the undated ones are not fitted on."""

    def __str__(self) -> str:
        counted = f"{self.undated} of {self.genuine} genuine pairs undated"
        if self.are_left_out:
            return f"{counted}, and left out"
        return f"{counted}: pictures of one shoot flatter them" if self.undated else counted


def dated(compared: Sequence[Compared]) -> tuple[Sequence[Compared], Dating]:
    """What is to be fitted on: the probes of known other days where they are enough, else all."""
    known = [one for one in compared if not one.probe.is_undated]
    undated = len(compared) - len(known)
    are_left_out = undated > 0 and len(known) >= LEAST_GENUINE
    return known if are_left_out else compared, Dating(undated, len(compared), are_left_out)


def labelled(compared: Sequence[Compared], everybody: Performers) -> LabelledPairs:
    """One genuine pair of each probe, and one impostor pair for each other performer."""
    own = np.array([everybody.numbers[one.probe.performer_id] for one in compared], np.int32)
    qualities = np.array([one.quality for one in compared], np.float64)
    counts = [len(one.others) for one in compared]
    genuine = Pairs(np.array([one.own for one in compared], np.float64), qualities)
    impostors = Pairs(
        np.concatenate([np.empty(0), *(one.similarities for one in compared)]), np.repeat(qualities, counts)
    )
    others = np.concatenate([np.empty(0, np.int32), *(one.others for one in compared)])
    return LabelledPairs(everybody, Kind(genuine, own, own), Kind(impostors, np.repeat(own, counts), others))


def halves(pairs: LabelledPairs, *, seed: int) -> tuple[Among, Among]:
    """Two halves of the performers that differ by four genuine pairs at most; the seed decides which."""
    ids = pairs.everybody.ids
    counts = np.bincount(pairs.genuine.probes, minlength=len(ids)).tolist()
    met = np.unique(np.concatenate([pairs.genuine.probes, pairs.impostors.others])).tolist()
    sides = np.zeros((2, len(ids)), np.bool_)
    weights, sizes = [0, 0], [0, 0]
    for number in sorted(met, key=lambda one: _rank(seed, ids[one])):
        # Those without a probe go by turns: they are impostors only.
        by = weights if counts[number] else sizes
        side = 0 if by[0] <= by[1] else 1
        sides[side, number] = True
        sizes[side] += 1
        weights[side] += counts[number]
    return sides[0], sides[1]


def _rank(seed: int, performer_id: str) -> bytes:
    return hashlib.sha256(f"{seed} half {performer_id}".encode()).digest()
