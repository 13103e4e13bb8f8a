"""Tattoos to and from other installations: the SQL, and their messages."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Sequence
from functools import partial

import asyncpg

from chassis.errors import InvalidInput
from chassis.geometry import Box
from chassis.postgres import Connection, Pool
from chassis.protos import to_proto_box
from chassis.signal.model_sets import ModelKey
from chassis.signal.transfer import VectorTransfer, why_not_searchable
from chassis.signal.transfer_store import TransferStatements, TransferStore
from chassis.signal.transferred import Refused, TransferredRow
from chassis.signal.unsearchable import Unsearchable
from marquee.common.v1 import common_pb2, transfer_pb2
from services.tattoo.config import OwnEmbedder
from services.tattoo.models_in_use import TattooChange
from services.tattoo.region_names import region_name, region_value
from services.tattoo.region_words import OTHER, UNKNOWN
from services.tattoo.regions_store import write_observed
from services.tattoo.store import OBSERVATIONS
from services.tattoo.table import EMBEDDER
from services.tattoo.waiting_views import note_waiting

__all__ = ["TATTOO_STATEMENTS", "new_transfer"]


def _values(row: TransferredRow) -> tuple[object, ...]:
    box, source = row.box, row.source
    return (
        row.performer_id,
        *row.key,
        region_name(row.region),
        row.vector,
        source.uri,
        source.image_hash,
        (box.x, box.y, box.width, box.height),
        row.confidence,
        row.quality,
        source.date,
        row.removed,
        row.tattoo_id or _tattoo_id(row),
        row.is_confirmed and bool(row.tattoo_id),
        row.since,
        row.fingerprint.encode() if row.fingerprint is not None else None,
    )


def _tattoo_id(row: TransferredRow) -> str:
    """The same for every embedder that describes the same view."""
    return str(uuid.uuid5(uuid.UUID(row.performer_id), f"{row.source.image_hash} {row.box}"))


def _row(row: asyncpg.Record) -> transfer_pb2.VectorRow:
    seen, removed, since = row["first_seen_date"], row["removed_date"], row["known_since"]
    return transfer_pb2.VectorRow(
        performer_id=str(row["performer_id"]),
        embedding=common_pb2.Embedding(model=row["model"], version=row["version"], vector=row["embedding"]),
        quality=row["quality"],
        box=to_proto_box(Box(*row["box"])),
        source=common_pb2.ImageSource(
            image_hash=row["image_hash"], uri=row["image_url"], date=seen.isoformat() if seen else ""
        ),
        region=region_value(row["body_region"]),
        detection_confidence=row["confidence"],
        removed_date=removed.isoformat() if removed else "",
        tattoo_id=str(row["tattoo_id"]),
        is_confirmed=row["is_pinned"],
        since_date=since.isoformat() if since else "",
        fingerprint=row["fingerprint"] or b"",
    )


async def _follow_up(connection: Connection, rows: Sequence[TransferredRow]) -> None:
    """Regions are known at once; views are grouped afterwards, performer by performer."""
    await _note_regions(connection, rows)
    await note_waiting(connection, {row.performer_id for row in rows})


async def _note_regions(connection: Connection, rows: Sequence[TransferredRow]) -> None:
    """A region where a tattoo was seen is known to be tattooed, from the first day that is known."""
    seen: dict[tuple[str, str], datetime.date | None] = {}
    for row in rows:
        where = (row.performer_id, region_name(row.region))
        days = [day for day in (seen.get(where), row.source.date) if day is not None]
        seen[where] = min(days, default=None)
    for (performer_id, region), day in sorted(seen.items(), key=lambda item: item[0]):
        if region not in (UNKNOWN, OTHER):
            await write_observed(connection, performer_id, region, day)


_CREATE = """
CREATE TEMP TABLE IF NOT EXISTS incoming_tattoos (
    performer_id uuid, model text, version text, body_region text, embedding bytea STORAGE EXTERNAL,
    image_url text, image_hash text, box real[], confidence real, quality real,
    first_seen_date date, removed_date date, tattoo_id uuid, is_pinned boolean, known_since date,
    fingerprint bytea
) ON COMMIT DELETE ROWS
"""
# In the order of the unique key, so that two imports of the same rows wait for each other and do not
# deadlock. What is known of a tattoo stays known when another embedder's vector of it comes.
_INSERT = """
INSERT INTO tattoo.performer_tattoos
    (performer_id, model, version, body_region, embedding, image_url, image_hash, box,
     confidence, quality, source, first_seen_date, removed_date, tattoo_id, is_pinned, known_since,
     key_points, key_points_version, fingerprint)
