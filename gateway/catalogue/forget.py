"""Forgetting a performer: gone from the database in one transaction, then from every index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateway.catalogue.store import CatalogueStore
from gateway.fan_out import Branch, attempt, time_for
from gateway.observations import Signal
from gateway.signals import SignalClient, Signals

__all__ = ["Forgotten", "ForgetPerformer"]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Rows deleted by signal, as far as the signals could say, and the signals that did not confirm."""

    deleted: Mapping[Signal, int]
    unconfirmed: tuple[Signal, ...]


class ForgetPerformer:
    """Count, delete, tell the indexes; in this order.

    The transaction comes before the signals' Forget: after it nothing can be enrolled for the performer, so
    what Forget takes out of an index cannot come back; and a signal that is down cannot stop the deletion.
    Identify drops ids that the catalogue does not know, so the performer is unsearchable from the commit on.
    """

    def __init__(
        self,
        store: CatalogueStore,
        signals: Signals,
        *,
        count_seconds: float,
        forget_seconds: float,
        reserve_seconds: float,
    ) -> None:
        self._store = store
        self._signals = signals
        self._count_seconds = count_seconds
        self._forget_seconds = forget_seconds
        self._reserve_seconds = reserve_seconds
        # The loop itself holds tasks weakly.
        self._telling: set[asyncio.Task[list[Branch[int]]]] = set()

    async def __call__(self, performer_id: str) -> Forgotten:
        """Raises NotFound for nobody's id, and Unavailable when the database is not there."""
        performer = await self._store.by_id(performer_id)
        counts = await self._count(performer.id)
        await self._store.delete(performer.id)
        # From here on the deletion is a fact: a caller who leaves must not keep it from the indexes.
        telling = asyncio.create_task(self._tell(performer.id))
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)
        branches = await asyncio.shield(telling)
        forgotten = _result(counts, branches)
        _log.info("performer forgotten", performer_id=performer.id, unconfirmed=len(forgotten.unconfirmed))
        return forgotten

    async def _count(self, performer_id: str) -> dict[Signal, int]:
        seconds = time_for(self._count_seconds, reserve=self._reserve_seconds, share=0.3)
        branches = await asyncio.gather(
            *(attempt(one.signal, _count(one, performer_id, seconds)) for one in self._signals.all)
        )
        return {one.signal: one.value for one in branches if one.value is not None}

    async def _tell(self, performer_id: str) -> list[Branch[int]]:
        seconds = time_for(self._forget_seconds, reserve=self._reserve_seconds)
        return await asyncio.gather(
            *(attempt(one.signal, one.forget(performer_id, timeout=seconds)) for one in self._signals.all)
        )


async def _count(client: SignalClient, performer_id: str, seconds: float) -> int:
    return (await client.count([performer_id], timeout=seconds)).get(performer_id, 0)


def _result(counts: Mapping[Signal, int], branches: list[Branch[int]]) -> Forgotten:
    deleted = dict(counts)
    for branch in branches:
        if branch.value is not None:
            # The cascade is usually first; rows that came after the count were deleted by the signal itself.
            deleted[branch.signal] = max(branch.value, counts.get(branch.signal, 0))
    return Forgotten(deleted, tuple(branch.signal for branch in branches if branch.error is not None))
