"""CatalogueService: translation only, by theme in `gateway.catalogue_calls`."""

from __future__ import annotations

from gateway.catalogue.coverage import CoverageReport
from gateway.catalogue.coverage_listing import ListCoverage
from gateway.catalogue.forget import ForgetPerformer
from gateway.catalogue.images import ImageLedger
from gateway.catalogue.store import CatalogueStore
from gateway.catalogue.upsert import UpsertPerformer
from gateway.catalogue_calls.coverage import CoverageCalls
from gateway.catalogue_calls.images import ImageCalls
from gateway.catalogue_calls.messages import PerformerMessages
from gateway.catalogue_calls.performers import PerformerCalls
from gateway.enrolment.recording import RecordedEnrolment
from marquee.gateway.v1 import catalogue_pb2_grpc

__all__ = ["CatalogueServicer"]


class CatalogueServicer(
    PerformerCalls, CoverageCalls, ImageCalls, catalogue_pb2_grpc.CatalogueServiceServicer
):
    """Whom the owner enrolled."""

    def __init__(
        self,
        store: CatalogueStore,
        *,
        upsert: UpsertPerformer,
        forget: ForgetPerformer,
        coverage: CoverageReport,
        list_coverage: ListCoverage,
        ledger: ImageLedger,
        enroll: RecordedEnrolment,
        images_in_flight: int,
        messages: PerformerMessages,
    ) -> None:
        self._store = store
        self._upsert = upsert
        self._forget = forget
        self._coverage = coverage
        self._list_coverage = list_coverage
        self._ledger = ledger
        self._enroll = enroll
        self._images_in_flight = images_in_flight
        self._messages = messages
