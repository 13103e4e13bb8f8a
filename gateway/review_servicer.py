"""ReviewService: translation only."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid, to_proto_box
from gateway.review.discard import DiscardImage
from gateway.review.quarantined import ListQuarantined, QuarantinedFace
from gateway.translation import to_proto_signal
from marquee.gateway.v1 import review_pb2 as pb
from marquee.gateway.v1 import review_pb2_grpc

__all__ = ["ReviewServicer"]

_DEFAULT_PAGE, _MOST_ON_A_PAGE = 100, 1000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_Context = grpc.aio.ServicerContext[Any, Any]


class ReviewServicer(review_pb2_grpc.ReviewServiceServicer):
    """Stories behind the contract. `accept`: performer and image hash in, whether it is searched out."""

    def __init__(
        self,
        *,
        list_quarantined: ListQuarantined,
        accept: Callable[[str, str], Awaitable[bool]],
        discard: DiscardImage,
    ) -> None:
        self._list = list_quarantined
        self._accept = accept
        self._discard = discard

    async def ListQuarantined(
        self, request: pb.ListQuarantinedRequest, context: _Context
    ) -> pb.ListQuarantinedResponse:
        if request.page_size > _MOST_ON_A_PAGE:
            raise InvalidInput(f"page_size: more than {_MOST_ON_A_PAGE}")
        performer_id = parse_uuid(request.performer_id) if request.performer_id else ""
        page = await self._list(
            performer_id, size=request.page_size or _DEFAULT_PAGE, token=request.page_token
        )
        return pb.ListQuarantinedResponse(faces=map(_face, page.faces), next_page_token=page.next_page_token)

    async def AcceptFace(self, request: pb.AcceptFaceRequest, context: _Context) -> pb.AcceptFaceResponse:
        is_searched = await self._accept(parse_uuid(request.performer_id), _hash(request.image_hash))
        return pb.AcceptFaceResponse(is_searched=is_searched)

    async def DiscardImage(
        self, request: pb.DiscardImageRequest, context: _Context
    ) -> pb.DiscardImageResponse:
        done = await self._discard(parse_uuid(request.performer_id), _hash(request.image_hash))
        return pb.DiscardImageResponse(
            deleted=[
                pb.DiscardedObservations(signal=to_proto_signal(signal), observations=count)
                for signal, count in sorted(done.deleted.items())
            ],
            unavailable=[to_proto_signal(one) for one in done.unavailable],
        )


def _hash(text: str) -> str:
    if not _SHA256.fullmatch(text):
        raise InvalidInput("image_hash: not 64 lower-case hexadecimal digits")
    return text


def _face(one: QuarantinedFace) -> pb.QuarantinedFace:
    face = one.face
    return pb.QuarantinedFace(
        performer_id=face.performer_id,
        name=one.name,
        reason=face.reason,
        quality=face.quality,
        box=to_proto_box(face.box),
        source=face.source,
        tattoos=one.tattoos,
        bodies=one.bodies,
    )
