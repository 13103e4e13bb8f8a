"""A small typed client of one Marquee server.

    async with Marquee.connect("127.0.0.1:50050") as marquee:
        seen = await marquee.identify(Path("scene.jpg"))
        for person in seen.people:
            print(person.status, person.best.name if person.best else "")

Every call raises the errors of `chassis.errors`, with the server's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import grpc

from chassis.channels import open_channel
from client import _backfill_wire, _system_wire, _wire
from client._calibration_calls import CalibrationCalls
from client._image_calls import ImageCalls
from client._review_calls import ReviewCalls
from client._streams import Source, errors_translated
from client.catalogue import (
    EnrollImage,
    EnrollReply,
    Forgotten,
    Performer,
    PerformerRecord,
)
from client.pending import PendingPage, ReembedImage, ReembedReply
from client.picture_file import read_picture
from client.system import SystemStatus
from client.tattoos import Tattoos
from client.transfer.calls import Transfer
from client.values import ExternalId, Hint, Identification, Policy, Signal
from marquee.gateway.v1 import (
    backfill_pb2,
    backfill_pb2_grpc,
    calibration_pb2_grpc,
    catalogue_pb2,
    catalogue_pb2_grpc,
    identification_pb2,
    identification_pb2_grpc,
    review_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
)

__all__ = ["Marquee", "DEFAULT_ADDRESS"]

DEFAULT_ADDRESS = "127.0.0.1:50050"


class Marquee(ImageCalls, ReviewCalls, CalibrationCalls):
    """One connection to a gateway; calls may run side by side. Make it with `connect`."""

    def __init__(self, channel: grpc.aio.Channel, *, address: str, timeout: float) -> None:
        self._identification = identification_pb2_grpc.IdentificationServiceStub(channel)
        self._catalogue = catalogue_pb2_grpc.CatalogueServiceStub(channel)
        self._backfill = backfill_pb2_grpc.BackfillServiceStub(channel)
        self._review = review_pb2_grpc.ReviewServiceStub(channel)
        self._status = status_pb2_grpc.StatusServiceStub(channel)
        self._calibration = calibration_pb2_grpc.CalibrationServiceStub(channel)
        self._timeout = timeout
        self.transfer = Transfer(channel, timeout=timeout)
        """Export and import."""
        self.tattoos = Tattoos(channel, timeout=timeout)
        """Performers' tattoos: to list, to search, and to correct."""
        self.address = address

    def __repr__(self) -> str:
        return f"Marquee({self.address!r})"

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, address: str = DEFAULT_ADDRESS, *, timeout: float = 30.0
    ) -> AsyncIterator[Marquee]:
        """A client of the gateway at `address` (host:port); `timeout` seconds is the deadline of each call.

        Connecting never fails: the first call raises Unavailable when nobody is there.
        """
        async with open_channel(address) as channel:
            yield cls(channel, address=address, timeout=timeout)

    async def identify(
        self,
        image: bytes | Path,
        *,
        max_candidates: int = 10,
        signals: Iterable[Signal] = (),
        policy: Policy = Policy.DEFAULT,
        scene_date: date | None = None,
        hints: Sequence[str | Hint] = (),
        natural_probability: float | None = None,
    ) -> Identification:
        """Who is in `image` (encoded JPEG, PNG or WebP, or a file of one).

        max_candidates: 1..100 for each person; signals: those to use, empty for all; hints: ids of performers
        already tagged, or hints of any kind: all are scored in any case. natural_probability: 0..1, that the
        breasts of the one person in the picture are natural. Hints' factors, scene_date and this count under
        the bayesian policy.

        Raises InvalidImage's parent InvalidInput for an image or an option that is not accepted, or a file
        that is too large or cannot be read; Unsupported for a policy the server cannot do; Unavailable when
        no signal or not the catalogue is reachable.
        """
        request = identification_pb2.IdentifyRequest(
            image=await _read(image),
            max_candidates=max_candidates,
            signals=[_wire.to_signal(signal) for signal in signals],
            policy=_wire.to_policy(policy),
            scene_date=scene_date.isoformat() if scene_date else "",
            hinted_performer_ids=[each for each in hints if isinstance(each, str)],
            hints=[_wire.to_hint(each) for each in hints if isinstance(each, Hint)],
            scene=_wire.to_statement(natural_probability),
        )
        with errors_translated():
            return _wire.identification(await self._identification.Identify(request, timeout=self._timeout))

    async def upsert(self, performer: Performer) -> Performer:
        """Create a performer, or change the one with its id or one of its external ids; returns it as stored.

        Raises Refused for somebody under 18, Conflict when an external id belongs to another performer,
        InvalidInput for a malformed field, NotFound for an id that no longer exists.
        """
        request = catalogue_pb2.UpsertPerformerRequest(performer=_wire.to_performer(performer))
        with errors_translated():
            reply = await self._catalogue.UpsertPerformer(request, timeout=self._timeout)
        return _wire.performer(reply.performer)

    async def get(self, performer: str | ExternalId) -> PerformerRecord:
        """One performer by id or external id, and what is enrolled. Raises NotFound."""
        if isinstance(performer, ExternalId):
            external = catalogue_pb2.ExternalId(authority=performer.authority, id=performer.id)
            request = catalogue_pb2.GetPerformerRequest(external_id=external)
        else:
            request = catalogue_pb2.GetPerformerRequest(id=performer)
        with errors_translated():
            reply = await self._catalogue.GetPerformer(request, timeout=self._timeout)
        return PerformerRecord(_wire.performer(reply.performer), _wire.counts(reply.coverage))

    async def performers(self, query: str = "", *, page_size: int = 100) -> AsyncGenerator[Performer]:
        """All performers whose name or alias has the words of `query`, by name; fetched page by page."""
        token = ""
        while True:
            request = catalogue_pb2.ListPerformersRequest(query=query, page_size=page_size, page_token=token)
            with errors_translated():
                reply = await self._catalogue.ListPerformers(request, timeout=self._timeout)
            for each in reply.performers:
                yield _wire.performer(each)
            token = reply.next_page_token
            if not token:
                return

    async def forget(self, performer_id: str, *, may_return: bool = False) -> Forgotten:
        """Delete a performer and everything enrolled; unsearchable when this returns. Raises NotFound.

        Their external ids and pictures are refused from then on, unless the performer may return.
        """
        request = catalogue_pb2.ForgetPerformerRequest(id=performer_id, may_return=may_return)
        with errors_translated():
            return _wire.forgotten(await self._catalogue.ForgetPerformer(request, timeout=self._timeout))

    async def allow(
        self, external_ids: Iterable[ExternalId] = (), image_hashes: Iterable[str] = ()
    ) -> tuple[int, int]:
        """Let external ids and images (SHA-256, hexadecimal) of forgotten performers be enrolled again.

        Returns how many ids and images were on the do-not-identify list. Up to 1000 ids and 10000 images.
        Raises InvalidInput when nothing is given.
        """
        request = catalogue_pb2.AllowAgainRequest(
            external_ids=[
                catalogue_pb2.ExternalId(authority=each.authority, id=each.id) for each in external_ids
            ],
            image_hashes=image_hashes,
        )
        with errors_translated():
            reply = await self._catalogue.AllowAgain(request, timeout=self._timeout)
        return reply.external_ids, reply.images

    async def enroll(
        self, images: Iterable[EnrollImage] | AsyncIterable[EnrollImage]
    ) -> AsyncGenerator[EnrollReply]:
        """Enrol images; one reply for each, as they are committed, in any order.

        Images are read from `images` only as fast as the server takes them. What `images` raises is raised
        here after the replies. A stream has no deadline, but servers end connections after some minutes:
        give some hundred images at a time.
        """
        source = Source(images, _wire.to_enroll)
        with errors_translated():
            call = self._catalogue.EnrollImages(source.requests())
            try:
                async for reply in call:
                    yield _wire.enroll_reply(reply)
            finally:
                call.cancel()
        source.raise_failure()

    async def pending(self, *, page_size: int = 100) -> AsyncGenerator[PendingPage]:
        """Images with observations that a model being prepared does not describe yet; one page at least.

        Raises Unavailable when no signal can be asked.
        """
        token = ""
        while True:
            request = backfill_pb2.ListImagesRequest(page_size=page_size, page_token=token)
            with errors_translated():
                reply = await self._backfill.ListImages(request, timeout=self._timeout)
            yield _backfill_wire.pending_page(reply)
            token = reply.next_page_token
            if not token:
                return

    async def reembed(
        self, images: Iterable[ReembedImage] | AsyncIterable[ReembedImage]
    ) -> AsyncGenerator[ReembedReply]:
        """Describe the pending observations of images; one reply for each, once committed, in any order.

        `images` is read as by `enroll`, and what it raises is raised here after the replies.
        """
        source = Source(images, _backfill_wire.to_reembed)
        with errors_translated():
            call = self._backfill.ReembedImages(source.requests())
            try:
                async for reply in call:
                    yield _backfill_wire.reembed_reply(reply)
            finally:
                call.cancel()
        source.raise_failure()

    async def status(self) -> SystemStatus:
        """How the gateway and every signal are. Raises Unavailable when the gateway is not there."""
        with errors_translated():
            reply = await self._status.GetStatus(status_pb2.GetStatusRequest(), timeout=self._timeout)
        return _system_wire.system_status(reply)


async def _read(image: bytes | Path) -> bytes:
    if isinstance(image, bytes):
        return image
    return await asyncio.to_thread(read_picture, image)
