"""Which enrolled observations some wanted model does not describe yet: the SQL, and its pages."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from collections.abc import Callable
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
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_TOKEN, _LARGEST_ROW = 300, 2**63 - 1
_LOWEST, _HIGHEST = (str(uuid.UUID(int=value)) for value in (0, 2**128 - 1))
# Counting everything may take this share of the database's time, and is exact where it takes no time.
_COUNTING_SHARE, _NO_TIME_SECONDS = 0.05, 0.1
_MOST_TOTALS = 100


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
    """On all pages; of large galleries as counted a little while ago."""


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
    if message.image_hash and not _HASH.fullmatch(message.image_hash):
        raise InvalidInput("filter.image_hash: not a SHA-256 in lower-case hexadecimal")
    performer_id = parse_uuid(message.performer_id) if message.performer_id else ""
    return PendingQuery(performer_id, message.image_hash, page_size or _USUAL_PAGE, _parse_token(page_token))


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

    def __init__(
        self, pool: Pool, table: ObservationTable, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pool = pool
        self._table = table
        self._clock = clock
        self._totals: dict[tuple[object, ...], tuple[float, int]] = {}

    async def page(self, sets: Sets, query: PendingQuery) -> PendingPage:
        """Observations by performer, image and age."""
        first, last = query.performer_id or _LOWEST, query.performer_id or _HIGHEST
        which = (*wanted_keys(sets), first, last, query.image_hash or None)
        total = await self._total(sets, query, which)
        if query.after is not None:  # a range of the index: what was listed before is not read again
            which = (*which[:3], max(first, query.after[0]), *which[4:])
        after = query.after or (None, None, None)
        with translate():
            rows = await self._pool.fetch(self._table.named(_PAGE), *which, *after, query.page_size + 1)
        page = rows[: query.page_size]
        token = _token(page[-1]) if len(rows) > query.page_size else ""
        return PendingPage(tuple(_pending(row) for row in page), token, total)

    async def _total(self, sets: Sets, query: PendingQuery, which: tuple[object, ...]) -> int:
        """How many there are on all pages; counting takes seconds where a million are enrolled."""
        key = (sets.wanted.generation, query.performer_id, query.image_hash)
        until, total = self._totals.get(key, (0.0, 0))
        start = self._clock()
        if start < until:
            return total
        with translate():
            total = int(await self._pool.fetchval(self._table.named(_COUNT), *which))
        taken = self._clock() - start
        if len(self._totals) > _MOST_TOTALS:
            self._totals.clear()
        if taken > _NO_TIME_SECONDS:
            self._totals[key] = (self._clock() + taken / _COUNTING_SHARE, total)
        return total


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
        if len(token) > _LONGEST_TOKEN:
            raise ValueError("too long")
        performer_id, image_hash, first = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if not _HASH.fullmatch(image_hash) or type(first) is not int or not 0 < first <= _LARGEST_ROW:
            raise ValueError("no position")
        return parse_uuid(performer_id), image_hash, first
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidInput) as exc:
        raise InvalidInput("page_token: not one of a page before") from exc


_DESCRIBED = """
count(*) FILTER (WHERE (model, version) IN (SELECT * FROM unnest($1::text[], $2::text[])))
"""
_FROM = (
    "FROM {table} WHERE performer_id BETWEEN $4::uuid AND $5::uuid AND ($6::text IS NULL OR image_hash = $6)"
)
# What nobody can read again waits for nothing.
_WAITS = f"{_DESCRIBED} < $3 AND NOT {{is_unseen}}"
_COUNT = f"""
SELECT count(*) FROM (SELECT 1 {_FROM} GROUP BY {{identity}} HAVING {_WAITS}) AS waiting
"""
_PAGE = f"""
SELECT performer_id, image_hash, min(seq) AS first,
       (array_agg(to_jsonb(box) ORDER BY seq))[1] AS box,
       (array_agg({{uri}} ORDER BY seq))[1] AS uri,
       (array_agg({{date}} ORDER BY seq))[1] AS day,
       (array_agg({{region}} ORDER BY seq))[1] AS region
{_FROM}
GROUP BY {{identity}}
HAVING {_WAITS}
   AND ($7::uuid IS NULL OR (performer_id, image_hash, min(seq)) > ($7, $8::text, $9::bigint))
ORDER BY performer_id, image_hash, first
LIMIT $10
"""
