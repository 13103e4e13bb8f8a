"""Asking the body service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc

from chassis.protos import from_proto_box, to_proto_box
from gateway.observations import BodySeen, KeyPoint, Observed, RegionView, Signal
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
    outline_of,
    plain,
    range_of,
    to_queries,
    trust_of,
    well_formed,
)
from gateway.signals.counted import Counted, counted_of
from gateway.signals.transfer import VectorPage
from marquee.body.v1 import body_pb2, body_pb2_grpc
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["BodyClient"]


class BodyClient:
    """The body service behind a channel."""

    signal = Signal.BODY

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = body_pb2_grpc.BodyServiceStub(channel)

    async def observe(self, image: bytes, *, max_candidates: int, timeout: float) -> Observed[BodySeen]:
        """Bodies of one image. Raises InvalidInput too: the service cannot decode the image."""
        request = body_pb2.ObserveRequest(image=image, max_candidates=max_candidates)
        response = await answered(self._stub.Observe(request, timeout=timeout))
        with well_formed(self.signal):
            return Observed(
                response.image_width,
                response.image_height,
                tuple(_body_of(body) for body in response.bodies),
                operating_points_of(response.operating_points),
            )

    async def score(self, queries: Sequence[Query], *, timeout: float) -> Scores:
        request = body_pb2.ScoreRequest(queries=to_queries(queries))
        response = await answered(self._stub.Score(request, timeout=timeout))
        trust = trust_of(response.calibration if response.HasField("calibration") else None)
        return {
            one.key: {score.performer_id: _score_of(score, trust) for score in one.scores}
            for one in response.results
        }

    async def similarities(self, queries: Sequence[Query], *, timeout: float) -> Similarities:
        """Log-likelihood ratios, which take the place of similarities: these know nothing of the view."""
        scores = await self.score(queries, timeout=timeout)
        return {
            key: {one: score.llr for one, score in of_query.items() if score.llr is not None}
            for key, of_query in scores.items()
        }

    async def export_vectors(
        self,
        *,
        page_size: int,
        page_token: str,
        with_set_aside: bool,
        without_vectors: bool = False,
        timeout: float,
    ) -> VectorPage:
        """Stored measurements; none is ever set aside."""
        request = body_pb2.ListMeasurementsRequest(
            page_size=page_size, page_token=page_token, without_vectors=without_vectors
        )
        response = await answered(self._stub.ListMeasurements(request, timeout=timeout))
        return VectorPage(response.rows, response.next_page_token)

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        """What ratios weigh, and of which measurement model."""
        request = body_pb2.GetCalibrationRequest()
        return (await answered(self._stub.GetCalibration(request, timeout=timeout))).state

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse | None:
        """Change that, and return what is used then. Raises Refused too: another model serves."""
        request = body_pb2.SetCalibrationRequest(change=change)
        return (await answered(self._stub.SetCalibration(request, timeout=timeout))).calibration

    async def enroll(
        self, performer_id: str, body: BodySeen, source: common_pb2.ImageSource, *, timeout: float
    ) -> SignalOutcome:
        """Store one body that has a template. Raises NotFound too: no such performer."""
        observation = body_pb2.BodyEnrolment(
            template=body.template, box=to_proto_box(body.box), source=source
        )
        request = body_pb2.EnrollRequest(performer_id=performer_id, observations=[observation])
        return outcome_of((await answered(self._stub.Enroll(request, timeout=timeout))).outcomes)

    async def forget(self, performer_id: str, *, timeout: float) -> int:
        request = body_pb2.ForgetRequest(performer_id=performer_id)
        return (await answered(self._stub.Forget(request, timeout=timeout))).observations

    async def discard_image(self, performer_id: str, image_hash: str, *, timeout: float) -> int:
        request = body_pb2.DiscardImageRequest(performer_id=performer_id, image_hash=image_hash)
        return (await answered(self._stub.DiscardImage(request, timeout=timeout))).observations

    async def count(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, int]:
        request = body_pb2.LookupRequest(performer_ids=performer_ids)
        response = await answered(self._stub.Lookup(request, timeout=timeout))
        return {one.performer_id: one.measurements for one in response.performers}

    async def count_range(self, after: str, through: str, *, timeout: float) -> Counted:
        request = body_pb2.CountObservationsRequest(performers=range_of(after, through))
        response = await answered(self._stub.CountObservations(request, timeout=timeout))
        with well_formed(self.signal):
            return counted_of(response.counts)

    async def status(self, *, timeout: float) -> common_pb2.ServiceStatus:
        return (await answered(self._stub.GetStatus(body_pb2.GetStatusRequest(), timeout=timeout))).status


def _body_of(body: body_pb2.BodyObservation) -> BodySeen:
    return BodySeen(
        box=from_proto_box(body.box),
        quality=plain(body.quality),
        detection_confidence=plain(body.detection_confidence),
        key_points=tuple(KeyPoint(one.x, one.y, plain(one.visibility)) for one in body.key_points),
        regions=tuple(
            RegionView(one.region, outline_of(one.outline), plain(one.visibility)) for one in body.regions
        ),
        template=body.template if body.HasField("template") else None,
        candidates=candidates_of(body.candidates),
    )


def _score_of(score: body_pb2.BodyScore, trust: Trust) -> SignalScore:
    return SignalScore(
        similarity=plain(score.similarity),
        confidence=plain(score.confidence),
        llr=score.llr if score.HasField("llr") else None,
        trust=trust,
        is_compatible=score.is_compatible,
        full_views=score.full_views,
    )
