"""Many items at a time, never more than the bound, replies as they complete, clean ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from gateway.enrolment.enroll_image import Settled
from gateway.enrolment.stream import bounded


class _Source:
    """Counts how many items were read."""

    def __init__(self, items: list[str]) -> None:
        self.items = items
        self.read = 0

    async def stream(self) -> AsyncIterator[str]:
        for item in self.items:
            self.read += 1
            yield item


class _Desk:
    """Handles items; each waits for its own gate if it has one."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.started: list[str] = []
        self.cancelled: list[str] = []
        self.running = 0
        self.most_running = 0

    async def handle(self, item: str, settled: Settled) -> str:
        self.started.append(item)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if item.startswith("late"):
                await settled()
            if item in self.gates:
                await self.gates[item].wait()
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        finally:
            self.running -= 1
        return item.upper()


def _replies(source: _Source, desk: _Desk, *, in_flight: int = 4) -> AsyncGenerator[str, None]:
    return bounded(source.stream(), desk.handle, group_of=lambda item: item[-1], in_flight=in_flight)


async def test_every_item_gets_one_reply() -> None:
    """More items than the bound: all are answered, never more than the bound at a time."""
    source, desk = _Source([f"i{number}" for number in range(50)]), _Desk()
    replies = [reply async for reply in _replies(source, desk, in_flight=3)]
    assert sorted(replies) == sorted(f"I{number}" for number in range(50))
    assert desk.most_running == 3


async def test_an_empty_stream_ends() -> None:
    """No items, no replies."""
    assert [reply async for reply in _replies(_Source([]), _Desk())] == []


async def test_no_more_is_read_than_is_worked_on() -> None:
    """With the bound full, the sender waits; each reply that is delivered lets one more in."""
    source, desk = _Source(["a", "b", "c", "d"]), _Desk()
    desk.gates = {name: asyncio.Event() for name in "abcd"}
    async with aclosing(_replies(source, desk, in_flight=2)) as replies:
        first = asyncio.ensure_future(anext(replies))
        await asyncio.sleep(0.05)
        assert (source.read, desk.started) == (2, ["a", "b"])
        desk.gates["b"].set()
        assert await first == "B"
        second = asyncio.ensure_future(anext(replies))
        await asyncio.sleep(0.05)
        assert desk.started == ["a", "b", "c"]
        desk.gates["a"].set()
        assert await second == "A"


async def test_who_reads_no_replies_is_read_no_further() -> None:
    """Finished items whose replies nobody takes fill the bound: replies cannot pile up."""
    source, desk = _Source([f"i{number}" for number in range(50)]), _Desk()
    async with aclosing(_replies(source, desk, in_flight=3)) as replies:
        first = await anext(replies)
        await asyncio.sleep(0.05)
        assert (source.read, desk.running) == (3, 0)
        rest = [reply async for reply in replies]
    assert len({first, *rest}) == 50


async def test_replies_come_in_the_order_of_completion() -> None:
    """A slow item holds up nobody's reply."""
    source, desk = _Source(["slow", "quick"]), _Desk()
    desk.gates["slow"] = asyncio.Event()
    replies = _replies(source, desk)
    assert await anext(replies) == "QUICK"
    desk.gates["slow"].set()
    assert await anext(replies) == "SLOW"
    assert [reply async for reply in replies] == []


async def test_an_item_can_wait_for_earlier_ones_of_its_group_only() -> None:
    """`late-1` waits for `x-1`, not for `y-2`; nobody waits for those who came after."""
    source, desk = _Source(["x-1", "y-2", "late-1", "late-3"]), _Desk()
    desk.gates = {"x-1": asyncio.Event(), "y-2": asyncio.Event()}
    replies = _replies(source, desk)
    assert await anext(replies) == "LATE-3"
    desk.gates["x-1"].set()
    assert [await anext(replies), await anext(replies)] == ["X-1", "LATE-1"]
    desk.gates["y-2"].set()
    assert [reply async for reply in replies] == ["Y-2"]


async def test_ending_the_iteration_cancels_what_runs() -> None:
    """A client that leaves: nothing goes on in its name."""
    source, desk = _Source(["a", "b"]), _Desk()
    desk.gates = {"a": asyncio.Event(), "b": asyncio.Event()}
    async with aclosing(_replies(source, desk)) as replies:
        reply = asyncio.ensure_future(anext(replies))
        await asyncio.sleep(0.05)
        reply.cancel()
        await asyncio.gather(reply, return_exceptions=True)
    assert sorted(desk.cancelled) == ["a", "b"]
    assert desk.running == 0


async def test_an_unplanned_error_ends_the_stream_with_it() -> None:
    """Nothing hangs: what runs is cancelled and the error comes out."""

    async def handle(item: str, settled: Settled) -> str:
        if item == "bad":
            raise ValueError("a bug")
        await asyncio.Event().wait()
        return item

    replies = bounded(_Source(["good", "bad"]).stream(), handle, group_of=str, in_flight=4)
    with pytest.raises(ExceptionGroup, match="unhandled"):
        [reply async for reply in replies]
