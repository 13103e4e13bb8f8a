"""What became of every image of every performer: the ledger's SQL.

Every function raises Unavailable when the database is not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg

from chassis.errors import NotFound
from chassis.postgres import Connection, Pool, translate
from gateway.catalogue.image_record import (
    PASSING_REASONS,
    ImageOutcome,
    ImageRecord,
    ImageState,
    derived_source,
    image_key,
)
from gateway.observations import Signal

__all__ = ["ImageLedger", "record_outcomes"]

_LONGEST_DETAIL = 500


class ImageLedger:
    """Records and lists images through a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record(self, outcomes: Sequence[ImageOutcome]) -> int:
        """Record what became of images, in one transaction; how many are of performers who exist."""
        try:
            return await self._record(outcomes)
        except NotFound:  # somebody was forgotten at this very moment, and is passed over now
            return await self._record(outcomes)

    async def _record(self, outcomes: Sequence[ImageOutcome]) -> int:
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                return await record_outcomes(connection, outcomes)

    async def of_performer(
        self, performer_id: str, *, source: str, only_open: bool, after: tuple[str, str], size: int
    ) -> list[ImageRecord]:
        """Images by source and key, from after (source, key) on; at most `size`. `source`: empty for all."""
        with translate():
            rows = await self._pool.fetch(
                _OF_PERFORMER, performer_id, source, only_open, *after, size, _PASSING
            )
        return [_record_of(row) for row in rows]

    async def with_faces_from(self, source: str, performer_ids: Sequence[str]) -> frozenset[str]:
        """Those of the performers of whom the source brought a face."""
        with translate():
            rows = await self._pool.fetch(_WITH_FACES_FROM, list(performer_ids), source)
        return frozenset(str(row["performer_id"]) for row in rows)

    async def with_open_images(self, source: str, performer_ids: Sequence[str]) -> frozenset[str]:
        """Those of the performers with images worth another try; `source`: empty for any."""
        with translate():
            rows = await self._pool.fetch(_WITH_OPEN, list(performer_ids), source, _PASSING)
        return frozenset(str(row["performer_id"]) for row in rows)


async def record_outcomes(connection: Connection, outcomes: Sequence[ImageOutcome]) -> int:
    """Record images within the connection's transaction; how many are of performers who exist.

    Each image has one row for each source that named it; one that nobody named goes to the row it has. A try
    that says nothing final leaves what was final before. Raises NotFound when a performer is forgotten
    meanwhile.
    """
    given = json.dumps([_document(one) for one in outcomes])
    if any(one.source for one in outcomes):
        await connection.execute(_ADOPT, given)
    return int(await connection.fetchval(_RECORD, given, _PASSING))


def _document(one: ImageOutcome) -> dict[str, Any]:
    uri = _text(one.uri)
    return {
        "performer_id": one.performer_id,
        "source": one.source,
        "derived": derived_source(uri),
        "image_key": image_key(uri, one.image_hash),
        "uri": uri,
        "image_hash": one.image_hash,
        "image_date": one.image_date.isoformat() if one.image_date else None,
        "state": one.state.value,
        "reason": one.reason,
        "detail": _text(one.detail)[:_LONGEST_DETAIL],
        "signals": list(one.signals),
    }


def _text(text: str) -> str:
    """What PostgreSQL can keep: no NUL."""
    return text.replace("\0", "\ufffd")


def _record_of(row: asyncpg.Record) -> ImageRecord:
    return ImageRecord(
        source=row["source"],
        image_key=row["image_key"],
        uri=row["uri"],
        image_hash=row["image_hash"],
        image_date=row["image_date"],
        state=ImageState(row["state"]),
        reason=row["reason"],
        detail=row["detail"],
        signals=tuple(row["signals"]),
        is_open=row["is_open"],
    )


_PASSING = sorted(PASSING_REASONS)

