"""Deleting what is enrolled of a performer from one image: the story of DiscardImage."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.fan_out import attempt, time_for
from gateway.observations import Signal
from gateway.signals import Signals

__all__ = ["Discarded", "DiscardImage"]


@dataclass(frozen=True, slots=True)
class Discarded:
    """Observations deleted by signal that answered, and the others."""

    deleted: Mapping[Signal, int]
    unavailable: tuple[Signal, ...]


class DiscardImage:
    """Tells every signal; one that is away is named, and the call can be repeated."""

    def __init__(self, signals: Signals, *, seconds: float, reserve_seconds: float) -> None:
        self._signals = signals
        self._seconds = seconds
        self._reserve_seconds = reserve_seconds

    async def __call__(self, performer_id: str, image_hash: str) -> Discarded:
        """Committed where a signal answered."""
        seconds = time_for(self._seconds, reserve=self._reserve_seconds)
        branches = await asyncio.gather(
            *(
                attempt(one.signal, one.discard_image(performer_id, image_hash, timeout=seconds))
                for one in self._signals.all
            )
        )
        deleted = {one.signal: one.value for one in branches if one.value is not None}
        return Discarded(deleted, tuple(one.signal for one in branches if one.value is None))
