"""Describing with the embedders that serve and, as far as they can, with those being prepared."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import structlog

from chassis.deadline import current_deadline
from chassis.errors import DeadlineExceeded, MarqueeError, ModelError, Overloaded

__all__ = ["described", "is_passing"]

# How long a model that is being prepared is waited for, once the others are done, where there is no deadline.
_PATIENCE_SECONDS = 5.0
# What does not answer within less than this is no worse for it.
_LEAST_PATIENCE_SECONDS = 1.0

_ResultT = TypeVar("_ResultT")
_log = structlog.get_logger()


async def described(
    serving: Sequence[Coroutine[Any, Any, _ResultT]], further: Sequence[Coroutine[Any, Any, _ResultT]]
) -> tuple[list[_ResultT], list[_ResultT | MarqueeError]]:
    """The results of both, in order; what went wrong in place of a result of `further`.

    Raises what `serving` raises. `further` runs beside it, and then has half of the time that is left to the
    call: a model that is being prepared neither fails a call nor has it be late.
    """
    main = [asyncio.create_task(one) for one in serving]
    tasks = [asyncio.create_task(one) for one in further]
    for task in tasks:
        task.add_done_callback(_retrieve)
    try:
        results = list(await asyncio.gather(*main))
        patience = _patience()
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        return results, [_outcome(task, patience) for task in tasks]
    finally:
        for task in (*main, *tasks):
            task.cancel()


def is_passing(error: MarqueeError) -> bool:
    """Whether the model is as good as before: there was too much to do, or too little time."""
    return isinstance(error, Overloaded | DeadlineExceeded)


def _patience() -> float:
    deadline = current_deadline()
    return _PATIENCE_SECONDS if deadline is None else deadline.remaining() / 2


def _outcome(task: asyncio.Task[_ResultT], patience: float) -> _ResultT | MarqueeError:
    if not task.done():
        text = f"it does not answer within {patience:.0f} s"
        return ModelError(text) if patience >= _LEAST_PATIENCE_SECONDS else DeadlineExceeded(text)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, MarqueeError):
        return error
    _log.error("an embedder that is being prepared failed", exc_info=error)
    return ModelError("it failed; the log has the cause")


def _retrieve(task: asyncio.Task[Any]) -> None:
    """A failure that nobody waited for is no news."""
    if not task.cancelled():
        task.exception()
