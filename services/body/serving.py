"""The parts of a body service put together; what `__main__` runs, and what tests run in their own process."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from chassis.errors import ConfigError
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.postgres import open_pool, require_schema
from chassis.server import Server, open_server
from chassis.work import WorkPool
from marquee.body.v1 import body_pb2_grpc
from marquee.common.v1 import common_pb2
from services.body.config import BodyConfig
from services.body.enroll import EnrollBodies
from services.body.enrolled import EnrolledBodies
from services.body.lookup import LookUpBodies
from services.body.models import POSE_DETECTOR, POSE_LANDMARKS
from services.body.observe import ObserveBodies
from services.body.people import PeopleFinder
from services.body.score import ScoreBodies
from services.body.servicer import BodyServicer
from services.body.store import SCHEMA, MeasurementStore
from services.body.table import DETECTOR, LANDMARKS, RATIOS, MeasurementModel

__all__ = ["SERVICE", "open_body"]

SERVICE = "marquee.body.v1.BodyService"

_log = structlog.get_logger()


@asynccontextmanager
async def open_body(config: BodyConfig) -> AsyncIterator[Server]:
    """A body service that serves, with everything that is enrolled loaded.

    The database must be there at the start; later it may go and come: what is loaded goes on answering.
    Raises ConfigError for wrong settings or a taken port, ModelError for a missing or damaged model,
    StoreError when the database cannot be used.
    """
    settings = config.body
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            open_pool(
                config.database.resolve_dsn(),
                max_size=config.database.pool_size,
                command_timeout=config.database.command_timeout_seconds,
                application_name="marquee body",
            )
        )
        await require_schema(pool, SCHEMA)
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.max_waiting))
        model = _measurement_model(settings.landmarks_file)
        store = MeasurementStore(pool, model)
        enrolled = await _load(store, work)
        inference = await stack.enter_async_context(_open_models(config))
        enroll = EnrollBodies(store, enrolled, least_quality=settings.enrol_quality)
        stack.push_async_callback(enroll.aclose)
        # Without the database people are still observed and scored, so it is no part of readiness: Enroll and
        # Lookup say themselves that it is away.
        readiness = Readiness({"models": inference.ready})
        servicer = BodyServicer(
            observe=_observe(config, inference, enrolled, work),
            score=ScoreBodies(enrolled, work, tolerance=settings.ratio_tolerance),
            enroll=enroll,
            lookup=LookUpBodies(store),
            enrolled=enrolled,
            model=model,
            networks=_networks(model),
            readiness=readiness,
        )
        register = partial(body_pb2_grpc.add_BodyServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        yield await stack.enter_async_context(open_server(settings, services=services, readiness=readiness))


def _observe(
    config: BodyConfig, inference: Inference, enrolled: EnrolledBodies, work: WorkPool
) -> ObserveBodies:
    settings = config.body
    finder = PeopleFinder(
        inference,
        work,
        max_people=settings.max_people,
        detection_threshold=settings.detection_threshold,
        presence_threshold=settings.presence_threshold,
    )
    limits = ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
    return ObserveBodies(finder, enrolled, work, limits)


@asynccontextmanager
async def _open_models(config: BodyConfig) -> AsyncIterator[Inference]:
    models = ModelStore(config.models.directory)
    paths = {
        DETECTOR: models.path(POSE_DETECTOR.name, version=POSE_DETECTOR.version),
        LANDMARKS: config.body.landmarks_file
        or models.path(POSE_LANDMARKS.name, version=POSE_LANDMARKS.version),
    }
    settings = config.inference
    async with OnnxInference.open(
        paths, threads=settings.threads, max_batch=settings.max_batch, max_waiting=settings.max_waiting
    ) as inference:
        yield inference


def _measurement_model(landmarks_file: Path | None) -> MeasurementModel:
    if landmarks_file is None:
        return RATIOS
    try:
        return RATIOS.with_landmarks(hashlib.sha256(landmarks_file.read_bytes()).hexdigest())
    except OSError as exc:
        raise ConfigError(f"body.landmarks_file: {landmarks_file} cannot be read ({exc.strerror})") from exc


async def _load(store: MeasurementStore, work: WorkPool) -> EnrolledBodies:
    enrolled = EnrolledBodies()
    async with aclosing(store.every()) as batches:
        async for rows in batches:
            await work.run(enrolled.add, rows)
    _log.info("bodies loaded", performers=enrolled.performers, measurements=len(enrolled))
    return enrolled


def _networks(model: MeasurementModel) -> tuple[common_pb2.ModelStatus, ...]:
    detector = common_pb2.ModelStatus(
        role=POSE_DETECTOR.role, name=POSE_DETECTOR.name, version=POSE_DETECTOR.version
    )
    is_built_in = model == RATIOS
    landmarks = common_pb2.ModelStatus(
        role=POSE_LANDMARKS.role,
        name=POSE_LANDMARKS.name if is_built_in else "body.landmarks_file",
        version=POSE_LANDMARKS.version if is_built_in else model.version,
    )
    return detector, landmarks
