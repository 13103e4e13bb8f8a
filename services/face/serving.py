"""The parts of a face service put together; what `__main__` runs, and what tests run in their own process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog

from chassis.changes import Changes
from chassis.health import Readiness
from chassis.images import ImageLimits
from chassis.inference import Inference, ModelFile
from chassis.metrics import open_metrics
from chassis.models import ModelStore
from chassis.parts import built_in_file, open_database, open_inference
from chassis.server import Server, open_server
from chassis.signal.enrolment import Enrolment, load
from chassis.signal.responses import to_proto_model
from chassis.work import WorkPool
from marquee.face.v1 import face_pb2_grpc
from services.face.config import FaceConfig
from services.face.embedding import Embedder
from services.face.ensemble import Ensemble
from services.face.finder import FaceFinder
from services.face.library import FaceLibrary
from services.face.models import FACE_DETECTOR, FACE_MESH
from services.face.observe import Observer
from services.face.selection import embedder_file, rows_in_use
from services.face.servicer import FaceServicer
from services.face.store import SCHEMA, FaceStore

__all__ = ["SERVICE", "open_face", "model_files", "new_observer"]

SERVICE = "marquee.face.v1.FaceService"

_log = structlog.get_logger()


@asynccontextmanager
async def open_face(config: FaceConfig) -> AsyncIterator[Server]:
    """A face service that serves, with everything that is enrolled loaded.

    The database must be there at the start; later it may go and come: what is loaded goes on answering.
    Raises ConfigError for wrong settings or a taken port, ModelError for a missing or damaged model,
    StoreError when the database cannot be used.
    """
    settings = config.face
    models = ModelStore(config.models.directory)
    ensemble = Ensemble(rows_in_use(settings, models))
    async with AsyncExitStack() as stack:
        metrics = await stack.enter_async_context(open_metrics(settings))
        pool = await stack.enter_async_context(open_database(config.database, SCHEMA))
        work = await stack.enter_async_context(WorkPool(settings.work_threads, settings.work_max_waiting))
        store, library = FaceStore(pool, ensemble), FaceLibrary(ensemble)
        await load(store.every(), library, work)
        _log.info("faces loaded", performers=library.performers, faces=library.faces)
        files = model_files(config, ensemble, models)
        models_open = open_inference(config.inference, files, metrics.inference)
        inference = await stack.enter_async_context(models_open)
        embedders = [Embedder(row, inference, work) for row in ensemble.rows]
        for embedder in embedders:
            await embedder.check()
            point = embedder.row.operating_point
            _log.info("face embedder", model=embedder.row.name, operating_point=point.provenance)
        changes = await stack.enter_async_context(Changes().closing())
        # Without the database faces are still observed and scored, so it is no part of readiness: Enroll and
        # Lookup say themselves that it is away.
        readiness = Readiness({"models": inference.ready})
        servicer = FaceServicer(
            observer=new_observer(config, inference, embedders, library, work),
            enrolment=Enrolment(store, library, changes, least_quality=settings.enrol_quality),
            store=store,
            library=library,
            work=work,
            networks=[to_proto_model(FACE_DETECTOR), to_proto_model(FACE_MESH)],
            readiness=readiness,
        )
        register = partial(face_pb2_grpc.add_FaceServiceServicer_to_server, servicer)
        services = [(SERVICE, register)]
        serving = open_server(settings, services=services, readiness=readiness, metrics=metrics)
        yield await stack.enter_async_context(serving)


def model_files(config: FaceConfig, ensemble: Ensemble, models: ModelStore) -> dict[str, ModelFile]:
    """All models, by the key they run under. Raises ModelError for one that is not there and should be."""
    finders = {
        spec.name: built_in_file(spec, models, config.inference) for spec in (FACE_DETECTOR, FACE_MESH)
    }
    return finders | {row.name: embedder_file(row, models, config.inference) for row in ensemble.rows}


def new_observer(
    config: FaceConfig,
    inference: Inference,
    embedders: Sequence[Embedder],
    library: FaceLibrary,
    work: WorkPool,
) -> Observer:
    """What looks at pictures, with these models."""
    finder = FaceFinder(
        inference,
        work,
        detector=FACE_DETECTOR.name,
        mesh=FACE_MESH.name,
        max_faces=config.face.max_faces,
    )
    limits = ImageLimits(max_bytes=config.images.max_bytes, max_pixels=config.images.max_pixels)
    return Observer(finder, embedders, library, work, limits)
