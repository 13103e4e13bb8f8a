"""Between the contract's messages and the client's values: describing again what is enrolled."""

from __future__ import annotations

from client._system_wire import model_change
from client._wire import signal
from client.pending import (
    PendingImage,
    PendingPage,
    PendingTotal,
    Reembedding,
    ReembedImage,
    ReembedReply,
)
from marquee.gateway.v1 import backfill_pb2

__all__ = ["pending_page", "to_reembed", "reembed_reply"]


def to_reembed(value: ReembedImage) -> backfill_pb2.ReembedImagesRequest:
    return backfill_pb2.ReembedImagesRequest(
        key=value.key, performer_id=value.performer_id, image=value.image
    )


def pending_page(reply: backfill_pb2.ListImagesResponse) -> PendingPage:
    return PendingPage(
        images=tuple(_image(each) for each in reply.images),
        totals={
            signal(each.signal): PendingTotal(each.pending, model_change(each.change))
            for each in reply.totals
        },
        unavailable=tuple(signal(each) for each in reply.unavailable),
    )


def reembed_reply(reply: backfill_pb2.ReembedImagesResponse) -> ReembedReply:
    return ReembedReply(
        key=reply.key,
        image_hash=reply.image_hash,
        signals={signal(each.signal): _reembedding(each) for each in reply.signals},
        detail=reply.detail,
    )


def _image(reply: backfill_pb2.PendingImage) -> PendingImage:
    return PendingImage(
        performer_id=reply.performer_id,
        image_hash=reply.source.image_hash,
        uri=reply.source.uri,
        signal=signal(reply.signal),
        observations=reply.observations,
    )


def _reembedding(reply: backfill_pb2.SignalReembedding) -> Reembedding:
    return Reembedding(reply.described, reply.missed, reply.detail, reply.is_temporary)
