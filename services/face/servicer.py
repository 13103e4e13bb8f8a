"""FaceService: translation only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from chassis.health import Readiness
from chassis.protos import parse_uuid
from chassis.service_status import service_status
from chassis.signal.enrolment import Enrolment
from chassis.signal.requests import check_max_candidates, parse_performer_ids
from chassis.signal.responses import to_proto_outcomes
from chassis.work import WorkPool
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from marquee.face.v1 import face_pb2_grpc
from services.face.library import FaceLibrary, FaceRow
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
        enrolment: Enrolment[NewFace, FaceRow],
        store: FaceStore,
        library: FaceLibrary,
        work: WorkPool,
        networks: Sequence[common_pb2.ModelStatus],
        readiness: Readiness,
    ) -> None:
        self._observer = observer
        self._enrolment = enrolment
        self._store = store
        self._library = library
        self._work = work
        self._networks = networks
        self._readiness = readiness
        self._translation = FaceTranslation(library.ensemble)

    async def Observe(self, request: pb.ObserveRequest, context: _Context) -> pb.ObserveResponse:
        wanted = check_max_candidates(request.max_candidates)
        observation = await self._observer.observe(request.image, max_candidates=wanted)
        return await self._work.run(self._translation.observed, observation)

    async def Score(self, request: pb.ScoreRequest, context: _Context) -> pb.ScoreResponse:
        queries = await self._work.run(self._translation.queries, request)
        return pb.ScoreResponse(results=[await self._work.run(self._scores, query) for query in queries])

    async def Compare(self, request: pb.CompareRequest, context: _Context) -> pb.CompareResponse:
        return await self._work.run(self._similarities, request)

    async def Enroll(self, request: pb.EnrollRequest, context: _Context) -> pb.EnrollResponse:
        performer_id = parse_uuid(request.performer_id)
        faces = await self._work.run(self._translation.faces, request)
        return pb.EnrollResponse(
            outcomes=to_proto_outcomes(await self._enrolment.enroll(performer_id, faces))
        )

    async def Forget(self, request: pb.ForgetRequest, context: _Context) -> pb.ForgetResponse:
        return pb.ForgetResponse(observations=await self._enrolment.forget(parse_uuid(request.performer_id)))

    async def Lookup(self, request: pb.LookupRequest, context: _Context) -> pb.LookupResponse:
        asked = list(dict.fromkeys(parse_performer_ids(request.performer_ids)))
        known = await self._store.lookup(asked)
        return self._translation.attributes(known[one] for one in asked if one in known)

    async def GetStatus(self, request: pb.GetStatusRequest, context: _Context) -> pb.GetStatusResponse:
        status = service_status(
            self._readiness,
            models=[*self._networks, *self._embedders()],
            performers=self._library.performers,
            observations=self._library.faces,
        )
        return pb.GetStatusResponse(status=status)

    def _scores(self, query: Query) -> pb.FaceScores:
        scores = score_person(self._library, query.templates, query.performer_ids)
        return self._translation.scored(query.key, scores)

    def _similarities(self, request: pb.CompareRequest) -> pb.CompareResponse:
        templates = self._translation.compared(request)
        return self._translation.similarities(compare(self._library.ensemble, templates))

    def _embedders(self) -> list[common_pb2.ModelStatus]:
        return [
            common_pb2.ModelStatus(
                role=EMBEDDER_ROLE,
                name=row.name,
                version=row.version,
                dimension=row.dimension,
                vectors=self._library.vectors_of(row.key),
            )
            for row in self._library.ensemble.rows
        ]
