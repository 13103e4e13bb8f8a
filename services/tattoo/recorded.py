"""The views of one performer on record, while a transaction adds to them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from chassis.postgres import Connection, vector_from_bytes
from chassis.signal.primary import PrimaryEmbedder, primary_embedder
from services.tattoo.grouping import StoredView, View, tattoo_of
from services.tattoo.template import ModelKey, Vector

__all__ = ["RecordedViews"]


class RecordedViews:
    """Says which tattoo a new view shows; see `grouping`. Of the primary embedder of the set that serves.

    A view that it does not describe is compared with nothing: it is a tattoo of its own.
    """

    def __init__(self, primary: PrimaryEmbedder | None, views: Sequence[StoredView]) -> None:
        self._primary = primary
        self._views = list(views)

    def __repr__(self) -> str:
        return f"<RecordedViews, {len(self._views)} of them>"

    @classmethod
    async def read(cls, connection: Connection, performer_id: str) -> RecordedViews:
        """In the transaction that adds, with the performer locked."""
        primary = await primary_embedder(connection, "tattoo")
        if primary is None:
            return cls(None, ())
        rows = await connection.fetch(_VIEWS, performer_id, *primary.key)
        views = [
            StoredView(
                str(row["tattoo_id"]),
                View(
                    row["image_hash"],
                    row["body_region"],
                    vector_from_bytes(row["embedding"], dimension=primary.dimension),
                ),
            )
            for row in rows
        ]
        return cls(primary, views)

    def tattoo_of(self, vectors: Mapping[ModelKey, Vector], image_hash: str, region: str) -> str:
        """The id of the tattoo that a view shows; a new one for a tattoo not seen before."""
        vector = self._vector_of(vectors)
        if vector is None or self._primary is None:
            return str(uuid.uuid4())
        found = tattoo_of(View(image_hash, region, vector), self._views, self._primary.operating_point)
        return found or str(uuid.uuid4())

    def add(self, tattoo_id: str, vectors: Mapping[ModelKey, Vector], image_hash: str, region: str) -> None:
        """A view that was written."""
        vector = self._vector_of(vectors)
        if vector is not None:
            self._views.append(StoredView(tattoo_id, View(image_hash, region, vector)))

    def _vector_of(self, vectors: Mapping[ModelKey, Vector]) -> Vector | None:
        return vectors.get(self._primary.key) if self._primary is not None else None


_VIEWS = """
SELECT tattoo_id, image_hash, body_region, embedding FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND model = $2 AND version = $3
ORDER BY seq
"""
