"""The work pool bounds what runs and waits, keeps the context, and ends in order."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import structlog

from chassis.errors import ConfigError, InvalidImage, Overloaded, Unavailable
from chassis.work import WorkPool


class Gate:
    """A function that reports when it has begun and ends when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.opened = threading.Event()
        self.finished: list[str] = []

    def __call__(self, name: str) -> str:
        self.begun.release()
        assert self.opened.wait(timeout=30)
        self.finished.append(name)
        return name

    async def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert await asyncio.to_thread(self.begun.acquire, timeout=30)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that never keeps a thread after its test."""
    gate = Gate()
    yield gate
    gate.opened.set()


async def settle() -> None:
    """Let every ready callback of the loop run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_runs_in_another_thread_and_returns_the_result() -> None:
    """The function gets its arguments and runs off the event loop's thread."""
    async with WorkPool(2, 10) as pool:
        assert await pool.run(divmod, 7, 2) == (3, 1)
        assert await pool.run(threading.get_ident) != threading.get_ident()
        assert await pool.run(sorted, [1, 3, 2], reverse=True) == [3, 2, 1]


async def test_an_error_reaches_the_caller_and_frees_the_thread() -> None:
    """What the function raises is raised to its caller, and the pool goes on."""

    def refuse() -> None:
        raise InvalidImage("no")

    async with WorkPool(1, 0) as pool:
        for _ in range(3):
            with pytest.raises(InvalidImage, match="no"):
                await pool.run(refuse)
        assert await pool.run(int, "7") == 7


async def test_logging_context_is_carried_along() -> None:
    """A request id bound by the caller is there in the thread, and only for that caller."""
    async with WorkPool(1, 10) as pool:
        with structlog.contextvars.bound_contextvars(request_id="abc"):
            assert (await pool.run(structlog.contextvars.get_contextvars))["request_id"] == "abc"
        assert "request_id" not in await pool.run(structlog.contextvars.get_contextvars)


async def test_too_many_waiting_is_overloaded(gate: Gate) -> None:
    """Two run, one waits, the next is turned away at once; afterwards there is room again."""
    async with WorkPool(2, 1) as pool:
        tasks = [asyncio.create_task(pool.run(gate, name)) for name in "abc"]
        await gate.wait_for(2)
        assert repr(pool) == "<WorkPool open, 2 of 2 running, 1 waiting>"
        with pytest.raises(Overloaded):
            await pool.run(gate, "d")
        gate.opened.set()
        assert await asyncio.gather(*tasks) == ["a", "b", "c"]
        assert await pool.run(gate, "e") == "e"


async def test_a_cancelled_waiter_leaves_the_queue(gate: Gate) -> None:
    """Cancelling who waits frees the place, and the function never runs."""
    async with WorkPool(1, 1) as pool:
        running = asyncio.create_task(pool.run(gate, "running"))
        await gate.wait_for(1)
        waiting = asyncio.create_task(pool.run(gate, "cancelled"))
        await settle()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        successor = asyncio.create_task(pool.run(gate, "successor"))
        await settle()
        gate.opened.set()
        assert await running == "running"
        assert await successor == "successor"
    assert gate.finished == ["running", "successor"]


async def test_a_cancelled_caller_does_not_free_a_busy_thread(gate: Gate) -> None:
    """The caller goes on at once, but its thread counts as busy until the function has ended."""
    async with WorkPool(1, 0) as pool:
        task = asyncio.create_task(pool.run(gate, "abandoned"))
        await gate.wait_for(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(Overloaded):
            await pool.run(int)
        gate.opened.set()
    assert gate.finished == ["abandoned"]


async def test_closing_waits_for_what_runs_and_turns_away_who_waits(gate: Gate) -> None:
    """On closing a running function ends with its result, a waiting caller and later ones get Unavailable."""
    pool = WorkPool(1, 5)
    async with pool:
        running = asyncio.create_task(pool.run(gate, "running"))
        await gate.wait_for(1)
        waiting = asyncio.create_task(pool.run(gate, "waiting"))
        await settle()
        asyncio.get_running_loop().call_later(0.05, gate.opened.set)
    assert gate.finished == ["running"]
    assert await running == "running"
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable):
        await pool.run(int)


async def test_a_closed_pool_leaves_no_threads() -> None:
    """The threads have ended when the block is left, and the pool can be opened again."""
    pool = WorkPool(2, 1)
    for _ in range(2):
        async with pool:
            thread = await pool.run(threading.current_thread)
        assert not thread.is_alive()


@pytest.mark.parametrize(("threads", "max_waiting"), [(0, 1), (1, -1)])
def test_impossible_sizes_are_configuration_errors(threads: int, max_waiting: int) -> None:
    """A pool without threads is refused when it is made."""
    with pytest.raises(ConfigError):
        WorkPool(threads, max_waiting)
