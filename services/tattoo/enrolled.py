"""Whose tattoos are enrolled: in memory, as PostgreSQL has them."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from threading import Lock

from chassis.gallery import Gallery, GalleryRow, Match
from chassis.geometry import Box
from chassis.index import IndexSettings, Neighbor, VectorIndex
from services.tattoo.table import EmbedderRow
from services.tattoo.template import ModelKey, Vector

__all__ = ["Compared", "EnrolledTattoos", "KnownTattoo", "TattooFacts", "TattooRow"]


@dataclass(frozen=True, slots=True)
class KnownTattoo:
    """What is known of one enrolled view of a tattoo."""

    tattoo_id: str
    """Id of the tattoo, a UUID; views of one tattoo share it."""
    view_id: str
    """Id of the row, a UUID."""
    region: str
    """The contract's BodyRegion in lower case, such as left_forearm."""
    first_seen: datetime.date | None
    """Day of the image."""
    removed: datetime.date | None
    confidence: float
    """Of the detector, 0..1."""
    image_hash: str
    box: Box
    known_since: datetime.date | None = None
    """First day the tattoo was there, as the owner says; None: nothing is said."""


@dataclass(frozen=True, slots=True)
class TattooRow:
    """One committed row."""

    seq: int
    performer_id: str
    model: ModelKey
    vector: Vector
    known: KnownTattoo


@dataclass(frozen=True, slots=True)
class TattooFacts:
    """One committed row without its vector."""

    seq: int
    performer_id: str
    known: KnownTattoo


@dataclass(frozen=True, slots=True)
class Compared:
    """A probe against performers."""

    similarities: dict[str, float]
    """-1..1, in the primary embedder's measure."""
    closest: dict[str, int]
    """Each performer's most similar row, as the first embedder that described the probe judges."""


