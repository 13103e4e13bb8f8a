"""What the signals have of everybody, added up. Pure; in columns, because there are many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.catalogue.target import Target
from gateway.observations import Signal
from gateway.signals import Column, Counted, FaceCounts

__all__ = ["ID_BYTES", "GalleryTally", "Tally"]

ID_BYTES = 16
_SEARCHED = ("good", "usable", "weak")
_KINDS = (*_SEARCHED, "reserve", "quarantined", "unsearchable")
_Ids = NDArray[np.bytes_]


@dataclass(frozen=True, slots=True)
class Tally:
    """Enrolled observations, and performers with at least one."""

    observations: int = 0
    performers: int = 0


class GalleryTally:
    """Takes counts of some performers after the other.

    A signal that did not answer for all of them counts for nobody.
    """

    def __init__(self) -> None:
        self._counts: dict[Signal, list[Column]] = {signal: [] for signal in Signal}
        self._faces: dict[str, list[Column]] = {kind: [] for kind in _KINDS}
        self.performers = 0
        """Whom `add` named."""

    def add(self, performer_ids: bytes, counted: Mapping[Signal, Counted]) -> None:
        """Of performers, 16 bytes each, in order. Counts of anybody else are passed over."""
        ids = _ids(performer_ids)
        self.performers += len(ids)
        for signal in list(self._counts):
            if signal not in counted:
                del self._counts[signal]
                continue
            one = counted[signal]
            theirs = _ids(one.performer_ids)
            self._counts[signal].append(_spread(ids, theirs, one.observations))
            if signal is Signal.FACE:
                self._add_faces(ids, theirs, one)

    @property
    def unavailable(self) -> frozenset[Signal]:
        """Those that did not answer."""
        return frozenset(Signal) - self._counts.keys()

    @property
    def signals(self) -> dict[Signal, Tally]:
        """By signal that answered."""
        return {
            signal: Tally(int(column.sum()), int(np.count_nonzero(column)))
            for signal, column in self._columns().items()
        }

    @property
    def faces(self) -> FaceCounts | None:
        """Of everybody; None without the face signal."""
        if Signal.FACE not in self._counts:
            return None
        return FaceCounts(**{kind: int(_joined(parts).sum()) for kind, parts in self._faces.items()})

    @property
    def without_observations(self) -> int:
        """Performers of whom nobody who answered has anything."""
        of_all = sum(self._columns().values(), np.zeros(self.performers, np.int64))
        return int(np.count_nonzero(of_all == 0))

    def below(self, target: Target) -> int | None:
        """Performers who have less than is wanted; None when a signal that it speaks of did not answer."""
        if target.signals & self.unavailable:
            return None
        columns = self._columns()
        is_missed = np.zeros(self.performers, np.bool_)
        if target.faces:
            is_missed |= columns[Signal.FACE] < target.faces
        if target.good_faces:
            is_missed |= _joined(self._faces["good"]) < target.good_faces
        if target.bodies:
            is_missed |= columns[Signal.BODY] < target.bodies
        return int(np.count_nonzero(is_missed))

    def _add_faces(self, ids: _Ids, theirs: _Ids, counted: Counted) -> None:
        usable = counted.observations - counted.faces["good"] - counted.faces["weak"]
        for kind, column in {**counted.faces, "usable": usable}.items():
            self._faces[kind].append(_spread(ids, theirs, column))

    def _columns(self) -> dict[Signal, Column]:
        return {signal: _joined(parts) for signal, parts in self._counts.items()}


def _ids(performer_ids: bytes) -> _Ids:
    # Of one length all, so that the zeros at an end, which numpy does not count, make no two of them equal.
    return np.frombuffer(performer_ids, f"S{ID_BYTES}")


def _spread(ids: _Ids, theirs: _Ids, column: Column) -> Column:
    """Counts of `theirs` at the places of those performers among `ids`, which are in order; 0 elsewhere."""
    spread = np.zeros(len(ids), np.int64)
    places = np.searchsorted(ids, theirs)
    is_known = places < len(ids)
    is_known[is_known] = ids[places[is_known]] == theirs[is_known]
    spread[places[is_known]] = column[is_known]
    return spread


def _joined(parts: list[Column]) -> Column:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
