"""Who is enrolled: in memory, as PostgreSQL has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from chassis.gallery import Gallery, GalleryRow
from chassis.index import Space
from services.body.likelihood import similarities
from services.body.measurement import Measurement, combine, stack
from services.body.standardised import POINT_DIMENSION, point_of

__all__ = ["MeasurementRow", "EnrolledBody", "LookAlike", "EnrolledBodies"]

# Performers whom the index finds are compared exactly before the best are told: at least this many.
_SHORTLIST = 200
_SHORTLIST_FACTOR = 4


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One committed row."""

    seq: int
    performer_id: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class EnrolledBody:
    """All measurements of one performer, combined."""

    measurement: Measurement
    count: int


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A performer of like build. Similarity 0..1, as `likelihood.similarities` has it."""

    performer_id: str
    similarity: float


class EnrolledBodies:
    """Measurements by performer, and an index of their standardised ratios; safe to use from many threads.

    Every call is synchronous and computes: run it in a `WorkPool`.
    """

    def __init__(self, *, capacity: int = 0) -> None:
        self._gallery = Gallery(POINT_DIMENSION, Space.EUCLIDEAN, capacity=capacity)
        self._bodies: dict[str, EnrolledBody] = {}
        self._changing = Lock()

    def __repr__(self) -> str:
        return f"<EnrolledBodies of {len(self._bodies)} performers, {len(self)} measurements>"

    def __len__(self) -> int:
        """Measurements."""
        return len(self._gallery)

    @property
    def performers(self) -> int:
        """Performers with at least one measurement."""
        return len(self._bodies)

    def add(self, rows: Iterable[MeasurementRow]) -> None:
        """Add committed rows; those that are or were here are passed over."""
        with self._changing:
            new = list({row.seq: row for row in rows if not self._gallery.has_seen(row.seq)}.values())
            self._gallery.add(
                [GalleryRow(row.seq, row.performer_id, point_of(row.measurement)) for row in new]
            )
            for row in new:
                self._bodies[row.performer_id] = self._with(row)

    def forget(self, performer_id: str) -> int:
        """Make a performer unknown and return how many measurements were here; 0 if there were none."""
        with self._changing:
            self._bodies.pop(performer_id, None)
            return self._gallery.forget(performer_id)

    def of(self, performer_id: str) -> EnrolledBody | None:
        """What is enrolled of a performer; None when nothing is."""
        return self._bodies.get(performer_id)

    def search(self, probe: Measurement, k: int) -> list[LookAlike]:
        """At most k performers of like build, most similar first, ties by id; none for k = 0."""
        if k < 1:
            return []
        wanted = max(_SHORTLIST, _SHORTLIST_FACTOR * k)
        found = [match.performer_id for match in self._gallery.search(point_of(probe), wanted)]
        return self._ranked(probe, found)[:k]

    def _with(self, row: MeasurementRow) -> EnrolledBody:
        known = self._bodies.get(row.performer_id)
        if known is None:
            return EnrolledBody(row.measurement, 1)
        return EnrolledBody(combine([known.measurement, row.measurement]), known.count + 1)

    def _ranked(self, probe: Measurement, performer_ids: Sequence[str]) -> list[LookAlike]:
        bodies = {one: body for one in performer_ids if (body := self.of(one)) is not None}
        values = similarities(probe, stack([body.measurement for body in bodies.values()]))
        alike = [LookAlike(*pair) for pair in zip(bodies, np.asarray(values).tolist(), strict=True)]
        return sorted(alike, key=lambda one: (-one.similarity, one.performer_id))
