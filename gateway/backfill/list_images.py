"""Which images have to be read again: the story from the signals' lists to one page of images."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from chassis.errors import InvalidInput, Unavailable
from gateway.backfill.paging import Position, not_ours
from gateway.fan_out import attempt, time_for
from gateway.observations import Signal
from gateway.signals import Pending, PendingPage, Signals
from marquee.common.v1 import common_pb2

__all__ = ["PendingImage", "PendingTotal", "PendingImages", "ListImages", "images_of"]


@dataclass(frozen=True, slots=True)
class PendingImage:
    """An image that a signal waits for, and how many of its observations there."""

    performer_id: str
    source: common_pb2.ImageSource
    signal: Signal
    observations: int

    @property
    def identity(self) -> tuple[str, str]:
        """Performer id and image hash."""
        return (self.performer_id, self.source.image_hash)


@dataclass(frozen=True, slots=True)
class PendingTotal:
    """Observations that wait for a signal's change of models."""

    signal: Signal
    pending: int
    change: common_pb2.ModelChange


@dataclass(frozen=True, slots=True)
class PendingImages:
    """One page; `following` is None on the last."""

    images: tuple[PendingImage, ...]
    following: Position | None
    totals: tuple[PendingTotal, ...]
    unavailable: tuple[Signal, ...]


class ListImages:
    """Asks the signals that change their models, one list after the other."""

    def __init__(
        self, signals: Signals, *, status_seconds: float, pending_seconds: float, reserve_seconds: float
    ) -> None:
        self._clients = {client.signal: client for client in signals.changing}
        self._status_seconds = status_seconds
        self._pending_seconds = pending_seconds
        self._reserve_seconds = reserve_seconds

    async def __call__(self, *, at: Position, size: int) -> PendingImages:
        """At most `size` images from a position on, and the totals of all pages.

        Raises InvalidInput for a position that the signal does not know, Unavailable when no signal answers.
        """
        totals, away = await self._totals()
        images: tuple[PendingImage, ...] = ()
        following: Position | None = at
        while following is not None and not images:
            here = following.signal
            if here not in totals:
                following = self._after(here)
                continue
            try:
                images, following, pending = await self._page(following, size)
                totals[here] = replace(totals[here], pending=pending)
            except Unavailable:
                away |= {here}
                following = self._after(here)
        return PendingImages(images, following, tuple(totals.values()), tuple(sorted(away)))

    async def _totals(self) -> tuple[dict[Signal, PendingTotal], frozenset[Signal]]:
        """Of the signals that change their models, as they last counted; and those that did not answer."""
        branches = await asyncio.gather(*(attempt(one, self._total(one)) for one in self._clients))
        away = frozenset(branch.signal for branch in branches if branch.error is not None)
        if len(away) == len(self._clients):
            raise Unavailable(f"no signal answered: {', '.join(one.label for one in sorted(away))}")
        return {branch.signal: branch.value for branch in branches if branch.value is not None}, away

    async def _total(self, signal: Signal) -> PendingTotal | None:
        seconds = time_for(self._status_seconds, reserve=self._reserve_seconds)
        status = await self._clients[signal].status(timeout=seconds)
        if not status.HasField("model_change"):
            return None
        change = status.model_change
        return PendingTotal(signal, max(0, change.observations - change.described), change)

    async def _page(self, at: Position, size: int) -> tuple[tuple[PendingImage, ...], Position | None, int]:
        """Images of one page of a signal's list, where the next page is, and all that waits.

        Raises InvalidInput and Unavailable.
        """
        branch = await attempt(at.signal, self._pending(at.signal, size=size, token=at.token))
        if isinstance(branch.error, InvalidInput):
            raise not_ours() from branch.error
        if branch.value is None:
            raise Unavailable(f"{at.signal.label} did not answer") from branch.error
        images = images_of(at.signal, branch.value.observations, after=at.last)
        if not branch.value.next_page_token:
            return images, self._after(at.signal), branch.value.total
        last = images[-1].identity if images else at.last
        following = Position(at.signal, branch.value.next_page_token, last)
        return await self._completed(images), following, branch.value.total

    async def _completed(self, images: tuple[PendingImage, ...]) -> tuple[PendingImage, ...]:
        """With all observations of the last image, of which some may be on the signal's next page."""
        if not images:
            return images
        *others, last = images
        branch = await attempt(last.signal, self._pending(last.signal, size=1, image=last.identity))
        counted = max(last.observations, branch.value.total if branch.value else 0)
        return (*others, replace(last, observations=counted))

    async def _pending(
        self, signal: Signal, *, size: int, token: str = "", image: tuple[str, str] = ("", "")
    ) -> PendingPage:
        seconds = time_for(self._pending_seconds, reserve=self._reserve_seconds)
        performer_id, image_hash = image
        return await self._clients[signal].pending(
            performer_id=performer_id,
            image_hash=image_hash,
            page_size=size,
            page_token=token,
            timeout=seconds,
        )

    def _after(self, signal: Signal) -> Position | None:
        """The start of the next signal's list."""
        order = list(self._clients)
        later = order[order.index(signal) + 1 :]
        return Position(later[0]) if later else None


def images_of(
    signal: Signal, observations: Sequence[Pending], *, after: tuple[str, str]
) -> tuple[PendingImage, ...]:
    """Observations, those of one image next to each other, as images; without the one listed last."""
    groups = groupby(observations, key=lambda one: (one.performer_id, one.source.image_hash))
    listed = [(identity, list(group)) for identity, group in groups if identity != after]
    return tuple(
        PendingImage(performer_id, group[0].source, signal, len(group)) for (performer_id, _), group in listed
    )
