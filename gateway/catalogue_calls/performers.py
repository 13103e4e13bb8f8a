"""Performers: created, changed, found, listed, forgotten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid
from gateway.catalogue.coverage import CoverageReport
from gateway.catalogue.forget import ForgetPerformer
from gateway.catalogue.paging import decode, encode
from gateway.catalogue.performer import ExternalId, Performer
from gateway.catalogue.store import CatalogueStore
from gateway.catalogue.upsert import UpsertPerformer
from gateway.catalogue_calls.messages import PerformerMessages
from gateway.catalogue_calls.pages import USUAL_PAGE, page_size
from gateway.translation import performer_from, to_proto_counts, to_proto_signal
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = ["PerformerCalls"]

_LONGEST_QUERY = 500
_MOST_IDS = 1000
_MOST_IMAGES = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_T = TypeVar("_T")
_Context = grpc.aio.ServicerContext[Any, Any]


class PerformerCalls:
    """A part of `CatalogueServicer`."""

    _store: CatalogueStore
    _upsert: UpsertPerformer
    _forget: ForgetPerformer
    _coverage: CoverageReport
    _messages: PerformerMessages

    async def UpsertPerformer(
        self, request: pb.UpsertPerformerRequest, context: _Context
    ) -> pb.UpsertPerformerResponse:
        change = performer_from(request.performer)
        if change.id:
            change = replace(change, id=parse_uuid(change.id, field="performer.id"))
        result = await self._upsert(change)
        return pb.UpsertPerformerResponse(
            performer=self._messages.performer(result.performer), is_created=result.is_created
        )

    async def GetPerformer(
        self, request: pb.GetPerformerRequest, context: _Context
    ) -> pb.GetPerformerResponse:
        performer = await self._find(request)
        counts = await self._coverage.of_performer(performer.id)
        return pb.GetPerformerResponse(
            performer=self._messages.performer(performer), coverage=to_proto_counts(counts)
        )

    async def ListPerformers(
        self, request: pb.ListPerformersRequest, context: _Context
    ) -> pb.ListPerformersResponse:
        words = _words(request.query)
        page = await self._store.page(
            words, after=decode(request.page_token), size=page_size(request.page_size) or USUAL_PAGE
        )
        return pb.ListPerformersResponse(
            performers=[self._messages.performer(one) for one in page.performers],
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

    async def _find(self, request: pb.GetPerformerRequest) -> Performer:
        kind = request.WhichOneof("by")
        if kind == "id":
            return await self._store.by_id(parse_uuid(request.id, field="id"))
        if kind == "external_id":
            return await self._store.by_external_id(_external_id(request.external_id))
        raise InvalidInput("by: neither id nor external_id is given")


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
