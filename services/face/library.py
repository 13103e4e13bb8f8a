"""The enrolled faces in memory: one gallery for each embedder, searched and compared as one."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from chassis.gallery import Gallery, GalleryRow
from chassis.index import IndexSettings, VectorIndex
from chassis.row_images import RowImages, image_code
from services.face.ensemble import Ensemble, Likeness, ModelKey
from services.face.template import FaceTemplate

__all__ = ["FaceRow", "FaceFacts", "FaceCandidate", "FaceLibrary"]


@dataclass(frozen=True, slots=True, eq=False)
class FaceRow:
    """One stored vector."""

    seq: int
    """The row's number, unique over all models."""
    performer_id: str
    key: ModelKey
    vector: NDArray[np.float32]
    image: int = 0
    """Its `image_code`; 0 where it is not known."""


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """One stored row without its vector."""

    seq: int
    image: int
    """Its `image_code`."""


@dataclass(frozen=True, slots=True)
class FaceCandidate:
    """A performer near a face."""

    performer_id: str
    likeness: Likeness


class FaceLibrary:
    """What is enrolled, as a cache of the database; safe to use from many threads.

    Every call is synchronous and computes: run it in a `WorkPool`.
    """

    def __init__(self, ensemble: Ensemble, *, settings: IndexSettings | None = None) -> None:
        self.ensemble = ensemble
        self._galleries = {row.key: Gallery(row.dimension, settings=settings) for row in ensemble.rows}
        self._images = RowImages()
        self._changing = Lock()

    def __repr__(self) -> str:
        return f"<FaceLibrary {list(self._galleries.values())}>"

    @property
    def galleries(self) -> Mapping[ModelKey, Gallery]:
        """Vectors by embedder."""
        return self._galleries

    def __contains__(self, seq: int) -> bool:
        return any(seq in gallery for gallery in self._galleries.values())

    def seqs(self, key: ModelKey) -> Sequence[int]:
        """Every row of one embedder."""
        return self._galleries[key].seqs()

    def add(self, rows: Sequence[FaceRow]) -> None:
        """Make committed rows findable; those that are here, or of models not in use, change nothing.

        Raises InvalidInput for a vector that is no vector of its model.
        """
        with self._changing:
            for key, gallery in self._galleries.items():
                new = {row.seq: row for row in rows if row.key == key and row.seq not in gallery}
                self._images.put((row.seq, row.image) for row in new.values())
                gallery.add([GalleryRow(seq, row.performer_id, row.vector) for seq, row in new.items()])

    def adopt(
        self,
        key: ModelKey,
        index: VectorIndex,
        owned: Mapping[str, Sequence[int]],
        facts: Sequence[FaceFacts],
    ) -> None:
        """Take over the index of one embedder, with its rows by performer and their images."""
        with self._changing:
            self._images.put((one.seq, one.image) for one in facts)
            self._galleries[key].adopt(index, owned)

    def withdraw(self, seqs: Iterable[int]) -> None:
        """Take rows out of every later search; those that are not here are passed over."""
        gone = list(seqs)
        with self._changing:
            for gallery in self._galleries.values():
                gallery.withdraw(gone)
            self._images.remove(gone)

    def search(self, template: FaceTemplate, k: int) -> list[FaceCandidate]:
        """At most k performers nearest to a face, best first, ties by performer id; k at least 1.

        With several embedders: all that any of them finds, compared exactly by each.
        """
        found = {
            match.performer_id
            for key, vector in template.vectors.items()
            if key in self._galleries
            for match in self._galleries[key].search(vector, k)
        }
        positions = self.positions(template, found)
        ranking = sorted(positions.items(), key=lambda pair: (-pair[1], pair[0]))[:k]
        return [FaceCandidate(one, self.ensemble.likeness(position)) for one, position in ranking]

    def rows_from(self, performer_ids: Iterable[str], image_hashes: Iterable[str]) -> frozenset[int]:
        """Rows of these performers that are from one of these images."""
        codes = frozenset(map(image_code, image_hashes))
        if not codes:
            return frozenset()
        wanted, galleries = set(performer_ids), self._galleries.values()
        seqs = (seq for gallery in galleries for one in wanted for seq in gallery.seqs_of(one))
        return self._images.among(seqs, codes)

    def positions(
        self, template: FaceTemplate, performer_ids: Iterable[str], *, leave_out: Container[int] = ()
    ) -> dict[str, float]:
        """For each of these performers with enrolled faces the mean position of their most similar face.

        The most similar face is each embedder's own. leave_out: rows that are not compared. See
        `Ensemble.position`.
        """
        wanted = set(performer_ids)
        similarities = {
            key: self._galleries[key].similarities(vector, wanted, leave_out=leave_out)
            for key, vector in template.vectors.items()
            if key in self._galleries
        }
        return {
            performer_id: position
            for performer_id in wanted
            if (position := self._position(similarities, performer_id)) is not None
        }

    def faces_of(self, performer_id: str, *, leave_out: Container[int] = ()) -> int:
        """Enrolled faces of a performer that can be compared, without these rows."""
        return max(
            sum(seq not in leave_out for seq in gallery.seqs_of(performer_id))
            for gallery in self._galleries.values()
        )

    def vectors_of(self, key: ModelKey) -> int:
        """Vectors of one model that can be found."""
        return len(self._galleries[key])

    @property
    def faces(self) -> int:
        """Faces that can be found."""
        return max(len(gallery) for gallery in self._galleries.values())

    @property
    def performers(self) -> int:
        """Performers with at least one face that can be found."""
        return max(len(gallery.performers) for gallery in self._galleries.values())

    def _position(
        self, similarities: Mapping[ModelKey, Mapping[str, float]], performer_id: str
    ) -> float | None:
        known = {key: found[performer_id] for key, found in similarities.items() if performer_id in found}
        return self.ensemble.position(known)