_GIVEN = """
    jsonb_to_recordset($1::jsonb) AS g (
        performer_id uuid, source text, derived text, image_key text, uri text, image_hash text,
        image_date date, state text, reason text, detail text, signals text[])
"""
# An image that was filed under its host, until somebody said who named it.
_ADOPT = f"""
UPDATE catalogue.images i SET source = g.source FROM {_GIVEN}
WHERE g.source NOT IN ('', g.derived)
    AND i.performer_id = g.performer_id AND i.image_key = g.image_key AND i.source = g.derived
    AND NOT EXISTS (
        SELECT FROM catalogue.images o
        WHERE (o.performer_id, o.source, o.image_key) = (g.performer_id, g.source, g.image_key))
"""


def _finality(row: str) -> str:
    """SQL: 0 nobody tried, 1 another try may end otherwise, 2 final. Needs the passing reasons as $2."""
    return f"""
        CASE WHEN {row}.state = 'known' THEN 0
            WHEN {row}.state = 'failed' OR {row}.reason = ANY($2::text[]) THEN 1 ELSE 2 END
    """


# Rows are written in one order everywhere, so that two who record the same images do not deadlock.
_RECORD = f"""
WITH existing AS (
    SELECT g.*, coalesce(nullif(g.source, ''), (
        SELECT min(o.source) FROM catalogue.images o
        WHERE o.performer_id = g.performer_id AND o.image_key = g.image_key), g.derived) AS filed
    FROM {_GIVEN} JOIN catalogue.performers p ON p.id = g.performer_id
), written AS (
    INSERT INTO catalogue.images AS i
        (performer_id, source, image_key, uri, image_hash, image_date, state, reason, detail, signals)
    SELECT DISTINCT ON (e.performer_id, e.filed, e.image_key)
        e.performer_id, e.filed, e.image_key, e.uri, e.image_hash, e.image_date, e.state, e.reason, e.detail,
        e.signals
    FROM existing e
    ORDER BY e.performer_id, e.filed, e.image_key, {_finality("e")} DESC
    ON CONFLICT (performer_id, source, image_key) DO UPDATE SET
        image_hash = coalesce(nullif(excluded.image_hash, ''), i.image_hash),
        image_date = coalesce(excluded.image_date, i.image_date),
        state = excluded.state, reason = excluded.reason, detail = excluded.detail, updated_at = now(),
        signals = CASE WHEN excluded.state = 'accepted'
            THEN ARRAY(SELECT DISTINCT unnest(i.signals || excluded.signals) ORDER BY 1)
            ELSE excluded.signals END
    WHERE excluded.state <> 'known' AND {_finality("excluded")} >= {_finality("i")}
)
SELECT count(*) FROM existing
"""


def _is_of(source: str) -> str:
    """SQL: whether image `i` is of a source, or of a host of it; an empty one is everybody's."""
    is_host_of = f"right(i.source, length({source}) + 1) = '.' || {source}"
    return f"({source} = '' OR i.source = {source} OR {is_host_of})"


def _is_open(passing: str) -> str:
    """SQL: whether image `i` is worth another try."""
    return f"(i.state = 'known' OR i.reason = ANY({passing}::text[]))"


def _is_unsettled(passing: str) -> str:
    """SQL: whether it is, and no other source's row says what became of the same image."""
    return f"""
        {_is_open(passing)} AND NOT EXISTS (
            SELECT FROM catalogue.images o
            WHERE o.performer_id = i.performer_id AND o.image_key = i.image_key
                AND o.state <> 'known' AND NOT o.reason = ANY({passing}::text[]))
    """


_OF_PERFORMER = f"""
SELECT i.*, {_is_unsettled("$7")} AS is_open FROM catalogue.images i
WHERE i.performer_id = $1::uuid AND {_is_of("$2::text")} AND (i.source, i.image_key) > ($4, $5)
    AND (NOT $3::boolean OR {_is_unsettled("$7")})
ORDER BY i.source, i.image_key LIMIT $6
"""
_WITH_FACES_FROM = f"""
SELECT DISTINCT i.performer_id FROM catalogue.images i
WHERE i.performer_id = ANY($1::uuid[]) AND {_is_of("$2::text")} AND i.state = 'accepted'
    AND '{Signal.FACE.label}' = ANY(i.signals)
"""
_WITH_OPEN = f"""
SELECT DISTINCT i.performer_id FROM catalogue.images i
WHERE i.performer_id = ANY($1::uuid[]) AND {_is_of("$2::text")} AND {_is_unsettled("$3")}
"""
