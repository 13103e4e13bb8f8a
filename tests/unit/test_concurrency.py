"""Calls made ahead of their turn, and work done side by side, with nothing left running."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from client.concurrency import ahead, worked_off


async def test_results_come_in_order_and_not_too_many_are_made() -> None:
    """However slow the first is; whoever takes none is waited for."""
    made: list[int] = []

    async def call(number: int) -> int:
        made.append(number)
        await asyncio.sleep(0.02 if number == 0 else 0)
        return number

    async with ahead((partial(call, number) for number in range(10)), most=3) as results:
        first = await anext(results)
        await asyncio.sleep(0.01)
        assert (first, made) == (0, [0, 1, 2])
        assert [first, *[one async for one in results]] == list(range(10))


async def test_what_is_not_taken_is_cancelled() -> None:
    """At the end of the block, and no further call is made."""
    cancelled: list[int] = []

    async def call(number: int) -> int:
        try:
            await asyncio.sleep(60 if number else 0)
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async with ahead((partial(call, number) for number in range(10)), most=3) as results:
        assert await anext(results) == 0
        reader = asyncio.ensure_future(anext(results))
        await asyncio.sleep(0.01)
    assert cancelled == [1, 2, 3]
    with pytest.raises(asyncio.CancelledError):
        await reader
    with pytest.raises(StopAsyncIteration):
        await anext(results)


async def test_work_is_done_once_each_and_bounded() -> None:
    """So many at a time, every item."""
    running, most, done = 0, 0, list[int]()

    async def work(item: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(item)

    await worked_off(range(20), work, at_a_time=4)
    assert (sorted(done), most) == (list(range(20)), 4)


async def test_a_failure_ends_the_others() -> None:
    """It is raised, and nothing goes on."""
    ended: list[int] = []

    async def work(item: int) -> None:
        if item == 1:
            raise ZeroDivisionError
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(item)

    with pytest.raises(ZeroDivisionError):
        await worked_off(range(5), work, at_a_time=3)
    assert ended == [0, 2]
