"""The parts of a body service put together; what `__main__` runs, and what tests run in their own process."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import structlog

from chassis.changes import Changes
from chassis.errors import ConfigError
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference, ModelFile
from chassis.metrics import open_metrics
from chassis.models import ModelStore
from chassis.parts import built_in_file, open_database, open_inference
from chassis.server import Server, open_server
from chassis.signal.calibration_store import CalibrationStore
from chassis.signal.enrolment import Enrolment
from chassis.signal.follow_watch import FollowWatch
from chassis.signal.following import Following
from chassis.signal.index_metrics import IndexCollector
from chassis.signal.responses import to_proto_model
from chassis.work import WorkPool
from marquee.body.v1 import body_pb2_grpc
from marquee.common.v1 import common_pb2
from services.body.config import BodyConfig
from services.body.enrolled import EnrolledBodies, FollowedBodies
from services.body.lookup import LookUpBodies
from services.body.models import POSE_DETECTOR, POSE_LANDMARKS
from services.body.observe import ObserveBodies
from services.body.people import PeopleFinder
from services.body.score import ScoreBodies
from services.body.servicer import BodyServicer
from services.body.store import FEED, SCHEMA, MeasurementStore
from services.body.table import DETECTOR, LANDMARKS, RATIOS, MeasurementModel
from services.body.weight import BodyWeight

__all__ = ["SERVICE", "open_body", "model_files"]

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
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.max_waiting))
        model = _measurement_model(settings.landmarks_file)
        store, following = MeasurementStore(pool, model), Following.of_table(config.index, pool, FEED)
        bodies = following.followed(store, EnrolledBodies, [model.key])
        await bodies.start()
        _log.info("bodies read", performers=bodies.known.performers, measurements=len(bodies.known))
        weight = BodyWeight(CalibrationStore(pool, SCHEMA.schema, has_model_sets=False), model)
        await weight.look()
        follow = FollowWatch(pool, FEED.channel, lambda: [bodies], config.index, also=[weight.look])
        metrics.registry.register(IndexCollector(lambda: [bodies]))
        await stack.enter_async_context(follow.watching())
        models_open = open_inference(config.inference, model_files(config), metrics.inference)
        inference = await stack.enter_async_context(models_open)
        changes = await stack.enter_async_context(Changes().closing())
        # Without the database people are still observed and scored, so it is no part of readiness: Enroll and
        # Lookup say themselves that it is away.
        readiness = Readiness({"models": inference.ready})
        servicer = BodyServicer(
            observe=_observe(config, inference, bodies, work),
            score=ScoreBodies(bodies, work, tolerance=settings.ratio_tolerance),
            enroll=Enrolment(store, bodies.look, changes, least_quality=settings.enrol_quality),
            lookup=LookUpBodies(store),
            store=store,
            weight=weight,
            bodies=bodies,
            model=model,
            networks=_networks(model),
            readiness=readiness,
        )
        register = partial(body_pb2_grpc.add_BodyServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        yield await stack.enter_async_context(serving)


def _observe(
    config: BodyConfig, inference: Inference, bodies: FollowedBodies, work: WorkPool
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
    return ObserveBodies(finder, bodies, work, limits)


def model_files(config: BodyConfig) -> dict[str, ModelFile]:
    """All models, by the key they run under. Raises ModelError for one that is not there and should be."""
    models, own = ModelStore(config.models.directory), config.body.landmarks_file
    landmarks = (
        built_in_file(POSE_LANDMARKS, models, config.inference)
        if own is None
        else ModelFile(name=LANDMARKS, path=own)
    )
    return {DETECTOR: built_in_file(POSE_DETECTOR, models, config.inference), LANDMARKS: landmarks}


def _measurement_model(landmarks_file: Path | None) -> MeasurementModel:
    if landmarks_file is None:
        return RATIOS
    try:
        return RATIOS.with_landmarks(hashlib.sha256(landmarks_file.read_bytes()).hexdigest())
    except OSError as exc:
        raise ConfigError(f"body.landmarks_file: {landmarks_file} cannot be read ({exc.strerror})") from exc


def _networks(model: MeasurementModel) -> tuple[common_pb2.ModelStatus, ...]:
    landmarks = to_proto_model(POSE_LANDMARKS)
    if model != RATIOS:
        landmarks.name, landmarks.version = "body.landmarks_file", model.version
    return to_proto_model(POSE_DETECTOR), landmarks
