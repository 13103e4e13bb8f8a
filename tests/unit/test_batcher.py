"""Calls that wait for a busy model share its next run, and nothing else of each other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from chassis.errors import ModelError, Overloaded, Unavailable
from chassis.inference import Batch, Outputs
from chassis.inference._batcher import Batcher


class Model:
    """Doubles its inputs, run by run, each run held until it is let go; a row of -1 fails the run."""

    def __init__(self) -> None:
        self.runs: list[list[float]] = []
        self._turns = asyncio.Semaphore(0)

    def let_go(self, runs: int = 100) -> None:
        for _ in range(runs):
            self._turns.release()

    async def __call__(self, parts: Sequence[Batch]) -> Sequence[Outputs]:
        batch = np.concatenate(parts)
        self.runs.append(batch[:, 0].tolist())
        await self._turns.acquire()
        if (batch == -1).any():
            raise ModelError("a row of -1")
        return [{"doubled": 2 * part} for part in parts]


def rows(*values: float, width: int = 1) -> Batch:
    """One row for each value."""
    return np.repeat(np.array(values, np.float32)[:, None], width, axis=1)


def batcher_of(model: Model, *, max_batch: int = 4, max_waiting: int = 100) -> Batcher:
    return Batcher("doubling", model, max_batch=max_batch, max_waiting=max_waiting)


@asynccontextmanager
async def opened(model: Model, *, max_batch: int = 4, max_waiting: int = 100) -> AsyncIterator[Batcher]:
    """A batcher that closes even when its test has failed during a run."""
    async with batcher_of(model, max_batch=max_batch, max_waiting=max_waiting).opened() as batcher:
        try:
            yield batcher
        finally:
            model.let_go()


async def settle() -> None:
    """Let every ready callback of the loop run."""
    for _ in range(20):
        await asyncio.sleep(0)


async def submitted(batcher: Batcher, *batches: Batch) -> list[asyncio.Task[Outputs]]:
    """Calls that have reached the queue one after the other; the first of them runs by now."""
    tasks = []
    for batch in batches:
        tasks.append(asyncio.create_task(batcher.submit(batch)))
        await settle()
    return tasks


async def test_a_free_model_runs_a_call_at_once() -> None:
    """Nothing waits for company."""
    model = Model()
    async with opened(model) as batcher:
        (task,) = await submitted(batcher, rows(1))
        assert model.runs == [[1]]
        model.let_go()
        assert (await task)["doubled"].tolist() == [[2]]


async def test_what_waits_runs_together_up_to_the_largest_batch() -> None:
    """While one runs others gather; the next runs take them in order, and each call gets its own rows."""
    model = Model()
    async with opened(model, max_batch=4) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2, 3), rows(4), rows(5, 6), rows(7))
        assert batcher.waiting == 6
        model.let_go()
        outputs = [(await task)["doubled"].ravel().tolist() for task in tasks]
    assert model.runs == [[1], [2, 3, 4, 7], [5, 6]]
    assert outputs == [[2], [4, 6], [8], [10, 12], [14]]


async def test_only_inputs_of_one_shape_share_a_run() -> None:
    """A model of any input size gets each size in a run of its own."""
    model = Model()
    async with opened(model) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2, width=2), rows(3), rows(4, width=2))
        model.let_go()
        assert [(await task)["doubled"].shape for task in tasks] == [(1, 1), (1, 2), (1, 1), (1, 2)]
    assert model.runs == [[1], [2, 4], [3]]


async def test_a_large_call_runs_in_parts() -> None:
    """More inputs than fit a batch come back as one array, in order."""
    model = Model()
    model.let_go()
    async with opened(model, max_batch=4) as batcher:
        outputs = await batcher.submit(rows(*range(10)))
    assert [len(run) for run in model.runs] == [4, 4, 2]
    assert outputs["doubled"].ravel().tolist() == [2 * number for number in range(10)]


async def test_a_failing_call_does_not_fail_its_companions() -> None:
    """A shared run that fails is repeated one by one, and only the call that fails alone gets the error."""
    model = Model()
    async with opened(model) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2), rows(-1), rows(3))
        model.let_go()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert (await batcher.submit(rows(5)))["doubled"].tolist() == [[10]]
    assert isinstance(results[2], ModelError)
    assert [r["doubled"].item() for r in results if not isinstance(r, BaseException)] == [2, 4, 6]


async def test_a_part_that_fails_fails_its_whole_call_only() -> None:
    """A call in parts has one outcome; the model goes on with the others."""
    model = Model()
    async with opened(model, max_batch=2) as batcher:
        failing, other = await submitted(batcher, rows(1, 2, -1, 4, 5, 6), rows(7))
        model.let_go()
        with pytest.raises(ModelError):
            await failing
        assert (await other)["doubled"].item() == 14


async def test_a_cancelled_call_leaves_the_queue() -> None:
    """Its inputs are not run; those beside it are."""
    model = Model()
    async with opened(model) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2), rows(3))
        tasks[1].cancel()
        await settle()
        assert batcher.waiting == 1
        model.let_go()
        assert (await tasks[2])["doubled"].item() == 6
    assert model.runs == [[1], [3]]
    assert tasks[1].cancelled()


async def test_a_call_cancelled_during_its_run_does_not_disturb_the_others() -> None:
    """The run goes on for who is left in it, and the model for who comes next."""
    model = Model()
    async with opened(model) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2), rows(3))
        model.let_go(1)
        await settle()
        assert model.runs == [[1], [2, 3]]
        tasks[1].cancel()
        await settle()
        model.let_go()
        assert (await tasks[2])["doubled"].item() == 6
        assert (await batcher.submit(rows(4)))["doubled"].item() == 8


async def test_too_many_waiting_is_overloaded() -> None:
    """Beyond the limit a call is turned away at once; when the queue is shorter calls are taken again."""
    model = Model()
    async with opened(model, max_waiting=2) as batcher:
        tasks = await submitted(batcher, rows(1), rows(2), rows(3))
        with pytest.raises(Overloaded, match="doubling"):
            await batcher.submit(rows(4))
        model.let_go()
        await asyncio.gather(*tasks)
        assert (await batcher.submit(rows(5)))["doubled"].item() == 10


async def test_closing_ends_the_run_and_turns_away_who_waits() -> None:
    """The run under way gives its outputs; waiting and later calls get Unavailable."""
    model = Model()
    batcher = batcher_of(model)
    async with batcher.opened():
        running, waiting = await submitted(batcher, rows(1), rows(2))
        asyncio.get_running_loop().call_soon(model.let_go)
    assert (await running)["doubled"].item() == 2
    with pytest.raises(Unavailable):
        await waiting
    with pytest.raises(Unavailable):
        await batcher.submit(rows(3))
    assert model.runs == [[1]]


async def test_closing_under_cancellation_leaves_nobody_waiting() -> None:
    """When closing itself is cancelled, callers in a run and in the queue still get an answer."""
    model = Model()
    batcher = batcher_of(model)
    opened = asyncio.Event()

    async def serve() -> None:
        async with batcher.opened():
            opened.set()
            await asyncio.Event().wait()

    server = asyncio.create_task(serve())
    await opened.wait()
    calls = await submitted(batcher, rows(1), rows(2))
    for _ in range(2):  # once to leave the block, once while it waits for the run
        server.cancel()
        await settle()
    with pytest.raises(asyncio.CancelledError):
        await server
    for call in calls:
        with pytest.raises(Unavailable):
            await call


async def test_waits_and_repeated_runs_are_told() -> None:
    """Each part tells once how long it waited, and each run after a shared one that failed is told."""
    model, waits, retries = Model(), list[float](), list[bool]()
    batcher = Batcher(
        "doubling",
        model,
        max_batch=4,
        max_waiting=100,
        waited=waits.append,
        retried=lambda: retries.append(True),
    )
    async with batcher.opened():
        tasks = await submitted(batcher, rows(1), rows(2), rows(-1), rows(3))
        model.let_go()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert len(waits) == 4
    assert min(waits) >= 0
    assert len(retries) == 3


async def test_a_model_is_idle_between_calls_only() -> None:
    """Idling starts when nothing waits, is cancelled by a call and does not go on beside a run."""
    model, idling = Model(), list[bool]()

    async def idle() -> None:
        idling.append(True)
        try:
            await asyncio.Event().wait()
        finally:
            idling.pop()

    batcher = Batcher("doubling", model, max_batch=4, max_waiting=100, while_idle=idle)
    async with batcher.opened():
        await settle()
        assert idling == [True]
        (task,) = await submitted(batcher, rows(1))
        assert (model.runs, idling) == ([[1]], [])
        model.let_go()
        await task
        await settle()
        assert idling == [True]
    assert idling == []
