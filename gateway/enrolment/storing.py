"""What each signal learns of the picked person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from gateway.enrolment.refusals import is_outlier, reason_of
from gateway.fan_out import attempt, describe
from gateway.observations import Signal
from gateway.observing import Look, Looks
from gateway.people import PersonView
from gateway.signals import SignalOutcome, Signals
from marquee.common.v1 import common_pb2

__all__ = ["store_person"]


async def store_person(
    signals: Signals,
    view: PersonView,
    looks: Looks,
    performer_id: str,
    source: common_pb2.ImageSource,
    *,
    seconds: float,
) -> Mapping[Signal, SignalOutcome]:
    """Give every signal what it saw of the person; returns when all have committed, or said why not.

    The face comes first: where it turns out to be somebody else's, tattoos and body are not the performer's
    either. One signal's failure does not touch the others: the image can be sent again, and what is there
    already is then a duplicate.
    """
    face = await _settle(Signal.FACE, _offer_face(signals, view, performer_id, source, seconds))
    if is_outlier(face):
        somebody_else = SignalOutcome(0, face.rejected)
        return {Signal.FACE: face, Signal.TATTOO: somebody_else, Signal.BODY: somebody_else}
    tattoos, body = await asyncio.gather(
        _settle(Signal.TATTOO, _offer_tattoos(signals, view, looks, performer_id, source, seconds)),
        _settle(Signal.BODY, _offer_body(signals, view, looks, performer_id, source, seconds)),
    )
    return {Signal.FACE: face, Signal.TATTOO: tattoos, Signal.BODY: body}


_Offer = SignalOutcome | Awaitable[SignalOutcome]


async def _settle(signal: Signal, offer: _Offer) -> SignalOutcome:
    if isinstance(offer, SignalOutcome):
        return offer
    branch = await attempt(signal, offer)
    if branch.error is not None:
        return SignalOutcome.refused(reason_of(branch.error), f"{signal.label} {describe(branch.error)}")
    return branch.value or SignalOutcome()


def _offer_face(
    signals: Signals, view: PersonView, performer_id: str, source: common_pb2.ImageSource, seconds: float
) -> _Offer:
    if view.person.face is None:
        return _nothing("no face of the performer is visible")
    return signals.face.enroll(performer_id, view.person.face, source, timeout=seconds)


def _offer_tattoos(
    signals: Signals,
    view: PersonView,
    looks: Looks,
    performer_id: str,
    source: common_pb2.ImageSource,
    seconds: float,
) -> _Offer:
    if looks.tattoo.has_failed:
        return _missing(looks.tattoo)
    if not view.person.tattoos:
        return _nothing("no tattoo of the performer is visible")
    if looks.body.has_failed:
        # Somebody without a visible face may be in the picture: nobody can say whose tattoos these are.
        return _missing(looks.body)
    tattoos = list(zip(view.person.tattoos, view.tattoo_regions, strict=True))
    return signals.tattoo.enroll(performer_id, tattoos, source, timeout=seconds)


def _offer_body(
    signals: Signals,
    view: PersonView,
    looks: Looks,
    performer_id: str,
    source: common_pb2.ImageSource,
    seconds: float,
) -> _Offer:
    if looks.body.has_failed:
        return _missing(looks.body)
    if view.person.body is None:
        return _nothing("no body of the performer is visible")
    if view.person.body.template is None:
        return SignalOutcome.refused(
            common_pb2.REJECTION_REASON_LOW_QUALITY, "no proportion of the body could be measured"
        )
    return signals.body.enroll(performer_id, view.person.body, source, timeout=seconds)


def _nothing(detail: str) -> SignalOutcome:
    return SignalOutcome.refused(common_pb2.REJECTION_REASON_NOTHING_VISIBLE, detail)


def _missing(look: Look[Any]) -> SignalOutcome:
    error = look.branch.error if look.branch else None
    if error is None:
        return _nothing("nothing is visible")
    return SignalOutcome.refused(reason_of(error), f"{look.signal.label} {describe(error)}")
