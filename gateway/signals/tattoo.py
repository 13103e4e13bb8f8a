"""Asking the tattoo service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc

from chassis.protos import from_proto_box, to_proto_box
from gateway.known_tattoos import TattooFacts
from gateway.observations import Observed, Signal, TattooSeen
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
from gateway.signals.pending import Pending, PendingPage, pending_of
from gateway.signals.tattoo_catalogue import TattooCatalogueClient
from gateway.signals.tattoo_facts import facts_of, match_of
from gateway.signals.transfer import VectorPage, VectorsTaken
from marquee.common.v1 import calibration_pb2, common_pb2, transfer_pb2
from marquee.tattoo.v1 import tattoo_pb2, tattoo_pb2_grpc

__all__ = ["TattooClient"]


class TattooClient:
    """The tattoo service behind a channel."""

    signal = Signal.TATTOO

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = tattoo_pb2_grpc.TattooServiceStub(channel)
        self.catalogue = TattooCatalogueClient(self._stub)
        """Tattoos as the owner sees them."""

    async def observe(self, image: bytes, *, max_candidates: int, timeout: float) -> Observed[TattooSeen]:
        """Tattoos of one image. Raises InvalidInput too: the service cannot decode the image."""
        request = tattoo_pb2.ObserveRequest(image=image, max_candidates=max_candidates)
        response = await answered(self._stub.Observe(request, timeout=timeout))
        with well_formed(self.signal):
            return Observed(
                response.image_width,
                response.image_height,
                tuple(_tattoo_of(tattoo) for tattoo in response.tattoos),
                operating_points_of(response.operating_points),
            )

    async def score(self, queries: Sequence[Query], *, timeout: float) -> Scores:
        request = tattoo_pb2.ScoreRequest(queries=to_queries(queries))
        response = await answered(self._stub.Score(request, timeout=timeout))
        trust = trust_of(response.calibration if response.HasField("calibration") else None)
        with well_formed(self.signal):
            return {
                one.key: {score.performer_id: _score_of(score, trust) for score in one.scores}
                for one in response.results
            }

    async def similarities(self, queries: Sequence[Query], *, timeout: float) -> Similarities:
        """What `score` says of similarities and nothing else: of hundreds of performers in half a moment."""
        request = tattoo_pb2.ScoreRequest(queries=to_queries(queries), without_facts=True)
        response = await answered(self._stub.Score(request, timeout=timeout))
        return {
            one.key: {score.performer_id: score.similarity for score in one.scores}
            for one in response.results
        }

    async def facts(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, TattooFacts]:
        """What is known of each performer's tattoos, of those of whom anything is; up to 1000 ids.

        Score tells it too, but only where there is a template to compare.
        """
        request = tattoo_pb2.LookupRequest(performer_ids=performer_ids)
        response = await answered(self._stub.Lookup(request, timeout=timeout))
        trust = trust_of(response.calibration if response.HasField("calibration") else None)
        with well_formed(self.signal):
            return {
                one.performer_id: facts_of(one.tattoos, one.regions, weight=trust.weight)
                for one in response.performers
            }

    async def enroll(
        self,
        performer_id: str,
        tattoos: Sequence[tuple[TattooSeen, common_pb2.BodyRegion.ValueType]],
        source: common_pb2.ImageSource,
        *,
        timeout: float,
    ) -> SignalOutcome:
        """Store the tattoos of one person in one image. Raises NotFound too: no such performer."""
        observations = [
            tattoo_pb2.TattooEnrolment(
                template=tattoo.template,
                box=to_proto_box(tattoo.box),
                detection_confidence=tattoo.detection_confidence,
                region=region,
                source=source,
            )
            for tattoo, region in tattoos
        ]
        request = tattoo_pb2.EnrollRequest(performer_id=performer_id, observations=observations)
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
        request = tattoo_pb2.ListPendingRequest(
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
        self, performer_id: str, matches: Sequence[tuple[Pending, TattooSeen]], *, timeout: float
    ) -> SignalOutcome:
        observations = [
            tattoo_pb2.TattooEnrolment(
                template=seen.template,
                box=to_proto_box(stored.box),
                detection_confidence=seen.detection_confidence,
                region=stored.region,
                source=stored.source,
            )
            for stored, seen in matches
        ]
        request = tattoo_pb2.EnrollRequest(performer_id=performer_id, observations=observations)
        return outcome_of((await answered(self._stub.Enroll(request, timeout=timeout))).outcomes)

    async def import_vectors(self, rows: Sequence[transfer_pb2.VectorRow], *, timeout: float) -> VectorsTaken:
        request = tattoo_pb2.ImportVectorsRequest(rows=rows)
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
        request = tattoo_pb2.ExportVectorsRequest(
            page_size=page_size, page_token=page_token, without_vectors=without_vectors
        )
        response = await answered(self._stub.ExportVectors(request, timeout=timeout))
        return VectorPage(response.rows, response.next_page_token)

    async def key_points(
        self, images: Sequence[tuple[str, str]], *, timeout: float
    ) -> Sequence[tattoo_pb2.ViewKeyPoints]:
        """Stored key points of views of performers in images: pairs of id and hash, up to 100."""
        asked = [tattoo_pb2.PerformerImage(performer_id=one, image_hash=image) for one, image in images]
        request = tattoo_pb2.ListKeyPointsRequest(images=asked)
        return (await answered(self._stub.ListKeyPoints(request, timeout=timeout))).views

    async def import_texts(
        self, texts: Sequence[transfer_pb2.TattooText], *, timeout: float
    ) -> tattoo_pb2.ImportTextsResponse:
        """Keep what is said of tattoos. Raises InvalidInput too: too many texts, or a malformed one."""
        return await answered(
            self._stub.ImportTexts(tattoo_pb2.ImportTextsRequest(texts=texts), timeout=timeout)
        )

    async def forget(self, performer_id: str, *, timeout: float) -> int:
        request = tattoo_pb2.ForgetRequest(performer_id=performer_id)
        return (await answered(self._stub.Forget(request, timeout=timeout))).observations

    async def discard_image(self, performer_id: str, image_hash: str, *, timeout: float) -> int:
        request = tattoo_pb2.DiscardImageRequest(performer_id=performer_id, image_hash=image_hash)
        return (await answered(self._stub.DiscardImage(request, timeout=timeout))).observations

    async def count(self, performer_ids: Sequence[str], *, timeout: float) -> Mapping[str, int]:
        request = tattoo_pb2.LookupRequest(performer_ids=performer_ids)
        response = await answered(self._stub.Lookup(request, timeout=timeout))
        return {one.performer_id: len(one.tattoos) for one in response.performers if one.tattoos}

    async def count_range(self, after: str, through: str, *, timeout: float) -> Counted:
        request = tattoo_pb2.CountObservationsRequest(performers=range_of(after, through))
        response = await answered(self._stub.CountObservations(request, timeout=timeout))
        with well_formed(self.signal):
            return counted_of(response.counts)

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        """What the embedders that serve are calibrated by."""
        request = tattoo_pb2.GetCalibrationRequest()
        return (await answered(self._stub.GetCalibration(request, timeout=timeout))).state

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse | None:
        """Change that, and return what is used then. Raises Refused too: other embedders serve."""
        request = tattoo_pb2.SetCalibrationRequest(change=change)
        response = await answered(self._stub.SetCalibration(request, timeout=timeout))
        return response.calibration if response.HasField("calibration") else None

    async def status(self, *, timeout: float) -> common_pb2.ServiceStatus:
        return (await answered(self._stub.GetStatus(tattoo_pb2.GetStatusRequest(), timeout=timeout))).status


def _tattoo_of(tattoo: tattoo_pb2.TattooObservation) -> TattooSeen:
    return TattooSeen(
        box=from_proto_box(tattoo.box),
        quality=plain(tattoo.quality),
        detection_confidence=plain(tattoo.detection_confidence),
        mask=outline_of(tattoo.mask),
        template=tattoo.template,
        candidates=candidates_of(tattoo.candidates),
    )


def _score_of(score: tattoo_pb2.TattooScore, trust: Trust) -> SignalScore:
    return SignalScore(
        similarity=plain(score.similarity),
        confidence=plain(score.confidence),
        llr=score.llr if score.HasField("llr") else None,
        trust=trust,
        agreeing_points=score.agreeing_points,
        facts=facts_of(score.known, score.regions, weight=trust.weight),
        matches=tuple(map(match_of, score.matches)),
    )
