"""The candidates of one person, as wearers of tattoos: what is known of each, and what is like it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gateway.fusion.inventory import Inventory
from gateway.known_tattoos import TattooMatch

__all__ = ["Matches", "Wearers"]

_Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Which known tattoo each that is seen is most like, of all wearers [matches]."""

    wearers: _Numbers
    """Number of the wearer."""
    templates: _Numbers
    """Which one of those that are seen it is of."""
    tattoos: _Numbers
    """Its entry in the inventory; -1: none of those that are known."""
    is_named: NDArray[np.bool_]
    """Whether it is like any one."""
    llrs: NDArray[np.float64]
    """NaN where there is none."""

    @classmethod
    def of(
        cls, inventory: Inventory, performers: _Numbers, matches: Sequence[Sequence[TattooMatch]]
    ) -> Matches:
        """performers: of each wearer, in the inventory; matches: of each wearer, one for each template."""
        counts = np.array([len(one) for one in matches], np.intp)
        flat = list(chain.from_iterable(matches))
        wearers, ids = np.repeat(np.arange(len(counts)), counts), [one.tattoo_id for one in flat]
        keys = zip(performers[wearers].tolist(), ids, strict=True)
        return cls(
            wearers,
            _counted(counts),
            np.array([inventory.tattoos.get(key, -1) for key in keys], np.intp),
            np.array(list(map(bool, ids)), bool),
            np.array([one.llr for one in flat], np.float64),
        )

    @property
    def may_be(self) -> NDArray[np.bool_]:
        """Whether each is rather the candidate's tattoo than another one, or nothing tells which."""
        return np.where(np.isfinite(self.llrs), self.llrs > 0, self.is_named)


@dataclass(frozen=True, slots=True, eq=False)
class Wearers:
    """All candidates of one person [wearers]."""

    inventory: Inventory
    """What is known of them, and perhaps of others."""
    performers: _Numbers
    """Which one of the inventory each is; -1: nothing is known."""
    matches: Matches
    llrs: NDArray[np.float64]
    """Of all that are seen, where no match tells; NaN where there is none."""
    factors: NDArray[np.float64]
    """What ratios are multiplied by. 0: they count nothing."""
    weights: NDArray[np.float64]
    """What the rest is multiplied by, 0..1. 0: it counts nothing."""

    @classmethod
    def of(
        cls,
        inventory: Inventory,
        performers: Sequence[int],
        *,
        matches: Sequence[Sequence[TattooMatch]],
        llrs: Sequence[float | None],
        factors: ArrayLike,
        weights: ArrayLike,
    ) -> Wearers:
        """Of each wearer, in the same order."""
        rows = np.array(performers, np.intp)
        return cls(
            inventory,
            rows,
            Matches.of(inventory, rows, matches),
            np.array(llrs, np.float64),
            np.asarray(factors, np.float64),
            np.asarray(weights, np.float64),
        )

    def __len__(self) -> int:
        return len(self.performers)

    def numbers_of(self, performers: _Numbers) -> _Numbers:
        """Which wearer each performer of the inventory is; -1: none."""
        last = max(int(self.performers.max(initial=-1)), int(performers.max(initial=-1)))
        numbers = np.full(last + 2, -1)
        numbers[self.performers] = np.arange(len(self))
        # Who is not in the inventory was written here.
        numbers[-1] = -1
        return np.asarray(numbers[performers])


def _counted(counts: _Numbers) -> _Numbers:
    """0, 1, ... of each: [2, 3] is 0, 1, 0, 1, 2."""
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) - np.repeat(before, counts)
