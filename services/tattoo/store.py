"""The tattoos' SQL. PostgreSQL is the truth; what is in memory is a copy of it."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg

from chassis.geometry import Box
from chassis.postgres import (
    Connection,
    Pool,
    SchemaSource,
    translate,
    vector_from_bytes,
    vector_to_bytes,
)
from chassis.signal.counting import count_range, to_proto_counts
from chassis.signal.enrolment import Rejection, Stored
from chassis.signal.feed import FeedTable
from chassis.signal.model_set_store import ObservationTable
from chassis.signal.rows import adding_rows, removing_rows
from marquee.common.v1 import counts_pb2
from services.tattoo.arranging import arrange
from services.tattoo.enrolled import KnownTattoo, TattooFacts, TattooRow
from services.tattoo.key_point_store import renew_key_points, stored_key_points
from services.tattoo.known_copies import CopiedView, KnownCopies
from services.tattoo.known_places import KnownPlaces
from services.tattoo.table import EmbedderRow
from services.tattoo.template import ModelKey, Template

__all__ = ["SCHEMA", "OBSERVATIONS", "FEED", "FACTS", "NewTattoo", "TattooStore", "known_of"]

SCHEMA = SchemaSource("tattoo", "services.tattoo")

OBSERVATIONS = ObservationTable(
    schema="tattoo",
    table="performer_tattoos",
    identity="performer_id, image_hash, box",
    uri="image_url",
    date="first_seen_date",
    region="body_region",
)


FEED = FeedTable("tattoo", "performer_tattoos")


@dataclass(frozen=True, slots=True)
class NewTattoo:
    """One view of a performer's tattoo that is to be stored."""

    template: Template
    box: Box
    confidence: float
    """Of the detector, 0..1."""
    region: str
    """The contract's BodyRegion in lower case."""
    image_hash: str
    """SHA-256 of the image, hexadecimal."""
    uri: str
    date: datetime.date | None

    @property
    def quality(self) -> float:
        """0..1; see `quality`."""
        return self.template.quality


class TattooStore:
    """Rows of the embedders in `use`.

    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._dimensions: dict[ModelKey, int] = {}

    def use(self, rows: Sequence[EmbedderRow]) -> None:
        """Read and write vectors of these embedders, too."""
        self._dimensions |= {row.key: row.dimension for row in rows}

    async def insert(self, performer_id: str, tattoos: Sequence[NewTattoo]) -> list[Stored]:
        """Store views of a performer's tattoos in one transaction; in order, with those there already.

        A new view joins the tattoo that it shows, see `grouping`, and its region is known to be tattooed.
        Nearly the same box of the same image is the same view, and of a copy of the image it shows nothing
        new; a view that the owner deleted stays away.
        Raises NotFound when there is no such performer, also for no views at all.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            places = await KnownPlaces.read(connection, performer_id, {one.image_hash for one in tattoos})
            copies = await KnownCopies.read(connection, performer_id)
            stored = [await self._insert(connection, performer_id, one, places, copies) for one in tattoos]
            if any(one.is_new for one in stored):
                await arrange(connection, performer_id)
            return stored

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows, of every model, and return how many there were.

        What is known of regions goes with them.
        """
        async with removing_rows(self._pool, performer_id) as connection:
            await connection.execute(_DELETE_REGIONS, performer_id)
            return int(await connection.fetchval(_DELETE, performer_id))

    async def discard(self, performer_id: str, image_hash: str) -> int:
        """Delete a performer's views in one image, and what was known of regions by them alone.

        How many views there were. Raises NotFound: no such performer.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            deleted = await connection.fetch(_DISCARD, performer_id, image_hash)
            await arrange(connection, performer_id)
        return len({tuple(row["box"]) for row in deleted})

    async def of_performers(self, performer_ids: Sequence[str]) -> dict[str, list[KnownTattoo]]:
        """What is stored of each performer with tattoos, oldest row first; one in one image only once."""
        with translate():
            rows = await self._pool.fetch(_OF_PERFORMERS, performer_ids)
        found: dict[str, dict[tuple[str, Box], KnownTattoo]] = {}
        for row in rows:
            known = known_of(row)
            found.setdefault(str(row["performer_id"]), {}).setdefault((known.image_hash, known.box), known)
        return {performer_id: list(tattoos.values()) for performer_id, tattoos in found.items()}

    async def count(self, performers: counts_pb2.PerformerRange) -> counts_pb2.ObservationCounts:
        """How many views are stored of each. Raises InvalidInput for a range that is none, or of too many."""
        return to_proto_counts(await count_range(self._pool, _COUNT, performers))

    async def rows(self, seqs: Sequence[int]) -> list[TattooRow]:
        """Those of the rows that are there, of embedders in use."""
        with translate():
            found = await self._pool.fetch(_ROWS, seqs)
        return [self._row(row) for row in found if (row["model"], row["version"]) in self._dimensions]

    async def facts(self, seqs: Sequence[int]) -> list[TattooFacts]:
        """The same without their vectors."""
        with translate():
            found = await self._pool.fetch(_FACTS_OF, seqs)
        return [TattooFacts(row["seq"], str(row["performer_id"]), known_of(row)) for row in found]

    async def _insert(
        self,
        connection: Connection,
        performer_id: str,
        tattoo: NewTattoo,
        places: KnownPlaces,
        copies: KnownCopies,
    ) -> Stored:
        if places.is_deleted(tattoo.image_hash, tattoo.box):
            return _duplicate(_DELETED)
        known = places.take(tattoo.image_hash, tattoo.box)
        fingerprint = tattoo.template.fingerprint
        if known is None:
            original = copies.find(tattoo.image_hash, tattoo.box, fingerprint)
            if original is not None:
                return _duplicate(_DELETED if original.is_deleted else _COPY)
            if fingerprint is not None:
                copies.add(CopiedView(tattoo.image_hash, tattoo.box, fingerprint))
        else:
            tattoo = replace(tattoo, box=known)
        # A tattoo of its own, until views are grouped.
        tattoo_id = str(uuid.uuid4())
        written = 0
        for model in tattoo.template.vectors:
            values = self._values(performer_id, tattoo, model)
            points = stored_key_points(tattoo.template.key_points)
            further = (tattoo_id, *points, fingerprint.encode() if fingerprint is not None else None)
            written += await connection.fetchval(_INSERT, *values, *further) is not None
        await renew_key_points(
            connection, performer_id, tattoo.image_hash, tattoo.box, tattoo.template.key_points
        )
        return Stored(is_new=written > 0)

    def _values(self, performer_id: str, tattoo: NewTattoo, model: ModelKey) -> tuple[object, ...]:
        vector = vector_to_bytes(tattoo.template.vectors[model], dimension=self._dimensions[model])
        quality, seen = tattoo.template.quality, tattoo.date
        facts = (vector, tattoo.region, tattoo.confidence, quality, tattoo.uri, seen)
        return (*_identity(performer_id, tattoo, model), *facts)

    def _row(self, row: asyncpg.Record) -> TattooRow:
        model = (row["model"], row["version"])
        vector = vector_from_bytes(row["embedding"], dimension=self._dimensions[model])
        return TattooRow(row["seq"], str(row["performer_id"]), model, vector, known_of(row))


