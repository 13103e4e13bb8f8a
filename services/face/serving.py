"""The parts of a face service put together; what `__main__` runs, and what tests run in their own process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from chassis.changes import Changes
from chassis.config import load_config
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference, ModelFile
from chassis.metrics import open_metrics
from chassis.models import ModelStore
from chassis.parts import built_in_file, open_database, open_inference
from chassis.server import Server, open_server
from chassis.signal.calibration_store import CalibrationStore
from chassis.signal.calibrations import Calibrations
from chassis.signal.change_watch import ChangeWatch, start_with
from chassis.signal.enrolment import Enrolment
from chassis.signal.follow_watch import FollowWatch
from chassis.signal.following import Following
from chassis.signal.index_metrics import IndexCollector
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.pending import PendingStore
from chassis.signal.responses import to_proto_model
from chassis.signal.shipped_calibration import read_shipped
from chassis.work import WorkPool
from marquee.face.v1 import face_pb2_grpc
from services.face.config import FaceConfig
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble
from services.face.finder import FaceFinder
from services.face.library import FaceLibrary
from services.face.listing import FaceList
from services.face.models import FACE_DETECTOR, FACE_MESH
from services.face.models_in_use import FaceChange, FaceEmbedders, FaceModels, models_of
from services.face.observe import Observer
from services.face.selection import embedder_file, rows_in_use
from services.face.servicer import FaceServicer
from services.face.store import FEED, OBSERVATIONS, SCHEMA, FaceStore
from services.face.table import EmbedderRow
from services.face.transfer import new_transfer

__all__ = ["SERVICE", "open_face", "model_files", "new_observer"]

SERVICE = "marquee.face.v1.FaceService"


@asynccontextmanager
async def open_face(config: FaceConfig) -> AsyncIterator[Server]:
    """A face service that serves, with everything that is enrolled loaded.

    The database must be there at the start; later it may go and come: what is loaded goes on answering.
    Raises ConfigError for wrong settings or a taken port, ModelError for a missing or damaged model,
    StoreError when the database cannot be used.
    """
    settings = config.face
    models = ModelStore(config.models.directory)
    wanted = await asyncio.to_thread(_wanted, config, models)
    async with AsyncExitStack() as stack:
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.work_max_waiting))
        finders = _finder_files(config, models)
        models_open = open_inference(config.inference, finders, metrics.inference)
        inference = await stack.enter_async_context(models_open)
        store = FaceStore(pool, most_searched=settings.max_faces_per_performer)
        following = Following.of_table(config.index, pool, FEED)
        embedders = FaceEmbedders(inference, work, store, models, config.inference, following)
        change = FaceChange(
            embedders,
            ModelSetStore(pool, OBSERVATIONS),
            least_share=settings.switch_coverage,
            may_be_away=bool(config.inference.triton_url),
        )
        await start_with(change, wanted)
        await asyncio.to_thread(following.prune, [row.key for row in change.in_use.rows])
        calibrations = Calibrations(CalibrationStore(pool, SCHEMA.schema), read_shipped("services.face"))
        await calibrations.look()
        follow = FollowWatch(
            pool, FEED.channel, lambda: change.followed, config.index, also=[calibrations.look]
        )
        metrics.registry.register(IndexCollector(lambda: change.followed))
        await stack.enter_async_context(follow.watching())
        watch = ChangeWatch(change)
        await stack.enter_async_context(watch.watching())
        changes = await stack.enter_async_context(Changes().closing())
        # Without the database faces are still observed and scored, so it is no part of readiness: Enroll and
        # Lookup say themselves that it is away.
        readiness = Readiness({"models": partial(_ready, inference, tuple(finders), change)})
        transfer, unsearchable = new_transfer(
            pool, change, settings.embedders, most_searched=settings.max_faces_per_performer
        )
        servicer = FaceServicer(
            observer=_observer(config, inference, partial(models_of, change, embedders), work),
            enrolment=Enrolment(store, watch.caught_up, changes, least_quality=settings.enrol_quality),
            store=store,
            faces=FaceList(pool),
            change=change,
            calibrations=calibrations,
            embedders=embedders,
            pending=PendingStore(pool, OBSERVATIONS),
            transfer=transfer,
            unsearchable=unsearchable,
            work=work,
            networks=[to_proto_model(FACE_DETECTOR), to_proto_model(FACE_MESH)],
            readiness=readiness,
            least_recall=config.index.recall_warning,
        )
        register = partial(face_pb2_grpc.add_FaceServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        server = await stack.enter_async_context(serving)
        server.on_reload(partial(_adopt_settings, change, models))
        yield server


async def _ready(inference: Inference, finders: Sequence[str], change: FaceChange) -> None:
    await inference.ready(finders)
    await change.ready()


async def _adopt_settings(change: FaceChange, models: ModelStore) -> None:
    """Read the settings again and want the embedders they name; other settings need another start."""
    await change.adopt(await asyncio.to_thread(lambda: _wanted(load_config(FaceConfig), models)))


def _wanted(config: FaceConfig, models: ModelStore) -> tuple[EmbedderRow, ...]:
    return rows_in_use(config.face, models, are_elsewhere=bool(config.inference.triton_url))


def model_files(config: FaceConfig, ensemble: Ensemble, models: ModelStore) -> dict[str, ModelFile]:
    """All models, by the key they run under. Raises ModelError for one that is not there and should be."""
    embedders = {row.model: embedder_file(row, models, config.inference) for row in ensemble.rows}
    return _finder_files(config, models) | embedders


def _finder_files(config: FaceConfig, models: ModelStore) -> dict[str, ModelFile]:
    return {spec.name: built_in_file(spec, models, config.inference) for spec in (FACE_DETECTOR, FACE_MESH)}


def new_observer(
    config: FaceConfig,
    inference: Inference,
    embedders: Sequence[Embedder],
    library: FaceLibrary,
    work: WorkPool,
) -> Observer:
    """What looks at pictures, with these models only."""
    models = FaceModels(0, library, tuple(embedders))
    return _observer(config, inference, lambda: models, work)


def _observer(
    config: FaceConfig, inference: Inference, models: Callable[[], FaceModels], work: WorkPool
) -> Observer:
    finder = FaceFinder(
        inference,
        work,
        detector=FACE_DETECTOR.name,
        mesh=FACE_MESH.name,
        max_faces=config.face.max_faces,
    )
    limits = ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
    return Observer(finder, models, work, limits)
