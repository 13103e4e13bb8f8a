"""CatalogueService: translation only."""

from __future__ import annotations

import datetime
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, TypeVar

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid
from gateway import age
from gateway.catalogue.coverage import CoverageReport, CoveredPerformer
from gateway.catalogue.coverage_listing import ListCoverage
from gateway.catalogue.forget import ForgetPerformer
from gateway.catalogue.image_record import clean_source
from gateway.catalogue.images import ImageLedger
from gateway.catalogue.paging import decode, encode
from gateway.catalogue.performer import ExternalId, Performer
from gateway.catalogue.store import CatalogueStore
from gateway.catalogue.upsert import UpsertPerformer
from gateway.enrolment.enroll_image import Enrolled, ImageToEnroll
from gateway.enrolment.recording import RecordedEnrolment
from gateway.enrolment.stream import bounded
from gateway.ledger_translation import (
    decode_place,
    encode_place,
    ids_from,
    reports_from,
    to_proto_faces,
    to_proto_records,
    to_proto_sources,
    to_proto_target,
    wanted_from,
)
from gateway.observations import Signal
from gateway.signals import SignalOutcome
from gateway.translation import performer_from, to_proto_counts, to_proto_performer, to_proto_signal
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from marquee.gateway.v1 import catalogue_pb2_grpc

__all__ = ["CatalogueServicer"]

_DEFAULT_PAGE = 100
_MOST_ON_A_PAGE = 1000
_LONGEST_QUERY = 500
_MOST_IDS = 1000
_MOST_IMAGES = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")
_Context = grpc.aio.ServicerContext[Any, Any]


