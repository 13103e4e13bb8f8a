"""The client's calls about quarantined faces."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from client._streams import errors_translated
from client._wire import signal
from client.review import Discarded, QuarantinedFace
from marquee.gateway.v1 import review_pb2, review_pb2_grpc

__all__ = ["ReviewCalls"]


class ReviewCalls:
    """A part of `Marquee`."""

    _review: review_pb2_grpc.ReviewServiceAsyncStub
    _timeout: float

    async def quarantined(
        self, performer_id: str = "", *, page_size: int = 100
    ) -> AsyncGenerator[QuarantinedFace]:
        """Faces that seem to be somebody else's, by performer and image; of everybody for ""."""
        token = ""
        while True:
            request = review_pb2.ListQuarantinedRequest(
                performer_id=performer_id, page_size=page_size, page_token=token
            )
            with errors_translated():
                reply = await self._review.ListQuarantined(request, timeout=self._timeout)
            for each in reply.faces:
                yield _face(each)
            token = reply.next_page_token
            if not token:
                return

    async def accept_face(self, performer_id: str, image_hash: str) -> bool:
        """Say that a face is the performer's; whether it is searched now. Raises NotFound."""
        request = review_pb2.AcceptFaceRequest(performer_id=performer_id, image_hash=image_hash)
        with errors_translated():
            return (await self._review.AcceptFace(request, timeout=self._timeout)).is_searched

    async def discard_image(self, performer_id: str, image_hash: str) -> Discarded:
        """Delete what is enrolled of a performer from one image."""
        request = review_pb2.DiscardImageRequest(performer_id=performer_id, image_hash=image_hash)
        with errors_translated():
            reply = await self._review.DiscardImage(request, timeout=self._timeout)
        return Discarded(
            {signal(each.signal): each.observations for each in reply.deleted},
            tuple(signal(each) for each in reply.unavailable),
        )


def _face(reply: review_pb2.QuarantinedFace) -> QuarantinedFace:
    return QuarantinedFace(
        performer_id=reply.performer_id,
        name=reply.name,
        reason=reply.reason,
        quality=round(reply.quality, 6),
        image_hash=reply.source.image_hash,
        uri=reply.source.uri,
        date=reply.source.date,
        tattoos=reply.tattoos,
        bodies=reply.bodies,
    )
