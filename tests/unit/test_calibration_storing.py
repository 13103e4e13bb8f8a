"""Storing comes last, is not stopped half way by a caller who leaves, and says how far it came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from chassis.deadline import Deadline, deadline_scope
from chassis.errors import (
    DeadlineExceeded,
    InvalidInput,
    MarqueeError,
    Overloaded,
    Refused,
    Unavailable,
)
from chassis.work import WorkPool
from gateway.calibration import asking, storing
from gateway.calibration.measuring import Gallery
from gateway.calibration.settling import discard
from gateway.calibration.storing import store
from gateway.observations import Signal
from marquee.common.v1 import calibration_pb2, common_pb2


@dataclass
class _Client:
    """Takes what it is given, when `gate` opens, and may fail then."""

    signal: Signal
    error: Exception | None = None
    gate: asyncio.Event | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    timeouts: list[float] = field(default_factory=list)
    changes: list[calibration_pb2.CalibrationChange] = field(default_factory=list)

    async def set_calibration(
        self, change: calibration_pb2.CalibrationChange, *, timeout: float
    ) -> common_pb2.CalibrationInUse:
        self.asked.set()
        self.timeouts.append(timeout)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.changes.append(change)
        return common_pb2.CalibrationInUse(weight=1.0, provenance="new")


def _gallery(client: Any) -> Gallery:
    state = calibration_pb2.CalibrationState()
    return Gallery(client, state, WorkPool(1, 0), seconds=1, tell=lambda _: None)


def _both(face: _Client, tattoo: _Client) -> list[storing.Settled]:
    return [discard(_gallery(face)), discard(_gallery(tattoo))]


async def test_each_signal_tells_what_is_used_then() -> None:
    """In the order asked for."""
    face, tattoo = _Client(Signal.FACE), _Client(Signal.TATTOO)
    reports = await store(_both(face, tattoo), seconds=1)
    assert [one.signal for one in reports] == [Signal.FACE, Signal.TATTOO]
    assert all(one.in_use is not None and one.in_use.provenance == "new" for one in reports)
    assert len(face.changes) == len(tattoo.changes) == 1


@pytest.mark.parametrize(
    ("error", "told", "words"),
    [
        (Refused("x"), Refused, "tattoo: its models changed meanwhile; stored: face; not stored: tattoo"),
        (Overloaded("x"), Overloaded, "tattoo is overloaded; stored: face; not stored: tattoo"),
        (
            DeadlineExceeded("x"),
            DeadlineExceeded,
            "tattoo did not answer in time; stored: face; not known whether it was stored: tattoo",
        ),
        (Unavailable("x"), Unavailable, "stored: face; not known whether it was stored: tattoo"),
        (InvalidInput("x"), Unavailable, "tattoo refused the request; stored: face; not stored: tattoo"),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_failure_says_what_was_stored(
    monkeypatch: pytest.MonkeyPatch, error: MarqueeError, told: type[MarqueeError], words: str
) -> None:
    """And what was not; where the answer is missing, that nobody knows."""
    monkeypatch.setattr(asking, "_PAUSES", ())
    face = _Client(Signal.FACE)
    with pytest.raises(told, match=words):
        await store(_both(face, _Client(Signal.TATTOO, error=error)), seconds=1)
    assert len(face.changes) == 1


async def test_the_first_failure_ends_it() -> None:
    """The tattoo's weight was tested together with the face's calibration."""
    tattoo = _Client(Signal.TATTOO)
    with pytest.raises(Refused, match="face: its models changed meanwhile; nothing was stored"):
        await store(_both(_Client(Signal.FACE, error=Refused("x")), tattoo), seconds=1)
    with pytest.raises(Unavailable, match="whether it was stored: face; not stored: tattoo"):
        await store(_both(_Client(Signal.FACE, error=Unavailable("x")), tattoo), seconds=1)
    assert not tattoo.changes


async def test_what_nobody_planned_passes() -> None:
    """As it is."""
    with pytest.raises(ValueError, match="a bug"):
        await store(_both(_Client(Signal.FACE, error=ValueError("a bug")), _Client(Signal.TATTOO)), seconds=1)


async def test_a_caller_who_leaves_does_not_stop_it() -> None:
    """Both are stored, and the caller is told that they left."""
    gate = asyncio.Event()
    face, tattoo = _Client(Signal.FACE, gate=gate), _Client(Signal.TATTOO)
    with deadline_scope(Deadline.after(0.0)):
        storing_ = asyncio.create_task(store(_both(face, tattoo), seconds=3))
    await face.asked.wait()
    storing_.cancel()
    await asyncio.sleep(0)
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await storing_
    assert len(face.changes) == len(tattoo.changes) == 1
    assert face.timeouts == [3]


async def test_it_does_not_go_on_for_long_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that does not answer is left at last; leaving twice ends it at once."""
    monkeypatch.setattr(storing, "_ALONE_SECONDS", 0.05)
    face, tattoo = _Client(Signal.FACE, gate=asyncio.Event()), _Client(Signal.TATTOO)
    storing_ = asyncio.create_task(store(_both(face, tattoo), seconds=60))
    await face.asked.wait()
    storing_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(storing_, 5)
    monkeypatch.setattr(storing, "_ALONE_SECONDS", 60.0)
    face.asked.clear()
    storing_ = asyncio.create_task(store(_both(face, tattoo), seconds=60))
    await face.asked.wait()
    storing_.cancel()
    await asyncio.sleep(0.01)
    storing_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(storing_, 5)
    assert not face.changes
    assert not tattoo.changes