SELECT new.performer_id, new.model, new.version, coalesce(same.body_region, new.body_region), new.embedding,
       new.image_url, new.image_hash, new.box,
       coalesce(same.confidence, new.confidence), new.quality, 'imported',
       CASE WHEN same.tattoo_id IS NULL THEN new.first_seen_date ELSE same.first_seen_date END,
       CASE WHEN same.tattoo_id IS NULL THEN new.removed_date ELSE same.removed_date END,
       coalesce(same.tattoo_id, new.tattoo_id), coalesce(same.is_pinned, new.is_pinned),
       CASE WHEN same.tattoo_id IS NULL THEN new.known_since ELSE same.known_since END,
       same.key_points, same.key_points_version, coalesce(same.fingerprint, new.fingerprint)
FROM incoming_tattoos AS new
LEFT JOIN LATERAL (
    SELECT body_region, confidence, first_seen_date, removed_date, tattoo_id, is_pinned, known_since,
           key_points, key_points_version, fingerprint
    FROM tattoo.performer_tattoos AS old
    WHERE old.performer_id = new.performer_id AND old.image_hash = new.image_hash AND old.box = new.box
    ORDER BY old.seq LIMIT 1
) AS same ON true
WHERE NOT EXISTS (
    SELECT FROM tattoo.deleted_views AS deleted
    WHERE deleted.performer_id = new.performer_id
    AND deleted.image_hash = new.image_hash AND deleted.box = new.box
)
ORDER BY new.performer_id, new.image_hash, new.box, new.model, new.version
ON CONFLICT DO NOTHING
"""
_PAGE = """
SELECT model, version, seq, performer_id, body_region, {vector}, image_url, image_hash, box, confidence,
       quality, first_seen_date, removed_date, tattoo_id, is_pinned, known_since,
       fingerprint
FROM tattoo.performer_tattoos
WHERE (model, version, seq) > ($1, $2, $3)
ORDER BY model, version, seq LIMIT $4
"""

_VECTOR_BYTES = """
SELECT octet_length(embedding) FROM tattoo.performer_tattoos WHERE model = $1 AND version = $2 LIMIT 1
"""

TATTOO_STATEMENTS = TransferStatements(
    create=_CREATE,
    incoming="incoming_tattoos",
    columns=(
        "performer_id",
        "model",
        "version",
        "body_region",
        "embedding",
        "image_url",
        "image_hash",
        "box",
        "confidence",
        "quality",
        "first_seen_date",
        "removed_date",
        "tattoo_id",
        "is_pinned",
        "known_since",
        "fingerprint",
    ),
    values=_values,
    insert=_INSERT,
    after=_follow_up,
    page=_PAGE,
    page_of_all=_PAGE,
    vector="embedding",
    row=_row,
    vector_bytes=_VECTOR_BYTES,
)
"""Of `tattoo.performer_tattoos`."""


def new_transfer(
    pool: Pool, change: TattooChange, own: Sequence[OwnEmbedder]
) -> tuple[VectorTransfer, Unsearchable]:
    """What takes vectors in and out of the table, and what counts those that cannot be found."""
    why_not = partial(_why_not, change, {EMBEDDER, *(one.name for one in own)})
    store = TransferStore(pool, TATTOO_STATEMENTS)
    transfer = VectorTransfer(
        store, dimensions=partial(_dimensions, change), why_not=why_not, check=_without_region
    )
    return transfer, Unsearchable(pool, OBSERVATIONS, why_not)


def _dimensions(change: TattooChange, _keys: Collection[ModelKey]) -> dict[ModelKey, int]:
    """Of the embedders in use."""
    return {row.key: row.dimension for row in change.in_use.rows}


def _why_not(change: TattooChange, with_file: Collection[str], key: ModelKey) -> str:
    in_use = change.in_use
    return why_not_searchable(
        key,
        serving=[row.key for row in in_use.serving.rows],
        preparing=[row.key for row in in_use.new_rows],
        with_file=with_file,
        role="tattoo.embedder",
    )


def _without_region(rows: Sequence[TransferredRow]) -> list[Refused]:
    refused = []
    for row in rows:
        try:
            region_name(row.region)
        except InvalidInput as exc:
            refused.append(Refused(row.index, str(exc)))
    return refused