def _duplicate(detail: str) -> Stored:
    return Stored(is_new=False, rejection=Rejection.DUPLICATE_IMAGE, detail=detail)


def _identity(performer_id: str, tattoo: NewTattoo, model: ModelKey) -> tuple[object, ...]:
    """What makes a row one and the same."""
    box = [tattoo.box.x, tattoo.box.y, tattoo.box.width, tattoo.box.height]
    return (performer_id, tattoo.image_hash, box, *model)


def known_of(row: asyncpg.Record) -> KnownTattoo:
    return KnownTattoo(
        tattoo_id=str(row["tattoo_id"]),
        view_id=str(row["id"]),
        region=row["body_region"],
        first_seen=row["first_seen_date"],
        known_since=row["known_since"],
        removed=row["removed_date"],
        confidence=row["confidence"],
        image_hash=row["image_hash"],
        box=Box(*row["box"]),
    )


FACTS = """
id, tattoo_id, seq, performer_id, body_region, first_seen_date, known_since, removed_date, confidence,
image_hash, box
"""
"""Columns of what is known of a view."""
_DELETED = "the owner deleted this view; it is not enrolled again"
_COPY = "it is enrolled for the performer from an image of which this one is a copy"
_COLUMNS = f"{FACTS}, model, version, embedding"
# What is known of a tattoo stays known when another embedder describes it: only vector and quality are new.
_INSERT = """
INSERT INTO tattoo.performer_tattoos
    (performer_id, image_hash, box, model, version, embedding, quality,
     body_region, confidence, image_url, first_seen_date, removed_date, source, tattoo_id, is_pinned,
     known_since, key_points, key_points_version, fingerprint)
SELECT $1::uuid, $2::text, $3::real[], $4::text, $5::text, $6::bytea, $9::real,
       body_region, confidence, image_url, first_seen_date, removed_date, source, tattoo_id, is_pinned,
       known_since, coalesce($13::bytea, key_points), coalesce($14::text, key_points_version),
       coalesce(fingerprint, $15::bytea)
FROM (
    SELECT body_region, confidence, image_url, first_seen_date, removed_date, source, tattoo_id, is_pinned,
           known_since, seq, key_points, key_points_version, fingerprint
    FROM tattoo.performer_tattoos WHERE performer_id = $1 AND image_hash = $2 AND box = $3
    UNION ALL
    SELECT $7::text, $8::real, $10::text, $11::date, NULL, 'observed', $12::uuid, false, NULL, NULL, NULL,
           NULL, NULL
) AS known
ORDER BY seq NULLS LAST
LIMIT 1
ON CONFLICT DO NOTHING
RETURNING seq
"""
_DISCARD = """
DELETE FROM tattoo.performer_tattoos WHERE performer_id = $1 AND image_hash = $2 RETURNING box
"""
_DELETE_REGIONS = "DELETE FROM tattoo.region_knowledge WHERE performer_id = $1"
_DELETE = """
WITH deleted AS (DELETE FROM tattoo.performer_tattoos WHERE performer_id = $1 RETURNING 1)
SELECT count(*) FROM deleted
"""
_OF_PERFORMERS = (
    f"SELECT {FACTS} FROM tattoo.performer_tattoos WHERE performer_id = ANY($1::uuid[]) ORDER BY seq"
)
_COUNT = """
SELECT performer_id, count(*) FROM (
    SELECT DISTINCT performer_id, image_hash, box FROM tattoo.performer_tattoos
    WHERE performer_id > $1::uuid AND performer_id <= $2::uuid
) AS views
GROUP BY performer_id ORDER BY performer_id LIMIT $3
"""
_ROWS = f"SELECT {_COLUMNS} FROM tattoo.performer_tattoos WHERE seq = ANY($1::bigint[])"
_FACTS_OF = f"SELECT {FACTS} FROM tattoo.performer_tattoos WHERE seq = ANY($1::bigint[])"
