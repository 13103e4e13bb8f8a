"""Describes enrolled pictures again for new models: listed, read from their sources, streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from chassis.errors import Unavailable
from client.api import Marquee
from client.backfill_results import ImageResult, ImageToRead, Outcome, all_of, answered, merged
from client.concurrency import ahead
from client.fetching import Fetcher
from client.patience import BUSY, GONE, PICTURES_PER_STREAM, TEMPORARY, chunks, until_back
from client.pending import PendingImage, PendingTotal, Reembedding, ReembedImage, ReembedReply
from client.sources import Root, SourceUnusable, is_remote, read_source
from client.system import ServiceState, SystemStatus
from client.values import Signal

__all__ = [
    "Plan",
    "OnResult",
    "plan_backfill",
    "describe_again",
    "states_after",
]

_IMAGES_ON_A_PAGE = 1000
# Fetching takes its time, and a stream only lives for minutes.
_REMOTE_PER_STREAM = 8
_READ_AHEAD = 4
# A service that has reached its share needs a moment to switch.
_SWITCH_SECONDS = 10.0
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """What waits: pictures, totals of the signals that change, signals that could not be asked."""

    images: tuple[ImageToRead, ...]
    totals: Mapping[Signal, PendingTotal]
    unavailable: tuple[Signal, ...]


OnResult = Callable[[ImageResult], None]


async def plan_backfill(marquee: Marquee) -> Plan:
    """List everything that waits; a server that has too much to do is asked once more.

    Raises Unavailable when no signal can be asked, Overloaded and DeadlineExceeded.
    """
    try:
        return await _listed(marquee)
    except BUSY:  # a server that is not there at all is told at once
        await until_back(marquee)
        return await _listed(marquee)


async def _listed(marquee: Marquee) -> Plan:
    images: list[PendingImage] = []
    totals: dict[Signal, PendingTotal] = {}
    unavailable: set[Signal] = set()
    async for page in marquee.pending(page_size=_IMAGES_ON_A_PAGE):
        images += page.images
        totals = {**page.totals, **totals}
        unavailable |= set(page.unavailable)
    return Plan(merged(images), totals, tuple(sorted(unavailable)))


async def describe_again(
    marquee: Marquee,
    images: Sequence[ImageToRead],
    *,
    roots: Sequence[Root] = (),
    fetcher: Fetcher | None = None,
    on_result: OnResult = lambda result: None,
) -> list[ImageResult]:
    """Read every picture again, have it described, and say what became of each, as `on_result` does at once.

    fetcher: reads pictures at URLs; without one they are left. Nothing is lost by stopping: what is described
    waits no longer. Raises Unavailable, Overloaded or
    DeadlineExceeded when the server, or a signal that is needed, is gone and stays so.
    """
    work = _Work(marquee, roots, fetcher, on_result)
    for are_remote, group in groupby(images, key=lambda image: is_remote(image.uri)):
        for chunk in chunks(list(group), _REMOTE_PER_STREAM if are_remote else PICTURES_PER_STREAM):
            await work.describe(chunk)
    return list(work.settled.values())


async def states_after(
    marquee: Marquee, plan: Plan, results: Sequence[ImageResult]
) -> dict[Signal, ServiceState]:
    """How the plan's signals are now; one that does not answer is missing.

    A signal is given some seconds to count what was described and to switch, a server to start again.
    """
    deadline = asyncio.get_running_loop().time() + _SWITCH_SECONDS
    while True:
        states = await _states(marquee, plan.totals)
        is_settled = all(_is_settled(signal, states.get(signal), plan, results) for signal in plan.totals)
        if is_settled or asyncio.get_running_loop().time() > deadline:
            return states
        await asyncio.sleep(_PAUSE_SECONDS)


class _Work:
    """Pictures on their way; `settled`: results by key."""

    def __init__(
        self, marquee: Marquee, roots: Sequence[Root], fetcher: Fetcher | None, on_result: OnResult
    ) -> None:
        self._marquee = marquee
        self._roots = roots
        self._fetcher = fetcher
        self._on_result = on_result
        self._earlier: dict[str, Mapping[Signal, Reembedding]] = {}
        self.settled: dict[str, ImageResult] = {}

    async def describe(self, images: Sequence[ImageToRead]) -> None:
        """Offer pictures until each has its result; twice more if the server or a signal goes away."""
        await self._offer(images, is_last=False)
        for is_last in (False, True):
            if left := self._unsettled(images):
                await until_back(self._marquee, partial(_is_ready, left))
                await self._offer(left, is_last=is_last)
        if self._unsettled(images):
            raise Unavailable(GONE)

    async def _offer(self, images: Sequence[ImageToRead], *, is_last: bool) -> None:
        """Send pictures and settle them; those worth another try only if this is the last one."""
        waiting = {image.key: image for image in images}
        try:
            calls = (partial(self._read, image) for image in images)
            async with ahead(calls, most=_READ_AHEAD) as read:
                async for reply in self._marquee.reembed(picture async for picture in read if picture):
                    known = self._with_earlier(reply)
                    if is_last or not reply.is_temporary:
                        self._settle(answered(waiting[reply.key], known))
        except TEMPORARY:
            return

    def _with_earlier(self, reply: ReembedReply) -> ReembedReply:
        """With what signals have said in earlier replies: what they described then waits no longer now."""
        known = {**self._earlier.get(reply.key, {}), **reply.signals}
        self._earlier[reply.key] = {name: one for name, one in known.items() if not one.is_temporary}
        return replace(reply, signals=known)

    async def _read(self, image: ImageToRead) -> ReembedImage | None:
        """None for a picture that cannot be described again, and has its result."""
        try:
            data = await read_source(image.uri, image.image_hash, self._roots, self._fetcher)
        except SourceUnusable as exc:
            self._settle(all_of(image, Outcome(exc.trouble.value), str(exc)))
            return None
        return ReembedImage(key=image.key, performer_id=image.performer_id, image=data)

    def _unsettled(self, images: Sequence[ImageToRead]) -> list[ImageToRead]:
        return [image for image in images if image.key not in self.settled]

    def _settle(self, result: ImageResult) -> None:
        self.settled[result.image.key] = result
        self._earlier.pop(result.image.key, None)
        self._on_result(result)


def _is_ready(images: Sequence[ImageToRead], seen: SystemStatus) -> bool:
    """Whether every signal that the pictures are for answers."""
    wanted = {signal for image in images for signal in image.waiting}
    return all(state.is_ready for signal, state in seen.signals.items() if signal in wanted)


async def _states(marquee: Marquee, signals: Iterable[Signal]) -> dict[Signal, ServiceState]:
    try:
        states = (await marquee.status()).signals
    except TEMPORARY:
        return {}
    return {one: states[one] for one in signals if one in states and states[one].is_reachable}


def _is_settled(
    signal: Signal, state: ServiceState | None, plan: Plan, results: Sequence[ImageResult]
) -> bool:
    """Whether a signal has counted what was described, and is not about to switch."""
    if state is None:
        return False
    change = state.model_change
    if change is None:
        return not state.is_preparing
    described = sum(result.count(signal, Outcome.DESCRIBED) for result in results)
    is_counted = change.described >= plan.totals[signal].change.described + described
    is_reached = change.coverage >= change.switch_coverage and not change.problem
    return is_counted and not (state.is_preparing and is_reached)
