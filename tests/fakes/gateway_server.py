"""A gateway in memory that tells people by the color of the picture, behind a real server and channel.

A picture of one color shows one person with a face; black shows nobody; white shows a crowd, from which a
performer can be picked only once something of theirs is enrolled.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date

import grpc
import numpy as np

from chassis.config import ServerSection
from chassis.errors import InvalidImage, MarqueeError, NotFound, Refused, Unsupported
from chassis.health import Readiness
from chassis.images import decode, image_hash
from chassis.server import open_server
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import (
    backfill_pb2_grpc,
    catalogue_pb2,
    catalogue_pb2_grpc,
    identification_pb2,
    identification_pb2_grpc,
    status_pb2,
    status_pb2_grpc,
)
from tests.fakes.gateway_backfill import FakeBackfill

__all__ = ["FakeGateway", "fake_gateway", "BLACK", "WHITE"]

Color = tuple[int, int, int]
BLACK: Color = (0, 0, 0)
WHITE: Color = (255, 255, 255)

_THRESHOLD = 0.6
_Context = grpc.aio.ServicerContext


@dataclass
class _Enrolled:
    performer: catalogue_pb2.Performer
    colors: dict[str, Color] = field(default_factory=dict)
    """By image hash."""
    uris: dict[str, str] = field(default_factory=dict)
    """By image hash."""


class FakeGateway(
    identification_pb2_grpc.IdentificationServiceServicer,
    catalogue_pb2_grpc.CatalogueServiceServicer,
    status_pb2_grpc.StatusServiceServicer,
):
    """All three services; `requests` keeps what Identify was asked."""

    def __init__(self) -> None:
        self.enrolled: dict[str, _Enrolled] = {}
        self.requests: list[identification_pb2.IdentifyRequest] = []
        self.believed: identification_pb2.IdentifyResponse | None = None
        """What policy BAYESIAN answers for any picture; None: a server that cannot do it."""
        self.is_body_away = False
        """Whether enrolment says that the body signal did not answer."""
        self.troubles: list[MarqueeError] = []
        """Raised by the next Identify calls and at the next images to enrol, one each."""
        self.recorded: list[catalogue_pb2.ImageReport] = []
        """What RecordImages was told."""
        self.forgotten: list[catalogue_pb2.ForgetPerformerRequest] = []
        self.allowed: list[catalogue_pb2.AllowAgainRequest] = []
        self.backfill = FakeBackfill()
        """Changes of models; none until a test starts one."""

    def change_models(self, *, switch_coverage: float = 1.0, tattoos: int = 0) -> None:
        """From now on every enrolled image waits for another face model.

        tattoos: how many of each image wait for another tattoo model, too.
        """
        images = [
            common_pb2.PendingObservation(
                performer_id=performer_id,
                source=common_pb2.ImageSource(image_hash=digest, uri=uri),
            )
            for performer_id, enrolled in self.enrolled.items()
            for digest, uri in enrolled.uris.items()
        ]
        self.backfill.start(images, switch_coverage=switch_coverage, tattoos=tattoos)

    async def Identify(
        self, request: identification_pb2.IdentifyRequest, context: object
    ) -> identification_pb2.IdentifyResponse:
        self.requests.append(request)
        self._stumble()
        if request.policy == identification_pb2.FUSION_POLICY_BAYESIAN:
            if self.believed is not None:
                return self.believed
            raise Unsupported("policy BAYESIAN comes in a later version")
        color = _color_of(request.image)
        people = [] if color == BLACK else [self._person(color, request.max_candidates)]
        report = identification_pb2.SignalReport
        return identification_pb2.IdentifyResponse(
            image_width=64,
            image_height=48,
            people=people,
            reports=[
                report(signal=common_pb2.SIGNAL_FACE, state=report.STATE_OK, observations=len(people)),
                report(signal=common_pb2.SIGNAL_BODY, state=report.STATE_UNAVAILABLE, detail="not there"),
            ],
            policy=identification_pb2.FUSION_POLICY_WEIGHTED,
            elapsed_ms=1.5,
        )

    def _stumble(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def _person(self, color: Color, max_candidates: int) -> identification_pb2.Person:
        scores = {
            performer_id: max(1 - float(np.abs(np.subtract(color, each)).sum()) / 128 for each in known)
            for performer_id, enrolled in self.enrolled.items()
            if (known := list(enrolled.colors.values()))
        }
        ranking = sorted((-max(0.0, score), performer_id) for performer_id, score in scores.items())
        is_identified = bool(ranking) and -ranking[0][0] >= _THRESHOLD
        box = common_pb2.Box(x=10, y=10, width=20, height=20)
        return identification_pb2.Person(
            box=box,
            status=identification_pb2.PERSON_STATUS_IDENTIFIED
            if is_identified
            else identification_pb2.PERSON_STATUS_UNKNOWN,
            candidates=[self._candidate(who, -score) for score, who in ranking[: max_candidates or 10]],
            sightings=[identification_pb2.Sighting(signal=common_pb2.SIGNAL_FACE, box=box, quality=0.9)],
            identification_threshold=_THRESHOLD,
        )

    def _candidate(self, performer_id: str, score: float) -> identification_pb2.RankedCandidate:
        performer = self.enrolled[performer_id].performer
        evidence = identification_pb2.Evidence(
            signal=common_pb2.SIGNAL_FACE, similarity=score, confidence=score, weight=1.0, is_proposed=True
        )
        return identification_pb2.RankedCandidate(
            performer_id=performer_id,
            name=performer.name,
            external_ids=performer.external_ids,
            score=score,
            evidence=[evidence],
        )

    async def UpsertPerformer(
        self, request: catalogue_pb2.UpsertPerformerRequest, context: object
    ) -> catalogue_pb2.UpsertPerformerResponse:
        performer = request.performer
        if performer.birth_date and date.fromisoformat(performer.birth_date).year > date.today().year - 18:
            raise Refused("the performer is under 18")
        found = self._find(performer)
        stored = catalogue_pb2.Performer()
        stored.CopyFrom(performer)
        stored.id = found or str(uuid.uuid4())
        stored.age_status = _age_status(performer)
        if found:
            self.enrolled[found].performer = stored
        else:
            self.enrolled[stored.id] = _Enrolled(stored)
        return catalogue_pb2.UpsertPerformerResponse(performer=stored, is_created=not found)

    def _find(self, performer: catalogue_pb2.Performer) -> str | None:
        wanted = {(each.authority, each.id) for each in performer.external_ids}
        for performer_id, enrolled in self.enrolled.items():
            if wanted & {(each.authority, each.id) for each in enrolled.performer.external_ids}:
                return performer_id
        return performer.id if performer.id in self.enrolled else None

    async def GetPerformer(
        self, request: catalogue_pb2.GetPerformerRequest, context: object
    ) -> catalogue_pb2.GetPerformerResponse:
        wanted = catalogue_pb2.Performer(id=request.id)
        if request.HasField("external_id"):
            wanted.external_ids.append(request.external_id)
        found = self._find(wanted)
        if found is None:
            raise NotFound("no such performer")
        return catalogue_pb2.GetPerformerResponse(
            performer=self.enrolled[found].performer, coverage=[self._coverage([found])]
        )

    async def ListPerformers(
        self, request: catalogue_pb2.ListPerformersRequest, context: object
    ) -> catalogue_pb2.ListPerformersResponse:
        everybody = self._by_name()
        start = int(request.page_token or 0)
        end = start + (request.page_size or 100)
        return catalogue_pb2.ListPerformersResponse(
            performers=[each.performer for each in everybody[start:end]],
            next_page_token=str(end) if end < len(everybody) else "",
            total=len(everybody),
        )

    async def ForgetPerformer(
        self, request: catalogue_pb2.ForgetPerformerRequest, context: object
    ) -> catalogue_pb2.ForgetPerformerResponse:
        if request.id not in self.enrolled:
            raise NotFound("no such performer")
        self.forgotten.append(request)
        deleted = [self._coverage([request.id])]
        del self.enrolled[request.id]
        return catalogue_pb2.ForgetPerformerResponse(deleted=deleted, unconfirmed=[common_pb2.SIGNAL_BODY])

    async def AllowAgain(
        self, request: catalogue_pb2.AllowAgainRequest, context: object
    ) -> catalogue_pb2.AllowAgainResponse:
        self.allowed.append(request)
        return catalogue_pb2.AllowAgainResponse(
            external_ids=len(request.external_ids), images=len(request.image_hashes)
        )

    async def GetCoverage(
        self, request: catalogue_pb2.GetCoverageRequest, context: object
    ) -> catalogue_pb2.GetCoverageResponse:
        everybody = self._by_name()
        start = int(request.page_token or 0)
        end = start + request.page_size
        page = [
            catalogue_pb2.PerformerCoverage(
                performer=each.performer, signals=[self._coverage([each.performer.id])]
            )
            for each in everybody[start:end]
        ]
        return catalogue_pb2.GetCoverageResponse(
            performers=len(everybody),
            age_unverified=sum(not each.performer.birth_date for each in everybody),
            without_observations=sum(not each.colors for each in everybody),
            signals=[self._coverage(list(self.enrolled))],
            page=page,
            next_page_token=str(end) if page and end < len(everybody) else "",
            unavailable=[common_pb2.SIGNAL_BODY],
        )

    async def ListCoverage(
        self, request: catalogue_pb2.ListCoverageRequest, context: object
    ) -> catalogue_pb2.ListCoverageResponse:
        """Whoever has nothing is below the target."""
        everybody = [
            each
            for each in self._by_name()
            if not (each.colors and (request.only_below_target or request.only_without_faces))
        ]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 100)
        return catalogue_pb2.ListCoverageResponse(
            performers=[
                catalogue_pb2.PerformerCoverage(
                    performer=each.performer,
                    signals=[self._coverage([each.performer.id])],
                    faces=catalogue_pb2.FaceCoverage(good=len(each.colors)),
                    is_below_target=not each.colors,
                )
                for each in everybody[start:end]
            ],
            next_page_token=str(end) if end < len(everybody) else "",
            target=catalogue_pb2.CoverageTarget(faces=1),
            unavailable=[common_pb2.SIGNAL_BODY],
        )

    async def RecordImages(
        self, request: catalogue_pb2.RecordImagesRequest, context: object
    ) -> catalogue_pb2.RecordImagesResponse:
        self.recorded.extend(request.images)
        return catalogue_pb2.RecordImagesResponse(recorded=len(request.images))

    async def ListPerformerImages(
        self, request: catalogue_pb2.ListPerformerImagesRequest, context: object
    ) -> catalogue_pb2.ListPerformerImagesResponse:
        uris = list(self.enrolled[request.performer_id].uris.items())
        start = int(request.page_token or 0)
        end = start + (request.page_size or 100)
        return catalogue_pb2.ListPerformerImagesResponse(
            images=[
                catalogue_pb2.ImageRecord(
                    source="folder", uri=uri, image_hash=digest, state=catalogue_pb2.IMAGE_STATE_ACCEPTED
                )
                for digest, uri in uris[start:end]
            ],
            next_page_token=str(end) if end < len(uris) else "",
        )

    async def EnrollImages(
        self,
        request_iterator: AsyncIterator[catalogue_pb2.EnrollImagesRequest],
        context: object,
    ) -> AsyncIterator[catalogue_pb2.EnrollImagesResponse]:
        async for request in request_iterator:
            self._stumble()
            yield self._enroll(request)

    def _enroll(self, request: catalogue_pb2.EnrollImagesRequest) -> catalogue_pb2.EnrollImagesResponse:
        reply = catalogue_pb2.EnrollImagesResponse(key=request.key, image_hash=image_hash(request.image))
        face = catalogue_pb2.SignalEnrollment(signal=common_pb2.SIGNAL_FACE)
        enrolled = self.enrolled[request.performer_id]
        reason, detail = self._why_not(request, enrolled)
        if reason == common_pb2.REJECTION_REASON_DUPLICATE_IMAGE:
            face.rejected.add(reason=reason, detail=detail)
            reply.is_accepted = True
        elif reason:
            reply.reason, reply.detail = reason, detail
        else:
            enrolled.colors[reply.image_hash] = _color_of(request.image)
            enrolled.uris[reply.image_hash] = request.uri
            face.accepted, reply.is_accepted = 1, True
        reply.signals.append(face)
        if self.is_body_away:
            body = reply.signals.add(signal=common_pb2.SIGNAL_BODY)
            body.rejected.add(reason=common_pb2.REJECTION_REASON_UNAVAILABLE)
        return reply

    def _why_not(
        self, request: catalogue_pb2.EnrollImagesRequest, enrolled: _Enrolled
    ) -> tuple[common_pb2.RejectionReason.ValueType, str]:
        try:
            color = _color_of(request.image)
        except InvalidImage as exc:
            return common_pb2.REJECTION_REASON_INVALID_IMAGE, str(exc)
        if enrolled.performer.age_status == catalogue_pb2.AGE_STATUS_UNKNOWN:
            return common_pb2.REJECTION_REASON_AGE_NOT_ATTESTED, "nothing says that the performer is an adult"
        if image_hash(request.image) in enrolled.colors:
            return common_pb2.REJECTION_REASON_DUPLICATE_IMAGE, "already enrolled"
        if color == BLACK:
            return common_pb2.REJECTION_REASON_NOTHING_VISIBLE, "nobody is visible"
        is_portrait = request.person_choice == catalogue_pb2.PERSON_CHOICE_LARGEST_FACE
        if color == WHITE and not enrolled.colors and not is_portrait:
            return common_pb2.REJECTION_REASON_AMBIGUOUS_PERSON, "several people are visible"
        return common_pb2.REJECTION_REASON_UNSPECIFIED, ""

    async def GetStatus(
        self, request: status_pb2.GetStatusRequest, context: object
    ) -> status_pb2.GetStatusResponse:
        ready = common_pb2.ServiceStatus(
            version="1", is_ready=True, uptime_seconds=3661, resident_bytes=2**20
        )
        signal = status_pb2.SignalStatus
        return status_pb2.GetStatusResponse(
            gateway=ready,
            signals=[
                *self.backfill.status(ready),
                signal(signal=common_pb2.SIGNAL_BODY, detail="nobody answers"),
            ],
            do_not_identify=status_pb2.DoNotIdentifyCounts(external_ids=2, images=7),
        )

    def _by_name(self) -> list[_Enrolled]:
        return sorted(self.enrolled.values(), key=lambda each: each.performer.name.casefold())

    def _coverage(self, performer_ids: list[str]) -> catalogue_pb2.SignalCoverage:
        counts = [len(self.enrolled[each].colors) for each in performer_ids]
        return catalogue_pb2.SignalCoverage(
            signal=common_pb2.SIGNAL_FACE,
            observations=sum(counts),
            performers=sum(count > 0 for count in counts),
        )


def _color_of(image: bytes) -> Color:
    red, green, blue = decode(image).mean(axis=(0, 1)).round().astype(int).tolist()
    return red, green, blue


def _age_status(performer: catalogue_pb2.Performer) -> catalogue_pb2.AgeStatus.ValueType:
    if performer.birth_date:
        return catalogue_pb2.AGE_STATUS_VERIFIED
    if performer.adult_attested:
        return catalogue_pb2.AGE_STATUS_ATTESTED
    return catalogue_pb2.AGE_STATUS_UNKNOWN


@asynccontextmanager
async def fake_gateway() -> AsyncIterator[tuple[FakeGateway, str]]:
    """A fresh fake and its host:port."""
    fake = FakeGateway()

    def register(server: grpc.aio.Server) -> None:
        identification_pb2_grpc.add_IdentificationServiceServicer_to_server(fake, server)
        catalogue_pb2_grpc.add_CatalogueServiceServicer_to_server(fake, server)
        status_pb2_grpc.add_StatusServiceServicer_to_server(fake, server)
        backfill_pb2_grpc.add_BackfillServiceServicer_to_server(fake.backfill, server)

    name = identification_pb2.DESCRIPTOR.services_by_name["IdentificationService"].full_name
    async with open_server(ServerSection(), services=[(name, register)], readiness=Readiness({})) as server:
        yield fake, f"127.0.0.1:{server.port}"
