"""The parts of a gateway put together; what `__main__` runs, and what tests run in their own process."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import grpc

from chassis.channels import open_channel
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.metrics import open_metrics
from chassis.parts import open_database
from chassis.postgres import Pool, ping
from chassis.server import Server, open_server
from chassis.work import WorkPool
from gateway.backfill.list_images import ListImages
from gateway.backfill.reembed_image import ReembedImage, ReembedLimits
from gateway.backfill_servicer import BackfillServicer
from gateway.calibration.calibrate import Calibrate
from gateway.calibration_servicer import CalibrationServicer
from gateway.catalogue.coverage import CoverageReport
from gateway.catalogue.coverage_listing import ListCoverage
from gateway.catalogue.forget import ForgetPerformer
from gateway.catalogue.holdings import AskHoldings
from gateway.catalogue.image_counts import ImageCounts
from gateway.catalogue.images import ImageLedger
from gateway.catalogue.names import PerformerNames
from gateway.catalogue.size import GallerySize
from gateway.catalogue.store import SCHEMA, CatalogueStore
from gateway.catalogue.upsert import UpsertPerformer
from gateway.catalogue_calls.messages import PerformerMessages
from gateway.catalogue_servicer import CatalogueServicer
from gateway.config import GatewayConfig
from gateway.enrolment.admission import Admission
from gateway.enrolment.enroll_image import EnrollImage, EnrolLimits
from gateway.enrolment.recording import RecordedEnrolment
from gateway.identification_servicer import IdentificationServicer
from gateway.identify import Identify, Prior, Timing
from gateway.review.discard import DiscardImage
from gateway.review.quarantined import ListQuarantined
from gateway.review_servicer import ReviewServicer
from gateway.signals import BodyClient, FaceClient, Signals, TattooClient
from gateway.status_servicer import StatusServicer
from gateway.tattoos_servicer import TattoosServicer
from gateway.transfer.bulk_store import BulkStore
from gateway.transfer.import_performers import ImportPerformers
from gateway.transfer.import_vectors import AdmitVectors, ImportVectors
from gateway.transfer_servicer import TransferServicer
from marquee.gateway.v1 import (
    backfill_pb2_grpc,
    calibration_pb2_grpc,
    catalogue_pb2_grpc,
    identification_pb2_grpc,
    review_pb2_grpc,
    status_pb2_grpc,
    tattoos_pb2_grpc,
    transfer_pb2_grpc,
)

__all__ = ["open_gateway"]

# Images of one gateway that may wait for a thread.
_MOST_WAITING = 256

_Today = Callable[[], datetime.date]


@asynccontextmanager
async def open_gateway(
    config: GatewayConfig, *, today: _Today = datetime.date.today
) -> AsyncIterator[Server]:
    """A gateway that serves; signals may come and go, the database must be there and migrated.

    Raises ConfigError for wrong settings or a taken port, StoreError when the database cannot be used.
    """
    settings = config.gateway
    async with AsyncExitStack() as stack:
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.threads, _MOST_WAITING))
        signals = await _open_signals(config, stack)
        readiness = Readiness({"database": lambda: ping(pool)})
        services = _services(config, signals, pool, work, readiness, today)
        services += [
            _transfer(config, signals, pool, today),
            _review(config, signals, pool),
            _tattoos(config, signals, pool, today),
            _calibration(config, signals, work),
        ]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        yield await stack.enter_async_context(serving)


async def _open_signals(config: GatewayConfig, stack: AsyncExitStack) -> Signals:
    async def channel(address: str) -> grpc.aio.Channel:
        opening = open_channel(address, max_message_bytes=config.gateway.max_message_bytes)
        return await stack.enter_async_context(opening)

    return Signals(
        face=FaceClient(await channel(config.gateway.face_address)),
        tattoo=TattooClient(await channel(config.gateway.tattoo_address)),
        body=BodyClient(await channel(config.gateway.body_address)),
    )


def _services(
    config: GatewayConfig,
    signals: Signals,
    pool: Pool,
    work: WorkPool,
    readiness: Readiness,
    today: _Today,
) -> list[tuple[str, Callable[[grpc.aio.Server], None]]]:
    settings = config.gateway
    store = CatalogueStore(pool)
    admission = Admission(store, adults_only=settings.adults_only, today=today)
    status = StatusServicer(
        signals,
        store,
        readiness,
        status_seconds=settings.status_seconds,
        reserve_seconds=settings.reserve_seconds,
    )
    add_identification = identification_pb2_grpc.add_IdentificationServiceServicer_to_server
    add_catalogue = catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server
    add_backfill = backfill_pb2_grpc.add_BackfillServiceServicer_to_server
    add_status = status_pb2_grpc.add_StatusServiceServicer_to_server
    return [
        (
            "marquee.gateway.v1.IdentificationService",
            partial(
                add_identification, IdentificationServicer(_identify(config, signals, pool, work, today))
            ),
        ),
        (
            "marquee.gateway.v1.CatalogueService",
            partial(add_catalogue, _catalogue(config, signals, pool, admission, work, today)),
        ),
        (
            "marquee.gateway.v1.BackfillService",
            partial(add_backfill, _backfill(config, signals, admission, work)),
        ),
        ("marquee.gateway.v1.StatusService", partial(add_status, status)),
    ]


def _identify(config: GatewayConfig, signals: Signals, pool: Pool, work: WorkPool, today: _Today) -> Identify:
    settings = config.gateway
    timing = Timing(
        observe_seconds=settings.observe_seconds,
        score_seconds=settings.score_seconds,
        reserve_seconds=settings.reserve_seconds,
        candidates=settings.candidates,
    )
    return Identify(
        signals,
        PerformerNames(pool),
        GallerySize(pool),
        work,
        limits=_image_limits(config),
        timing=timing,
        prior=Prior(settings.unknown_probability, settings.identified_probability),
        today=today,
    )


def _catalogue(
    config: GatewayConfig,
    signals: Signals,
    pool: Pool,
    admission: Admission,
    work: WorkPool,
    today: _Today,
) -> CatalogueServicer:
    settings = config.gateway
    store, ledger, images = CatalogueStore(pool), ImageLedger(pool), ImageCounts(pool)
    ask = AskHoldings(
        signals, lookup_seconds=settings.lookup_seconds, reserve_seconds=settings.reserve_seconds
    )
    return CatalogueServicer(
        store,
        upsert=UpsertPerformer(store, today=today),
        forget=ForgetPerformer(
            store,
            signals,
            forget_seconds=settings.enroll_seconds,
            reserve_seconds=settings.reserve_seconds,
        ),
        coverage=CoverageReport(store, images, ask, target=settings.target, adults_only=settings.adults_only),
        list_coverage=ListCoverage(store, ledger, images, ask, target=settings.target),
        ledger=ledger,
        enroll=RecordedEnrolment(_enroll(config, signals, admission, work), ledger, work),
        images_in_flight=settings.images_in_flight,
        messages=PerformerMessages(adults_only=settings.adults_only, today=today),
    )


def _enroll(config: GatewayConfig, signals: Signals, admission: Admission, work: WorkPool) -> EnrollImage:
    settings = config.gateway
    limits = EnrolLimits(
        observe_seconds=settings.observe_seconds,
        score_seconds=settings.score_seconds,
        enroll_seconds=settings.enroll_seconds,
    )
    return EnrollImage(signals, admission, work, images=_image_limits(config), limits=limits)


def _backfill(
    config: GatewayConfig, signals: Signals, admission: Admission, work: WorkPool
) -> BackfillServicer:
    settings = config.gateway
    limits = ReembedLimits(
        pending_seconds=settings.pending_seconds,
        observe_seconds=settings.observe_seconds,
        enroll_seconds=settings.enroll_seconds,
    )
    return BackfillServicer(
        list_images=ListImages(
            signals,
            status_seconds=settings.status_seconds,
            pending_seconds=settings.pending_seconds,
            reserve_seconds=settings.reserve_seconds,
        ),
        reembed=ReembedImage(signals, admission, work, images=_image_limits(config), limits=limits),
        images_in_flight=settings.images_in_flight,
    )


def _transfer(
    config: GatewayConfig, signals: Signals, pool: Pool, today: _Today
) -> tuple[str, Callable[[grpc.aio.Server], None]]:
    settings, store = config.gateway, BulkStore(pool)
    admit = AdmitVectors(pool, adults_only=settings.adults_only, today=today)
    servicer = TransferServicer(
        signals,
        store,
        import_performers=ImportPerformers(store, adults_only=settings.adults_only, today=today),
        import_vectors=ImportVectors(admit, import_seconds=settings.transfer_seconds),
        transfer_seconds=settings.transfer_seconds,
        adults_only=settings.adults_only,
        today=today,
    )
    register = partial(transfer_pb2_grpc.add_TransferServiceServicer_to_server, servicer)
    return ("marquee.gateway.v1.TransferService", register)


def _review(
    config: GatewayConfig, signals: Signals, pool: Pool
) -> tuple[str, Callable[[grpc.aio.Server], None]]:
    settings = config.gateway
    reserve = settings.reserve_seconds
    servicer = ReviewServicer(
        list_quarantined=ListQuarantined(
            signals.face,
            PerformerNames(pool),
            pool,
            seconds=settings.lookup_seconds,
            reserve_seconds=reserve,
        ),
        accept=partial(signals.face.accept, timeout=settings.enroll_seconds),
        discard=DiscardImage(signals, seconds=settings.enroll_seconds, reserve_seconds=reserve),
    )
    register = partial(review_pb2_grpc.add_ReviewServiceServicer_to_server, servicer)
    return ("marquee.gateway.v1.ReviewService", register)


def _tattoos(
    config: GatewayConfig, signals: Signals, pool: Pool, today: _Today
) -> tuple[str, Callable[[grpc.aio.Server], None]]:
    settings = config.gateway
    servicer = TattoosServicer(
        signals.tattoo.catalogue,
        CatalogueStore(pool),
        lookup_seconds=settings.lookup_seconds,
        change_seconds=settings.enroll_seconds,
        adults_only=settings.adults_only,
        today=today,
    )
    register = partial(tattoos_pb2_grpc.add_TattooCatalogueServiceServicer_to_server, servicer)
    return ("marquee.gateway.v1.TattooCatalogueService", register)


def _calibration(
    config: GatewayConfig, signals: Signals, work: WorkPool
) -> tuple[str, Callable[[grpc.aio.Server], None]]:
    settings = config.gateway
    calibrate = Calibrate(
        signals, work, seconds=settings.transfer_seconds, unknown=settings.unknown_probability
    )
    register = partial(
        calibration_pb2_grpc.add_CalibrationServiceServicer_to_server, CalibrationServicer(calibrate)
    )
    return ("marquee.gateway.v1.CalibrationService", register)


def _image_limits(config: GatewayConfig) -> ImageLimits:
    return ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
