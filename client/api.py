"""A small typed client of one Marquee server.

    async with Marquee.connect("127.0.0.1:50050") as marquee:
        seen = await marquee.identify(Path("scene.jpg"))
        for person in seen.people:
            print(person.status, person.best.name if person.best else "")

Every call raises the errors of `chassis.errors`, with the server's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path

import grpc

from chassis.channels import open_channel
from chassis.status import error_from
from client import _wire
from client.catalogue import (
    Coverage,
    EnrollImage,
    EnrollReply,
    Forgotten,
    Performer,
    PerformerCoverage,
    PerformerRecord,
)
from client.picture_file import read_picture
from client.system import SystemStatus
from client.values import ExternalId, Identification, Policy, Signal
from marquee.gateway.v1 import (
    catalogue_pb2,
    catalogue_pb2_grpc,
    identification_pb2,
    identification_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
)

__all__ = ["Marquee", "DEFAULT_ADDRESS"]

DEFAULT_ADDRESS = "127.0.0.1:50050"


class Marquee:
    """One connection to a gateway; calls may run side by side. Make it with `connect`."""

    def __init__(self, channel: grpc.aio.Channel, *, address: str, timeout: float) -> None:
        self._identification = identification_pb2_grpc.IdentificationServiceStub(channel)
        self._catalogue = catalogue_pb2_grpc.CatalogueServiceStub(channel)
        self._status = status_pb2_grpc.StatusServiceStub(channel)
        self._timeout = timeout
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
        hints: Sequence[str] = (),
    ) -> Identification:
        """Who is in `image` (encoded JPEG, PNG or WebP, or a file of one).

        max_candidates: 1..100 for each person; signals: those to use, empty for all; hints: ids of performers
        already tagged, who are scored in any case. Raises InvalidImage's parent InvalidInput for an image or
        an option that is not accepted, or a file that is too large or cannot be read; Unsupported for a
        policy the server cannot do; Unavailable when no signal or not the catalogue is reachable.
        """
        request = identification_pb2.IdentifyRequest(
            image=await _read(image),
            max_candidates=max_candidates,
            signals=[_wire.to_signal(signal) for signal in signals],
            policy=_wire.to_policy(policy),
            scene_date=scene_date.isoformat() if scene_date else "",
            hinted_performer_ids=hints,
        )
        with _errors_translated():
            return _wire.identification(await self._identification.Identify(request, timeout=self._timeout))

    async def upsert(self, performer: Performer) -> Performer:
        """Create a performer, or change the one with its id or one of its external ids; returns it as stored.

        Raises Refused for somebody under 18, Conflict when an external id belongs to another performer,
        InvalidInput for a malformed field, NotFound for an id that no longer exists.
        """
        request = catalogue_pb2.UpsertPerformerRequest(performer=_wire.to_performer(performer))
        with _errors_translated():
            reply = await self._catalogue.UpsertPerformer(request, timeout=self._timeout)
        return _wire.performer(reply.performer)

    async def get(self, performer: str | ExternalId) -> PerformerRecord:
        """One performer by id or external id, and what is enrolled. Raises NotFound."""
        if isinstance(performer, ExternalId):
            external = catalogue_pb2.ExternalId(authority=performer.authority, id=performer.id)
            request = catalogue_pb2.GetPerformerRequest(external_id=external)
        else:
            request = catalogue_pb2.GetPerformerRequest(id=performer)
        with _errors_translated():
            reply = await self._catalogue.GetPerformer(request, timeout=self._timeout)
        return PerformerRecord(_wire.performer(reply.performer), _wire.counts(reply.coverage))

    async def performers(self, query: str = "", *, page_size: int = 100) -> AsyncGenerator[Performer]:
        """All performers whose name or alias has the words of `query`, by name; fetched page by page."""
        token = ""
        while True:
            request = catalogue_pb2.ListPerformersRequest(query=query, page_size=page_size, page_token=token)
            with _errors_translated():
                reply = await self._catalogue.ListPerformers(request, timeout=self._timeout)
            for each in reply.performers:
                yield _wire.performer(each)
            token = reply.next_page_token
            if not token:
                return

    async def forget(self, performer_id: str) -> Forgotten:
        """Delete a performer and everything enrolled; unsearchable when this returns. Raises NotFound."""
        request = catalogue_pb2.ForgetPerformerRequest(id=performer_id)
        with _errors_translated():
            return _wire.forgotten(await self._catalogue.ForgetPerformer(request, timeout=self._timeout))

    async def coverage(self) -> Coverage:
        """How well the gallery covers the performers: totals."""
        with _errors_translated():
            reply = await self._catalogue.GetCoverage(
                catalogue_pb2.GetCoverageRequest(), timeout=self._timeout
            )
        return _wire.coverage(reply)

    async def performer_coverage(self, *, page_size: int = 100) -> AsyncGenerator[PerformerCoverage]:
        """What is enrolled of each performer, by name; fetched page by page."""
        token = ""
        while True:
            request = catalogue_pb2.GetCoverageRequest(page_size=page_size, page_token=token)
            with _errors_translated():
                reply = await self._catalogue.GetCoverage(request, timeout=self._timeout)
            for each in reply.page:
                yield _wire.performer_coverage(each)
            token = reply.next_page_token
            if not token:
                return

    async def enroll(
        self, images: Iterable[EnrollImage] | AsyncIterable[EnrollImage]
    ) -> AsyncGenerator[EnrollReply]:
        """Enrol images; one reply for each, as they are committed, in any order.

        Images are read from `images` only as fast as the server takes them. What `images` raises is raised
        here after the replies. A stream has no deadline, but servers end connections after some minutes:
        give some hundred images at a time.
        """
        source = _Source(images)
        with _errors_translated():
            call = self._catalogue.EnrollImages(source.requests())
            try:
                async for reply in call:
                    yield _wire.enroll_reply(reply)
            finally:
                call.cancel()
        source.raise_failure()

    async def status(self) -> SystemStatus:
        """How the gateway and every signal are. Raises Unavailable when the gateway is not there."""
        with _errors_translated():
            reply = await self._status.GetStatus(status_pb2.GetStatusRequest(), timeout=self._timeout)
        return _wire.system_status(reply)


class _Source:
    """The caller's images as requests; gRPC would turn what they raise into a bare cancellation."""

    def __init__(self, images: Iterable[EnrollImage] | AsyncIterable[EnrollImage]) -> None:
        self._images = images
        self._failure: Exception | None = None

    async def requests(self) -> AsyncIterator[catalogue_pb2.EnrollImagesRequest]:
        try:
            if isinstance(self._images, AsyncIterable):
                async for image in self._images:
                    yield _wire.to_enroll(image)
            else:
                for image in self._images:
                    yield _wire.to_enroll(image)
        except Exception as exc:
            self._failure = exc

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


async def _read(image: bytes | Path) -> bytes:
    if isinstance(image, bytes):
        return image
    return await asyncio.to_thread(read_picture, image)


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as exc:
        raise error_from(exc) from exc
