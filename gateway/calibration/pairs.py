"""Compared probes as genuine and impostor pairs, whole and in halves that share no performer. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.signal.calibration_fitting import LEAST_PAIRS, Pairs
from gateway.calibration.compared import Compared
from gateway.calibration.probes import MOST_OF_A_PERFORMER

__all__ = ["LEAST_GENUINE", "Dating", "Kind", "LabelledPairs", "dated", "halves", "labelled"]

LEAST_GENUINE = 2 * LEAST_PAIRS + MOST_OF_A_PERFORMER
"""Genuine pairs without which nothing is fitted: each half of the performers then has enough."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Pairs of one kind, with whose they are."""

    pairs: Pairs
    probes: tuple[str, ...]
    """The probe's performer."""
    others: tuple[str, ...]
    """The one it is compared with."""

    def of(self, performers: frozenset[str]) -> Kind:
        """The pairs whose both performers are among these."""
        chosen = np.array(
            [
                probe in performers and other in performers
                for probe, other in zip(self.probes, self.others, strict=True)
            ],
            np.bool_,
        )
        places = np.flatnonzero(chosen)
        return Kind(
            Pairs(self.pairs.similarities[places], self.pairs.qualities[places]),
            tuple(self.probes[place] for place in places),
            tuple(self.others[place] for place in places),
        )

    def __len__(self) -> int:
        return len(self.pairs)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledPairs:
    """Pairs of both kinds."""

    genuine: Kind
    impostors: Kind

    def of(self, performers: frozenset[str]) -> LabelledPairs:
        """The pairs of these performers among themselves."""
        return LabelledPairs(self.genuine.of(performers), self.impostors.of(performers))

    @property
    def performers(self) -> int:
        """Performers with a probe."""
        return len(set(self.genuine.probes))


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


def labelled(compared: Sequence[Compared]) -> LabelledPairs:
    """One genuine pair of each probe, and one impostor pair for each other performer."""
    names = [one.probe.performer_id for one in compared]
    qualities = np.array([one.quality for one in compared], np.float64)
    counts = [len(one.others) for one in compared]
    genuine = Pairs(np.array([one.own for one in compared], np.float64), qualities)
    similarities = [one.similarities for one in compared]
    impostors = Pairs(
        np.concatenate(similarities) if similarities else np.empty(0), np.repeat(qualities, counts)
    )
    return LabelledPairs(
        Kind(genuine, tuple(names), tuple(names)),
        Kind(
            impostors,
            tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count)),
            tuple(other for one in compared for other in one.others),
        ),
    )


def halves(pairs: LabelledPairs, *, seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Two halves of the performers that differ by four genuine pairs at most; the seed decides which."""
    counts = Counter(pairs.genuine.probes)
    everybody = {*counts, *pairs.impostors.others}
    sides: tuple[set[str], set[str]] = (set(), set())
    weights = [0, 0]
    for performer_id in sorted(everybody, key=lambda one: _rank(seed, one)):
        # Those without a probe go by turns: they are impostors only.
        sizes = weights if performer_id in counts else [len(side) for side in sides]
        side = 0 if sizes[0] <= sizes[1] else 1
        sides[side].add(performer_id)
        weights[side] += counts[performer_id]
    return frozenset(sides[0]), frozenset(sides[1])


def _rank(seed: int, performer_id: str) -> bytes:
    return hashlib.sha256(f"{seed} half {performer_id}".encode()).digest()