class CatalogueServicer(catalogue_pb2_grpc.CatalogueServiceServicer):
    """Whom the owner enrolled."""

    def __init__(
        self,
        store: CatalogueStore,
        *,
        upsert: UpsertPerformer,
        forget: ForgetPerformer,
        coverage: CoverageReport,
        list_coverage: ListCoverage,
        ledger: ImageLedger,
        enroll: RecordedEnrolment,
        images_in_flight: int,
        adults_only: frozenset[str],
        today: Callable[[], datetime.date],
    ) -> None:
        self._store = store
        self._upsert = upsert
        self._forget = forget
        self._coverage = coverage
        self._list_coverage = list_coverage
        self._ledger = ledger
        self._enroll = enroll
        self._images_in_flight = images_in_flight
        self._adults_only = adults_only
        self._today = today

    async def UpsertPerformer(
        self, request: pb.UpsertPerformerRequest, context: _Context
    ) -> pb.UpsertPerformerResponse:
        change = performer_from(request.performer)
        if change.id:
            change = replace(change, id=parse_uuid(change.id, field="performer.id"))
        result = await self._upsert(change)
        return pb.UpsertPerformerResponse(
            performer=self._to_proto(result.performer), is_created=result.is_created
        )

    async def GetPerformer(
        self, request: pb.GetPerformerRequest, context: _Context
    ) -> pb.GetPerformerResponse:
        performer = await self._find(request)
        counts = await self._coverage.of_performer(performer.id)
        return pb.GetPerformerResponse(performer=self._to_proto(performer), coverage=to_proto_counts(counts))

    async def ListPerformers(
        self, request: pb.ListPerformersRequest, context: _Context
    ) -> pb.ListPerformersResponse:
        words = _words(request.query)
        page = await self._store.page(
            words, after=decode(request.page_token), size=_page_size(request.page_size) or _DEFAULT_PAGE
        )
        return pb.ListPerformersResponse(
            performers=[self._to_proto(one) for one in page.performers],
            next_page_token=encode(page.last) if page.last else "",
            total=await self._store.count(words),
        )

    async def ForgetPerformer(
        self, request: pb.ForgetPerformerRequest, context: _Context
    ) -> pb.ForgetPerformerResponse:
        performer_id = parse_uuid(request.id, field="id")
        forgotten = await self._forget(performer_id, may_return=request.may_return)
        return pb.ForgetPerformerResponse(
            deleted=to_proto_counts(forgotten.deleted),
            unconfirmed=[to_proto_signal(one) for one in forgotten.unconfirmed],
        )

    async def AllowAgain(self, request: pb.AllowAgainRequest, context: _Context) -> pb.AllowAgainResponse:
        if not request.external_ids and not request.image_hashes:
            raise InvalidInput("external_ids: neither they nor image_hashes are given")
        lifted = await self._store.do_not_identify.allow(
            [_external_id(one) for one in _few(request.external_ids, "external_ids", _MOST_IDS)],
            [_hash(one) for one in _few(request.image_hashes, "image_hashes", _MOST_IMAGES)],
        )
        return pb.AllowAgainResponse(external_ids=len(lifted.external_ids), images=len(lifted.image_hashes))

    async def GetCoverage(self, request: pb.GetCoverageRequest, context: _Context) -> pb.GetCoverageResponse:
        coverage = await self._coverage.of_gallery(
            after=decode(request.page_token), page_size=_page_size(request.page_size)
        )
        return pb.GetCoverageResponse(
            performers=coverage.performers,
            age_unverified=coverage.age_unverified,
            without_observations=coverage.without_observations,
            signals=[
                pb.SignalCoverage(
                    signal=to_proto_signal(signal),
                    observations=tally.observations,
                    performers=tally.performers,
                )
                for signal, tally in coverage.signals.items()
            ],
            page=[self._covered(one) for one in coverage.page],
            next_page_token=encode(coverage.last) if coverage.last else "",
            unavailable=[to_proto_signal(one) for one in coverage.unavailable],
            target=to_proto_target(self._list_coverage.target),
            below_target=coverage.below_target,
            faces=to_proto_faces(coverage.faces),
            sources=to_proto_sources(coverage.sources),
        )

    async def ListCoverage(
        self, request: pb.ListCoverageRequest, context: _Context
    ) -> pb.ListCoverageResponse:
        if request.performer_ids:
            page = await self._list_coverage.of(ids_from(request.performer_ids))
        else:
            page = await self._list_coverage(
                wanted_from(request),
                after=decode(request.page_token),
                size=_page_size(request.page_size) or _DEFAULT_PAGE,
            )
        return pb.ListCoverageResponse(
            performers=[self._covered(one) for one in page.performers],
            next_page_token=encode(page.last) if page.last else "",
            target=to_proto_target(self._list_coverage.target),
            unavailable=[to_proto_signal(one) for one in sorted(page.unavailable)],
        )

    async def RecordImages(
        self, request: pb.RecordImagesRequest, context: _Context
    ) -> pb.RecordImagesResponse:
        return pb.RecordImagesResponse(recorded=await self._ledger.record(reports_from(request.images)))

    async def ListPerformerImages(
        self, request: pb.ListPerformerImagesRequest, context: _Context
    ) -> pb.ListPerformerImagesResponse:
        size = _page_size(request.page_size) or _DEFAULT_PAGE
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

    async def _find(self, request: pb.GetPerformerRequest) -> Performer:
        kind = request.WhichOneof("by")
        if kind == "id":
            return await self._store.by_id(parse_uuid(request.id, field="id"))
        if kind == "external_id":
            return await self._store.by_external_id(_external_id(request.external_id))
        raise InvalidInput("by: neither id nor external_id is given")

    def _covered(self, one: CoveredPerformer) -> pb.PerformerCoverage:
        return pb.PerformerCoverage(
            performer=self._to_proto(one.performer),
            signals=to_proto_counts(one.counts),
            faces=to_proto_faces(one.faces),
            is_below_target=one.is_below_target,
            sources=to_proto_sources(one.sources),
        )

    def _to_proto(self, performer: Performer) -> pb.Performer:
        status = age.status_of(
            birth_date=performer.birth_date,
            adult_attested=bool(performer.adult_attested),
            authorities=[one.authority for one in performer.external_ids],
            adults_only_authorities=self._adults_only,
            today=self._today(),
        )
        return to_proto_performer(performer, status)


def _page_size(size: int) -> int:
    if size > _MOST_ON_A_PAGE:
        raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
    return size


def _words(query: str) -> list[str]:
    if len(query) > _LONGEST_QUERY or "\0" in query:
        raise InvalidInput(f"query: longer than {_LONGEST_QUERY} characters, or with a NUL in it")
    return query.casefold().split()


def _external_id(external: pb.ExternalId) -> ExternalId:
    """In the form that ids are stored in."""
    return ExternalId(external.authority.strip().casefold(), external.id.strip())


def _hash(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise InvalidInput("image_hashes: not 64 lower-case hexadecimal digits")
    return text


def _few(entries: Sequence[_T], field: str, most: int) -> Sequence[_T]:
    if len(entries) > most:
        raise InvalidInput(f"{field}: more than {most}")
    return entries


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
