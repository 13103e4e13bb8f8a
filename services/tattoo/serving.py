"""The parts of a tattoo service put together: what `__main__` runs, and tests in their own process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from chassis.changes import Changes
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference
from chassis.metrics import open_metrics
from chassis.parts import open_database, open_inference
from chassis.server import Server, open_server
from chassis.signal.enrolment import Enrolment, load
from chassis.work import WorkPool
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.chosen import ChosenModels, choose_models
from services.tattoo.config import TattooConfig
from services.tattoo.embed import TattooEmbedder
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.finder import TattooFinder
from services.tattoo.lookup import LookUpTattoos
from services.tattoo.observe import ObserveTattoos
from services.tattoo.score import ScoreTattoos
from services.tattoo.servicer import TattooServicer
from services.tattoo.store import SCHEMA, TattooStore

__all__ = ["SERVICE", "open_tattoo"]

SERVICE = "marquee.tattoo.v1.TattooService"

_log = structlog.get_logger()


@asynccontextmanager
async def open_tattoo(config: TattooConfig) -> AsyncIterator[Server]:
    """A tattoo service that serves, with everything that is enrolled loaded.

    The database must be there at the start; later it may go and come: what is loaded goes on answering.
    Raises ConfigError for wrong settings or a taken port, ModelError for a missing or damaged model,
    StoreError when the database cannot be used.
    """
    settings = config.tattoo
    models = choose_models(settings, config.models, config.inference)
    async with AsyncExitStack() as stack:
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.max_waiting))
        store = TattooStore(pool, {row.key: row.dimension for row in models.embedders})
        enrolled = EnrolledTattoos(models.embedders)
        await load(store.every(), enrolled, work)
        _log.info("tattoos loaded", performers=enrolled.performers, tattoos=len(enrolled))
        models_open = open_inference(config.inference, models.files, metrics.inference)
        inference = await stack.enter_async_context(models_open)
        observe = _observe(config, models, inference, enrolled, work)
        await observe.check()
        changes = await stack.enter_async_context(Changes().closing())
        # Without the database tattoos are still observed and scored, so it is no part of readiness: Enroll
        # and Lookup say themselves that it is away.
        readiness = Readiness({"models": inference.ready})
        servicer = TattooServicer(
            observe=observe,
            score=ScoreTattoos(enrolled, work, models.embedders),
            enroll=Enrolment(store, enrolled, changes, least_quality=settings.enrol_quality),
            lookup=LookUpTattoos(store),
            enrolled=enrolled,
            models=models,
            readiness=readiness,
        )
        register = partial(tattoo_pb2_grpc.add_TattooServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        yield await stack.enter_async_context(serving)


def _observe(
    config: TattooConfig,
    models: ChosenModels,
    inference: Inference,
    enrolled: EnrolledTattoos,
    work: WorkPool,
) -> ObserveTattoos:
    finder = TattooFinder(inference, work, models.detector, most=config.tattoo.max_tattoos)
    embedder = TattooEmbedder(inference, work, models.embedders)
    limits = ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
    return ObserveTattoos(finder, embedder, enrolled, work, limits)
