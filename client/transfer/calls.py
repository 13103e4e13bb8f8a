"""The calls of TransferService: performers and vectors in bulk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import grpc

from client import _wire
from client._streams import errors_translated
from client.transfer import _wire as _transfer_wire
from client.transfer.values import (
    ImportedPerformer,
    ImportedTexts,
    ImportedVectors,
    NamedImage,
    PerformerRecord,
    TattooText,
    VectorRow,
)
from client.values import Signal
from marquee.gateway.v1 import catalogue_pb2, catalogue_pb2_grpc, transfer_pb2, transfer_pb2_grpc

__all__ = ["Transfer"]


class Transfer:
    """What `Marquee.transfer` gives.

    Every import answers when its portion is committed, and may be repeated.
    """

    def __init__(self, channel: grpc.aio.Channel, *, timeout: float) -> None:
        self._stub = transfer_pb2_grpc.TransferServiceStub(channel)
        self._catalogue = catalogue_pb2_grpc.CatalogueServiceStub(channel)
        self._timeout = timeout

    async def import_performers(self, records: Sequence[PerformerRecord]) -> list[ImportedPerformer]:
        """Create or change 1 to 10000 performers; what became of each, in order."""
        messages = [_transfer_wire.to_record(one) for one in records]
        request = transfer_pb2.ImportPerformersRequest(performers=messages)
        with errors_translated():
            reply = await self._stub.ImportPerformers(request, timeout=self._timeout)
        return [_transfer_wire.imported_performer(one) for one in reply.performers]

    async def export_performers(self, *, page_size: int = 1000) -> AsyncGenerator[list[PerformerRecord]]:
        """Every performer with body ratios, some at a time, in the order of ids."""
        token = ""
        while True:
            request = transfer_pb2.ExportPerformersRequest(page_size=page_size, page_token=token)
            with errors_translated():
                reply = await self._stub.ExportPerformers(request, timeout=self._timeout)
            yield [_transfer_wire.performer_record(one) for one in reply.performers]
            token = reply.next_page_token
            if not token:
                return

    async def import_vectors(self, signal: Signal, rows: Sequence[VectorRow]) -> ImportedVectors:
        """Store 1 to 5000 vectors of a signal."""
        request = transfer_pb2.ImportVectorsRequest(
            signal=_wire.to_signal(signal), rows=[_transfer_wire.to_row(one) for one in rows]
        )
        with errors_translated():
            reply = await self._stub.ImportVectors(request, timeout=self._timeout)
        return _transfer_wire.imported_vectors(reply)

    async def export_vectors(
        self, signal: Signal, *, page_size: int = 1000, with_set_aside: bool = False
    ) -> AsyncGenerator[list[VectorRow]]:
        """Stored vectors of a signal, some at a time, by model, version and age.

        with_set_aside: also of faces in reserve and quarantine.
        """
        token = ""
        while True:
            request = transfer_pb2.ExportVectorsRequest(
                signal=_wire.to_signal(signal),
                page_size=page_size,
                page_token=token,
                with_set_aside=with_set_aside,
            )
            with errors_translated():
                reply = await self._stub.ExportVectors(request, timeout=self._timeout)
            yield [_transfer_wire.vector_row(one) for one in reply.rows]
            token = reply.next_page_token
            if not token:
                return

    async def note_images(self, images: Sequence[NamedImage]) -> int:
        """Have it noted that there are 1 to 1000 pictures, for a backfill to read.

        How many of known performers.
        """
        reports = [
            catalogue_pb2.ImageReport(performer_id=one.performer_id, source=one.source, uri=one.uri)
            for one in images
        ]
        with errors_translated():
            reply = await self._catalogue.RecordImages(
                catalogue_pb2.RecordImagesRequest(images=reports), timeout=self._timeout
            )
        return reply.recorded

    async def import_tattoo_texts(self, texts: Sequence[TattooText]) -> ImportedTexts:
        """Have 1 to 5000 texts read into body regions."""
        request = transfer_pb2.ImportTattooTextsRequest(texts=[_transfer_wire.to_text(one) for one in texts])
        with errors_translated():
            reply = await self._stub.ImportTattooTexts(request, timeout=self._timeout)
        return ImportedTexts(
            reply.stored, reply.known, len(reply.without_region), len(reply.without_performer)
        )
