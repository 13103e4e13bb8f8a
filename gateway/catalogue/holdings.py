"""What the signals have of performers: one Lookup each, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.fan_out import Branch, attempt, time_for
from gateway.observations import Signal
from gateway.signals import Counted, FaceCounts, SignalClient, Signals

__all__ = ["MOST_IDS", "Holdings", "AskHoldings"]

MOST_IDS = 1000
"""As many performers as a signal's Lookup takes."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Enrolled observations by signal and performer; a performer without any is missing.

    A signal that did not answer is in `unavailable` and not in `counts`. `faces`: by quality; empty without
    the face signal.
    """

    counts: Mapping[Signal, Mapping[str, int]]
    faces: Mapping[str, FaceCounts] = field(default_factory=dict)
    unavailable: frozenset[Signal] = frozenset()


class AskHoldings:
    """Asks every signal at once; one that is away costs its numbers only."""

    def __init__(self, signals: Signals, *, lookup_seconds: float, reserve_seconds: float) -> None:
        self._signals = signals
        self._lookup_seconds = lookup_seconds
        self._reserve_seconds = reserve_seconds

    async def __call__(self, performer_ids: Sequence[str]) -> Holdings:
        """Of up to MOST_IDS performers."""
        seconds = time_for(self._lookup_seconds, reserve=self._reserve_seconds)
        others: list[SignalClient] = [self._signals.tattoo, self._signals.body]
        counts = (attempt(one.signal, one.count(performer_ids, timeout=seconds)) for one in others)
        faces = attempt(Signal.FACE, self._signals.face.lookup(performer_ids, timeout=seconds))
        return _holdings(*await asyncio.gather(faces, asyncio.gather(*counts)))

    async def of_range(self, after: str, through: str, asked: frozenset[Signal]) -> dict[Signal, Counted]:
        """Counts of the performers after one id and up to another one, by signal that answered."""
        seconds = time_for(self._lookup_seconds, reserve=self._reserve_seconds)
        calls = (
            attempt(one.signal, one.count_range(after, through, timeout=seconds))
            for one in self._signals.all
            if one.signal in asked
        )
        branches = await asyncio.gather(*calls)
        return {one.signal: one.value for one in branches if one.value is not None}


def _holdings(
    faces: Branch[Mapping[str, FaceCounts]], counted: Sequence[Branch[Mapping[str, int]]]
) -> Holdings:
    counts = {one.signal: one.value for one in counted if one.value is not None}
    failed = {one.signal for one in counted if one.error is not None}
    if faces.value is not None:
        counts[Signal.FACE] = {performer_id: one.total for performer_id, one in faces.value.items()}
    if faces.error is not None:
        failed.add(Signal.FACE)
    return Holdings(counts, faces.value or {}, frozenset(failed))
