"""BackfillService: translation only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from chassis.errors import InvalidInput
from gateway.backfill.list_images import ListImages, PendingImage, PendingTotal
from gateway.backfill.paging import decode, encode
from gateway.backfill.reembed_image import ImageToReembed, Reembedded, ReembedImage
from gateway.backfill.reembedding import Reembedding
from gateway.enrolment.stream import bounded
from gateway.translation import to_proto_signal
from marquee.gateway.v1 import backfill_pb2 as pb
from marquee.gateway.v1 import backfill_pb2_grpc

__all__ = ["BackfillServicer"]

_DEFAULT_PAGE = 100
_MOST_ON_A_PAGE = 1000
_Context = grpc.aio.ServicerContext[Any, Any]


class BackfillServicer(backfill_pb2_grpc.BackfillServiceServicer):
    """Describing again what is enrolled."""

    def __init__(self, *, list_images: ListImages, reembed: ReembedImage, images_in_flight: int) -> None:
        self._list_images = list_images
        self._reembed = reembed
        self._images_in_flight = images_in_flight

    async def ListImages(self, request: pb.ListImagesRequest, context: _Context) -> pb.ListImagesResponse:
        if request.page_size > _MOST_ON_A_PAGE:
            raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
        page = await self._list_images(at=decode(request.page_token), size=request.page_size or _DEFAULT_PAGE)
        return pb.ListImagesResponse(
            images=[_image(one) for one in page.images],
            next_page_token=encode(page.following) if page.following else "",
            totals=[_total(one) for one in page.totals],
            unavailable=[to_proto_signal(one) for one in page.unavailable],
        )

    async def ReembedImages(
        self, request_iterator: AsyncIterator[pb.ReembedImagesRequest], context: _Context
    ) -> AsyncIterator[pb.ReembedImagesResponse]:
        replies = bounded(
            (_item(one) async for one in request_iterator),
            lambda item, _settled: self._reembed(item),
            group_of=lambda item: item.performer_id,
            in_flight=self._images_in_flight,
        )
        async with aclosing(replies):  # a client that leaves ends what runs now, not when memory is tidied
            async for reply in replies:
                yield _reembedded(reply)


def _item(request: pb.ReembedImagesRequest) -> ImageToReembed:
    return ImageToReembed(request.key, request.performer_id, request.image)


def _image(image: PendingImage) -> pb.PendingImage:
    return pb.PendingImage(
        performer_id=image.performer_id,
        source=image.source,
        signal=to_proto_signal(image.signal),
        observations=image.observations,
    )


def _total(total: PendingTotal) -> pb.PendingTotal:
    return pb.PendingTotal(signal=to_proto_signal(total.signal), pending=total.pending, change=total.change)


def _reembedded(reply: Reembedded) -> pb.ReembedImagesResponse:
    return pb.ReembedImagesResponse(
        key=reply.key,
        image_hash=reply.image_hash,
        signals=[_signal(one) for one in reply.signals],
        detail=reply.detail,
    )


def _signal(one: Reembedding) -> pb.SignalReembedding:
    return pb.SignalReembedding(
        signal=to_proto_signal(one.signal),
        described=one.described,
        missed=one.missed,
        detail=one.detail,
        is_temporary=one.is_temporary,
    )
