"""BodyService: translation only."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.health import Readiness
from chassis.protos import parse_uuid
from chassis.service_status import service_status
from chassis.signal.enrolment import Enrolment
from chassis.signal.requests import check_max_candidates, parse_image_hash, parse_performer_ids
from chassis.signal.responses import to_proto_outcomes
from chassis.signal.transferred import parse_page
from marquee.body.v1 import body_pb2 as pb
from marquee.body.v1 import body_pb2_grpc
from marquee.common.v1 import common_pb2
from services.body.enrolled import FollowedBodies
from services.body.lookup import LookUpBodies
from services.body.observe import ObserveBodies
from services.body.score import ScoreBodies
from services.body.store import MeasurementStore, NewMeasurement
from services.body.table import MeasurementModel
from services.body.template import DIMENSION
from services.body.translation import BodyTranslation
from services.body.weight import BodyWeight

__all__ = ["BodyServicer"]

_Context = grpc.aio.ServicerContext[Any, Any]


class BodyServicer(body_pb2_grpc.BodyServiceServicer):
    """Stories behind the contract. `networks` are the models in use besides the measurement, by role."""

    def __init__(
        self,
        *,
        observe: ObserveBodies,
        score: ScoreBodies,
        enroll: Enrolment[NewMeasurement],
        lookup: LookUpBodies,
        store: MeasurementStore,
        weight: BodyWeight,
        bodies: FollowedBodies,
        model: MeasurementModel,
        networks: tuple[common_pb2.ModelStatus, ...],
        readiness: Readiness,
    ) -> None:
        self._observe = observe
        self._score = score
        self._enroll = enroll
        self._lookup = lookup
        self._store = store
        self._weight = weight
        self._bodies = bodies
        self._model = model
        self._networks = networks
        self._readiness = readiness
        self._translation = BodyTranslation(model)

    async def Observe(self, request: pb.ObserveRequest, context: _Context) -> pb.ObserveResponse:
        image = await self._observe(request.image, check_max_candidates(request.max_candidates))
        return self._translation.observed(image)

    async def Score(self, request: pb.ScoreRequest, context: _Context) -> pb.ScoreResponse:
        queries = self._translation.queries(request)
        scores = await self._score(queries)
        return self._translation.scored(queries, scores, self._weight.in_use)

    async def Compare(self, request: pb.CompareRequest, context: _Context) -> pb.CompareResponse:
        similarities = await self._score.compare(self._translation.compared(request))
        return pb.CompareResponse(similarities=similarities.reshape(-1).tolist())

    async def Enroll(self, request: pb.EnrollRequest, context: _Context) -> pb.EnrollResponse:
        performer_id = parse_uuid(request.performer_id)
        outcomes = await self._enroll.enroll(performer_id, self._translation.views(request))
        return pb.EnrollResponse(outcomes=to_proto_outcomes(outcomes))

    async def Forget(self, request: pb.ForgetRequest, context: _Context) -> pb.ForgetResponse:
        return pb.ForgetResponse(observations=await self._enroll.forget(parse_uuid(request.performer_id)))

    async def DiscardImage(
        self, request: pb.DiscardImageRequest, context: _Context
    ) -> pb.DiscardImageResponse:
        performer_id, image_hash = parse_uuid(request.performer_id), parse_image_hash(request.image_hash)
        return pb.DiscardImageResponse(observations=await self._enroll.discard(performer_id, image_hash))

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        return self._translation.attributes(await self._lookup(parse_performer_ids(request.performer_ids)))

    async def CountObservations(
        self, request: pb.CountObservationsRequest, context: _Context
    ) -> pb.CountObservationsResponse:
        return pb.CountObservationsResponse(counts=await self._lookup.count(request.performers))

    async def ListMeasurements(
        self, request: pb.ListMeasurementsRequest, context: _Context
    ) -> pb.ListMeasurementsResponse:
        query = parse_page(request.page_size, request.page_token)
        page = await self._store.page(query, without_vectors=request.without_vectors)
        return pb.ListMeasurementsResponse(rows=page.rows, next_page_token=page.next_token)

    async def GetCalibration(
        self, request: pb.GetCalibrationRequest, context: _Context
    ) -> pb.GetCalibrationResponse:
        return pb.GetCalibrationResponse(state=self._weight.state)

    async def SetCalibration(
        self, request: pb.SetCalibrationRequest, context: _Context
    ) -> pb.SetCalibrationResponse:
        return pb.SetCalibrationResponse(calibration=await self._weight.change(request.change))

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        measurement = common_pb2.ModelStatus(
            role="body.measurement",
            name=self._model.name,
            version=self._model.version,
            dimension=DIMENSION,
            vectors=len(self._bodies.known),
        )
        status = service_status(
            self._readiness,
            models=[*self._networks, measurement],
            performers=self._bodies.known.performers,
            observations=len(self._bodies.known),
            calibration=self._weight.in_use,
        )
        return pb.GetStatusResponse(status=status)
