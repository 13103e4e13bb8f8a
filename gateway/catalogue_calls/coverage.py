"""How well the gallery covers the performers."""

from __future__ import annotations

from typing import Any

import grpc

from gateway.catalogue.coverage import CoverageReport
from gateway.catalogue.coverage_listing import ListCoverage
from gateway.catalogue.paging import decode, encode
from gateway.catalogue_calls.messages import PerformerMessages
from gateway.catalogue_calls.pages import USUAL_PAGE, page_size
from gateway.ledger_translation import (
    ids_from,
    to_proto_faces,
    to_proto_sources,
    to_proto_target,
    wanted_from,
)
from gateway.translation import to_proto_signal
from marquee.gateway.v1 import catalogue_pb2 as pb

__all__ = ["CoverageCalls"]

_Context = grpc.aio.ServicerContext[Any, Any]


class CoverageCalls:
    """A part of `CatalogueServicer`."""

    _coverage: CoverageReport
    _list_coverage: ListCoverage
    _messages: PerformerMessages

    async def GetCoverage(self, request: pb.GetCoverageRequest, context: _Context) -> pb.GetCoverageResponse:
        coverage = await self._coverage.of_gallery(
            after=decode(request.page_token), page_size=page_size(request.page_size)
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
            page=[self._messages.covered(one) for one in coverage.page],
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
                size=page_size(request.page_size) or USUAL_PAGE,
            )
        return pb.ListCoverageResponse(
            performers=[self._messages.covered(one) for one in page.performers],
            next_page_token=encode(page.last) if page.last else "",
            target=to_proto_target(self._list_coverage.target),
            unavailable=[to_proto_signal(one) for one in sorted(page.unavailable)],
        )
