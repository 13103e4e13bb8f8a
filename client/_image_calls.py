"""The client's calls about coverage and the images of performers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from client import _image_wire
from client._streams import errors_translated
from client.coverage import Coverage, CoverageFilter, PerformerCoverage
from client.images import ImageRecord, ImageReport
from marquee.gateway.v1 import catalogue_pb2, catalogue_pb2_grpc

__all__ = ["ImageCalls"]


class ImageCalls:
    """A part of `Marquee`."""

    _catalogue: catalogue_pb2_grpc.CatalogueServiceAsyncStub
    _timeout: float

    async def coverage(self) -> Coverage:
        """How well the gallery covers the performers: totals."""
        with errors_translated():
            reply = await self._catalogue.GetCoverage(
                catalogue_pb2.GetCoverageRequest(), timeout=self._timeout
            )
        return _image_wire.coverage(reply)

    async def performer_coverage(
        self, wanted: CoverageFilter | None = None, *, page_size: int = 100
    ) -> AsyncGenerator[PerformerCoverage]:
        """What is enrolled of each performer that is wanted, by name; fetched page by page.

        Raises Unavailable when a signal that the filter needs did not answer.
        """
        token = ""
        while True:
            request = _image_wire.to_list_coverage(
                wanted or CoverageFilter(), page_size=page_size, page_token=token
            )
            with errors_translated():
                reply = await self._catalogue.ListCoverage(request, timeout=self._timeout)
            for each in reply.performers:
                yield _image_wire.performer_coverage(each)
            token = reply.next_page_token
            if not token:
                return

    async def coverage_of(self, performer_ids: Sequence[str]) -> dict[str, PerformerCoverage]:
        """What is enrolled of up to 1000 performers, by id; those that do not exist are missing."""
        request = catalogue_pb2.ListCoverageRequest(performer_ids=performer_ids)
        with errors_translated():
            reply = await self._catalogue.ListCoverage(request, timeout=self._timeout)
        return {each.performer.id: _image_wire.performer_coverage(each) for each in reply.performers}

    async def record_images(self, images: Sequence[ImageReport]) -> int:
        """Tell of 1 to 1000 images that are known, or could not be read; how many are of existing performers.

        Repeating it changes nothing. Raises InvalidInput for a malformed field.
        """
        request = catalogue_pb2.RecordImagesRequest(images=[_image_wire.to_report(each) for each in images])
        with errors_translated():
            return (await self._catalogue.RecordImages(request, timeout=self._timeout)).recorded

    async def performer_images(
        self, performer_id: str, *, source: str = "", only_open: bool = False, page_size: int = 1000
    ) -> AsyncGenerator[ImageRecord]:
        """Every image of a performer that was named or sent, and what became of it; page by page.

        source: only this one's; only_open: only those worth another try. Raises NotFound.
        """
        token = ""
        while True:
            request = catalogue_pb2.ListPerformerImagesRequest(
                performer_id=performer_id,
                source=source,
                only_open=only_open,
                page_size=page_size,
                page_token=token,
            )
            with errors_translated():
                reply = await self._catalogue.ListPerformerImages(request, timeout=self._timeout)
            for each in reply.images:
                yield _image_wire.image_record(each)
            token = reply.next_page_token
            if not token:
                return
