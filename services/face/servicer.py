"""FaceService: translation only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import grpc

from chassis.health import Readiness
from chassis.protos import parse_uuid
from chassis.service_status import service_status
from chassis.signal.calibration_calls import change_calibration, to_proto_calibration, to_proto_state
from chassis.signal.calibrations import Calibrations
from chassis.signal.enrolment import Enrolment
from chassis.signal.pending import PendingStore, parse_pending, to_proto_pending
from chassis.signal.requests import (
    check_max_candidates,
    generations_of,
    parse_image_hash,
    parse_performer_ids,
)
from chassis.signal.responses import to_proto_change, to_proto_embedders, to_proto_outcomes
from chassis.signal.transfer import VectorTransfer
from chassis.signal.unsearchable import Unsearchable
from chassis.signal.used_calibration import UsedCalibration
from chassis.work import WorkPool
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from marquee.face.v1 import face_pb2_grpc
from services.face.counting import to_proto_face_counts
from services.face.ensemble import Ensemble, ModelKey
from services.face.listing import STATE_VALUES, FaceList, parse_list_faces, to_proto_faces
from services.face.models_in_use import FaceChange, FaceEmbedders, FaceModels, models_of
from services.face.observe import Observer
from services.face.score import compare, score_person
from services.face.store import FaceStore, NewFace
from services.face.table import EMBEDDER_ROLE
from services.face.translation import FaceTranslation, Query

__all__ = ["FaceServicer"]

_Context = grpc.aio.ServicerContext[Any, Any]


class FaceServicer(face_pb2_grpc.FaceServiceServicer):
    """Stories behind the contract. `networks` are the models in use besides the embedders.

    Messages are built in threads: one of fifty faces, or of a thousand templates, takes milliseconds.
    """

    def __init__(
        self,
        *,
        observer: Observer,
        enrolment: Enrolment[NewFace],
        store: FaceStore,
        faces: FaceList,
        change: FaceChange,
        calibrations: Calibrations,
        embedders: FaceEmbedders,
        pending: PendingStore,
        transfer: VectorTransfer,
        unsearchable: Unsearchable,
        work: WorkPool,
        networks: Sequence[common_pb2.ModelStatus],
        readiness: Readiness,
        least_recall: float,
    ) -> None:
        self._observer = observer
        self._enrolment = enrolment
        self._store = store
        self._faces = faces
        self._change = change
        self._calibrations = calibrations
        self._embedders = embedders
        self._pending = pending
        self._transfer = transfer
        self._unsearchable = unsearchable
        self._work = work
        self._networks = networks
        self._readiness = readiness
        self._least_recall = least_recall

    async def Observe(self, request: pb.ObserveRequest, context: _Context) -> pb.ObserveResponse:
        wanted = check_max_candidates(request.max_candidates)
        observation = await self._observer.observe(request.image, max_candidates=wanted)
        return await self._work.run(_translation(observation.models).observed, observation)

    async def Score(self, request: pb.ScoreRequest, context: _Context) -> pb.ScoreResponse:
        models = self._models(generations_of(_scored(request)))
        queries = await self._work.run(_translation(models).queries, request)
        used = self._calibrations.of(models.library.ensemble.keys)
        return pb.ScoreResponse(
            results=[await self._work.run(_scores, models, query, used) for query in queries],
            calibration=used.to_proto() if used is not None else None,
        )

    async def Compare(self, request: pb.CompareRequest, context: _Context) -> pb.CompareResponse:
        models = self._models(generations_of(request.templates))
        return await self._work.run(_similarities, models, request)

    async def Enroll(self, request: pb.EnrollRequest, context: _Context) -> pb.EnrollResponse:
        performer_id = parse_uuid(request.performer_id)
        translation = FaceTranslation(Ensemble(self._change.in_use.rows))
        faces = await self._work.run(translation.faces, request)
        return pb.EnrollResponse(
            outcomes=to_proto_outcomes(await self._enrolment.enroll(performer_id, faces))
        )

    async def Forget(self, request: pb.ForgetRequest, context: _Context) -> pb.ForgetResponse:
        return pb.ForgetResponse(observations=await self._enrolment.forget(parse_uuid(request.performer_id)))

    async def DiscardImage(
        self, request: pb.DiscardImageRequest, context: _Context
    ) -> pb.DiscardImageResponse:
        performer_id, image_hash = parse_uuid(request.performer_id), parse_image_hash(request.image_hash)
        return pb.DiscardImageResponse(observations=await self._enrolment.discard(performer_id, image_hash))

    async def AcceptFace(self, request: pb.AcceptFaceRequest, context: _Context) -> pb.AcceptFaceResponse:
        performer_id, image_hash = parse_uuid(request.performer_id), parse_image_hash(request.image_hash)
        state = await self._store.accept(performer_id, image_hash)
        return pb.AcceptFaceResponse(state=STATE_VALUES[state])

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        asked = list(dict.fromkeys(parse_performer_ids(request.performer_ids)))
        known = await self._store.lookup(asked, self._serving())
        return _translation(self._models()).attributes(known[one] for one in asked if one in known)

    async def CountObservations(
        self, request: pb.CountObservationsRequest, context: _Context
    ) -> pb.CountObservationsResponse:
        rows = await self._store.count(request.performers, self._serving())
        return await self._work.run(to_proto_face_counts, rows)

    async def ListFaces(self, request: pb.ListFacesRequest, context: _Context) -> pb.ListFacesResponse:
        page = await self._faces.page(parse_list_faces(request))
        return await self._work.run(to_proto_faces, page)

    async def ListPending(self, request: pb.ListPendingRequest, context: _Context) -> pb.ListPendingResponse:
        query = parse_pending(request.filter, request.page_size, request.page_token)
        page = await self._pending.page(self._change.sets, query)
        return pb.ListPendingResponse(
            observations=[to_proto_pending(one) for one in page.observations],
            next_page_token=page.next_token,
            total=page.total,
        )

    async def ImportVectors(
        self, request: pb.ImportVectorsRequest, context: _Context
    ) -> pb.ImportVectorsResponse:
        taken = await self._transfer.take(request.rows)
        return pb.ImportVectorsResponse(
            stored=taken.stored,
            known=taken.known,
            rejected=taken.rejected,
            not_searchable=taken.not_searchable,
        )

    async def ExportVectors(
        self, request: pb.ExportVectorsRequest, context: _Context
    ) -> pb.ExportVectorsResponse:
        page = await self._transfer.give(
            request.page_size,
            request.page_token,
            with_set_aside=request.with_set_aside,
            without_vectors=request.without_vectors,
        )
        return pb.ExportVectorsResponse(rows=page.rows, next_page_token=page.next_token)

    async def GetCalibration(
        self, request: pb.GetCalibrationRequest, context: _Context
    ) -> pb.GetCalibrationResponse:
        return pb.GetCalibrationResponse(state=to_proto_state(self._calibrations, self._serving()))

    async def SetCalibration(
        self, request: pb.SetCalibrationRequest, context: _Context
    ) -> pb.SetCalibrationResponse:
        used = await change_calibration(self._calibrations, self._serving(), request.change)
        return pb.SetCalibrationResponse(calibration=used)

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        library, in_use = self._models().library, self._change.in_use
        embedders = to_proto_embedders(EMBEDDER_ROLE, in_use, least_recall=self._least_recall)
        status = service_status(
            self._readiness,
            models=[*self._networks, *embedders],
            performers=library.performers,
            observations=library.faces,
            model_change=to_proto_change(self._change),
            not_searchable=await self._unsearchable.seen(self._serving()),
            calibration=to_proto_calibration(self._calibrations, self._serving()),
        )
        return pb.GetStatusResponse(status=status)

    def _serving(self) -> list[ModelKey]:
        return [row.key for row in self._change.in_use.serving.rows]

    def _models(self, made_in: Collection[int] = ()) -> FaceModels:
        return models_of(self._change, self._embedders, made_in)


def _translation(models: FaceModels) -> FaceTranslation:
    return FaceTranslation(models.library.ensemble, generation=models.generation)


def _scored(request: pb.ScoreRequest) -> Iterable[common_pb2.Template]:
    return (template for query in request.queries for template in query.templates)


def _scores(models: FaceModels, query: Query, used: UsedCalibration | None) -> pb.FaceScores:
    scores = score_person(
        models.library,
        query.templates,
        query.performer_ids,
        used.calibration if used is not None else None,
        except_images=query.except_images,
    )
    return _translation(models).scored(query.key, scores)


def _similarities(models: FaceModels, request: pb.CompareRequest) -> pb.CompareResponse:
    translation = _translation(models)
    return translation.similarities(compare(models.library.ensemble, translation.compared(request)))
