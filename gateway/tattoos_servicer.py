"""TattooCatalogueService: translation only."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import grpc

from chassis.protos import parse_date, parse_uuid
from gateway import age
from gateway.catalogue.performer import Performer
from gateway.catalogue.store import CatalogueStore
from gateway.signals.tattoo_catalogue import TattooCatalogueClient
from gateway.translation import to_proto_performer
from marquee.gateway.v1 import catalogue_pb2, tattoos_pb2_grpc
from marquee.gateway.v1 import tattoos_pb2 as pb

__all__ = ["TattoosServicer"]

_Context = grpc.aio.ServicerContext[Any, Any]


class TattoosServicer(tattoos_pb2_grpc.TattooCatalogueServiceServicer):
    """The tattoos of the owner's performers: the tattoo service's, with names."""

    def __init__(
        self,
        tattoos: TattooCatalogueClient,
        store: CatalogueStore,
        *,
        lookup_seconds: float,
        change_seconds: float,
        adults_only: frozenset[str],
        today: Callable[[], datetime.date],
    ) -> None:
        self._tattoos = tattoos
        self._store = store
        self._lookup_seconds = lookup_seconds
        self._change_seconds = change_seconds
        self._adults_only = adults_only
        self._today = today

    async def ListTattoos(self, request: pb.ListTattoosRequest, context: _Context) -> pb.ListTattoosResponse:
        if request.filter.performer_id:
            await self._performer(request.filter.performer_id)
        page = await self._tattoos.list(
            request.filter,
            page_size=request.page_size,
            page_token=request.page_token,
            timeout=self._lookup_seconds,
        )
        performers = await self._store.by_ids([one.performer_id for one in page.performers])
        return pb.ListTattoosResponse(
            performers=[
                pb.TattooedPerformer(
                    performer=to_proto_performer(found, self._age_status(found)), tattoos=one
                )
                for one in page.performers
                if (found := performers.get(one.performer_id)) is not None
            ],
            next_page_token=page.next_page_token,
        )

    async def UpdateTattoo(
        self, request: pb.UpdateTattooRequest, context: _Context
    ) -> pb.UpdateTattooResponse:
        performer = await self._performer(request.performer_id)
        first_seen = parse_date(request.change.first_seen_date, field="change.first_seen_date")
        age.check_tattoo(birth_date=performer.birth_date, first_seen=first_seen)
        tattoos = await self._tattoos.update(
            performer.id, request.tattoo_id, request.change, timeout=self._change_seconds
        )
        return pb.UpdateTattooResponse(tattoos=tattoos)

    async def MergeTattoos(
        self, request: pb.MergeTattoosRequest, context: _Context
    ) -> pb.MergeTattoosResponse:
        performer = await self._performer(request.performer_id)
        tattoos = await self._tattoos.merge(performer.id, request.tattoo_ids, timeout=self._change_seconds)
        return pb.MergeTattoosResponse(tattoos=tattoos)

    async def SplitTattoo(self, request: pb.SplitTattooRequest, context: _Context) -> pb.SplitTattooResponse:
        performer = await self._performer(request.performer_id)
        split = await self._tattoos.split(
            performer.id, request.tattoo_id, request.view_ids, timeout=self._change_seconds
        )
        return pb.SplitTattooResponse(tattoos=split.tattoos, tattoo_id=split.tattoo_id)

    async def DeleteTattooViews(
        self, request: pb.DeleteTattooViewsRequest, context: _Context
    ) -> pb.DeleteTattooViewsResponse:
        performer = await self._performer(request.performer_id)
        tattoos = await self._tattoos.delete(performer.id, request.view_ids, timeout=self._change_seconds)
        return pb.DeleteTattooViewsResponse(tattoos=tattoos)

    async def _performer(self, performer_id: str) -> Performer:
        return await self._store.by_id(parse_uuid(performer_id))

    def _age_status(self, performer: Performer) -> catalogue_pb2.AgeStatus.ValueType:
        return age.status_of(
            birth_date=performer.birth_date,
            adult_attested=bool(performer.adult_attested),
            authorities=[one.authority for one in performer.external_ids],
            adults_only_authorities=self._adults_only,
            today=self._today(),
        )
