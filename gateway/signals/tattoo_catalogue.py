"""Asking the tattoo service for tattoos as the owner sees them, and telling it what the owner says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway.signals.base import answered
from marquee.common.v1 import tattoos_pb2
from marquee.tattoo.v1 import tattoo_pb2

if TYPE_CHECKING:
    from marquee.tattoo.v1 import tattoo_pb2_grpc

__all__ = ["TattooCatalogueClient"]


class TattooCatalogueClient:
    """Messages of whole tattoos are the same on both sides, so they are passed on.

    Every call raises InvalidInput and NotFound as the service says, and Unavailable, DeadlineExceeded or
    Overloaded.
    """

    def __init__(self, stub: tattoo_pb2_grpc.TattooServiceAsyncStub) -> None:
        self._stub = stub

    async def list(
        self, wanted: tattoos_pb2.TattooFilter, *, page_size: int, page_token: str, timeout: float
    ) -> tattoo_pb2.ListTattoosResponse:
        request = tattoo_pb2.ListTattoosRequest(filter=wanted, page_size=page_size, page_token=page_token)
        return await answered(self._stub.ListTattoos(request, timeout=timeout))

    async def update(
        self, performer_id: str, tattoo_id: str, change: tattoos_pb2.TattooChange, *, timeout: float
    ) -> tattoos_pb2.PerformerTattoos:
        request = tattoo_pb2.UpdateTattooRequest(
            performer_id=performer_id, tattoo_id=tattoo_id, change=change
        )
        return (await answered(self._stub.UpdateTattoo(request, timeout=timeout))).tattoos

    async def merge(
        self, performer_id: str, tattoo_ids: Sequence[str], *, timeout: float
    ) -> tattoos_pb2.PerformerTattoos:
        request = tattoo_pb2.MergeTattoosRequest(performer_id=performer_id, tattoo_ids=tattoo_ids)
        return (await answered(self._stub.MergeTattoos(request, timeout=timeout))).tattoos

    async def split(
        self, performer_id: str, tattoo_id: str, view_ids: Sequence[str], *, timeout: float
    ) -> tattoo_pb2.SplitTattooResponse:
        request = tattoo_pb2.SplitTattooRequest(
            performer_id=performer_id, tattoo_id=tattoo_id, view_ids=view_ids
        )
        return await answered(self._stub.SplitTattoo(request, timeout=timeout))

    async def delete(
        self, performer_id: str, view_ids: Sequence[str], *, timeout: float
    ) -> tattoos_pb2.PerformerTattoos:
        request = tattoo_pb2.DeleteTattooViewsRequest(performer_id=performer_id, view_ids=view_ids)
        return (await answered(self._stub.DeleteTattooViews(request, timeout=timeout))).tattoos
