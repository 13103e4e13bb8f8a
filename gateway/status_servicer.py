"""StatusService: how the gateway and every signal are."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import structlog

from chassis.errors import MarqueeError
from chassis.health import Readiness
from chassis.service_status import service_status
from gateway.catalogue.store import CatalogueStore
from gateway.fan_out import Branch, attempt, describe, time_for
from gateway.signals import Signals
from gateway.translation import to_proto_signal
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import status_pb2 as pb
from marquee.gateway.v1 import status_pb2_grpc

__all__ = ["StatusServicer"]

_log = structlog.get_logger()


class StatusServicer(status_pb2_grpc.StatusServiceServicer):
    """Asks everybody how they are."""

    def __init__(
        self,
        signals: Signals,
        store: CatalogueStore,
        readiness: Readiness,
        *,
        status_seconds: float,
        reserve_seconds: float,
    ) -> None:
        self._signals = signals
        self._store = store
        self._readiness = readiness
        self._status_seconds = status_seconds
        self._reserve_seconds = reserve_seconds

    async def GetStatus(
        self, request: pb.GetStatusRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetStatusResponse:
        seconds = time_for(self._status_seconds, reserve=self._reserve_seconds)
        branches = await asyncio.gather(
            *(attempt(one.signal, one.status(timeout=seconds)) for one in self._signals.all)
        )
        return pb.GetStatusResponse(
            gateway=service_status(self._readiness, performers=await self._performers(seconds)),
            signals=[_signal_status(branch) for branch in branches],
            do_not_identify=await self._do_not_identify(seconds),
        )

    async def _do_not_identify(self, seconds: float) -> pb.DoNotIdentifyCounts | None:
        """How much is on the list; None while the database is away."""
        try:
            ids, images = await asyncio.wait_for(self._store.do_not_identify.count(), seconds)
        except (MarqueeError, TimeoutError) as exc:
            _log.warning("the do-not-identify list cannot be counted", error=type(exc).__name__)
            return None
        return pb.DoNotIdentifyCounts(external_ids=ids, images=images)

    async def _performers(self, seconds: float) -> int:
        """Performers in the catalogue; 0 while the database is away, which the reason then says."""
        try:
            return await asyncio.wait_for(self._store.count(), seconds)
        except (MarqueeError, TimeoutError) as exc:
            _log.warning("the catalogue cannot be counted", error=type(exc).__name__)
            return 0


def _signal_status(branch: Branch[common_pb2.ServiceStatus]) -> pb.SignalStatus:
    return pb.SignalStatus(
        signal=to_proto_signal(branch.signal),
        is_reachable=branch.error is None,
        status=branch.value,
        detail=describe(branch.error) if branch.error else "",
    )
