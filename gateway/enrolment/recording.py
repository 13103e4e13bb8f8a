"""Enrolment with a memory: what became of each image is recorded once the signals have committed."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from chassis.errors import InvalidInput, MarqueeError
from chassis.images import image_hash
from chassis.protos import parse_date, parse_uuid
from chassis.work import WorkPool
from gateway.catalogue.image_record import ImageOutcome, ImageState, clean_source
from gateway.catalogue.images import ImageLedger
from gateway.enrolment.enroll_image import Enrolled, ImageToEnroll, Settled, refused
from gateway.enrolment.refusals import is_learned, reason_of
from marquee.common.v1 import common_pb2
from marquee.common.v1.common_pb2 import RejectionReason

__all__ = ["RecordedEnrolment", "outcome_of"]

_log = structlog.get_logger()
_Enroll = Callable[[ImageToEnroll, Settled], Awaitable[Enrolled]]


class RecordedEnrolment:
    """Enrols an image and records what became of it, before anybody is told.

    An answer that could not be recorded is UNAVAILABLE: sent again, the image is a duplicate, and recorded.
    """

    def __init__(self, enroll: _Enroll, ledger: ImageLedger, work: WorkPool) -> None:
        self._enroll = enroll
        self._ledger = ledger
        self._work = work

    async def __call__(self, item: ImageToEnroll, settled: Settled) -> Enrolled:
        """As EnrollImage does."""
        try:
            item = replace(item, source=clean_source(item.source))
        except InvalidInput as exc:
            return refused(item, await self._work.run(image_hash, item.image), exc)
        reply = await self._enroll(item, settled)
        outcome = outcome_of(item, reply)
        if outcome is not None:
            try:
                await self._ledger.record([outcome])
            except MarqueeError as exc:
                _log.warning("image not recorded", error=type(exc).__name__, text=str(exc))
                return replace(reply, is_accepted=False, reason=reason_of(exc), detail=str(exc))
        return reply


def outcome_of(item: ImageToEnroll, reply: Enrolled) -> ImageOutcome | None:
    """What to record of an answer; None when it is about nobody who is in the catalogue."""
    if reply.reason == common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER:
        return None
    try:
        performer_id = parse_uuid(item.performer_id)
    except InvalidInput:
        return None
    learned = [signal.label for signal, outcome in sorted(reply.outcomes.items()) if is_learned(outcome)]
    return ImageOutcome(
        performer_id=performer_id,
        source=item.source,
        uri=item.uri,
        image_hash=reply.image_hash,
        image_date=_date(item.date),
        state=ImageState.ACCEPTED if reply.is_accepted else ImageState.REJECTED,
        reason="" if reply.is_accepted else _word(reply.reason),
        detail=reply.detail,
        signals=tuple(learned) if reply.is_accepted else (),
    )


def _date(text: str) -> datetime.date | None:
    try:
        return parse_date(text)
    except InvalidInput:  # the answer says so
        return None


def _word(reason: RejectionReason.ValueType) -> str:
    """`low_quality` for REJECTION_REASON_LOW_QUALITY."""
    return RejectionReason.Name(reason).removeprefix("REJECTION_REASON_").lower()
