"""Who is enrolled: in memory, as PostgreSQL has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

from services.body.likelihood import similarities
from services.body.measurement import Measurement, combine, stack
from services.body.ratio_index import RatioIndex

__all__ = ["MeasurementRow", "EnrolledBody", "LookAlike", "EnrolledBodies"]

# The index ranks in float32; this many more than wanted are compared exactly.
_SPARE = 16


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
    seqs: frozenset[int]
    """Rows it is made of."""

    @property
    def count(self) -> int:
        """Measurements."""
        return len(self.seqs)


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A performer of like build. Similarity 0..1, as `likelihood.similarities` has it."""

    performer_id: str
    similarity: float


class EnrolledBodies:
    """Measurements by performer, and the index of their ratios; safe to use from many threads.

    Every call is synchronous and computes: run it in a `WorkPool`.
    """

    def __init__(self) -> None:
        self._index = RatioIndex()
        self._bodies: dict[str, EnrolledBody] = {}
        self._measurements = 0
        self._turn = Lock()

    def __repr__(self) -> str:
        return f"<EnrolledBodies of {self.performers} performers, {len(self)} measurements>"

    def __len__(self) -> int:
        """Measurements."""
        return self._measurements

    @property
    def performers(self) -> int:
        """Performers with at least one measurement."""
        return len(self._bodies)

    def add(self, rows: Iterable[MeasurementRow]) -> None:
        """Add committed rows; those that are here already are passed over."""
        with self._turn:
            for row in rows:
                known = self._bodies.get(row.performer_id)
                if known is None or row.seq not in known.seqs:
                    body = self._bodies[row.performer_id] = _with(known, row)
                    self._index.put(row.performer_id, body.measurement)
                    self._measurements += 1

    def forget(self, performer_id: str) -> int:
        """Make a performer unknown and return how many measurements were here; 0 if there were none."""
        with self._turn:
            body = self._bodies.pop(performer_id, None)
            self._index.remove(performer_id)
            forgotten = body.count if body is not None else 0
            self._measurements -= forgotten
            return forgotten

    def of(self, performer_id: str) -> EnrolledBody | None:
        """What is enrolled of a performer; None when nothing is."""
        return self._bodies.get(performer_id)

    def search(self, probe: Measurement, k: int) -> list[LookAlike]:
        """At most k performers of like build, most similar first, ties by id; none for k = 0."""
        if k < 1:
            return []
        with self._turn:
            found = self._index.nearest(probe, k + _SPARE)
        return self._ranked(probe, found)[:k]

    def _ranked(self, probe: Measurement, performer_ids: Sequence[str]) -> list[LookAlike]:
        bodies = {one: body for one in performer_ids if (body := self.of(one)) is not None}
        values = similarities(probe, stack([body.measurement for body in bodies.values()])).tolist()
        alike = [LookAlike(*pair) for pair in zip(bodies, values, strict=True)]
        return sorted(alike, key=lambda one: (-one.similarity, one.performer_id))


def _with(known: EnrolledBody | None, row: MeasurementRow) -> EnrolledBody:
    if known is None:
        return EnrolledBody(row.measurement, frozenset((row.seq,)))
    measurement = combine([known.measurement, row.measurement])
    return EnrolledBody(measurement, known.seqs | {row.seq})
