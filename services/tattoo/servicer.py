"""TattooService: translation only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc

from chassis.health import Readiness
from chassis.protos import parse_uuid
from chassis.service_status import service_status
from chassis.signal.calibration_calls import change_calibration, to_proto_calibration, to_proto_state
from chassis.signal.calibrations import Calibrations
from chassis.signal.enrolment import Enrolment
from chassis.signal.model_sets import ModelKey
from chassis.signal.pending import PendingStore, parse_pending
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
from marquee.common.v1 import common_pb2, tattoos_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.catalogue import TattooCatalogue
from services.tattoo.catalogue_translation import (
    parse_change,
    parse_merged,
    parse_query,
    parse_views,
    to_proto_performer,
)
from services.tattoo.key_point_store import KeyPointStore
from services.tattoo.key_point_translation import parse_performer_images, to_proto_view_points
from services.tattoo.lookup import LookUpTattoos
from services.tattoo.models_in_use import TattooChange, TattooModels, models_of
from services.tattoo.observe import ObserveTattoos
from services.tattoo.owner import OwnerChanges
from services.tattoo.score import ScoreTattoos
from services.tattoo.store import NewTattoo
from services.tattoo.table import DETECTOR_ROLE, EMBEDDER_ROLE, DetectorRow
from services.tattoo.texts import TattooTexts
from services.tattoo.translation import TattooTranslation
from services.tattoo.verification import VerifyCandidates

__all__ = ["TattooServicer"]

_Context = grpc.aio.ServicerContext[Any, Any]


class TattooServicer(tattoo_pb2_grpc.TattooServiceServicer):
    """Stories behind the contract."""

    def __init__(
        self,
        *,
        observe: ObserveTattoos,
        work: WorkPool,
        verify: VerifyCandidates,
        key_points: KeyPointStore,
        enroll: Enrolment[NewTattoo],
        lookup: LookUpTattoos,
        change: TattooChange,
        calibrations: Calibrations,
        pending: PendingStore,
        transfer: VectorTransfer,
        texts: TattooTexts,
        catalogue: TattooCatalogue,
        owner: OwnerChanges,
        unsearchable: Unsearchable,
        detector: DetectorRow,
        readiness: Readiness,
        least_recall: float,
    ) -> None:
        self._observe = observe
        self._work = work
        self._verify = verify
        self._key_points = key_points
        self._enroll = enroll
        self._lookup = lookup
        self._change = change
        self._calibrations = calibrations
        self._pending = pending
        self._transfer = transfer
        self._texts = texts
        self._catalogue = catalogue
        self._owner = owner
        self._unsearchable = unsearchable
        self._detector = detector
        self._readiness = readiness
        self._least_recall = least_recall

    async def Observe(self, request: pb.ObserveRequest, context: _Context) -> pb.ObserveResponse:
        image = await self._observe(request.image, check_max_candidates(request.max_candidates))
        return _translation(image.models).observed(image)

    async def Score(self, request: pb.ScoreRequest, context: _Context) -> pb.ScoreResponse:
        models = models_of(self._change, generations_of(_scored(request)))
        translation = _translation(models)
        queries = translation.queries(request)
        used = self._calibrations.of(_keys(models))
        scores = await self._score(models, used)(queries)
        performer_ids = {one.performer_id for of_query in scores for one in of_query}
        if request.without_facts or not performer_ids:
            return translation.scored(queries, scores, None, _in_use(used))
        regions = await self._lookup.regions(sorted(performer_ids))
        return translation.scored(queries, scores, regions, _in_use(used))

    async def Compare(self, request: pb.CompareRequest, context: _Context) -> pb.CompareResponse:
        models = models_of(self._change, generations_of(request.templates))
        similarities = await self._score(models, None).compare(_translation(models).compared(request))
        return pb.CompareResponse(similarities=similarities.reshape(-1).tolist())

    async def Enroll(self, request: pb.EnrollRequest, context: _Context) -> pb.EnrollResponse:
        performer_id = parse_uuid(request.performer_id)
        described = TattooTranslation(self._change.in_use.rows)
        outcomes = await self._enroll.enroll(performer_id, described.tattoos(request))
        return pb.EnrollResponse(outcomes=to_proto_outcomes(outcomes))

    async def Forget(self, request: pb.ForgetRequest, context: _Context) -> pb.ForgetResponse:
        return pb.ForgetResponse(observations=await self._enroll.forget(parse_uuid(request.performer_id)))

    async def DiscardImage(
        self, request: pb.DiscardImageRequest, context: _Context
    ) -> pb.DiscardImageResponse:
        performer_id, image_hash = parse_uuid(request.performer_id), parse_image_hash(request.image_hash)
        return pb.DiscardImageResponse(observations=await self._enroll.discard(performer_id, image_hash))

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        known = await self._lookup(parse_performer_ids(request.performer_ids))
        models = models_of(self._change)
        return _translation(models).attributes(known, _in_use(self._calibrations.of(_keys(models))))

    async def CountObservations(
        self, request: pb.CountObservationsRequest, context: _Context
    ) -> pb.CountObservationsResponse:
        return pb.CountObservationsResponse(counts=await self._lookup.count(request.performers))

    async def ListPending(self, request: pb.ListPendingRequest, context: _Context) -> pb.ListPendingResponse:
        query = parse_pending(request.filter, request.page_size, request.page_token)
        page = await self._pending.page(self._change.sets, query)
        return _translation(models_of(self._change)).pending(page)

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
            request.page_size, request.page_token, without_vectors=request.without_vectors
        )
        return pb.ExportVectorsResponse(rows=page.rows, next_page_token=page.next_token)

    async def ListKeyPoints(
        self, request: pb.ListKeyPointsRequest, context: _Context
    ) -> pb.ListKeyPointsResponse:
        found = await self._key_points.of_images(parse_performer_images(request))
        return pb.ListKeyPointsResponse(views=map(to_proto_view_points, found))

    async def ImportTexts(self, request: pb.ImportTextsRequest, context: _Context) -> pb.ImportTextsResponse:
        read = await self._texts.take(request.texts)
        return pb.ImportTextsResponse(
            stored=read.stored,
            known=read.known,
            without_region=read.without_region,
            without_performer=read.without_performer,
        )

    async def ListTattoos(self, request: pb.ListTattoosRequest, context: _Context) -> pb.ListTattoosResponse:
        page = await self._catalogue.page(parse_query(request))
        performers = [to_proto_performer(one) for one in page.performers]
        return pb.ListTattoosResponse(performers=performers, next_page_token=page.next_after)

    async def UpdateTattoo(
        self, request: pb.UpdateTattooRequest, context: _Context
    ) -> pb.UpdateTattooResponse:
        performer_id = parse_uuid(request.performer_id)
        tattoo_id = parse_uuid(request.tattoo_id, field="tattoo_id")
        await self._owner.update(performer_id, tattoo_id, parse_change(request.change))
        return pb.UpdateTattooResponse(tattoos=await self._tattoos(performer_id))

    async def MergeTattoos(
        self, request: pb.MergeTattoosRequest, context: _Context
    ) -> pb.MergeTattoosResponse:
        performer_id = parse_uuid(request.performer_id)
        await self._owner.merge(performer_id, parse_merged(request.tattoo_ids))
        return pb.MergeTattoosResponse(tattoos=await self._tattoos(performer_id))

    async def SplitTattoo(self, request: pb.SplitTattooRequest, context: _Context) -> pb.SplitTattooResponse:
        performer_id = parse_uuid(request.performer_id)
        tattoo_id = parse_uuid(request.tattoo_id, field="tattoo_id")
        new_id = await self._owner.split(performer_id, tattoo_id, parse_views(request.view_ids))
        return pb.SplitTattooResponse(tattoos=await self._tattoos(performer_id), tattoo_id=new_id)

    async def DeleteTattooViews(
        self, request: pb.DeleteTattooViewsRequest, context: _Context
    ) -> pb.DeleteTattooViewsResponse:
        performer_id = parse_uuid(request.performer_id)
        await self._owner.delete(performer_id, parse_views(request.view_ids))
        return pb.DeleteTattooViewsResponse(tattoos=await self._tattoos(performer_id))

    def _score(self, models: TattooModels, used: UsedCalibration | None) -> ScoreTattoos:
        calibration = used.calibration if used is not None else None
        return ScoreTattoos(models.enrolled, self._work, models.rows, self._verify, calibration)

    async def _tattoos(self, performer_id: str) -> tattoos_pb2.PerformerTattoos:
        return to_proto_performer(await self._catalogue.of(performer_id))

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
        detector, in_use = self._detector, self._change.in_use
        enrolled = in_use.serving.known
        models = [
            common_pb2.ModelStatus(role=DETECTOR_ROLE, name=detector.name, version=detector.version),
            *to_proto_embedders(EMBEDDER_ROLE, in_use, least_recall=self._least_recall),
        ]
        status = service_status(
            self._readiness,
            models=models,
            performers=enrolled.performers,
            observations=len(enrolled),
            model_change=to_proto_change(self._change),
            not_searchable=await self._unsearchable.seen(self._serving()),
            calibration=to_proto_calibration(self._calibrations, self._serving()),
        )
        return pb.GetStatusResponse(status=status)

    def _serving(self) -> list[ModelKey]:
        return [row.key for row in self._change.in_use.serving.rows]


def _translation(models: TattooModels) -> TattooTranslation:
    return TattooTranslation(models.rows, generation=models.generation)


def _keys(models: TattooModels) -> list[ModelKey]:
    return [row.key for row in models.rows]


def _in_use(used: UsedCalibration | None) -> common_pb2.CalibrationInUse | None:
    return used.to_proto() if used is not None else None


def _scored(request: pb.ScoreRequest) -> Iterable[common_pb2.Template]:
    return (template for query in request.queries for template in query.templates)
