"""TattooService: translation only."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.health import Readiness
from chassis.protos import parse_uuid
from chassis.service_status import service_status
from chassis.signal.enrolment import Enrolment
from chassis.signal.requests import check_max_candidates, parse_performer_ids
from chassis.signal.responses import to_proto_outcomes
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.chosen import ChosenModels
from services.tattoo.enrolled import EnrolledTattoos, TattooRow
from services.tattoo.lookup import LookUpTattoos
from services.tattoo.observe import ObserveTattoos
from services.tattoo.score import ScoreTattoos
from services.tattoo.store import NewTattoo
from services.tattoo.table import DETECTOR_ROLE, EMBEDDER_ROLE
from services.tattoo.translation import TattooTranslation

__all__ = ["TattooServicer"]

_Context = grpc.aio.ServicerContext[Any, Any]


class TattooServicer(tattoo_pb2_grpc.TattooServiceServicer):
    """Stories behind the contract."""

    def __init__(
        self,
        *,
        observe: ObserveTattoos,
        score: ScoreTattoos,
        enroll: Enrolment[NewTattoo, TattooRow],
        lookup: LookUpTattoos,
        enrolled: EnrolledTattoos,
        models: ChosenModels,
        readiness: Readiness,
    ) -> None:
        self._observe = observe
        self._score = score
        self._enroll = enroll
        self._lookup = lookup
        self._enrolled = enrolled
        self._models = models
        self._readiness = readiness
        self._translation = TattooTranslation(models.embedders)

    async def Observe(self, request: pb.ObserveRequest, context: _Context) -> pb.ObserveResponse:
        image = await self._observe(request.image, check_max_candidates(request.max_candidates))
        return self._translation.observed(image)

    async def Score(self, request: pb.ScoreRequest, context: _Context) -> pb.ScoreResponse:
        queries = self._translation.queries(request)
        return self._translation.scored(queries, await self._score(queries))

    async def Compare(self, request: pb.CompareRequest, context: _Context) -> pb.CompareResponse:
        similarities = await self._score.compare(self._translation.compared(request))
        return pb.CompareResponse(similarities=similarities.reshape(-1).tolist())

    async def Enroll(self, request: pb.EnrollRequest, context: _Context) -> pb.EnrollResponse:
        performer_id = parse_uuid(request.performer_id)
        outcomes = await self._enroll.enroll(performer_id, self._translation.tattoos(request))
        return pb.EnrollResponse(outcomes=to_proto_outcomes(outcomes))

    async def Forget(self, request: pb.ForgetRequest, context: _Context) -> pb.ForgetResponse:
        return pb.ForgetResponse(observations=await self._enroll.forget(parse_uuid(request.performer_id)))

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        return self._translation.attributes(await self._lookup(parse_performer_ids(request.performer_ids)))

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        detector = self._models.detector
        models = [
            common_pb2.ModelStatus(role=DETECTOR_ROLE, name=detector.name, version=detector.version),
            *(
                common_pb2.ModelStatus(
                    role=EMBEDDER_ROLE,
                    name=row.name,
                    version=row.version,
                    dimension=row.dimension,
                    vectors=self._enrolled.vectors(row.key),
                )
                for row in self._models.embedders
            ),
        ]
        status = service_status(
            self._readiness,
            models=models,
            performers=self._enrolled.performers,
            observations=len(self._enrolled),
        )
        return pb.GetStatusResponse(status=status)
