"""Forgetting a performer: gone from the database in one transaction, then from every index."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateway.catalogue.store import CatalogueStore
from gateway.fan_out import attempt, time_for
from gateway.observations import Signal
from gateway.signals import Signals

__all__ = ["Forgotten", "ForgetPerformer"]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Observations deleted by signal, and the signals that did not confirm."""

    deleted: Mapping[Signal, int]
    unconfirmed: tuple[Signal, ...]


class ForgetPerformer:
    """Delete, tell the indexes; in this order.

    After the transaction nothing can be enrolled for the performer, so what is taken out of an index cannot
    come back; and a signal that is down cannot stop the deletion: it follows the database when it is back.
    Identify drops ids that the catalogue does not know, so the performer is named by nobody from the commit
    on.
    """

    def __init__(
        self, store: CatalogueStore, signals: Signals, *, forget_seconds: float, reserve_seconds: float
    ) -> None:
        self._store = store
        self._signals = signals
        self._forget_seconds = forget_seconds
        self._reserve_seconds = reserve_seconds
        # The loop itself holds tasks weakly.
        self._running: set[asyncio.Task[Forgotten]] = set()

    async def __call__(self, performer_id: str, *, may_return: bool = False) -> Forgotten:
        """Forget; unless the performer may return, ids and pictures go on the do-not-identify list.

        A caller who leaves in the middle does not stop it. Raises NotFound for nobody's id, and Unavailable
        when the database is not there: then nothing is forgotten, or, where only its answer was lost,
        repeating is NotFound.
        """
        forgetting = asyncio.create_task(self._forget(performer_id, may_return))
        self._running.add(forgetting)
        forgetting.add_done_callback(self._running.discard)
        return await asyncio.shield(forgetting)

    async def _forget(self, performer_id: str, may_return: bool) -> Forgotten:
        deleted = await self._store.erase(performer_id, may_return=may_return)
        unconfirmed = await self._tell(performer_id)
        _log.info("performer forgotten", may_return=may_return, unconfirmed=len(unconfirmed))
        return Forgotten(deleted, unconfirmed)

    async def _tell(self, performer_id: str) -> tuple[Signal, ...]:
        seconds = time_for(self._forget_seconds, reserve=self._reserve_seconds)
        branches = await asyncio.gather(
            *(attempt(one.signal, one.forget(performer_id, timeout=seconds)) for one in self._signals.all)
        )
        return tuple(branch.signal for branch in branches if branch.error is not None)
