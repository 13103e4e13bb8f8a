"""The gateway's BackfillService in memory: what waits, and what becomes of the images that are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from chassis.errors import MarqueeError
from chassis.images import image_hash
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import backfill_pb2 as pb
from marquee.gateway.v1 import backfill_pb2_grpc, status_pb2

__all__ = ["FakeBackfill"]

_FACE, _TATTOO = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO
_Image = tuple[str, str]
"""Performer id and image hash."""


class FakeBackfill(backfill_pb2_grpc.BackfillServiceServicer):
    """Describes everything that waits, unless told otherwise; switches when the share is reached."""

    def __init__(self) -> None:
        self.waiting: dict[common_pb2.Signal.ValueType, dict[_Image, int]] = {}
        """Signal that changes -> image -> observations."""
        self.sources: dict[_Image, common_pb2.ImageSource] = {}
        self.received: list[str] = []
        """Hashes of the images sent, in order, as they were listed."""
        self.unseen: set[str] = set()
        """Hashes of images whose faces are not found again."""
        self.refused: dict[str, str] = {}
        """Hash of an image -> why the whole of it is refused."""
        self.troubles: list[MarqueeError | None] = []
        """For the next images, one each: the error that ends their stream; None lets one pass."""
        self.list_troubles: list[MarqueeError] = []
        """Raised by the next ListImages calls, one each."""
        self.hold_after: int | None = None
        """How many images are answered; those after them wait for ever."""
        self.is_held = asyncio.Event()
        """Set when an image waits for ever."""
        self.away = 0
        """For how many images the face signal is away."""
        self.described_by_others: set[common_pb2.Signal.ValueType] = set()
        """Signals whose observations somebody else describes before an image of them comes."""
        self.unavailable: list[common_pb2.Signal.ValueType] = []
        """Signals that ListImages names as such."""
        self.problem = ""
        self._switch_coverage = 1.0
        self._observations: dict[common_pb2.Signal.ValueType, int] = {}

    def start(
        self, images: Iterable[common_pb2.PendingObservation], *, switch_coverage: float, tattoos: int
    ) -> None:
        """Change the models of faces, and of tattoos if there are any in an image."""
        self.sources = {(one.performer_id, one.source.image_hash): one.source for one in images}
        self.waiting = {_FACE: dict.fromkeys(self.sources, 1)}
        if tattoos:
            self.waiting[_TATTOO] = dict.fromkeys(self.sources, tattoos)
        self._switch_coverage = switch_coverage
        self._observations = {signal: sum(each.values()) for signal, each in self.waiting.items()}

    def status(self, ready: common_pb2.ServiceStatus) -> list[status_pb2.SignalStatus]:
        """Of the face signal, and of the tattoo signal when it changes its models."""
        signals = dict.fromkeys([_FACE, *self._observations])
        return [self._signal_status(signal, ready) for signal in signals]

    async def ListImages(self, request: pb.ListImagesRequest, context: object) -> pb.ListImagesResponse:
        if self.list_troubles:
            raise self.list_troubles.pop(0)
        everything = [
            pb.PendingImage(
                performer_id=image[0], source=self.sources[image], signal=signal, observations=count
            )
            for signal, images in sorted(self.waiting.items())
            for image, count in images.items()
        ]
        start = int(request.page_token or 0)
        end = start + request.page_size
        return pb.ListImagesResponse(
            images=everything[start:end],
            next_page_token=str(end) if end < len(everything) else "",
            totals=[
                pb.PendingTotal(signal=signal, pending=sum(images.values()), change=self._change(signal))
                for signal, images in self.waiting.items()
                if images or self.problem
            ],
            unavailable=self.unavailable,
        )

    async def ReembedImages(
        self, request_iterator: AsyncIterator[pb.ReembedImagesRequest], context: object
    ) -> AsyncIterator[pb.ReembedImagesResponse]:
        async for request in request_iterator:
            trouble = self.troubles.pop(0) if self.troubles else None
            if trouble is not None:
                raise trouble
            if self.hold_after is not None and len(self.received) >= self.hold_after:
                self.is_held.set()
                await asyncio.Event().wait()
            yield self._reembed(request)

    def _reembed(self, request: pb.ReembedImagesRequest) -> pb.ReembedImagesResponse:
        digest = image_hash(request.image)
        self.received.append(digest)
        image = (request.performer_id, digest)
        reply = pb.ReembedImagesResponse(key=request.key, image_hash=digest)
        if digest in self.refused:
            reply.detail = self.refused[digest]
            return reply
        for signal in self.described_by_others:
            self.waiting[signal].pop(image, None)
        signals = [signal for signal, images in self.waiting.items() if image in images]
        reply.signals.extend(self._describe(signal, image) for signal in signals)
        return reply

    def _describe(self, signal: common_pb2.Signal.ValueType, image: _Image) -> pb.SignalReembedding:
        if signal == _FACE and self.away:
            self.away -= 1
            return pb.SignalReembedding(
                signal=signal, detail="face did not answer in time", is_temporary=True
            )
        if signal == _FACE and image[1] in self.unseen:
            return pb.SignalReembedding(signal=signal, missed=1, detail="not seen at its place any more")
        return pb.SignalReembedding(signal=signal, described=self.waiting[signal].pop(image))

    def _has_switched(self, signal: common_pb2.Signal.ValueType) -> bool:
        change = self._change(signal)
        return change.described >= change.switch_coverage * change.observations and not self.problem

    def _signal_status(
        self, signal: common_pb2.Signal.ValueType, ready: common_pb2.ServiceStatus
    ) -> status_pb2.SignalStatus:
        status = common_pb2.ServiceStatus()
        status.CopyFrom(ready)
        if signal in self._observations:
            status.models.extend(self._models(has_switched=self._has_switched(signal)))
        if self.problem or self.waiting.get(signal):
            status.model_change.CopyFrom(self._change(signal))
        return status_pb2.SignalStatus(signal=signal, is_reachable=True, status=status)

    def _models(self, *, has_switched: bool) -> list[common_pb2.ModelStatus]:
        serving, preparing = common_pb2.MODEL_USE_SERVING, common_pb2.MODEL_USE_PREPARING
        uses = {"new": serving} if has_switched else {"old": serving, "new": preparing}
        return [
            common_pb2.ModelStatus(role="embedder", name=name, version="1", dimension=4, use=use)
            for name, use in uses.items()
        ]

    def _change(self, signal: common_pb2.Signal.ValueType) -> common_pb2.ModelChange:
        observations = self._observations[signal]
        return common_pb2.ModelChange(
            observations=observations,
            described=observations - sum(self.waiting[signal].values()),
            switch_coverage=self._switch_coverage,
            problem=self.problem,
        )
