"""Asking the face service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc

from chassis.geometry import Point
from chassis.protos import from_proto_box, to_proto_box
from gateway.observations import FaceSeen, Observed, Signal
from gateway.signals.base import (
    Query,
    Scores,
    SignalOutcome,
    SignalScore,
    Similarities,
    Trust,
    answered,
    candidates_of,
    operating_points_of,
    outcome_of,
    plain,
    range_of,
    to_queries,
    trust_of,
    well_formed,
)
from gateway.signals.counted import Counted, counted_of
from gateway.signals.enrolled_face import FacePage, page_of
from gateway.signals.face_counts import FaceCounts
from gateway.signals.pending import Pending, PendingPage, pending_of
from gateway.signals.transfer import VectorPage, VectorsTaken
from marquee.common.v1 import calibration_pb2, common_pb2, transfer_pb2
from marquee.face.v1 import face_pb2, face_pb2_grpc

__all__ = ["FaceClient"]


class FaceClient:
    """The face service behind a channel."""

    signal = Signal.FACE

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = face_pb2_grpc.FaceServiceStub(channel)

    async def observe(self, image: bytes, *, max_candidates: int, timeout: float) -> Observed[FaceSeen]:
        """Faces of one image. Raises InvalidInput too: the service cannot decode the image."""
        request = face_pb2.ObserveRequest(image=image, max_candidates=max_candidates)
        response = await answered(self._stub.Observe(request, timeout=timeout))
        with well_formed(self.signal):
            return Observed(
                response.image_width,
                response.image_height,
                tuple(_face_of(face) for face in response.faces),
                operating_points_of(response.operating_points),
            )

    async def score(self, queries: Sequence[Query], *, timeout: float) -> Scores:
        request = face_pb2.ScoreRequest(queries=to_queries(queries))
        response = await answered(self._stub.Score(request, timeout=timeout))
        trust = trust_of(response.calibration if response.HasField("calibration") else None)
        return {
            one.key: {score.performer_id: _score_of(score, trust) for score in one.scores}
            for one in response.results
        }

    async def similarities(self, queries: Sequence[Query], *, timeout: float) -> Similarities:
        """What `score` says of similarities and nothing else: of hundreds of performers in half a moment."""
        request = face_pb2.ScoreRequest(queries=to_queries(queries))
        response = await answered(self._stub.Score(request, timeout=timeout))
        return {
            one.key: {score.performer_id: score.similarity for score in one.scores}
            for one in response.results
        }

    async def enroll(
        self, performer_id: str, face: FaceSeen, source: common_pb2.ImageSource, *, timeout: float
    ) -> SignalOutcome:
        """Store one face. Raises NotFound too: no such performer."""
        observation = face_pb2.FaceEnrolment(
            template=face.template, box=to_proto_box(face.box), source=source
        )
        request = face_pb2.EnrollRequest(performer_id=performer_id, observations=[observation])
        return outcome_of((await answered(self._stub.Enroll(request, timeout=timeout))).outcomes)

    async def pending(
        self,
        *,
        performer_id: str = "",
        image_hash: str = "",
        page_size: int,
        page_token: str = "",
        timeout: float,
    ) -> PendingPage:
        request = face_pb2.ListPendingRequest(
            filter=common_pb2.PendingFilter(performer_id=performer_id, image_hash=image_hash),
            page_size=page_size,
            page_token=page_token,
        )
        response = await answered(self._stub.ListPending(request, timeout=timeout))
        with well_formed(self.signal):
            return pending_of(
                response.observations, next_page_token=response.next_page_token, total=response.total
            )

    async def reembed(
        self, performer_id: str, matches: Sequence[tuple[Pending, FaceSeen]], *, timeout: float
    ) -> SignalOutcome:
        observations = [
            face_pb2.FaceEnrolment(
                template=seen.template,
                box=to_proto_box(stored.box),
                source=stored.source,
            )
            for stored, seen in matches
        ]
        request = face_pb2.EnrollRequest(performer_id=performer_id, observations=observations)
        return outcome_of((await answered(self._stub.Enroll(request, timeout=timeout))).outcomes)

    async def import_vectors(self, rows: Sequence[transfer_pb2.VectorRow], *, timeout: float) -> VectorsTaken:
        request = face_pb2.ImportVectorsRequest(rows=rows)
        response = await answered(self._stub.ImportVectors(request, timeout=timeout))
        return VectorsTaken(
            response.stored, response.known, tuple(response.rejected), tuple(response.not_searchable)
        )

    async def export_vectors(
        self,
        *,
        page_size: int,
        page_token: str,
        with_set_aside: bool,
        without_vectors: bool = False,
        timeout: float,
    ) -> VectorPage:
        request = face_pb2.ExportVectorsRequest(
            page_size=page_size,
            page_token=page_token,
            with_set_aside=with_set_aside,
            without_vectors=without_vectors,
        )
        response = await answered(self._stub.ExportVectors(request, timeout=timeout))
        return VectorPage(response.rows, response.next_page_token)

    async def forget(self, performer_id: str, *, timeout: float) -> int:
        request = face_pb2.ForgetRequest(performer_id=performer_id)
        return (await answered(self._stub.Forget(request, timeout=timeout))).observations

    async def quarantined(
        self, performer_id: str, *, page_size: int, page_token: str, timeout: float
    ) -> FacePage:
        """Faces that seem to be somebody else's; of everybody for "". Raises InvalidInput for a token."""
        request = face_pb2.ListFacesRequest(
            performer_id=performer_id,
            states=[face_pb2.FACE_STATE_QUARANTINED],
            page_size=page_size,
            page_token=page_token,
        )
        response = await answered(self._stub.ListFaces(request, timeout=timeout))
        with well_formed(self.signal):
            return page_of(response)

    async def accept(self, performer_id: str, image_hash: str, *, timeout: float) -> bool:
        """Say that a face is the performer's; whether it is searched now. Raises NotFound too."""
        request = face_pb2.AcceptFaceRequest(performer_id=performer_id, image_hash=image_hash)
        response = await answered(self._stub.AcceptFace(request, timeout=timeout))
        return response.state == face_pb2.FACE_STATE_ACTIVE

    async def discard_image(self, performer_id: str, image_hash: str, *, timeout: float) -> int:
        request = face_pb2.DiscardImageRequest(performer_id=performer_id, image_hash=image_hash)
        return (await answered(self._stub.DiscardImage(request, timeout=timeout))).observations

    async def count(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, int]:
        faces = await self.lookup(performer_ids, timeout=timeout)
        return {performer_id: one.total for performer_id, one in faces.items()}

    async def lookup(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, FaceCounts]:
        """Enrolled faces of each performer who has any; up to 1000 ids. Raises as `count`."""
        request = face_pb2.LookupRequest(performer_ids=performer_ids)
        response = await answered(self._stub.Lookup(request, timeout=timeout))
        return {
            one.performer_id: FaceCounts(
                good=one.good_faces,
                usable=max(0, one.faces - one.good_faces - one.weak_faces),
                weak=one.weak_faces,
                best_quality=plain(one.best_quality),
                reserve=one.reserve_faces,
                quarantined=one.quarantined_faces,
                unsearchable=one.unsearchable_faces,
            )
            for one in response.performers
        }

    async def count_range(self, after: str, through: str, *, timeout: float) -> Counted:
        request = face_pb2.CountObservationsRequest(performers=range_of(after, through))
        response = await answered(self._stub.CountObservations(request, timeout=timeout))
        faces = {
            "good": response.good_faces,
            "weak": response.weak_faces,
            "reserve": response.reserve_faces,
            "quarantined": response.quarantined_faces,
            "unsearchable": response.unsearchable_faces,
        }
        with well_formed(self.signal):
            return counted_of(response.counts, faces)

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        """What the embedders that serve are calibrated by."""
        request = face_pb2.GetCalibrationRequest()
        return (await answered(self._stub.GetCalibration(request, timeout=timeout))).state

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse | None:
        """Change that, and return what is used then. Raises Refused too: other embedders serve."""
        request = face_pb2.SetCalibrationRequest(change=change)
        response = await answered(self._stub.SetCalibration(request, timeout=timeout))
        return response.calibration if response.HasField("calibration") else None

    async def status(self, *, timeout: float) -> common_pb2.ServiceStatus:
        return (await answered(self._stub.GetStatus(face_pb2.GetStatusRequest(), timeout=timeout))).status


def _face_of(face: face_pb2.FaceObservation) -> FaceSeen:
    return FaceSeen(
        box=from_proto_box(face.box),
        quality=plain(face.quality),
        detection_confidence=plain(face.detection_confidence),
        landmarks=tuple(Point(point.x, point.y) for point in face.landmarks),
        template=face.template,
        candidates=candidates_of(face.candidates),
    )


def _score_of(score: face_pb2.FaceScore, trust: Trust) -> SignalScore:
    return SignalScore(
        similarity=plain(score.similarity),
        confidence=plain(score.confidence),
        llr=score.llr if score.HasField("llr") else None,
        trust=trust,
    )
