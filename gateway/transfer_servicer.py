"""TransferService: translation only."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid
from gateway import age
from gateway.catalogue.performer import Performer
from gateway.signals import Signals, TransferClient
from gateway.transfer.bulk_store import BulkStore
from gateway.transfer.import_performers import ImportPerformers
from gateway.transfer.import_vectors import ImportVectors
from gateway.transfer.records import Decision, Record
from gateway.translation import performer_from, to_proto_performer
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2, transfer_pb2_grpc
from marquee.gateway.v1 import transfer_pb2 as pb

__all__ = ["TransferServicer"]

_MOST_PERFORMERS = 10_000
_USUAL_PAGE, _MOST_ON_A_PAGE = 1000, 5000
_FIRST = "00000000-0000-0000-0000-000000000000"
_Context = grpc.aio.ServicerContext[Any, Any]


class TransferServicer(transfer_pb2_grpc.TransferServiceServicer):
    """Export and import."""

    def __init__(
        self,
        signals: Signals,
        store: BulkStore,
        *,
        import_performers: ImportPerformers,
        import_vectors: ImportVectors,
        transfer_seconds: float,
        adults_only: frozenset[str],
        today: Callable[[], datetime.date],
    ) -> None:
        self._signals = signals
        self._store = store
        self._import_performers = import_performers
        self._import_vectors = import_vectors
        self._seconds = transfer_seconds
        self._adults_only = adults_only
        self._today = today

    async def ImportPerformers(
        self, request: pb.ImportPerformersRequest, context: _Context
    ) -> pb.ImportPerformersResponse:
        if not 1 <= len(request.performers) <= _MOST_PERFORMERS:
            raise InvalidInput(f"performers: 1 to {_MOST_PERFORMERS} are accepted")
        decisions = await self._import_performers([_record(one) for one in request.performers])
        return pb.ImportPerformersResponse(performers=map(self._imported, decisions))

    async def ExportPerformers(
        self, request: pb.ExportPerformersRequest, context: _Context
    ) -> pb.ExportPerformersResponse:
        size = _page_size(request.page_size)
        after = parse_uuid(request.page_token, field="page_token") if request.page_token else _FIRST
        records = await self._store.page(after, size + 1)
        shown = records[:size]
        return pb.ExportPerformersResponse(
            performers=[
                pb.PerformerRecord(
                    performer=to_proto_performer(one.performer, self._age_status(one.performer)),
                    body_ratios=one.ratios,
                )
                for one in shown
            ],
            next_page_token=shown[-1].performer.id if len(records) > size else "",
        )

    async def ImportVectors(
        self, request: pb.ImportVectorsRequest, context: _Context
    ) -> pb.ImportVectorsResponse:
        if not 1 <= len(request.rows) <= _MOST_ON_A_PAGE:
            raise InvalidInput(f"rows: 1 to {_MOST_ON_A_PAGE} are accepted")
        taken = await self._import_vectors(self._client(request.signal), request.rows)
        return pb.ImportVectorsResponse(
            stored=taken.stored,
            known=taken.known,
            rejected=taken.rejected,
            not_searchable=taken.not_searchable,
        )

    async def ExportVectors(
        self, request: pb.ExportVectorsRequest, context: _Context
    ) -> pb.ExportVectorsResponse:
        page = await self._client(request.signal).export_vectors(
            page_size=_page_size(request.page_size),
            page_token=request.page_token,
            with_set_aside=request.with_set_aside,
            timeout=self._seconds,
        )
        return pb.ExportVectorsResponse(rows=page.rows, next_page_token=page.next_page_token)

    async def ImportTattooTexts(
        self, request: pb.ImportTattooTextsRequest, context: _Context
    ) -> pb.ImportTattooTextsResponse:
        read = await self._signals.tattoo.import_texts(request.texts, timeout=self._seconds)
        return pb.ImportTattooTextsResponse(
            stored=read.stored,
            known=read.known,
            without_region=read.without_region,
            without_performer=read.without_performer,
        )

    def _client(self, signal: common_pb2.Signal.ValueType) -> TransferClient:
        if signal == common_pb2.SIGNAL_FACE:
            return self._signals.face
        if signal == common_pb2.SIGNAL_TATTOO:
            return self._signals.tattoo
        raise InvalidInput("signal: neither face nor tattoo")

    def _imported(self, decision: Decision) -> pb.ImportedPerformer:
        if decision.performer is None:
            refusal = decision.refusal
            return pb.ImportedPerformer(
                refusal=refusal.reason if refusal else pb.PERFORMER_REFUSAL_UNSPECIFIED,
                detail=refusal.detail if refusal else "",
            )
        return pb.ImportedPerformer(
            id=decision.performer.id,
            is_created=decision.is_created,
            age_status=self._age_status(decision.performer),
        )

    def _age_status(self, performer: Performer) -> catalogue_pb2.AgeStatus.ValueType:
        return age.status_of(
            birth_date=performer.birth_date,
            adult_attested=bool(performer.adult_attested),
            authorities=[one.authority for one in performer.external_ids],
            adults_only_authorities=self._adults_only,
            today=self._today(),
        )


def _page_size(size: int) -> int:
    if size > _MOST_ON_A_PAGE:
        raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
    return size or _USUAL_PAGE


def _record(message: pb.PerformerRecord) -> Record:
    return Record(performer_from(message.performer), dict(message.body_ratios))
