"""Calls that wait for one model while it is busy run together when it is free."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from chassis.errors import Overloaded, Unavailable
from chassis.inference import Batch, Outputs

__all__ = ["Batcher", "RunParts"]

RunParts = Callable[[Sequence[Batch]], Awaitable[Sequence[Outputs]]]
"""Runs inputs of equal shape as one batch and gives each part its own outputs."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """At most `max_batch` inputs of one call."""

    inputs: Batch
    outputs: asyncio.Future[Outputs]
    since: float = field(default_factory=time.monotonic)

    def __len__(self) -> int:
        return len(self.inputs)


def _nothing(*_: object) -> None:
    """For who does not want to be told."""


class Batcher:
    """The queue in front of one model.

    Nothing is delayed to make a batch larger: a free model takes what waits, in order, as far as the inputs
    have one shape and fit into `max_batch`. When a shared run fails, its parts run again one by one, so only
    those fail that fail alone. `waited` is told the seconds that each part has waited, `retried` of each run
    that is repeated; `while_idle` is started when nothing waits and cancelled by the next call.
    """

    def __init__(
        self,
        name: str,
        run: RunParts,
        *,
        max_batch: int,
        max_waiting: int,
        waited: Callable[[float], None] = _nothing,
        retried: Callable[[], None] = _nothing,
        while_idle: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        self._name = name
        self._run = run
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waited = waited
        self._retried = retried
        self._while_idle = while_idle
        self._queue: list[_Part] = []
        self._arrived = asyncio.Event()
        self._is_open = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Batcher]:
        """Take calls; on leaving end the run under way, and turn away who waits."""
        self._is_open = True
        worker = asyncio.create_task(self._work(), name=f"batches of {self._name}")
        try:
            yield self
        finally:
            self._is_open = False
            self._arrived.set()
            await worker

    @property
    def waiting(self) -> int:
        """Inputs that wait for the model; those of a run under way are not counted."""
        return sum(len(part) for part in _wanted(self._queue))

    async def submit(self, batch: Batch) -> Outputs:
        """Outputs of the inputs; a batch above `max_batch` runs in several parts.

        Raises:
            Overloaded: `max_waiting` inputs wait already.
            Unavailable: the batcher is closed, or closes while the inputs wait.
        """
        if not self._is_open:
            raise self._closed()
        if (waiting := self.waiting) >= self._max_waiting:
            raise Overloaded(f"{waiting} inputs wait for model {self._name!r}; try later")
        parts = self._enqueue(batch)
        try:
            outputs = await asyncio.gather(*(part.outputs for part in parts))
        finally:
            for part in parts:  # after a failure or cancellation the others are not wanted either
                part.outputs.cancel()
        return _joined(outputs)

    def _enqueue(self, batch: Batch) -> list[_Part]:
        loop = asyncio.get_running_loop()
        starts = range(0, len(batch), self._max_batch)
        parts = [_Part(batch[start : start + self._max_batch], loop.create_future()) for start in starts]
        self._queue.extend(parts)
        self._arrived.set()
        return parts

    async def _work(self) -> None:
        try:
            while self._is_open:
                self._arrived.clear()
                while self._is_open and (parts := self._take()):
                    self._tell_waits(parts)
                    await self._settle(parts)
                if self._is_open:
                    await self._next_call()
        finally:
            self._fail(self._queue, self._closed())

    def _take(self) -> list[_Part]:
        """The next parts to run together: the first in line, and what fits to it."""
        taken: list[_Part] = []
        left: list[_Part] = []
        room = self._max_batch
        for part in _wanted(self._queue):
            has_shape = not taken or part.inputs.shape[1:] == taken[0].inputs.shape[1:]
            if has_shape and len(part) <= room:
                taken.append(part)
                room -= len(part)
            else:
                left.append(part)
        self._queue = left
        return taken

    async def _next_call(self) -> None:
        if self._while_idle is None:
            await self._arrived.wait()
            return
        idle = asyncio.create_task(self._while_idle(), name=f"idling of {self._name}")
        try:
            await self._arrived.wait()
        finally:
            idle.cancel()
            await asyncio.gather(idle, return_exceptions=True)

    def _tell_waits(self, parts: Sequence[_Part]) -> None:
        now = time.monotonic()
        for part in parts:
            self._waited(now - part.since)

    async def _settle(self, parts: Sequence[_Part]) -> None:
        """Run the parts and give each its outputs, or its error."""
        try:
            outputs = await self._run([part.inputs for part in parts])
        except asyncio.CancelledError:
            self._fail(parts, self._closed())
            raise
        except Exception as exc:
            if len(parts) == 1:
                self._fail(parts, exc)
                return
            for part in _wanted(parts):
                self._retried()
                await self._settle([part])
            return
        for part, part_outputs in zip(parts, outputs, strict=True):
            if not part.outputs.done():
                part.outputs.set_result(part_outputs)

    def _fail(self, parts: Iterable[_Part], error: Exception) -> None:
        for part in _wanted(parts):
            part.outputs.set_exception(error)

    def _closed(self) -> Unavailable:
        return Unavailable(f"model {self._name!r} is closed")


def _wanted(parts: Iterable[_Part]) -> list[_Part]:
    """Those whose caller still waits."""
    return [part for part in parts if not part.outputs.done()]


def _joined(outputs: Sequence[Outputs]) -> Outputs:
    if len(outputs) == 1:
        return outputs[0]
    return {name: np.concatenate([part[name] for part in outputs]) for name in outputs[0]}
