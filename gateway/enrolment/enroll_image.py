"""One image enrolled: the story from the bytes to the committed rows."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from chassis.errors import InvalidInput, MarqueeError, NotFound
from chassis.images import ImageHeader, ImageLimits, image_hash, inspect
from chassis.protos import parse_date, parse_uuid
from chassis.work import WorkPool
from gateway.enrolment.admission import Admission
from gateway.enrolment.person_choice import agreeing_person, plain_choice
from gateway.enrolment.refusals import (
    AmbiguousPerson,
    NothingVisible,
    is_learned,
    is_unknown,
    reason_for_image,
    reason_of,
)
from gateway.enrolment.storing import store_person
from gateway.fan_out import attempt, restated
from gateway.observations import Signal
from gateway.observing import Looks, look
from gateway.people import Scene, read_scene
from gateway.person_status import threshold_of
from gateway.signals import Query, SignalOutcome, Signals
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import RejectionReason
from marquee.gateway.v1.catalogue_pb2 import PERSON_CHOICE_UNSPECIFIED, PersonChoice

__all__ = ["ImageToEnroll", "Enrolled", "EnrollImage", "EnrolLimits", "Settled", "refused"]

_LONGEST_URI = 4096

Settled = Callable[[], Awaitable[None]]
"""Waits until earlier images of the same performer are done, so that their faces can be compared with."""


@dataclass(frozen=True, slots=True)
class ImageToEnroll:
    """As the client sent it; nothing is checked yet. The image's bytes are not shown."""

    key: str
    performer_id: str
    image: bytes = field(repr=False)
    uri: str = ""
    date: str = ""
    choice: PersonChoice.ValueType = PERSON_CHOICE_UNSPECIFIED
    source: str = ""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of one image. `reason` is unspecified when at least one signal has learned it."""

    key: str
    image_hash: str
    is_accepted: bool
    reason: RejectionReason.ValueType
    detail: str
    outcomes: Mapping[Signal, SignalOutcome]


@dataclass(frozen=True, slots=True)
class EnrolLimits:
    """Seconds for looking, comparing and storing."""

    observe_seconds: float
    score_seconds: float
    enroll_seconds: float


class EnrollImage:
    """Looks at an image, picks the one person, and lets each signal learn what belongs to that person."""

    def __init__(
        self,
        signals: Signals,
        admission: Admission,
        work: WorkPool,
        *,
        images: ImageLimits,
        limits: EnrolLimits,
    ) -> None:
        self._signals = signals
        self._admission = admission
        self._work = work
        self._images = images
        self._limits = limits

    async def __call__(self, item: ImageToEnroll, settled: Settled) -> Enrolled:
        """Returns after the rows are committed. A refusal is an answer, not an error."""
        digest = await self._work.run(image_hash, item.image)
        try:
            outcomes = await self._enroll(item, digest, settled)
        except MarqueeError as exc:
            return refused(item, digest, exc)
        return _answer(item, digest, outcomes)

    async def _enroll(
        self, item: ImageToEnroll, digest: str, settled: Settled
    ) -> Mapping[Signal, SignalOutcome]:
        performer_id, date = _checked(item)
        header = await self._work.run(inspect, item.image, self._images)
        await self._admission.check(performer_id, date)
        await self._admission.check_picture(digest)
        looks = await look(self._signals, item.image, max_candidates=0, seconds=self._limits.observe_seconds)
        scene = await self._read(header, looks)
        person = scene.people[await self._pick(item, performer_id, scene, looks, settled)]
        await self._admission.admit(performer_id, date)
        await self._admission.check_picture(digest)  # somebody else in it may have been forgotten meanwhile
        source = common_pb2.ImageSource(image_hash=digest, uri=item.uri, date=item.date)
        return await store_person(
            self._signals, person, looks, performer_id, source, seconds=self._limits.enroll_seconds
        )

    async def _read(self, header: ImageHeader, looks: Looks) -> Scene:
        """Raises the face signal's error: without faces nobody can tell people apart; and NothingVisible."""
        if looks.face.branch is not None and looks.face.has_failed:
            raise restated(looks.face.branch)
        scene = await self._work.run(
            read_scene,
            looks.face.seen,
            looks.body.seen,
            looks.tattoo.seen,
            width=header.width,
            height=header.height,
        )
        if not scene.people:
            failed = [one.branch for one in looks.all if one.branch is not None and one.has_failed]
            raise restated(failed[0]) if failed else NothingVisible("nobody is visible")
        return scene

    async def _pick(
        self, item: ImageToEnroll, performer_id: str, scene: Scene, looks: Looks, settled: Settled
    ) -> int:
        """Index of the person who is the performer. Raises AmbiguousPerson."""
        picked = plain_choice(scene.people, item.choice)
        if picked is None:
            await settled()
            confidences = await self._agreement(performer_id, scene)
            picked = agreeing_person(confidences, threshold=threshold_of(looks.face.operating_points))
        if picked is None:
            raise AmbiguousPerson(
                f"{len(scene.people)} people are visible, and not exactly one of them has a face that agrees "
                "with the performer's enrolled faces"
            )
        return picked

    async def _agreement(self, performer_id: str, scene: Scene) -> dict[int, float]:
        """How much each person's face agrees with the performer's enrolled faces, 0..1."""
        queries = [
            Query(str(index), templates, (performer_id,))
            for index, view in enumerate(scene.people)
            if (templates := view.templates(Signal.FACE))
        ]
        if not queries:
            return {}
        call = self._signals.face.score(queries, timeout=self._limits.score_seconds)
        branch = await attempt(Signal.FACE, call)
        if branch.value is None:
            raise restated(branch)
        return {
            int(key): by_performer[performer_id].confidence
            for key, by_performer in branch.value.items()
            if performer_id in by_performer
        }


def _checked(item: ImageToEnroll) -> tuple[str, datetime.date | None]:
    """The performer's id and the image's date. Raises InvalidInput naming the field."""
    if not item.key:
        raise InvalidInput("key: must not be empty")
    if len(item.uri) > _LONGEST_URI:
        raise InvalidInput(f"uri: longer than {_LONGEST_URI} characters")
    if item.choice not in PersonChoice.values():
        raise InvalidInput("person_choice: not a choice")
    return parse_uuid(item.performer_id), parse_date(item.date)


def refused(item: ImageToEnroll, digest: str, error: MarqueeError) -> Enrolled:
    """The answer when the whole image is refused."""
    reason, detail = reason_of(error), str(error)
    outcomes = {signal: SignalOutcome.refused(reason, detail) for signal in Signal}
    return Enrolled(item.key, digest, False, reason, detail, outcomes)


def _answer(item: ImageToEnroll, digest: str, outcomes: Mapping[Signal, SignalOutcome]) -> Enrolled:
    if any(is_unknown(outcome) for outcome in outcomes.values()):
        # Forgotten meanwhile: what another signal committed is deleted with the performer.
        return refused(item, digest, NotFound("no such performer, or forgotten"))
    if any(is_learned(outcome) for outcome in outcomes.values()):
        unspecified = common_pb2.REJECTION_REASON_UNSPECIFIED
        return Enrolled(item.key, digest, True, unspecified, "", outcomes)
    reason, detail = reason_for_image(outcomes)
    return Enrolled(item.key, digest, False, reason, detail, outcomes)
