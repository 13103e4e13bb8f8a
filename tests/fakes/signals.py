"""Signal services without models: the real generated interfaces on a real channel, scripted by the test.

A fake sees what the test put in `seen`, proposes the candidates given there, and scores what is in `known`.
`errors`, `delays` and `gates` make a verb fail, answer late or wait; `kill` is a process that dies.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import grpc

from chassis.errors import NotFound
from chassis.geometry import Point
from chassis.interceptors import RequestInterceptor
from chassis.protos import to_proto_box
from gateway.observations import BodySeen, Candidate, FaceSeen, TattooSeen
from marquee.body.v1 import body_pb2, body_pb2_grpc
from marquee.common.v1 import common_pb2, counts_pb2
from marquee.face.v1 import face_pb2, face_pb2_grpc
from marquee.tattoo.v1 import tattoo_pb2
from tests.fakes.calibration import FakeCalibration
from tests.fakes.model_change import FakeChange, pending_of
from tests.fakes.stored_vectors import StoredVectors
from tests.fakes.tattoo_catalogue import NoTattooCatalogue

__all__ = ["FakeSignal", "FakeFace", "FakeTattoo", "FakeBody", "ServedSignal", "serve"]

_SeenT = TypeVar("_SeenT")
_Context = grpc.aio.ServicerContext[Any, Any]


class FakeSignal(Generic[_SeenT]):
    """What the three fakes share."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        self.seen: list[_SeenT] = []
        """Seen in every image that `seen_in` does not name."""
        self.seen_in: dict[bytes, list[_SeenT]] = {}
        """Image bytes -> what is seen there."""
        self.known: dict[str, dict[str, float]] = defaultdict(dict)
        """Performer id -> template name -> confidence; a performer in it has been enrolled."""
        self.enrolled: dict[str, list[tuple[str, Any]]] = defaultdict(list)
        """Performer id -> image hash and observation, as committed."""
        self.described: list[tuple[str, Any]] = []
        """Performer id and observation, as offered for one that was stored before."""
        self.forgotten: list[str] = []
        self.gone: set[str] = set()
        """Performers whom Enroll does not know, as after their deletion."""
        self.refuse: tuple[common_pb2.RejectionReason.ValueType, str] | None = None
        """Why Enroll refuses every observation, if it does."""
        self.stored_vectors = StoredVectors()
        """What ImportVectors brought."""
        self.change = FakeChange()
        """The change of models that is going on, if any."""
        self.calibration = FakeCalibration()
        self.errors: dict[str, BaseException] = {}
        self.delays: dict[str, float] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.calls: list[tuple[str, Any]] = []
        self.running = 0
        self.most_running = 0
        self.cancelled = 0
        self._changed = asyncio.Event()
        self.operating_points = [
            common_pb2.OperatingPoint(
                model="fake", version="1", genuine_median=1.0, identification_confidence=threshold
            )
        ]

    def requests(self, verb: str) -> list[Any]:
        """The requests of one verb, in order."""
        return [request for name, request in self.calls if name == verb]

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Wait until something is true of the calls, for 10 seconds at most."""
        async with asyncio.timeout(10):
            while not is_true():
                self._changed.clear()
                await self._changed.wait()

    def remember(self, performer_id: str, count: int = 1) -> None:
        """As if `count` observations had been enrolled long ago."""
        for number in range(count):
            self.enrolled[performer_id].append((f"{number:064x}", None))
        self.known[performer_id].setdefault("", 0.0)

    async def _enter(self, verb: str, request: Any) -> None:
        """Record the call, then behave as the test said."""
        self.calls.append((verb, request))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self._changed.set()
        try:
            if verb in self.gates:
                await self.gates[verb].wait()
            await asyncio.sleep(self.delays.get(verb, 0.0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
            self._changed.set()
        if verb in self.errors:
            raise self.errors[verb]

    def _seen(self, image: bytes) -> list[_SeenT]:
        return self.seen_in.get(image, self.seen)

    def _scores(self, query: common_pb2.ScoreQuery) -> list[tuple[str, float]]:
        """Performer and best confidence over the query's templates, in the order asked."""
        names = [one.embeddings[0].vector.decode() for one in query.templates]
        return [
            (performer, max(self.known[performer].get(name, 0.0) for name in names))
            for performer in query.performer_ids
            if performer in self.known
        ]

    def _enroll(self, performer_id: str, observations: Sequence[Any]) -> list[common_pb2.EnrollOutcome]:
        if performer_id in self.gone:
            raise NotFound("no such performer")
        known_hashes = {image_hash for image_hash, _ in self.enrolled[performer_id]}
        outcomes = []
        for index, one in enumerate(observations):
            if self.refuse:
                reason, detail = self.refuse
                outcomes.append(common_pb2.EnrollOutcome(index=index, reason=reason, detail=detail))
                continue
            if self.change.describe(performer_id, one):
                self.described.append((performer_id, one))
                outcomes.append(common_pb2.EnrollOutcome(index=index, is_accepted=True))
                continue
            if one.source.image_hash in known_hashes:
                reason = common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
                outcomes.append(
                    common_pb2.EnrollOutcome(index=index, reason=reason, detail="enrolled already")
                )
                continue
            self.enrolled[performer_id].append((one.source.image_hash, one))
            self.known[performer_id][one.template.embeddings[0].vector.decode()] = 1.0
            outcomes.append(common_pb2.EnrollOutcome(index=index, is_accepted=True))
        return outcomes

    def _forget(self, performer_id: str) -> int:
        self.forgotten.append(performer_id)
        self.known.pop(performer_id, None)
        self.change.forget(performer_id)
        return len(self.enrolled.pop(performer_id, []))

    def _discard(self, performer_id: str, image_hash: str) -> int:
        there = self.enrolled[performer_id]
        self.enrolled[performer_id] = [one for one in there if one[0] != image_hash]
        return len(there) - len(self.enrolled[performer_id])

    def start_change(self, *, switch_coverage: float = 0.95) -> None:
        """Prepare another model: everything that was enrolled by a test waits for its description."""
        self.change = FakeChange(
            [
                pending_of(performer_id, observation)
                for performer_id, enrolled in sorted(self.enrolled.items())
                for _, observation in enrolled
                if observation is not None
            ],
            switch_coverage=switch_coverage,
        )

    def _in_range(self, performers: counts_pb2.PerformerRange) -> list[str]:
        """Those with observations, in the order of ids."""
        within = (one for one in self.enrolled if performers.after < one <= performers.through)
        return sorted(one for one in within if self.enrolled[one])

    def _counts(self, performers: counts_pb2.PerformerRange) -> counts_pb2.ObservationCounts:
        found = self._in_range(performers)
        return counts_pb2.ObservationCounts(
            performer_ids=b"".join(uuid.UUID(one).bytes for one in found),
            observations=[len(self.enrolled[one]) for one in found],
        )

    def _status(self) -> common_pb2.ServiceStatus:
        return common_pb2.ServiceStatus(
            version="fake",
            is_ready=True,
            performers=len(self.enrolled),
            observations=sum(map(len, self.enrolled.values())),
            model_change=self.change.status(),
            calibration=self.calibration.in_use,
        )