class EnrolledTattoos:
    """Vectors by embedder and performer, with what is known of each tattoo; safe to use from many threads.

    Where a probe and a performer share several embedders, their similarities are averaged by position (see
    `OperatingPoint`) and told as a similarity of the primary embedder, the first of `rows`.
    Every call is synchronous and computes: run it in a `WorkPool`.
    """

    def __init__(self, rows: Sequence[EmbedderRow], *, settings: IndexSettings | None = None) -> None:
        self._points = {row.key: row.operating_point for row in rows}
        self._primary = rows[0].operating_point
        self._galleries = {row.key: Gallery(row.dimension, settings=settings) for row in rows}
        self._known: dict[str, dict[int, KnownTattoo]] = {}
        self._changing = Lock()

    def __repr__(self) -> str:
        return f"<EnrolledTattoos of {len(self._known)} performers, {len(self)} tattoos>"

    def __len__(self) -> int:
        """Tattoos: views, however many embedders describe each."""
        return max(len(gallery) for gallery in self._galleries.values())

    @property
    def performers(self) -> int:
        """Performers with at least one tattoo."""
        return len(self._known)

    def vectors(self, model: ModelKey) -> int:
        """Vectors of one embedder that can be found."""
        return len(self._galleries[model])

    @property
    def galleries(self) -> Mapping[ModelKey, Gallery]:
        """Vectors by embedder."""
        return self._galleries

    def __contains__(self, seq: int) -> bool:
        return any(seq in gallery for gallery in self._galleries.values())

    def seqs(self, key: ModelKey) -> Sequence[int]:
        """Every row of one embedder."""
        return self._galleries[key].seqs()

    def add(self, rows: Iterable[TattooRow]) -> None:
        """Add committed rows of active embedders; those that are here are passed over."""
        with self._changing:
            new = list({row.seq: row for row in rows if self._is_new(row)}.values())
            for model, gallery in self._galleries.items():
                own = [row for row in new if row.model == model]
                gallery.add([GalleryRow(row.seq, row.performer_id, row.vector) for row in own])
            for row in new:
                self._learn(row.performer_id, row.seq, row.known)

    def adopt(
        self,
        key: ModelKey,
        index: VectorIndex,
        owned: Mapping[str, Sequence[int]],
        facts: Sequence[TattooFacts],
    ) -> None:
        """Take over the index of one embedder, with its rows by performer and what is known of them."""
        with self._changing:
            self._galleries[key].adopt(index, owned)
            for one in facts:
                self._learn(one.performer_id, one.seq, one.known)

    def withdraw(self, seqs: Iterable[int]) -> None:
        """Make rows unknown; those that are not here are passed over."""
        gone = list(seqs)
        with self._changing:
            for gallery in self._galleries.values():
                for seq, performer_id in gallery.withdraw(gone).items():
                    self._unlearn(performer_id, seq)

    def of(self, performer_id: str, *, except_images: Container[str] = ()) -> tuple[KnownTattoo, ...]:
        """What is known of a performer's tattoos, oldest row first; of one in one image only once.

        Another embedder's vector of the same tattoo in the same image is no second tattoo. except_images:
        hashes of images that do not count.
        """
        found: dict[tuple[str, Box], KnownTattoo] = {}
        for _, known in sorted(self._known.get(performer_id, {}).items()):
            if known.image_hash not in except_images:
                found.setdefault((known.image_hash, known.box), known)
        return tuple(found.values())

    def search(self, vectors: Mapping[ModelKey, Vector], k: int) -> list[Match]:
        """At most k performers with the most similar tattoos, best first, ties by id; none for k = 0."""
        if k < 1:
            return []
        found = {
            match.performer_id
            for model, vector in self._shared(vectors).items()
            for match in self._galleries[model].search(vector, k)
        }
        similarities = self.similarities(vectors, found)
        ranking = sorted(similarities.items(), key=lambda pair: (-pair[1], pair[0]))
        return [Match(*pair) for pair in ranking[:k]]

    def similarities(
        self, vectors: Mapping[ModelKey, Vector], performer_ids: Iterable[str]
    ) -> dict[str, float]:
        """Exact similarity of the probe to each performer's most similar tattoo; without shared models {}."""
        return self.compared(vectors, performer_ids).similarities

    def compared(
        self,
        vectors: Mapping[ModelKey, Vector],
        performer_ids: Iterable[str],
        *,
        except_images: Set[str] = frozenset(),
    ) -> Compared:
        """The same with the rows that they are of.

        except_images: hashes of images whose views are not compared.
        """
        wanted, shared = list(performer_ids), self._shared(vectors)
        out = self._rows_from(wanted, except_images)
        found = {
            model: self._galleries[model].closest(shared[model], wanted, leave_out=out)
            for model in self._galleries
            if model in shared
        }
        positions: dict[str, list[float]] = {}
        for model, closest in found.items():
            point = self._points[model]
            for performer_id, one in closest.items():
                positions.setdefault(performer_id, []).append(point.position(one.similarity))
        first: Mapping[str, Neighbor] = next(iter(found.values()), {})
        return Compared(
            {one: self._told(sum(each) / len(each)) for one, each in positions.items()},
            {performer_id: one.id for performer_id, one in first.items()},
        )

    def most_alike(
        self,
        vectors: Mapping[ModelKey, Vector],
        performer_ids: Iterable[str] | None,
        k: int,
        *,
        except_images: Set[str] = frozenset(),
    ) -> list[tuple[int, str]]:
        """At most k rows of these performers and whose they are, the most similar first.

        Judged by the first embedder that described the probe; without a shared one none. None as performers
        means everybody, as the index finds them; then except_images do not count.
        """
        shared = self._shared(vectors)
        model = next((one for one in self._galleries if one in shared), None)
        if model is None or k < 1:
            return []
        if performer_ids is None:
            return self._galleries[model].nearest(shared[model], k)
        wanted = list(performer_ids)
        out = self._rows_from(wanted, except_images)
        return self._galleries[model].most_alike(shared[model], wanted, k, leave_out=out)

    def _rows_from(self, performer_ids: Iterable[str], image_hashes: Set[str]) -> frozenset[int]:
        if not image_hashes:
            return frozenset()
        return frozenset(
            seq
            for performer_id in performer_ids
            for seq, known in self._known.get(performer_id, {}).items()
            if known.image_hash in image_hashes
        )

    def tattoo_of(self, performer_id: str, seq: int) -> str:
        """Id of the tattoo that a performer's row shows; "" when the row is not here."""
        known = self._known.get(performer_id, {}).get(seq)
        return known.tattoo_id if known is not None else ""

    def _told(self, position: float) -> float:
        """As a cosine of the primary embedder, which has ends where positions have none."""
        return min(1.0, max(-1.0, self._primary.similarity(position)))

    def _shared(self, vectors: Mapping[ModelKey, Vector]) -> dict[ModelKey, Vector]:
        return {model: vector for model, vector in vectors.items() if model in self._galleries}

    def _is_new(self, row: TattooRow) -> bool:
        gallery = self._galleries.get(row.model)
        return gallery is not None and row.seq not in gallery

    def _learn(self, performer_id: str, seq: int, known: KnownTattoo) -> None:
        # Replaced rather than changed: readers take no lock.
        self._known[performer_id] = {**self._known.get(performer_id, {}), seq: known}

    def _unlearn(self, performer_id: str, seq: int) -> None:
        left = {one: known for one, known in self._known.get(performer_id, {}).items() if one != seq}
        if left:
            self._known[performer_id] = left
        else:
            self._known.pop(performer_id, None)
