"""Changes take turns by key and outlive their callers."""

import asyncio

import pytest

from chassis.changes import Changes


async def test_changes_of_one_key_take_turns() -> None:
    """The second starts when the first is over; another key does not wait."""
    changes, steps, gate = Changes(), list[str](), asyncio.Event()

    async def first() -> None:
        steps.append("first starts")
        await gate.wait()
        steps.append("first ends")

    async def note(name: str) -> None:
        steps.append(name)

    running = [asyncio.create_task(changes.run("a", one)) for one in (first(), note("second"))]
    await changes.run("b", note("other"))
    gate.set()
    await asyncio.gather(*running)
    assert sorted(steps[:2]) == ["first starts", "other"]
    assert steps[2:] == ["first ends", "second"]


async def test_a_change_outlives_its_caller() -> None:
    """A caller who is cancelled does not tear a change apart; closing waits for it."""
    changes, gate, done = Changes(), asyncio.Event(), list[bool]()

    async def change() -> None:
        await gate.wait()
        done.append(True)

    async with changes.closing():
        caller = asyncio.create_task(changes.run("a", change()))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        gate.set()
    assert done == [True]


async def test_what_a_change_raises_reaches_the_caller() -> None:
    """And the next of the same key still gets its turn."""
    changes = Changes()

    async def fail() -> None:
        raise ValueError("no")

    async def succeed() -> int:
        return 3

    with pytest.raises(ValueError, match="no"):
        await changes.run("a", fail())
    assert await changes.run("a", succeed()) == 3
