"""One Voyager graph with its tombstones. Every quirk of the library is dealt with here; threads are not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import numpy as np
import voyager  # type: ignore[import-untyped]  # ships no types
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.index._originals import Originals
from chassis.index._vectors import ID_LIMIT, Vectors, unit

__all__ = ["Graph", "IndexSettings", "Space"]

_EXACT_ROWS = 4096


class Space(Enum):
    """How two vectors are compared; a higher similarity is closer in both."""

    COSINE = "cosine"
    """Similarity is the cosine of the angle, -1..1. Vectors are stored with length 1."""
    EUCLIDEAN = "euclidean"
    """Similarity is the distance with a minus sign, so 0 at best."""


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """How thoroughly the graph is built and searched; docs/index.md has the measurements."""

    m: int = 16
    """Links of a vector in each layer of the graph."""
    ef_construction: int = 200
    """Candidates looked at when a vector is added."""
    query_ef: int = 192
    """Candidates looked at in a search."""
    small_query_ef: int = 768
    """The same for an index below `small_until`, where looking at more takes no longer."""
    small_until: int = 20_000
    """Vectors, deleted ones included."""
    large_query_ef: int = 256
    """The same for an index above `large_from`, where fewer candidates lose more."""
    large_from: int = 500_000
    """Vectors, deleted ones included."""
    min_neighbors: int = 50
    """At least so many neighbours are asked of the graph, even if the caller wants fewer: better recall."""
    is_compact: bool = False
    """Keep vectors in the graph with 8 bits a value, 0.7 kB for 512, and the originals in a mapped file, by
    which what the graph finds is ranked. Cosine only."""
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    """Threads that add one portion of vectors."""

    def query_ef_of(self, size: int) -> int:
        """Candidates to look at in an index of so many vectors."""
        if size > self.large_from:
            return self.large_query_ef
        return self.small_query_ef if size < self.small_until else self.query_ef


class Graph:
    """Live vectors by id, nearest ones by graph search. Callers pass checked vectors and take turns.

    originals: where the vectors of a compact graph are kept; another graph's, where this one replaces it.
    """

    def __init__(
        self,
        dimension: int,
        space: Space,
        settings: IndexSettings,
        *,
        capacity: int = 0,
        originals: Originals | None = None,
    ) -> None:
        if settings.is_compact and space is not Space.COSINE:
            raise InvalidInput("only cosine vectors can be kept compactly")
        self._dimension = dimension
        self._space = space
        self._settings = settings
        self.originals = originals or (Originals(dimension) if settings.is_compact else None)
        self._index = voyager.Index(
            _SPACES[space],
            num_dimensions=dimension,
            M=settings.m,
            ef_construction=settings.ef_construction,
            max_elements=max(1, capacity),
            storage_data_type=_storage(settings),
        )
        self.tombstones: set[int] = set()
        self.unwiped: set[int] = set()
        """Tombstones whose places still hold their vectors."""

    @classmethod
    def load(
        cls, path: Path, live: NDArray[np.int64], dimension: int, space: Space, settings: IndexSettings
    ) -> Graph:
        """A graph that `save` wrote, with the ids that were live then; originals are for the caller to map.

        The file must be exactly what was written: another can crash the process. Raises InvalidInput for one
        of another kind.
        """
        graph = cls(dimension, space, settings)
        index = voyager.Index.load(str(path))
        kind = (index.num_dimensions, index.space, index.storage_data_type)
        if kind != (dimension, _SPACES[space], _storage(settings)):
            raise InvalidInput(f"the graph was written for other vectors: {kind}")
        graph._index = index
        if index.num_elements != len(live):
            graph.tombstones = set(index.ids).difference(live.tolist())
        return graph

    def save(self, file: BinaryIO) -> None:
        """Write the graph, tombstones too. Nothing may be added or removed meanwhile; searches go on."""
        self._index.save(file)

    def __len__(self) -> int:
        """Live vectors; the library's own count includes deleted ones."""
        return int(self._index.num_elements) - len(self.tombstones)

    def __contains__(self, vector_id: int) -> bool:
        """Whether a vector is live; for the library deleted ones still are."""
        return vector_id not in self.tombstones and self.has_seen(vector_id)

    def has_seen(self, vector_id: int) -> bool:
        """Whether the id is live or a tombstone."""
        return 0 <= vector_id < ID_LIMIT and vector_id in self._index

    def all_ids(self) -> list[int]:
        """Ids of the live vectors and of the tombstones."""
        return list(self._index.ids)

    def ids(self) -> list[int]:
        """Ids of the live vectors."""
        return [vector_id for vector_id in self.all_ids() if vector_id not in self.tombstones]

    def reserve(self, additional: int) -> None:
        """Grow ahead of an add, by a half at least, so that the graph is rarely copied."""
        needed = self._index.num_elements + additional
        if needed > self._index.max_elements:
            self._index.resize(max(needed, self._index.max_elements * 3 // 2, 1024))

    def add(self, ids: Sequence[int], vectors: Vectors) -> None:
        """Add vectors under new ids, always given: one that Voyager chooses can be another vector's."""
        if ids:
            if self.originals is not None:
                self.originals.add(ids, vectors)
            self._index.add_items(vectors, ids, num_threads=min(self._settings.threads, len(ids)))

    def remove(self, ids: Sequence[int]) -> None:
        """Make live vectors tombstones, which no search finds; `wipe` is still to come."""
        for vector_id in ids:
            self._index.mark_deleted(vector_id)
        self.tombstones.update(ids)
        self.unwiped.update(ids)
        if self.originals is not None:
            self.originals.discard(ids)

    def wipe(self, vector_id: int) -> None:
        """Have the place of a tombstone hold nothing of its vector.

        Noise takes the place, and the neighbours are linked anew. A copy of a neighbour would stay when that
        one is removed, too.
        """
        noise = np.random.default_rng().normal(size=self._dimension).astype(np.float32)
        self._index.add_item(unit(noise), vector_id)  # which makes it live
        self._index.mark_deleted(vector_id)
        self.unwiped.discard(vector_id)

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored vectors of live ids, in their order."""
        if self.originals is not None:
            return self.originals.of(ids)
        return np.ascontiguousarray(self._index.get_vectors(ids), np.float32)

    def nearest(self, vector: Vectors, k: int) -> tuple[NDArray[np.uint64], Vectors]:
        """Ids and similarities of at most k live neighbours, best first."""
        k = min(k, len(self))  # asking for more raises
        if k == 0:
            return np.empty(0, np.uint64), np.empty(0, np.float32)
        wanted = min(max(k, self._settings.min_neighbors), len(self))
        ef = self._settings.query_ef_of(self._index.num_elements)
        try:
            ids, distances = self._index.query(vector, k=wanted, query_ef=max(ef, wanted))
        except voyager.RecallError:  # parts of the graph cannot be reached from its entry
            return self.exact(vector, k)
        if self.originals is not None:
            return self._best(vector, ids, k)
        return ids[:k], self._similarities_of(distances[:k])

    def exact(self, vector: Vectors, k: int) -> tuple[NDArray[np.uint64], Vectors]:
        """The same by comparing with every live vector: 2.5 ms and more for each thousand."""
        ids = self.ids()
        parts = [
            self.similarities(vector, ids[start : start + _EXACT_ROWS])
            for start in range(0, len(ids), _EXACT_ROWS)
        ]
        similarities = np.concatenate([np.empty(0, np.float32), *parts])
        best = np.argsort(-similarities, kind="stable")[:k]
        return np.array(ids, np.uint64)[best], similarities[best]

    def _best(self, vector: Vectors, ids: NDArray[np.uint64], k: int) -> tuple[NDArray[np.uint64], Vectors]:
        """The k most similar of these live ids, by their originals."""
        similarities = self.similarities(vector, ids.tolist())
        best = np.argsort(-similarities, kind="stable")[:k]
        return ids[best], similarities[best]

    def similarities(self, vector: Vectors, ids: Sequence[int]) -> Vectors:
        """Exact similarity with each of the live ids, in their order."""
        stored = self.vectors(ids)
        if self._space is Space.COSINE:
            return self._similarities_of(1 - stored @ vector)
        return self._similarities_of(np.square(stored - vector).sum(axis=1))

    def _similarities_of(self, distances: Vectors) -> Vectors:
        """Voyager's distance is 1 - cosine, or the square of the Euclidean distance."""
        cosine = self._space is Space.COSINE
        similarities = np.clip(1 - distances, -1, 1) if cosine else -np.sqrt(np.maximum(distances, 0))
        return np.asarray(similarities, np.float32)


_SPACES = {Space.COSINE: voyager.Space.Cosine, Space.EUCLIDEAN: voyager.Space.Euclidean}


def _storage(settings: IndexSettings) -> object:
    return voyager.StorageDataType.Float8 if settings.is_compact else voyager.StorageDataType.Float32
