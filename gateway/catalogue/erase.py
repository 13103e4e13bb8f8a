"""The SQL of forgetting: what one transaction deletes of a performer, and what it leaves behind.

It reads the tables of the signals. Elsewhere only a signal's own service does; but what is forgotten, what
is put on the do-not-identify list and what is counted must be the same rows, and one transaction can only
be had here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import asyncpg

from chassis.errors import NotFound
from chassis.postgres import Connection
from gateway.catalogue.do_not_identify import DoNotIdentify
from gateway.catalogue.performer import ExternalId
from gateway.observations import Signal

__all__ = ["erase", "performer_digest"]

# One observation may have several rows, one for each model.
_OBSERVATIONS = """
    SELECT
        (SELECT count(DISTINCT (image_hash, box)) FROM face.vectors WHERE performer_id = $1::uuid) AS face,
        (SELECT count(DISTINCT (image_hash, box)) FROM tattoo.performer_tattoos WHERE performer_id = $1::uuid)
            AS tattoo,
        (SELECT count(DISTINCT (image_hash, box)) FROM body.measurements WHERE performer_id = $1::uuid)
            AS body
"""
# In one order everywhere, so that two that forget people of the same picture wait for each other and do not
# deadlock.
_LIST_IMAGES = """
    INSERT INTO catalogue.do_not_identify (kind, digest)
    SELECT 'image', image_hash FROM (
        SELECT image_hash FROM face.vectors WHERE performer_id = $1::uuid
        UNION SELECT image_hash FROM tattoo.performer_tattoos WHERE performer_id = $1::uuid
        UNION SELECT image_hash FROM body.measurements WHERE performer_id = $1::uuid
        UNION SELECT image_hash FROM catalogue.images WHERE performer_id = $1::uuid AND image_hash <> ''
    ) AS known ORDER BY image_hash
    ON CONFLICT DO NOTHING
"""
# Every table that the deletion cascades to, those of later migrations included.
_REFERRING = """
    SELECT t.relnamespace::regnamespace::text AS schema, c.conrelid::regclass::text AS relation,
        quote_ident(a.attname) AS field
    FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.confrelid = 'catalogue.performers'::regclass
    ORDER BY relation
"""


async def erase(connection: Connection, performer_id: str, *, may_return: bool) -> Mapping[Signal, int]:
    """Delete a performer and, by cascade, every row of every schema; how many observations each signal had.

    Unless the performer may return, the external ids and the images go on the do-not-identify list. Leaves
    an entry in the audit. Needs a transaction. Raises NotFound, and what the driver raises.
    """
    await _lock(connection, performer_id)
    observations = await connection.fetchrow(_OBSERVATIONS, performer_id)
    if not may_return:
        await DoNotIdentify(connection).add(await _external_ids(connection, performer_id))
        await connection.execute(_LIST_IMAGES, performer_id)
    rows = await _count_rows(connection, performer_id)
    await connection.execute("DELETE FROM catalogue.performers WHERE id = $1::uuid", performer_id)
    await connection.execute(
        "INSERT INTO catalogue.forget_audit (performer_digest, deleted) VALUES ($1, $2::jsonb)",
        performer_digest(performer_id),
        json.dumps(rows),
    )
    return _by_signal(observations)


def performer_digest(performer_id: str) -> str:
    """What the audit has of a performer: SHA-256 of the id in its usual form; hexadecimal."""
    return hashlib.sha256(performer_id.encode()).hexdigest()


async def _lock(connection: Connection, performer_id: str) -> None:
    """Wait for whoever stores something of the performer and let nobody begin; then all rows are seen."""
    found = await connection.fetchval(
        "SELECT id FROM catalogue.performers WHERE id = $1::uuid FOR UPDATE", performer_id
    )
    if found is None:
        raise NotFound("no such performer, or forgotten")


async def _external_ids(connection: Connection, performer_id: str) -> list[ExternalId]:
    rows = await connection.fetch(
        "SELECT authority, id FROM catalogue.external_ids WHERE performer_id = $1::uuid", performer_id
    )
    return [ExternalId(row["authority"], row["id"]) for row in rows]


async def _count_rows(connection: Connection, performer_id: str) -> dict[str, int]:
    """Rows about the performer by schema; those without any are left out."""
    counts: dict[str, int] = {"catalogue": 1}  # the performer
    for table in await connection.fetch(_REFERRING):
        count = await connection.fetchval(
            f"SELECT count(*) FROM {table['relation']} WHERE {table['field']} = $1::uuid", performer_id
        )
        counts[table["schema"]] = counts.get(table["schema"], 0) + count
    return {schema: count for schema, count in counts.items() if count}


def _by_signal(observations: asyncpg.Record | None) -> dict[Signal, int]:
    assert observations is not None, "a query without FROM has one row"
    return {signal: int(observations[signal.label]) for signal in Signal}
