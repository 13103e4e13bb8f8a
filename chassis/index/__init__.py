"""A vector index that cannot be misused: Voyager behind checks. docs/index.md says what each one prevents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event, Lock
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.errors import Conflict, InvalidInput, NotFound
from chassis.index._graph import Graph, IndexSettings, Space
from chassis.index._originals import Originals
from chassis.index._vectors import Vectors, checked_ids, checked_vectors, unit

__all__ = ["VectorIndex", "Neighbor", "Space", "IndexSettings"]

# Vectors that one thread adds while searches wait: 1.3 ms each in a large index, so about 20 ms.
_PORTION = 16
# Vectors that are compared while searches wait: about 3 ms.
_COMPARED = 1024
# Vectors that are made tombstones while searches wait: some milliseconds.
_MARKED = 4096
# Removed vectors that are overwritten before `remove` returns; each takes as long as an add.
_WIPED_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Neighbor:
    """One vector found."""

    id: int
    similarity: float
    """Cosine -1..1, or minus the Euclidean distance: see `Space`."""


class VectorIndex:
    """Vectors by id, searched for the nearest ones; safe to use from many threads.

    Every call is synchronous and computes: run it in a `WorkPool`. Searches take turns among themselves and
    with portions of an add: Voyager's search keeps the interpreter to itself anyway, and can fail during an
    add. An index is a cache: whoever owns it keeps the vectors elsewhere.

    Options:
        settings: thoroughness of building and searching.
        capacity: vectors to make room for ahead, when their number is known.
    """

    def __init__(
        self,
        dimension: int,
        space: Space = Space.COSINE,
        *,
        settings: IndexSettings | None = None,
        capacity: int = 0,
    ) -> None:
        if dimension < 1:
            raise InvalidInput("an index needs at least one dimension")
        self._dimension = dimension
        self._space = space
        self._settings = settings or IndexSettings()
        self._graph = self._new_graph(capacity)
        self._access = Lock()  # whoever reads or changes the graph
        # One change at a time, so that an add's check of ids stays true and nothing changes what is saved.
        self._changing = Lock()
        self._rebuilding = Lock()
        self._is_closed = Event()

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._dimension

    @property
    def space(self) -> Space:
        """How vectors are compared."""
        return self._space

    @property
    def is_compact(self) -> bool:
        """Whether the graph keeps vectors rounded, and the originals beside it."""
        return self._settings.is_compact

    @property
    def tombstones(self) -> int:
        """Removed vectors that still take room and time, until `rebuild`."""
        return len(self._graph.tombstones)

    def add(self, ids: Sequence[int] | NDArray[np.integer], vectors: ArrayLike) -> None:
        """Add n vectors (n x dimension, made float32) under n new ids; all or, when something is wrong, none.

        Searches may come between portions, and find those added so far.

        Raises:
            InvalidInput: wrong shape, NaN, infinite, a zero vector (cosine), ids not distinct whole numbers.
            Conflict: an id is in the index already, or was until it was removed.
        """
        new_ids = checked_ids(ids)
        rows = self._comparable(checked_vectors(vectors, (len(new_ids), self._dimension)))
        with self._changing:
            with self._access:
                self._refuse_known(new_ids)
                self._graph.reserve(len(new_ids))
            for part in _portions(len(new_ids), _PORTION * self._settings.threads):
                with self._access:
                    self._graph.add(new_ids[part], rows[part])

    def remove(self, ids: Iterable[int]) -> None:
        """Take vectors out of every later search; when something is wrong, none.

        Nothing of a vector stays: its place is overwritten, and freed by `rebuild`. Of many (200) the places
        are overwritten later, by `wipe`; `save` sees to it, too.

        Raises:
            NotFound: an id that is not live.
        """
        gone = list(set(ids))
        with self._changing:
            with self._access:
                if unknown := [vector_id for vector_id in gone if vector_id not in self._graph]:
                    raise NotFound(f"{len(unknown)} of {len(gone)} vectors are not in the index")
            for part in _portions(len(gone), _MARKED):
                with self._access:
                    self._graph.remove(gone[part])
            self._wipe(gone[:_WIPED_AT_ONCE])

    def wipe(self) -> None:
        """Overwrite the places of all removed vectors; searches, adds and removals come between."""
        unwiped: list[int] | None = None
        while unwiped != [] and not self._is_closed.is_set():
            with self._changing:
                unwiped = list(islice(self._graph.unwiped, _PORTION))
                self._wipe(unwiped)

    def _wipe(self, ids: Sequence[int]) -> None:
        """Whoever calls is the one that changes the graph."""
        for vector_id in ids:
            with self._access:
                if vector_id in self._graph.unwiped:  # of another graph since
                    self._graph.wipe(vector_id)

    def search(self, vector: ArrayLike, k: int, *, exact: bool = False) -> list[Neighbor]:
        """At most k live vectors nearest to `vector` (dimension values), best first, then by id.

        Fewer only when fewer are live; an empty index gives []. The search is approximate, unless `exact`:
        that one compares with every vector, for measuring the recall of the other.

        Raises:
            InvalidInput: k below 1, wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        if k < 1:
            raise InvalidInput("k must be at least 1")
        probe = self._probe(vector)
        with self._access:
            find = self._graph.exact if exact else self._graph.nearest
            ids, similarities = find(probe, k)
        found = zip(ids.tolist(), similarities.tolist(), strict=True)
        return [Neighbor(*pair) for pair in sorted(found, key=lambda pair: (-pair[1], pair[0]))]

    def nearest_exactly(self, vectors: ArrayLike, k: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Ids and cosine similarities, (n, k) each, of the k nearest live vectors of each of n; best first.

        Compares with every vector, in portions between which others search; -1 and minus infinity where there
        are fewer than k. Only for cosine.
        """
        probes = self._comparable(checked_vectors(vectors, (len(np.asarray(vectors)), self._dimension)))
        ids = np.full((len(probes), k), -1, np.int64)
        best = np.full((len(probes), k), -np.inf, np.float32)
        known = self.ids()
        for part in _portions(len(known), _COMPARED):
            with self._access:
                live = [vector_id for vector_id in known[part] if vector_id in self._graph]
                stored = self._graph.vectors(live) if live else np.empty((0, self._dimension), np.float32)
            all_ids = np.concatenate(
                [ids, np.broadcast_to(np.array(live, np.int64), (len(probes), len(live)))], 1
            )
            everything = np.concatenate([best, probes @ stored.T], 1)
            order = np.argsort(-everything, axis=1, kind="stable")[:, :k]
            ids, best = np.take_along_axis(all_ids, order, 1), np.take_along_axis(everything, order, 1)
        return ids, best

    def similarities(self, vector: ArrayLike, ids: Iterable[int]) -> dict[int, float]:
        """Exact similarity of `vector` with each of the ids; those that are not live are left out.

        Raises:
            InvalidInput: as in `search`.
        """
        probe = self._probe(vector)
        with self._access:
            live = [vector_id for vector_id in ids if vector_id in self._graph]
            values = self._graph.similarities(probe, live) if live else np.empty(0, np.float32)
        return dict(zip(live, values.tolist(), strict=True))

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """The stored vectors, n x dimension float32, in the order of the ids; of length 1 for cosine.

        Raises:
            NotFound: an id that is not live.
        """
        with self._access:
            if not all(vector_id in self._graph for vector_id in ids):
                raise NotFound("a vector is not in the index")
            return self._graph.vectors(ids) if len(ids) else np.empty((0, self._dimension), np.float32)

    def save(self, graph: BinaryIO, originals: BinaryIO | None = None) -> NDArray[np.int64]:
        """Write the index and return the ids that are live in it, sorted, for `load`.

        Adds and removals wait, searches go on. `originals` is for an index that keeps vectors compactly.
        Raises what the files raise, such as OSError for a full disk.
        """
        with self._changing:
            self._wipe(list(self._graph.unwiped))
            ids = self.ids()
            self._graph.save(graph)
            if self._graph.originals is not None and originals is not None:
                self._graph.originals.write(originals, ids)
        return np.array(ids, np.int64)

    @classmethod
    def load(
        cls,
        graph: Path,
        ids: NDArray[np.int64],
        dimension: int,
        space: Space = Space.COSINE,
        *,
        originals: Path | None = None,
        settings: IndexSettings | None = None,
    ) -> VectorIndex:
        """The index that `save` wrote, with the ids it returned.

        Both files must be exactly what was written, which the caller verifies: Voyager crashes or answers
        wrongly with any other. Raises InvalidInput for an index of another kind.
        """
        index = cls(dimension, space, settings=settings)
        index._graph = Graph.load(graph, ids, dimension, space, index._settings)
        if originals is not None:
            index.map_originals(originals, ids)
        return index

    def map_originals(self, path: Path, ids: NDArray[np.int64]) -> None:
        """Take the vectors of a compact index from this file from now on, which frees memory."""
        with self._changing, self._access:
            if self._graph.originals is not None:
                self._graph.originals.map(path, ids)

    def ids(self) -> list[int]:
        """Ids of the live vectors, sorted."""
        with self._access:
            everything, gone = self._graph.all_ids(), self._graph.tombstones.copy()
        return sorted(vector_id for vector_id in everything if vector_id not in gone)

    def rebuild(self) -> bool:
        """Free the room of removed vectors: copy the live ones to a new graph, then swap.

        Takes as long as adding all of them, and both graphs are in memory meanwhile. Searches, adds and
        removals go on; only at the end adds wait, while those that came meanwhile are copied. Returns whether
        it was done: `close` ends it early.
        """
        with self._rebuilding:
            fresh = self._new_graph(len(self), originals=self._graph.originals)
            self._copy_missing(fresh)
            with self._changing:
                self._copy_missing(fresh)
                if self._is_closed.is_set():
                    return False
                fresh.remove([vector_id for vector_id in self._graph.tombstones if vector_id in fresh])
                with self._access:
                    self._graph = fresh
        return True

    def close(self) -> None:
        """End what takes long, so that the process can end; the index still answers."""
        self._is_closed.set()

    def _copy_missing(self, target: Graph) -> None:
        with self._access:
            missing = [vector_id for vector_id in self._graph.ids() if not target.has_seen(vector_id)]
        target.reserve(len(missing))
        for part in _portions(len(missing), _PORTION * self._settings.threads):
            if self._is_closed.is_set():
                return
            with self._access:
                live = [vector_id for vector_id in missing[part] if vector_id in self._graph]
                vectors = self._graph.vectors(live)
            target.add(live, vectors)

    def _refuse_known(self, ids: list[int]) -> None:
        known = [vector_id for vector_id in ids if self._graph.has_seen(vector_id)]
        if known:
            raise Conflict(
                f"{len(known)} of {len(ids)} ids are in the index, or were before they were removed"
            )

    def _probe(self, vector: ArrayLike) -> Vectors:
        return self._comparable(checked_vectors(vector, (self._dimension,)))

    def _comparable(self, vectors: Vectors) -> Vectors:
        return unit(vectors) if self._space is Space.COSINE else vectors

    def _new_graph(self, capacity: int, originals: Originals | None = None) -> Graph:
        return Graph(self._dimension, self._space, self._settings, capacity=capacity, originals=originals)

    def __len__(self) -> int:
        """Live vectors."""
        with self._access:
            return len(self._graph)

    def __contains__(self, vector_id: int) -> bool:
        """Whether a vector is live."""
        with self._access:
            return vector_id in self._graph

    def __repr__(self) -> str:
        kind = f"{self._dimension}-d {self._space.value}"
        return f"<VectorIndex {kind}, {len(self)} live, {self.tombstones} tombstones>"


def _portions(total: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, total, size))