class FakeFace(FakeSignal[FaceSeen], face_pb2_grpc.FaceServiceServicer):
    """The face service."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        super().__init__(threshold=threshold)
        self.set_aside: dict[str, tuple[int, int]] = {}
        """Performer id -> faces in reserve and quarantined, besides those enrolled."""
        self.quarantined: list[face_pb2.EnrolledFace] = []
        """What ListFaces says."""
        self.ratios: dict[str, float] = {}
        """Performer id -> log-likelihood ratio; others have none, as before calibration."""

    async def Observe(self, request: face_pb2.ObserveRequest, context: _Context) -> face_pb2.ObserveResponse:
        await self._enter("Observe", request)
        faces = [
            face_pb2.FaceObservation(
                box=to_proto_box(one.box),
                quality=one.quality,
                detection_confidence=one.detection_confidence,
                landmarks=_points(one.landmarks),
                template=one.template,
                candidates=_candidates(one.candidates, request.max_candidates),
            )
            for one in self._seen(request.image)
        ]
        return face_pb2.ObserveResponse(faces=faces, operating_points=self.operating_points)

    async def Score(self, request: face_pb2.ScoreRequest, context: _Context) -> face_pb2.ScoreResponse:
        await self._enter("Score", request)
        results = [
            face_pb2.FaceScores(
                key=query.key,
                scores=[
                    face_pb2.FaceScore(
                        performer_id=one,
                        similarity=confidence,
                        confidence=confidence,
                        llr=self.ratios.get(one),
                    )
                    for one, confidence in self._scores(query)
                ],
            )
            for query in request.queries
        ]
        return face_pb2.ScoreResponse(results=results, calibration=self.calibration.in_use)

    async def Enroll(self, request: face_pb2.EnrollRequest, context: _Context) -> face_pb2.EnrollResponse:
        await self._enter("Enroll", request)
        return face_pb2.EnrollResponse(outcomes=self._enroll(request.performer_id, request.observations))

    async def ImportVectors(
        self, request: face_pb2.ImportVectorsRequest, context: _Context
    ) -> face_pb2.ImportVectorsResponse:
        await self._enter("ImportVectors", request)
        stored, known, unknown = self.stored_vectors.take(request.rows)
        return face_pb2.ImportVectorsResponse(stored=stored, known=known, not_searchable=unknown)

    async def ExportVectors(
        self, request: face_pb2.ExportVectorsRequest, context: _Context
    ) -> face_pb2.ExportVectorsResponse:
        await self._enter("ExportVectors", request)
        rows, token = self.stored_vectors.page(request.page_size, request.page_token)
        return face_pb2.ExportVectorsResponse(rows=rows, next_page_token=token)

    async def ListPending(
        self, request: face_pb2.ListPendingRequest, context: _Context
    ) -> face_pb2.ListPendingResponse:
        await self._enter("ListPending", request)
        found, token, total = self.change.page(
            request.filter, size=request.page_size, token=request.page_token
        )
        return face_pb2.ListPendingResponse(observations=found, next_page_token=token, total=total)

    async def Forget(self, request: face_pb2.ForgetRequest, context: _Context) -> face_pb2.ForgetResponse:
        await self._enter("Forget", request)
        return face_pb2.ForgetResponse(observations=self._forget(request.performer_id))

    async def CountObservations(
        self, request: face_pb2.CountObservationsRequest, context: _Context
    ) -> face_pb2.CountObservationsResponse:
        await self._enter("CountObservations", request)
        each = [self._attributes(one) for one in self._in_range(request.performers)]
        return face_pb2.CountObservationsResponse(
            counts=self._counts(request.performers),
            good_faces=[one.good_faces for one in each],
            weak_faces=[one.weak_faces for one in each],
            reserve_faces=[one.reserve_faces for one in each],
            quarantined_faces=[one.quarantined_faces for one in each],
            unsearchable_faces=[one.unsearchable_faces for one in each],
        )

    async def DiscardImage(
        self, request: face_pb2.DiscardImageRequest, context: _Context
    ) -> face_pb2.DiscardImageResponse:
        await self._enter("DiscardImage", request)
        count = self._discard(request.performer_id, request.image_hash)
        return face_pb2.DiscardImageResponse(observations=count)

    async def Lookup(self, request: face_pb2.LookupRequest, context: _Context) -> face_pb2.LookupResponse:
        await self._enter("Lookup", request)
        return face_pb2.LookupResponse(
            performers=[self._attributes(one) for one in request.performer_ids if self.enrolled.get(one)]
        )

    def _attributes(self, performer_id: str) -> face_pb2.FaceAttributes:
        faces = [observation for _, observation in self.enrolled[performer_id]]
        return _attributes(performer_id, faces, self.set_aside.get(performer_id, (0, 0)))

    async def ListFaces(
        self, request: face_pb2.ListFacesRequest, context: _Context
    ) -> face_pb2.ListFacesResponse:
        await self._enter("ListFaces", request)
        asked = [one for one in self.quarantined if request.performer_id in ("", one.performer_id)]
        return face_pb2.ListFacesResponse(faces=asked)

    async def AcceptFace(
        self, request: face_pb2.AcceptFaceRequest, context: _Context
    ) -> face_pb2.AcceptFaceResponse:
        await self._enter("AcceptFace", request)
        return face_pb2.AcceptFaceResponse(state=face_pb2.FACE_STATE_ACTIVE)

    async def Compare(self, request: face_pb2.CompareRequest, context: _Context) -> face_pb2.CompareResponse:
        raise NotImplementedError

    async def GetCalibration(
        self, request: face_pb2.GetCalibrationRequest, context: _Context
    ) -> face_pb2.GetCalibrationResponse:
        await self._enter("GetCalibration", request)
        return face_pb2.GetCalibrationResponse(state=self.calibration.state())

    async def SetCalibration(
        self, request: face_pb2.SetCalibrationRequest, context: _Context
    ) -> face_pb2.SetCalibrationResponse:
        await self._enter("SetCalibration", request)
        return face_pb2.SetCalibrationResponse(calibration=self.calibration.change(request.change))

    async def GetStatus(
        self, request: face_pb2.GetStatusRequest, context: _Context
    ) -> face_pb2.GetStatusResponse:
        await self._enter("GetStatus", request)
        return face_pb2.GetStatusResponse(status=self._status())


class FakeTattoo(NoTattooCatalogue, FakeSignal[TattooSeen]):
    """The tattoo service."""

    def __init__(self, *, threshold: float = 0.5) -> None:
        super().__init__(threshold=threshold)
        self.tattoos: dict[str, list[tattoo_pb2.KnownTattoo]] = defaultdict(list)
        """Performer id -> views of known tattoos, as Lookup and Score tell them."""
        self.regions: dict[str, list[tattoo_pb2.KnownRegion]] = defaultdict(list)
        """Performer id -> what is said of regions."""
        self.matches: dict[str, tattoo_pb2.TattooMatch] = {}
        """Performer id -> what every template is most like; others have none, as before calibration."""

    async def Observe(
        self, request: tattoo_pb2.ObserveRequest, context: _Context
    ) -> tattoo_pb2.ObserveResponse:
        await self._enter("Observe", request)
        tattoos = [
            tattoo_pb2.TattooObservation(
                box=to_proto_box(one.box),
                quality=one.quality,
                detection_confidence=one.detection_confidence,
                mask=common_pb2.Polygon(points=_points(one.mask)),
                template=one.template,
                candidates=_candidates(one.candidates, request.max_candidates),
            )
            for one in self._seen(request.image)
        ]
        return tattoo_pb2.ObserveResponse(tattoos=tattoos, operating_points=self.operating_points)

    async def Score(self, request: tattoo_pb2.ScoreRequest, context: _Context) -> tattoo_pb2.ScoreResponse:
        await self._enter("Score", request)
        results = [
            tattoo_pb2.TattooScores(
                key=query.key,
                scores=[
                    self._score(one, confidence, len(query.templates))
                    for one, confidence in self._scores(query)
                ],
            )
            for query in request.queries
        ]
        return tattoo_pb2.ScoreResponse(results=results, calibration=self.calibration.in_use)

    async def Enroll(self, request: tattoo_pb2.EnrollRequest, context: _Context) -> tattoo_pb2.EnrollResponse:
        await self._enter("Enroll", request)
        return tattoo_pb2.EnrollResponse(outcomes=self._enroll(request.performer_id, request.observations))

    async def ImportVectors(
        self, request: tattoo_pb2.ImportVectorsRequest, context: _Context
    ) -> tattoo_pb2.ImportVectorsResponse:
        await self._enter("ImportVectors", request)
        stored, known, unknown = self.stored_vectors.take(request.rows)
        return tattoo_pb2.ImportVectorsResponse(stored=stored, known=known, not_searchable=unknown)

    async def ExportVectors(
        self, request: tattoo_pb2.ExportVectorsRequest, context: _Context
    ) -> tattoo_pb2.ExportVectorsResponse:
        await self._enter("ExportVectors", request)
        rows, token = self.stored_vectors.page(request.page_size, request.page_token)
        return tattoo_pb2.ExportVectorsResponse(rows=rows, next_page_token=token)

    async def ListKeyPoints(
        self, request: tattoo_pb2.ListKeyPointsRequest, context: _Context
    ) -> tattoo_pb2.ListKeyPointsResponse:
        await self._enter("ListKeyPoints", request)
        return tattoo_pb2.ListKeyPointsResponse()

    async def ImportTexts(
        self, request: tattoo_pb2.ImportTextsRequest, context: _Context
    ) -> tattoo_pb2.ImportTextsResponse:
        await self._enter("ImportTexts", request)
        return tattoo_pb2.ImportTextsResponse(stored=len(request.texts))

    async def ListPending(
        self, request: tattoo_pb2.ListPendingRequest, context: _Context
    ) -> tattoo_pb2.ListPendingResponse:
        await self._enter("ListPending", request)
        found, token, total = self.change.page(
            request.filter, size=request.page_size, token=request.page_token
        )
        return tattoo_pb2.ListPendingResponse(observations=found, next_page_token=token, total=total)

    async def Forget(self, request: tattoo_pb2.ForgetRequest, context: _Context) -> tattoo_pb2.ForgetResponse:
        await self._enter("Forget", request)
        return tattoo_pb2.ForgetResponse(observations=self._forget(request.performer_id))

    async def CountObservations(
        self, request: tattoo_pb2.CountObservationsRequest, context: _Context
    ) -> tattoo_pb2.CountObservationsResponse:
        await self._enter("CountObservations", request)
        return tattoo_pb2.CountObservationsResponse(counts=self._counts(request.performers))

    async def DiscardImage(
        self, request: tattoo_pb2.DiscardImageRequest, context: _Context
    ) -> tattoo_pb2.DiscardImageResponse:
        await self._enter("DiscardImage", request)
        count = self._discard(request.performer_id, request.image_hash)
        return tattoo_pb2.DiscardImageResponse(observations=count)

    async def Lookup(self, request: tattoo_pb2.LookupRequest, context: _Context) -> tattoo_pb2.LookupResponse:
        await self._enter("Lookup", request)
        return tattoo_pb2.LookupResponse(
            calibration=self.calibration.in_use,
            performers=[
                tattoo_pb2.TattooAttributes(
                    performer_id=one,
                    tattoos=[*(tattoo_pb2.KnownTattoo() for _ in self.enrolled[one]), *self.tattoos[one]],
                    regions=self.regions[one],
                )
                for one in request.performer_ids
                if self.enrolled.get(one) or self.tattoos.get(one) or self.regions.get(one)
            ],
        )

    def _score(self, performer_id: str, confidence: float, templates: int) -> tattoo_pb2.TattooScore:
        match = self.matches.get(performer_id)
        return tattoo_pb2.TattooScore(
            performer_id=performer_id,
            similarity=confidence,
            confidence=confidence,
            llr=match.llr if match else None,
            known=self.tattoos[performer_id],
            regions=self.regions[performer_id],
            matches=[match] * templates if match else [],
        )

    async def Compare(
        self, request: tattoo_pb2.CompareRequest, context: _Context
    ) -> tattoo_pb2.CompareResponse:
        raise NotImplementedError

    async def GetCalibration(
        self, request: tattoo_pb2.GetCalibrationRequest, context: _Context
    ) -> tattoo_pb2.GetCalibrationResponse:
        await self._enter("GetCalibration", request)
        return tattoo_pb2.GetCalibrationResponse(state=self.calibration.state())

    async def SetCalibration(
        self, request: tattoo_pb2.SetCalibrationRequest, context: _Context
    ) -> tattoo_pb2.SetCalibrationResponse:
        await self._enter("SetCalibration", request)
        return tattoo_pb2.SetCalibrationResponse(calibration=self.calibration.change(request.change))

    async def GetStatus(
        self, request: tattoo_pb2.GetStatusRequest, context: _Context
    ) -> tattoo_pb2.GetStatusResponse:
        await self._enter("GetStatus", request)
        return tattoo_pb2.GetStatusResponse(status=self._status())


class FakeBody(FakeSignal[BodySeen], body_pb2_grpc.BodyServiceServicer):
    """The body service; `incompatible` are performers whose proportions disagree with everybody.

    full_views: enrolled of everybody.
    """

    def __init__(self, *, threshold: float = 0.5) -> None:
        super().__init__(threshold=threshold)
        self.incompatible: set[str] = set()
        self.full_views = 0

    async def Observe(self, request: body_pb2.ObserveRequest, context: _Context) -> body_pb2.ObserveResponse:
        await self._enter("Observe", request)
        bodies = [_to_proto_body(one, request.max_candidates) for one in self._seen(request.image)]
        return body_pb2.ObserveResponse(bodies=bodies, operating_points=self.operating_points)

    async def Score(self, request: body_pb2.ScoreRequest, context: _Context) -> body_pb2.ScoreResponse:
        await self._enter("Score", request)
        results = [
            body_pb2.BodyScores(
                key=query.key,
                scores=[
                    body_pb2.BodyScore(
                        performer_id=one,
                        similarity=confidence,
                        confidence=confidence,
                        llr=0.25,
                        is_compatible=one not in self.incompatible,
                        full_views=self.full_views,
                    )
                    for one, confidence in self._scores(query)
                ],
            )
            for query in request.queries
        ]
        return body_pb2.ScoreResponse(results=results, calibration=self.calibration.in_use)

    async def Enroll(self, request: body_pb2.EnrollRequest, context: _Context) -> body_pb2.EnrollResponse:
        await self._enter("Enroll", request)
        return body_pb2.EnrollResponse(outcomes=self._enroll(request.performer_id, request.observations))

    async def Forget(self, request: body_pb2.ForgetRequest, context: _Context) -> body_pb2.ForgetResponse:
        await self._enter("Forget", request)
        return body_pb2.ForgetResponse(observations=self._forget(request.performer_id))

    async def CountObservations(
        self, request: body_pb2.CountObservationsRequest, context: _Context
    ) -> body_pb2.CountObservationsResponse:
        await self._enter("CountObservations", request)
        return body_pb2.CountObservationsResponse(counts=self._counts(request.performers))

    async def DiscardImage(
        self, request: body_pb2.DiscardImageRequest, context: _Context
    ) -> body_pb2.DiscardImageResponse:
        await self._enter("DiscardImage", request)
        count = self._discard(request.performer_id, request.image_hash)
        return body_pb2.DiscardImageResponse(observations=count)

    async def Lookup(self, request: body_pb2.LookupRequest, context: _Context) -> body_pb2.LookupResponse:
        await self._enter("Lookup", request)
        return body_pb2.LookupResponse(
            performers=[
                body_pb2.BodyAttributes(performer_id=one, measurements=len(self.enrolled[one]))
                for one in request.performer_ids
                if self.enrolled.get(one)
            ]
        )

    async def Compare(self, request: body_pb2.CompareRequest, context: _Context) -> body_pb2.CompareResponse:
        raise NotImplementedError

    async def ListMeasurements(
        self, request: body_pb2.ListMeasurementsRequest, context: _Context
    ) -> body_pb2.ListMeasurementsResponse:
        await self._enter("ListMeasurements", request)
        return body_pb2.ListMeasurementsResponse()

    async def GetCalibration(
        self, request: body_pb2.GetCalibrationRequest, context: _Context
    ) -> body_pb2.GetCalibrationResponse:
        await self._enter("GetCalibration", request)
        return body_pb2.GetCalibrationResponse(state=self.calibration.state())

    async def SetCalibration(
        self, request: body_pb2.SetCalibrationRequest, context: _Context
    ) -> body_pb2.SetCalibrationResponse:
        await self._enter("SetCalibration", request)
        return body_pb2.SetCalibrationResponse(calibration=self.calibration.change(request.change))

    async def GetStatus(
        self, request: body_pb2.GetStatusRequest, context: _Context
    ) -> body_pb2.GetStatusResponse:
        await self._enter("GetStatus", request)
        return body_pb2.GetStatusResponse(status=self._status())


class ServedSignal:
    """A fake behind a port of its own."""

    def __init__(self, server: grpc.aio.Server, port: int) -> None:
        self._server = server
        self.address = f"127.0.0.1:{port}"

    async def kill(self) -> None:
        """Die as a killed process does: running calls break off, new ones find nobody."""
        await self._server.stop(None)


@asynccontextmanager
async def serve(register: Callable[[grpc.aio.Server], None]) -> AsyncIterator[ServedSignal]:
    """Serve a fake with the same errors and deadlines as a real service."""
    interceptor = RequestInterceptor(max_concurrent=1000, default_deadline=30.0)
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 40 * 2**20)]
    server = grpc.aio.server(interceptors=[interceptor], options=options)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield ServedSignal(server, port)
    finally:
        await server.stop(None)


def _to_proto_body(body: BodySeen, max_candidates: int) -> body_pb2.BodyObservation:
    return body_pb2.BodyObservation(
        box=to_proto_box(body.box),
        quality=body.quality,
        detection_confidence=body.detection_confidence,
        key_points=[
            body_pb2.KeyPoint(x=one.x, y=one.y, visibility=one.visibility) for one in body.key_points
        ],
        regions=[
            body_pb2.RegionView(
                region=one.region,
                outline=common_pb2.Polygon(points=_points(one.outline)),
                visibility=one.visibility,
            )
            for one in body.regions
        ],
        template=body.template,
        candidates=_candidates(body.candidates, max_candidates),
    )


def _attributes(
    performer_id: str, faces: Sequence[Any], set_aside: tuple[int, int]
) -> face_pb2.FaceAttributes:
    """Faces that were enrolled long ago are neither good nor weak."""
    qualities = [0.6 if one is None else one.template.quality for one in faces]
    return face_pb2.FaceAttributes(
        performer_id=performer_id,
        faces=len(qualities),
        good_faces=sum(quality > 0.8 for quality in qualities),
        weak_faces=sum(quality < 0.4 for quality in qualities),
        best_quality=max(qualities),
        reserve_faces=set_aside[0],
        quarantined_faces=set_aside[1],
    )


def _points(points: Sequence[Point]) -> list[common_pb2.Point]:
    return [common_pb2.Point(x=one.x, y=one.y) for one in points]


def _candidates(candidates: Sequence[Candidate], most: int) -> list[common_pb2.Candidate]:
    return [
        common_pb2.Candidate(
            performer_id=one.performer_id, similarity=one.similarity, confidence=one.confidence
        )
        for one in candidates[:most]
    ]
