"""Performers by number: millions of pairs are told apart by four bytes each and not by names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbers", "Performers"]

Numbers = NDArray[np.int32]
"""Performers by their places in `Performers.ids`."""


@dataclass(frozen=True, slots=True, eq=False)
class Performers:
    """Some performers, each with a number from 0 on."""

    ids: tuple[str, ...]
    """Sorted."""
    numbers: Mapping[str, int]
    """By id."""

    @classmethod
    def of(cls, ids: Iterable[str]) -> Performers:
        """Each once, whatever the order."""
        each = tuple(sorted(set(ids)))
        return cls(each, {one: number for number, one in enumerate(each)})

    def __len__(self) -> int:
        return len(self.ids)
