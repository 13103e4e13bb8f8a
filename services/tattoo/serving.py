"""The parts of a tattoo service put together: what `__main__` runs, and tests in their own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from chassis.changes import Changes
from chassis.config import load_config
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference
from chassis.metrics import open_metrics
from chassis.models import ModelStore
from chassis.parts import open_database, open_inference
from chassis.server import Server, open_server
from chassis.signal.calibration_store import CalibrationStore
from chassis.signal.calibrations import Calibrations
from chassis.signal.change_watch import ChangeWatch, start_with
from chassis.signal.enrolment import Enrolment
from chassis.signal.follow_watch import FollowWatch
from chassis.signal.following import Following
from chassis.signal.index_metrics import IndexCollector
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.models_ready import ModelsReady
from chassis.signal.pending import PendingStore
from chassis.signal.shipped_calibration import read_shipped
from chassis.work import WorkPool
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.arrange_watch import ArrangeWatch
from services.tattoo.catalogue import TattooCatalogue
from services.tattoo.chosen import ChosenModels, choose_models
from services.tattoo.config import TattooConfig
from services.tattoo.finder import TattooFinder
from services.tattoo.key_point_store import KeyPointStore
from services.tattoo.lookup import LookUpTattoos
from services.tattoo.models_in_use import TattooChange, TattooEmbedders, models_of
from services.tattoo.observe import ObserveTattoos
from services.tattoo.owner import OwnerChanges
from services.tattoo.owner_store import OwnerStore
from services.tattoo.regions_store import RegionStore
from services.tattoo.servicer import TattooServicer
from services.tattoo.store import FEED, OBSERVATIONS, SCHEMA, TattooStore
from services.tattoo.texts import TattooTexts
from services.tattoo.transfer import new_transfer
from services.tattoo.verification import VerifyCandidates
from services.tattoo.waiting_views import WaitingViews

__all__ = ["SERVICE", "open_tattoo"]

SERVICE = "marquee.tattoo.v1.TattooService"


@asynccontextmanager
async def open_tattoo(config: TattooConfig) -> AsyncIterator[Server]:
    """A tattoo service that serves, with everything that is enrolled loaded.

    The database must be there at the start; later it may go and come: what is loaded goes on answering.
    Raises ConfigError for wrong settings or a taken port, ModelError for a missing or damaged model,
    StoreError when the database cannot be used.
    """
    settings, models = config.tattoo, ModelStore(config.models.directory)
    chosen = await asyncio.to_thread(choose_models, settings, config.models, config.inference)
    async with AsyncExitStack() as stack:
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.max_waiting))
        models_open = open_inference(config.inference, chosen.detector_files, metrics.inference)
        inference = await stack.enter_async_context(models_open)
        store, following = TattooStore(pool), Following.of_table(config.index, pool, FEED)
        embedders = TattooEmbedders(inference, work, store, models, config.inference, following)
        is_elsewhere = bool(config.inference.triton_url)
        change = TattooChange(
            embedders,
            ModelSetStore(pool, OBSERVATIONS),
            least_share=settings.switch_coverage,
            may_be_away=is_elsewhere,
        )
        await start_with(change, chosen.embedders)
        await asyncio.to_thread(following.prune, [row.key for row in change.in_use.rows])
        calibrations = Calibrations(CalibrationStore(pool, SCHEMA.schema), read_shipped("services.tattoo"))
        await calibrations.look()
        follow = FollowWatch(
            pool, FEED.channel, lambda: change.followed, config.index, also=[calibrations.look]
        )
        metrics.registry.register(IndexCollector(lambda: change.followed))
        await stack.enter_async_context(follow.watching())
        watch = ChangeWatch(change)
        await stack.enter_async_context(watch.watching())
        key_points = KeyPointStore(pool)
        verify = VerifyCandidates(
            key_points, work, candidates=settings.verify_candidates, screened=settings.screen_candidates
        )
        observe = _observe(config, chosen, inference, change, work, verify)
        await stack.enter_async_context(ArrangeWatch(WaitingViews(pool)).watching())
        detector = ModelsReady(inference, chosen.detector_files, observe.check)
        if not is_elsewhere:
            await detector()
        changes = await stack.enter_async_context(Changes().closing())
        # Without the database tattoos are still observed and scored, so it is no part of readiness: Enroll
        # and Lookup say themselves that it is away.
        readiness = Readiness({"models": partial(_ready, detector, change)})
        transfer, unsearchable = new_transfer(pool, change, settings.embedders)
        servicer = TattooServicer(
            observe=observe,
            work=work,
            verify=verify,
            key_points=key_points,
            enroll=Enrolment(store, watch.caught_up, changes, least_quality=settings.enrol_quality),
            lookup=LookUpTattoos(store, RegionStore(pool)),
            change=change,
            calibrations=calibrations,
            pending=PendingStore(pool, OBSERVATIONS),
            transfer=transfer,
            texts=TattooTexts(pool),
            catalogue=TattooCatalogue(pool),
            owner=OwnerChanges(OwnerStore(pool), watch.caught_up, changes),
            unsearchable=unsearchable,
            detector=chosen.detector,
            readiness=readiness,
            least_recall=config.index.recall_warning,
        )
        register = partial(tattoo_pb2_grpc.add_TattooServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        server = await stack.enter_async_context(serving)
        server.on_reload(partial(_adopt_settings, change))
        yield server


async def _ready(detector: ModelsReady, change: TattooChange) -> None:
    await detector()
    await change.ready()


async def _adopt_settings(change: TattooChange) -> None:
    """Read the settings again and want the embedders they name; other settings need another start."""
    config = await asyncio.to_thread(load_config, TattooConfig)
    chosen = await asyncio.to_thread(choose_models, config.tattoo, config.models, config.inference)
    await change.adopt(chosen.embedders)


def _observe(
    config: TattooConfig,
    chosen: ChosenModels,
    inference: Inference,
    change: TattooChange,
    work: WorkPool,
    verify: VerifyCandidates,
) -> ObserveTattoos:
    finder = TattooFinder(inference, work, chosen.detector, most=config.tattoo.max_tattoos)
    limits = ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
    return ObserveTattoos(inference, finder, partial(models_of, change), work, limits, verify)
