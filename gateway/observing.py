"""Round 1: every signal looks at one image at the same time; who fails is noted and the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol

from chassis.errors import InvalidImage, InvalidInput, Unavailable
from gateway.fan_out import Branch, attempt
from gateway.observations import BodySeen, FaceSeen, Observed, OperatingPoint, SeenT, Signal, TattooSeen
from gateway.signals import Signals

__all__ = ["Look", "Looks", "look"]


@dataclass(frozen=True, slots=True)
class Look(Generic[SeenT]):
    """What became of one signal's look; `branch` is None when the signal was not asked."""

    signal: Signal
    branch: Branch[Observed[SeenT]] | None

    @property
    def seen(self) -> tuple[SeenT, ...]:
        """What it saw; nothing when it did not answer."""
        return self._value.seen if self._value else ()

    @property
    def operating_points(self) -> Sequence[OperatingPoint]:
        """Of its models, the primary one first; none when it did not answer."""
        return self._value.operating_points if self._value else ()

    @property
    def has_answered(self) -> bool:
        return self._value is not None

    @property
    def has_failed(self) -> bool:
        """Asked, and no answer."""
        return self.branch is not None and self.branch.error is not None

    @property
    def _value(self) -> Observed[SeenT] | None:
        return self.branch.value if self.branch else None


@dataclass(frozen=True, slots=True)
class Looks:
    """All signals' looks at one image."""

    face: Look[FaceSeen]
    tattoo: Look[TattooSeen]
    body: Look[BodySeen]

    @property
    def all(self) -> tuple[Look[FaceSeen], Look[TattooSeen], Look[BodySeen]]:
        return (self.face, self.tattoo, self.body)


async def look(
    signals: Signals,
    image: bytes,
    *,
    wanted: frozenset[Signal] = frozenset(Signal),
    max_candidates: int,
    seconds: float,
) -> Looks:
    """Let every wanted signal look, each for at most `seconds`, with `max_candidates` for each thing seen.

    Raises InvalidImage when every signal that answered refuses the image: nobody can decode it. A signal that
    alone refuses what another one could see counts as unavailable: the image is not at fault.
    """
    face, tattoo, body = await asyncio.gather(
        _look(signals.face, wanted, image, max_candidates, seconds),
        _look(signals.tattoo, wanted, image, max_candidates, seconds),
        _look(signals.body, wanted, image, max_candidates, seconds),
    )
    looks = Looks(face, tattoo, body)
    if not any(one.has_answered for one in looks.all):
        _refuse_if_invalid(looks)
    return Looks(_neutral(face), _neutral(tattoo), _neutral(body))


class _Observer(Protocol[SeenT]):
    @property
    def signal(self) -> Signal: ...

    async def observe(self, image: bytes, *, max_candidates: int, timeout: float) -> Observed[SeenT]: ...


async def _look(
    client: _Observer[SeenT], wanted: frozenset[Signal], image: bytes, max_candidates: int, seconds: float
) -> Look[SeenT]:
    if client.signal not in wanted:
        return Look(client.signal, None)
    call = client.observe(image, max_candidates=max_candidates, timeout=seconds)
    return Look(client.signal, await attempt(client.signal, call))


def _refuse_if_invalid(looks: Looks) -> None:
    branches: list[Branch[Any] | None] = [one.branch for one in looks.all]
    for branch in branches:
        if branch is not None and isinstance(branch.error, InvalidInput):
            raise InvalidImage(str(branch.error)) from branch.error


def _neutral(look: Look[SeenT]) -> Look[SeenT]:
    """A refused image as a signal that is not available; other looks as they are."""
    if look.branch is None or not isinstance(look.branch.error, InvalidInput):
        return look
    return replace(look, branch=replace(look.branch, error=Unavailable("refused an image that others saw")))
