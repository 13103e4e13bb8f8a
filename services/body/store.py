"""The measurements' SQL. PostgreSQL is the truth; what is in memory is a copy of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Never

import asyncpg

from chassis.geometry import Box
from chassis.postgres.migrations import SchemaSource
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.postgres.vectors import vector_to_bytes
from chassis.protos import to_proto_box
from chassis.row_images import image_code
from chassis.signal.counting import count_range, to_proto_counts
from chassis.signal.enrolment import Stored
from chassis.signal.feed import FeedTable
from chassis.signal.rows import adding_rows, removing_rows
from chassis.signal.transfer_store import VectorPage
from chassis.signal.transferred import PageQuery, page_token
from marquee.common.v1 import common_pb2, counts_pb2, transfer_pb2
from services.body.derived import clear_body_ratios, derive_body_ratios
from services.body.enrolled import MeasurementRow
from services.body.measurement import Measurement
from services.body.table import MeasurementModel
from services.body.template import DIMENSION, encode, stored_measurement

__all__ = ["SCHEMA", "FEED", "NewMeasurement", "MeasurementStore"]

SCHEMA = SchemaSource("body", "services.body")

FEED = FeedTable("body", "measurements")


@dataclass(frozen=True, slots=True)
class NewMeasurement:
    """One view of a performer that is to be stored."""

    measurement: Measurement
    quality: float
    """0..1."""
    box: Box
    image_hash: str
    """SHA-256 of the image, hexadecimal."""
    uri: str
    date: datetime.date | None


class MeasurementStore:
    """Rows of one measurement model.

    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool, model: MeasurementModel) -> None:
        self._pool = pool
        self._model = model

    async def insert(self, performer_id: str, views: Sequence[NewMeasurement]) -> list[Stored]:
        """Store views of a performer in one transaction; in order, with those that were there already.

        The performer's ratios in the catalogue are derived again in the same transaction.
        Raises NotFound when there is no such performer, also for no views at all.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            stored = [await self._insert(connection, performer_id, view) for view in views]
            await derive_body_ratios(connection, performer_id, self._model)
            return stored

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows, of every model, and return how many there were.

        What was derived from them goes with them.
        """
        async with removing_rows(self._pool, performer_id) as connection:
            deleted = int(await connection.fetchval(_DELETE, performer_id))
            if deleted:
                await clear_body_ratios(connection, performer_id)
            return deleted

    async def discard(self, performer_id: str, image_hash: str) -> int:
        """Delete a performer's measurements in one image, and derive the ratios again from the others.

        How many there were. Raises NotFound: no such performer.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            deleted = await connection.fetch(_DISCARD, performer_id, image_hash)
            if deleted:
                await clear_body_ratios(connection, performer_id)
                await derive_body_ratios(connection, performer_id, self._model)
            return len(deleted)

    async def of_performers(self, performer_ids: Sequence[str]) -> Mapping[str, list[Measurement]]:
        """The measurements of each performer who has any."""
        with translate():
            rows = await self._pool.fetch(_OF_PERFORMERS, performer_ids, *self._model.key)
        found: dict[str, list[Measurement]] = {}
        for row in rows:
            found.setdefault(str(row["performer_id"]), []).append(stored_measurement(row["vector"]))
        return found

    async def count(self, performers: counts_pb2.PerformerRange) -> counts_pb2.ObservationCounts:
        """How many measurements are stored of each.

        Raises InvalidInput for a range that is none, or of too many.
        """
        return to_proto_counts(await count_range(self._pool, _COUNT, performers, *self._model.key))

    async def page(self, query: PageQuery, *, without_vectors: bool) -> VectorPage:
        """Rows of this model after a cursor, oldest first."""
        after = query.after[2]
        with translate():
            rows = await self._pool.fetch(_PAGE, *self._model.key, after, query.size + 1, without_vectors)
        shown = rows[: query.size]
        token = page_token((*self._model.key, shown[-1]["seq"])) if len(rows) > query.size else ""
        return VectorPage(tuple(_vector_row(row, self._model) for row in shown), token)

    async def rows(self, seqs: Sequence[int]) -> list[MeasurementRow]:
        """Those of the rows that are there, of this model."""
        with translate():
            found = await self._pool.fetch(_ROWS, seqs, *self._model.key)
        return [_row(row) for row in found]

    async def facts(self, seqs: Sequence[int]) -> list[Never]:
        """Nothing: bodies are in no index, and read whole."""
        return []

    async def _insert(self, connection: Connection, performer_id: str, view: NewMeasurement) -> Stored:
        vector = vector_to_bytes(encode(view.measurement), dimension=DIMENSION)
        box = [view.box.x, view.box.y, view.box.width, view.box.height]
        source = (view.image_hash, view.uri, view.date)
        seq = await connection.fetchval(
            _INSERT, performer_id, *self._model.key, vector, view.quality, box, *source
        )
        return Stored(is_new=seq is not None)


def _row(row: asyncpg.Record) -> MeasurementRow:
    measurement = stored_measurement(row["vector"])
    return MeasurementRow(row["seq"], str(row["performer_id"]), measurement, image_code(row["image_hash"]))


def _vector_row(row: asyncpg.Record, model: MeasurementModel) -> transfer_pb2.VectorRow:
    date = row["image_date"]
    return transfer_pb2.VectorRow(
        performer_id=str(row["performer_id"]),
        embedding=common_pb2.Embedding(model=model.name, version=model.version, vector=row["vector"]),
        quality=row["quality"],
        box=to_proto_box(Box(*row["box"])),
        source=common_pb2.ImageSource(
            image_hash=row["image_hash"], uri=row["source"], date=date.isoformat() if date else ""
        ),
    )


_INSERT = """
INSERT INTO body.measurements
    (performer_id, model, version, vector, quality, box, image_hash, source, image_date)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING seq
"""
_DISCARD = "DELETE FROM body.measurements WHERE performer_id = $1 AND image_hash = $2 RETURNING seq"
_DELETE = """
WITH deleted AS (DELETE FROM body.measurements WHERE performer_id = $1 RETURNING 1)
SELECT count(*) FROM deleted
"""
_OF_PERFORMERS = """
SELECT performer_id, vector FROM body.measurements
WHERE performer_id = ANY($1::uuid[]) AND model = $2 AND version = $3
ORDER BY seq
"""
_COUNT = """
SELECT performer_id, count(*) FROM body.measurements
WHERE performer_id > $1::uuid AND performer_id <= $2::uuid AND model = $4 AND version = $5
GROUP BY performer_id ORDER BY performer_id LIMIT $3
"""
_ROWS = """
SELECT seq, performer_id, vector, image_hash FROM body.measurements
WHERE seq = ANY($1::bigint[]) AND model = $2 AND version = $3
"""
_PAGE = """
SELECT seq, performer_id, CASE WHEN $5 THEN ''::bytea ELSE vector END AS vector, quality, box, image_hash,
       source, image_date
FROM body.measurements WHERE model = $1 AND version = $2 AND seq > $3 ORDER BY seq LIMIT $4
"""
