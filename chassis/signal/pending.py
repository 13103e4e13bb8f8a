"""Which enrolled observations some wanted model does not describe yet: the SQL, and its pages."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

import asyncpg

from chassis.errors import InvalidInput
from chassis.geometry import Box
from chassis.postgres.pool import Pool
from chassis.postgres.translation import translate
from chassis.protos import parse_uuid, to_proto_box
from chassis.signal.model_set_store import ObservationTable, wanted_keys
from chassis.signal.model_sets import Sets
from marquee.common.v1 import common_pb2

__all__ = ["Pending", "PendingPage", "PendingStore", "PendingQuery", "parse_pending", "to_proto_pending"]

_USUAL_PAGE, _MOST = 100, 1000
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Pending:
    """An observation that some wanted model does not describe yet."""

    performer_id: str
    image_hash: str
    box: Box
    uri: str
    date: str
    """YYYY-MM-DD; "" when unknown."""
    region: str
    """Of a tattoo, as stored; "" for other signals."""


@dataclass(frozen=True, slots=True)
class PendingPage:
    """Some of them; `next_token` is "" on the last page."""

    observations: tuple[Pending, ...] = ()
    next_token: str = ""
    total: int = 0


@dataclass(frozen=True, slots=True)
class PendingQuery:
    """Which, and from where on; "" lets everything through."""

    performer_id: str
    image_hash: str
    page_size: int
    after: tuple[str, str, int] | None
    """Performer, image and row that the page before ended with."""


def parse_pending(message: common_pb2.PendingFilter, page_size: int, page_token: str) -> PendingQuery:
    """A request checked. Raises InvalidInput naming the field."""
    if page_size > _MOST:
        raise InvalidInput(f"page_size: more than {_MOST}")
    digits = message.image_hash
    if digits and (len(digits) != _HASH_DIGITS or not set(digits) <= set("0123456789abcdef")):
        raise InvalidInput("filter.image_hash: not a SHA-256 in lower-case hexadecimal")
    performer_id = parse_uuid(message.performer_id) if message.performer_id else ""
    return PendingQuery(performer_id, digits, page_size or _USUAL_PAGE, _parse_token(page_token))


def to_proto_pending(
    one: Pending, region: common_pb2.BodyRegion.ValueType = common_pb2.BODY_REGION_UNSPECIFIED
) -> common_pb2.PendingObservation:
    return common_pb2.PendingObservation(
        performer_id=one.performer_id,
        box=to_proto_box(one.box),
        source=common_pb2.ImageSource(image_hash=one.image_hash, uri=one.uri, date=one.date),
        region=region,
    )


class PendingStore:
    """Reads a signal's observations. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool, table: ObservationTable) -> None:
        self._pool = pool
        self._table = table

    async def page(self, sets: Sets, query: PendingQuery) -> PendingPage:
        """Observations by performer, image and age."""
        which = (*wanted_keys(sets), query.performer_id or None, query.image_hash or None)
        after = query.after or (None, None, None)
        with translate():
            async with self._pool.acquire() as connection:
                total = await connection.fetchval(self._table.named(_COUNT), *which)
                rows = await connection.fetch(self._table.named(_PAGE), *which, *after, query.page_size + 1)
        page = rows[: query.page_size]
        token = _token(page[-1]) if len(rows) > query.page_size else ""
        return PendingPage(tuple(_pending(row) for row in page), token, total)


def _pending(row: asyncpg.Record) -> Pending:
    return Pending(
        performer_id=str(row["performer_id"]),
        image_hash=row["image_hash"],
        box=Box(*json.loads(row["box"])),
        uri=row["uri"],
        date=row["day"].isoformat() if row["day"] else "",
        region=row["region"],
    )


def _token(row: asyncpg.Record) -> str:
    text = json.dumps([str(row["performer_id"]), row["image_hash"], row["first"]])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_token(token: str) -> tuple[str, str, int] | None:
    if not token:
        return None
    try:
        performer_id, image_hash, first = json.loads(base64.urlsafe_b64decode(token.encode()))
        return parse_uuid(performer_id), str(image_hash), int(first)
    except (ValueError, TypeError, AttributeError, InvalidInput) as exc:
        raise InvalidInput("page_token: not one of a page before") from exc


_WAITING = """
SELECT performer_id, image_hash, first, box, uri, day, region
FROM (
    SELECT performer_id, image_hash, min(seq) AS first,
           (array_agg(to_jsonb(box) ORDER BY seq))[1] AS box,
           (array_agg({uri} ORDER BY seq))[1] AS uri,
           (array_agg({date} ORDER BY seq))[1] AS day,
           (array_agg({region} ORDER BY seq))[1] AS region,
           count(*) FILTER (WHERE (model, version) IN (SELECT * FROM unnest($1::text[], $2::text[])))
           AS described
    FROM {table}
    WHERE ($4::uuid IS NULL OR performer_id = $4) AND ($5::text IS NULL OR image_hash = $5)
    GROUP BY {identity}
) AS counted
WHERE described < $3
"""
_COUNT = f"SELECT count(*) FROM ({_WAITING}) AS waiting"
_PAGE = f"""
SELECT * FROM ({_WAITING}) AS waiting
WHERE $6::uuid IS NULL OR (performer_id, image_hash, first) > ($6::uuid, $7::text, $8::bigint)
ORDER BY performer_id, image_hash, first
LIMIT $9
"""
