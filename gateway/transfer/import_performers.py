"""Taking in performers: the story of ImportPerformers."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence

import structlog

from chassis.errors import Conflict
from gateway.transfer.bulk_store import BulkStore
from gateway.transfer.records import Decision, Record, Refusal, decided, validated_records

__all__ = ["ImportPerformers"]

_log = structlog.get_logger()


class ImportPerformers:
    """Creates and changes performers, a portion in one transaction.

    adults_only: authorities of external ids whose own policy attests adulthood.
    """

    def __init__(
        self, store: BulkStore, *, adults_only: frozenset[str], today: Callable[[], datetime.date]
    ) -> None:
        self._store = store
        self._adults_only = adults_only
        self._today = today

    async def __call__(self, records: Sequence[Record]) -> list[Decision]:
        """What became of each, in order; committed when this returns.

        Raises Unavailable and DeadlineExceeded as the database does: then nothing is stored, and trying
        again is safe; Conflict when somebody else keeps taking the same ids.
        """
        checked = await asyncio.to_thread(validated_records, records, self._today())
        try:
            decisions = await self._apply(checked)
        except Conflict:
            # Somebody may have created the same performer at the same moment; then this time it is found.
            decisions = await self._apply(checked)
        _log.info(
            "performers imported",
            created=sum(one.is_created for one in decisions),
            changed=sum(one.is_changed for one in decisions),
            refused=sum(one.refusal is not None for one in decisions),
        )
        return decisions

    async def _apply(self, checked: Sequence[Record | Refusal]) -> list[Decision]:
        async with self._store.edit() as edit:
            known = await edit.known([one.performer for one in checked if isinstance(one, Record)])
            decisions = await asyncio.to_thread(
                decided, checked, known, adults_only=self._adults_only, today=self._today()
            )
            await edit.write(decisions)
            return decisions
