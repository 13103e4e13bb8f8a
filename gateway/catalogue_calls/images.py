"""Images of performers: enrolled, recorded, listed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from chassis.protos import parse_uuid
from gateway.catalogue.image_record import clean_source
from gateway.catalogue.images import ImageLedger
from gateway.catalogue.store import CatalogueStore
from gateway.catalogue_calls.pages import USUAL_PAGE, page_size
from gateway.enrolment.enroll_image import Enrolled, ImageToEnroll
from gateway.enrolment.recording import RecordedEnrolment
from gateway.enrolment.stream import bounded
from gateway.ledger_translation import decode_place, encode_place, reports_from, to_proto_records
from gateway.observations import Signal
from gateway.signals import SignalOutcome
from gateway.translation import to_proto_signal
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = ["ImageCalls"]

_Context = grpc.aio.ServicerContext[Any, Any]


class ImageCalls:
    """A part of `CatalogueServicer`."""

    _store: CatalogueStore
    _ledger: ImageLedger
    _enroll: RecordedEnrolment
    _images_in_flight: int

    async def RecordImages(
        self, request: pb.RecordImagesRequest, context: _Context
    ) -> pb.RecordImagesResponse:
        return pb.RecordImagesResponse(recorded=await self._ledger.record(reports_from(request.images)))

    async def ListPerformerImages(
        self, request: pb.ListPerformerImagesRequest, context: _Context
    ) -> pb.ListPerformerImagesResponse:
        size = page_size(request.page_size) or USUAL_PAGE
        performer = await self._store.by_id(parse_uuid(request.performer_id))
        records = await self._ledger.of_performer(
            performer.id,
            source=clean_source(request.source),
            only_open=request.only_open,
            after=decode_place(request.page_token),
            size=size + 1,
        )
        return pb.ListPerformerImagesResponse(
            images=to_proto_records(records[:size]),
            next_page_token=encode_place(records[size - 1]) if len(records) > size else "",
        )

    async def EnrollImages(
        self, request_iterator: AsyncIterator[pb.EnrollImagesRequest], context: _Context
    ) -> AsyncIterator[pb.EnrollImagesResponse]:
        replies = bounded(
            (_image(request) async for request in request_iterator),
            self._enroll,
            group_of=lambda item: item.performer_id,
            in_flight=self._images_in_flight,
        )
        async with aclosing(replies):  # a client that leaves ends what runs now, not when memory is tidied
            async for reply in replies:
                yield _enrolled(reply)


def _image(request: pb.EnrollImagesRequest) -> ImageToEnroll:
    return ImageToEnroll(
        key=request.key,
        performer_id=request.performer_id,
        image=request.image,
        uri=request.uri,
        date=request.date,
        choice=request.person_choice,
        source=request.source,
    )


def _enrolled(reply: Enrolled) -> pb.EnrollImagesResponse:
    return pb.EnrollImagesResponse(
        key=reply.key,
        is_accepted=reply.is_accepted,
        reason=reply.reason,
        detail=reply.detail,
        signals=[_enrollment(signal, outcome) for signal, outcome in sorted(reply.outcomes.items())],
        image_hash=reply.image_hash,
    )


def _enrollment(signal: Signal, outcome: SignalOutcome) -> pb.SignalEnrollment:
    return pb.SignalEnrollment(
        signal=to_proto_signal(signal),
        accepted=outcome.accepted,
        rejected=[
            common_pb2.EnrollOutcome(index=one.index, is_accepted=False, reason=one.reason, detail=one.detail)
            for one in outcome.rejected
        ],
    )
