"""Which stored observations no model in use describes, counted no more often than it may cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

import structlog

from chassis.errors import MarqueeError
from chassis.postgres import Pool, translate
from chassis.signal.model_set_store import ObservationTable
from chassis.signal.model_sets import ModelKey
from marquee.common.v1 import common_pb2

__all__ = ["Unsearchable"]

_log = structlog.get_logger()
# Counting may take this share of the database's time; an answer waits for it only where it takes no time.
_SHARE = 0.05
_PATIENCE_SECONDS = 0.5


class Unsearchable:
    """Observations that are stored and cannot be found, by model, as counted last.

    why_not: why vectors of a model cannot be found now; "" when they can.
    """

    def __init__(
        self,
        pool: Pool,
        table: ObservationTable,
        why_not: Callable[[ModelKey], str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._statement = table.named(_COUNT)
        self._why_not = why_not
        self._clock = clock
        self._counts: dict[ModelKey, int] = {}
        self._serving: frozenset[ModelKey] = frozenset()
        self._not_before = 0.0
        self._counting: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Unsearchable {sum(self._counts.values())}>"

    async def seen(self, serving: Collection[ModelKey]) -> list[common_pb2.NotSearchable]:
        """What cannot be found by these models.

        Without the database: as counted last.
        """
        is_new = frozenset(serving) != self._serving
        if self._counting is None and (is_new or self._clock() >= self._not_before):
            self._serving = frozenset(serving)
            self._counting = asyncio.create_task(self._count())
        if self._counting is not None:
            await asyncio.wait({self._counting}, timeout=_PATIENCE_SECONDS)
        return [
            common_pb2.NotSearchable(model=key[0], version=key[1], observations=count, reason=reason)
            for key, count in sorted(self._counts.items())
            if key not in serving and (reason := self._why_not(key))
        ]

    async def _count(self) -> None:
        start = self._clock()
        names, versions = [name for name, _ in self._serving], [version for _, version in self._serving]
        try:
            with translate():
                rows = await self._pool.fetch(self._statement, names, versions)
            self._counts = {(row["model"], row["version"]): row["observations"] for row in rows}
        except MarqueeError as exc:
            _log.warning("what cannot be found is not counted now", cause=str(exc))
        finally:
            self._not_before = self._clock() + (self._clock() - start) / _SHARE
            self._counting = None


_COUNT = """
SELECT model, version, count(*) AS observations
FROM {table} AS stored
LEFT JOIN (
    SELECT {identity}, true AS is_found FROM {table}
    WHERE (model, version) IN (SELECT * FROM unnest($1::text[], $2::text[])) GROUP BY {identity}
) AS found USING ({identity})
WHERE is_found IS NULL AND (model, version) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))
GROUP BY model, version
"""
