"""The enrolled performers of one embedder: vectors found by similarity, answers given as performers."""

from __future__ import annotations

from collections.abc import Container, Iterable, KeysView, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chassis.errors import InvalidInput, NotFound
from chassis.index import IndexSettings, Neighbor, Space, VectorIndex
from chassis.owners import Owners

__all__ = ["Gallery", "GalleryRow", "Match"]

# Neighbours asked for each performer wanted, and how many times more when too few performers turn up.
_NEIGHBORS_A_PERFORMER = 4
_GROWTH = 4


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """One enrolled vector, as its row in the database has it."""

    seq: int
    """The row's number, unique in the gallery."""
    performer_id: str
    vector: NDArray[np.float32]
    """The gallery's dimension; any length above zero where the space is cosine."""


@dataclass(frozen=True, slots=True)
class Match:
    """A performer, and how similar the most similar of their vectors is."""

    performer_id: str
    similarity: float
    """Cosine -1..1, or minus the Euclidean distance: see `Space`."""


class Gallery:
    """Vectors of performers in a `VectorIndex`; safe to use from many threads.

    Every call is synchronous and computes: run it in a `WorkPool`. A row is added once its transaction is
    committed. Options:
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
        self._index = VectorIndex(dimension, space, settings=settings, capacity=capacity)
        # A vector counts once it has an owner. It is in the index from before until after that: what has an
        # owner can be found, and what has none is never shown.
        self._owners = Owners()
        self._changing = Lock()

    @property
    def dimension(self) -> int:
        """Values of a vector."""
        return self._index.dimension

    @property
    def performers(self) -> KeysView[str]:
        """Ids of the performers with at least one vector; a live view, so copy it before iterating."""
        return self._owners.performers

    @property
    def index(self) -> VectorIndex:
        """The vectors by seq, for measuring and saving. Only the gallery changes it."""
        return self._index

    def add(self, rows: Sequence[GalleryRow]) -> None:
        """Add rows; all or, when something is wrong, none.

        Raises:
            InvalidInput: a vector of another dimension, NaN, infinite or zero (cosine); a repeated seq.
            Conflict: a seq that is, or was, in the gallery.
        """
        self._index.add([row.seq for row in rows], _stacked(rows))
        with self._changing:
            for row in rows:
                self._owners.put([row.seq], row.performer_id)

    def adopt(self, index: VectorIndex, owned: Mapping[str, Sequence[int]]) -> None:
        """Take over an index, of which these vectors count, by performer; others are taken out of it.

        The gallery must be empty. Raises NotFound for a vector that is not in the index.
        """
        ids, counted = index.ids(), sum(map(len, owned.values()))
        is_there = np.isin(np.fromiter(chain.from_iterable(owned.values()), np.int64, counted), ids)
        if not is_there.all():
            raise NotFound(f"{counted - int(is_there.sum())} of {counted} vectors are not in the index")
        with self._changing:
            self._index = index
            for performer_id, seqs in owned.items():
                self._owners.put(seqs, performer_id)
        if len(ids) > counted:
            self._index.remove([seq for seq in ids if seq not in self._owners])

    def withdraw(self, seqs: Iterable[int]) -> dict[int, str]:
        """Take rows out of every later search; returns whose they were, of those that were here."""
        with self._changing:
            owners = {seq: self._owners.pop(seq) for seq in seqs}
        gone = {seq: performer_id for seq, performer_id in owners.items() if performer_id is not None}
        self._index.remove(gone)
        return gone

    def seqs(self) -> list[int]:
        """Every row, sorted."""
        return [seq for seq in self._index.ids() if seq in self._owners]

    def owner_of(self, seq: int) -> str | None:
        """Whose row it is; None when it is not here."""
        return self._owners.of(seq)

    def seqs_of(self, performer_id: str) -> tuple[int, ...]:
        """A performer's rows."""
        return tuple(self._owners.seqs_of(performer_id))

    def search(self, vector: ArrayLike, k: int) -> list[Match]:
        """At most k performers by their most similar vector, sorted by falling similarity, then by id.

        Top-k of vectors is not top-k of performers: where a few performers with many vectors crowd out the
        rest, the search is repeated with more neighbours, until k performers are found or there are no more.

        Raises:
            InvalidInput: k below 1, wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        wanted = k * _NEIGHBORS_A_PERFORMER
        while True:
            neighbors = self._index.search(vector, wanted)
            best = self._best_of(neighbors)
            if len(best) >= min(k, len(self.performers)) or len(neighbors) < wanted:
                return _ranked(best)[:k]
            wanted *= _GROWTH

    def similarities(
        self, vector: ArrayLike, performer_ids: Iterable[str], *, leave_out: Container[int] = ()
    ) -> dict[str, float]:
        """Exact similarity of each performer's most similar vector; performers without one are left out.

        leave_out: rows that are not compared.

        Raises:
            InvalidInput: wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        seqs = [seq for performer_id in set(performer_ids) for seq in self.seqs_of(performer_id)]
        compared = [seq for seq in seqs if seq not in leave_out]
        similarities = self._index.similarities(vector, compared)
        return self._best_of([Neighbor(*pair) for pair in similarities.items()])

    def most_alike(
        self, vector: ArrayLike, performer_ids: Iterable[str], k: int, *, leave_out: Container[int] = ()
    ) -> list[tuple[int, str]]:
        """At most k rows of these performers and whose they are, the most similar first, ties by row.

        leave_out: rows that are not compared.

        Raises:
            InvalidInput: wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        owners = {seq: one for one in set(performer_ids) for seq in self.seqs_of(one) if seq not in leave_out}
        similarities = self._index.similarities(vector, owners)
        best = sorted(similarities, key=lambda seq: (-similarities[seq], seq))
        return [(seq, owners[seq]) for seq in best[:k]]

    def nearest(self, vector: ArrayLike, k: int) -> list[tuple[int, str]]:
        """At most k rows of whomever and whose they are, the most similar first, ties by row.

        Raises:
            InvalidInput: k below 1, wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        owned = [(one.id, self._owners.of(one.id)) for one in self._index.search(vector, k)]
        return [(seq, owner) for seq, owner in owned if owner is not None]

    def closest(
        self, vector: ArrayLike, performer_ids: Iterable[str], *, leave_out: Container[int] = ()
    ) -> dict[str, Neighbor]:
        """Each performer's most similar row, ties by row, and how similar; who has none is left out.

        leave_out: rows that are not compared.

        Raises:
            InvalidInput: wrong dimension, NaN, infinite or a zero vector (cosine).
        """
        rows = {one: [seq for seq in self.seqs_of(one) if seq not in leave_out] for one in set(performer_ids)}
        similarities = self._index.similarities(vector, [seq for seqs in rows.values() for seq in seqs])
        # A row that was withdrawn meanwhile has no similarity.
        found = {one: [seq for seq in seqs if seq in similarities] for one, seqs in rows.items()}
        best = {
            one: min(seqs, key=lambda seq: (-similarities[seq], seq)) for one, seqs in found.items() if seqs
        }
        return {one: Neighbor(seq, similarities[seq]) for one, seq in best.items()}

    def compact(self, *, max_tombstone_share: float = 0.2) -> bool:
        """Free the room of forgotten vectors if they are more than that share (0..1) of all.

        Where they are fewer, their room is overwritten, if it was not yet. Returns whether it was freed: that
        takes as long as adding all vectors; searches and enrolment go on.
        """
        gone = self._index.tombstones
        if gone <= max_tombstone_share * (gone + len(self._index)):
            self._index.wipe()
            return False
        return self._index.rebuild()

    def close(self) -> None:
        """End what takes long, so that the process can end; searches still work."""
        self._index.close()

    def _best_of(self, neighbors: Iterable[Neighbor]) -> dict[str, float]:
        best: dict[str, float] = {}
        for neighbor in neighbors:
            performer_id = self._owners.of(neighbor.id)
            if performer_id is not None and neighbor.similarity > best.get(performer_id, -np.inf):
                best[performer_id] = neighbor.similarity
        return best

    def __len__(self) -> int:
        """Vectors."""
        return len(self._owners)

    def __contains__(self, seq: int) -> bool:
        """Whether the row is in the gallery."""
        return seq in self._owners

    def __repr__(self) -> str:
        return f"<Gallery of {len(self.performers)} performers, {self._index!r}>"


def _stacked(rows: Sequence[GalleryRow]) -> ArrayLike:
    shapes = {np.shape(row.vector) for row in rows}
    if len(shapes) > 1:
        raise InvalidInput(f"vectors of one gallery have one dimension, got shapes {sorted(shapes)}")
    return np.stack([row.vector for row in rows]) if rows else []


def _ranked(best: dict[str, float]) -> list[Match]:
    ranking = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))
    return [Match(*pair) for pair in ranking]
