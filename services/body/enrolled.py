"""Who is enrolled: in memory, as PostgreSQL has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Never

from chassis.gallery import Gallery
from chassis.index import VectorIndex
from chassis.row_images import RowImages, image_code
from chassis.signal.followed import Followed
from chassis.signal.model_sets import ModelKey
from services.body.likelihood import similarities
from services.body.measurement import Measurement, combine, stack
from services.body.ratio_index import RatioIndex

__all__ = ["MeasurementRow", "EnrolledBody", "LookAlike", "EnrolledBodies", "FollowedBodies"]

# The index ranks in float32; this many more than wanted are compared exactly.
_SPARE = 16


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """One committed row."""

    seq: int
    performer_id: str
    measurement: Measurement
    image: int = 0
    """Its `image_code`; 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class EnrolledBody:
    """All measurements of one performer, combined."""

    measurement: Measurement
    rows: Mapping[int, Measurement]
    """By seq: what it is made of."""
    full_views: int
    """Of these, the ones that show every proportion; whoever is turned by more than 36 degrees does not."""

    @classmethod
    def of(cls, rows: Mapping[int, Measurement]) -> EnrolledBody:
        """Made of at least one measurement."""
        measurements = list(rows.values())
        full = stack(measurements).is_measured.all(axis=-1)
        return cls(combine(measurements), rows, int(full.sum()))

    @property
    def count(self) -> int:
        """Measurements."""
        return len(self.rows)


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
        self._performers: dict[int, str] = {}
        self._images = RowImages()
        self._turn = Lock()

    def __repr__(self) -> str:
        return f"<EnrolledBodies of {self.performers} performers, {len(self)} measurements>"

    def __len__(self) -> int:
        """Measurements."""
        return len(self._performers)

    @property
    def performers(self) -> int:
        """Performers with at least one measurement."""
        return len(self._bodies)

    @property
    def galleries(self) -> Mapping[ModelKey, Gallery]:
        """None: a few numbers a performer are searched exactly."""
        return MappingProxyType({})

    def __contains__(self, seq: int) -> bool:
        return seq in self._performers

    def seqs(self, key: ModelKey) -> Sequence[int]:
        """Every row; there is one model."""
        return list(self._performers)

    def add(self, rows: Iterable[MeasurementRow]) -> None:
        """Add committed rows; those that are here already are passed over."""
        with self._turn:
            for row in rows:
                if row.seq not in self._performers:
                    self._images.put([(row.seq, row.image)])
                    self._performers[row.seq] = row.performer_id
                    known = self._bodies.get(row.performer_id)
                    rest = known.rows if known is not None else {}
                    self._put(row.performer_id, {**rest, row.seq: row.measurement})

    def adopt(
        self, key: ModelKey, index: VectorIndex, owned: Mapping[str, Sequence[int]], facts: Sequence[Never]
    ) -> None:
        """Never called: there are no galleries."""
        raise NotImplementedError("bodies are in no index")

    def withdraw(self, seqs: Iterable[int]) -> None:
        """Make rows unknown; those that are not here are passed over."""
        with self._turn:
            for seq in seqs:
                performer_id = self._performers.pop(seq, None)
                if performer_id is not None:
                    rows = self._bodies[performer_id].rows
                    self._put(performer_id, {one: rows[one] for one in rows if one != seq})
                    self._images.remove([seq])

    def of(self, performer_id: str, *, except_images: Iterable[str] = ()) -> EnrolledBody | None:
        """What is enrolled of a performer; None when nothing is.

        except_images: hashes of images whose measurements do not count.
        """
        body, codes = self._bodies.get(performer_id), frozenset(map(image_code, except_images))
        out = self._images.among(body.rows, codes) if body is not None else frozenset()
        if body is None or not out:
            return body
        rows = {seq: one for seq, one in body.rows.items() if seq not in out}
        return EnrolledBody.of(rows) if rows else None

    def search(self, probe: Measurement, k: int) -> list[LookAlike]:
        """At most k performers of like build, most similar first, ties by id; none for k = 0."""
        if k < 1:
            return []
        with self._turn:
            found = self._index.nearest(probe, k + _SPARE)
        return self._ranked(probe, found)[:k]

    def _put(self, performer_id: str, rows: Mapping[int, Measurement]) -> None:
        if rows:
            body = self._bodies[performer_id] = EnrolledBody.of(rows)
            self._index.put(performer_id, body.measurement)
        else:
            self._bodies.pop(performer_id, None)
            self._index.remove(performer_id)

    def _ranked(self, probe: Measurement, performer_ids: Sequence[str]) -> list[LookAlike]:
        bodies = {one: body for one in performer_ids if (body := self.of(one)) is not None}
        values = similarities(probe, stack([body.measurement for body in bodies.values()])).tolist()
        alike = [LookAlike(*pair) for pair in zip(bodies, values, strict=True)]
        return sorted(alike, key=lambda one: (-one.similarity, one.performer_id))


FollowedBodies = Followed[MeasurementRow, EnrolledBodies]
"""Read `known` once a call."""
