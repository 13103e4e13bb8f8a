"""What was measured becomes what is used: short, and not left half done by a caller who leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from chassis.deadline import deadline_scope
from chassis.errors import DeadlineExceeded, InternalError, MarqueeError, Unavailable
from gateway.calibration.asking import NOTHING_STORED, failure, tried
from gateway.calibration.measuring import Gallery
from gateway.calibration.report import SignalReport
from marquee.common.v1 import calibration_pb2, common_pb2

__all__ = ["Settled", "store"]

# Longest for one signal: it is one row.
_CALL_SECONDS = 10.0
# Longest that what is being stored goes on without its caller.
_ALONE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to become of one signal; nothing of it is stored yet."""

    gallery: Gallery
    report: SignalReport
    """What is told of it, with what is used until then."""
    change: calibration_pb2.CalibrationChange | None
    """None: it stays as it is."""


async def store(settled: Sequence[Settled], *, seconds: float) -> list[SignalReport]:
    """Store the changes one after the other, and tell what is used then; the first failure ends it.

    The caller's deadline does not count, and what has begun goes on for five seconds after the caller was
    cancelled. Raises as `failure` does, saying what was stored and what was not.
    """
    work = asyncio.create_task(_stored(settled, min(seconds, _CALL_SECONDS)))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        try:
            await asyncio.wait([work], timeout=_ALONE_SECONDS)
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        raise


async def _stored(settled: Sequence[Settled], seconds: float) -> list[SignalReport]:
    reports: list[SignalReport] = []
    with deadline_scope(None):
        for place, one in enumerate(settled):
            if one.change is None:
                reports.append(one.report)
                continue
            try:
                in_use = await _put(one.gallery, one.change, seconds)
            except MarqueeError as exc:
                raise _told(exc, settled, place) from exc
            reports.append(replace(one.report, in_use=in_use))
    return reports


async def _put(
    gallery: Gallery, change: calibration_pb2.CalibrationChange, seconds: float
) -> common_pb2.CalibrationInUse | None:
    signal = gallery.client.signal
    branch = await tried(signal, partial(gallery.client.set_calibration, change, timeout=seconds))
    if branch.error is not None:
        raise branch.error
    return branch.value


def _told(error: MarqueeError, settled: Sequence[Settled], place: int) -> MarqueeError:
    """The error in our own words, with what is stored of all signals."""
    signal = settled[place].gallery.client.signal
    is_known = not isinstance(error, Unavailable | DeadlineExceeded)
    before, after = (
        [one.gallery.client.signal.label for one in some if one.change is not None]
        for some in (settled[:place], settled[place + 1 :])
    )
    if is_known and not before:
        stored = NOTHING_STORED
    else:
        said = [*([f"stored: {', '.join(before)}"] if before else [])]
        said += [] if is_known else [f"not known whether it was stored: {signal.label}"]
        out = [*([signal.label] if is_known else []), *after]
        said += [f"not stored: {', '.join(out)}"] if out else []
        stored = "; ".join(said)
    told = failure(signal, error, stored)
    # An internal error's words stay here, and what was stored must be told.
    return Unavailable(str(told)) if isinstance(told, InternalError) else told
