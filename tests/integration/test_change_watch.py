"""A change of embedders is looked after while a process serves: in its time, and soon after an enrolment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from chassis.errors import ModelError, Unavailable
from chassis.postgres import Pool, open_pool
from chassis.signal.change_watch import ChangeWatch, start_with
from chassis.signal.model_change import ModelChange
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.model_sets import Sets
from services.face.store import OBSERVATIONS
from tests.fakes.embedders import FakeKnown, FakeModels, FakeRow, enroll
from tests.fakes.face_service import migrate_face
from tests.fakes.waiting import until

_OLD, _NEW = FakeRow("old"), FakeRow("new")
_NEVER = 10_000.0


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate_face(database)
    async with open_pool(database) as pool:
        yield pool


def _change(pool: Pool, store: ModelSetStore | None = None) -> ModelChange[FakeRow, FakeKnown]:
    return ModelChange(FakeModels(pool), store or ModelSetStore(pool, OBSERVATIONS), least_share=1.0)


async def _serves(change: ModelChange[FakeRow, FakeKnown], name: str) -> bool:
    return [row.name for row in change.in_use.serving.rows] == [name]


async def test_an_enrolment_is_looked_at_soon(pool: Pool) -> None:
    """Nobody waits for the next look where the last observation was described."""
    change = _change(pool)
    await change.adopt([_OLD])
    performer = await enroll(pool, "old")
    await change.adopt([_NEW])
    watch = ChangeWatch(change, poll_seconds=_NEVER)
    async with watch.watching():
        await enroll(pool, "new", performer_id=performer)
        await watch.caught_up()
        await until(lambda: _serves(change, "new"))
        assert change.in_use.serving.known.performers == {performer}
        await pool.execute("DELETE FROM face.vectors")
        await watch.caught_up()
        assert change.in_use.serving.known.performers == set()


async def test_what_another_process_did_is_seen(pool: Pool) -> None:
    """By looking again and again."""
    change, other = _change(pool), _change(pool)
    await change.adopt([_OLD])
    await other.adopt([_OLD])
    async with ChangeWatch(change, poll_seconds=0.01).watching():
        await other.adopt([_NEW])
        await until(lambda: _serves(change, "new"))


class _FailingStore(ModelSetStore):
    """Away for as long as a test says."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool, OBSERVATIONS)
        self.error: Exception | None = None
        self.failures = 0

    async def read(self) -> Sets | None:
        if self.error is not None:
            self.failures += 1
            raise self.error
        return await super().read()


async def test_a_look_that_fails_is_not_the_last(pool: Pool) -> None:
    """The database away, or a bug: it is told, the first one once, and the change goes on afterwards."""
    store = _FailingStore(pool)
    change, other = _change(pool, store), _change(pool)
    await change.adopt([_OLD])
    await other.adopt([_NEW])
    watch = ChangeWatch(change, poll_seconds=0.01)

    async def failed_twice() -> bool:
        return store.failures > 1

    with capture_logs() as logs:
        async with watch.watching():
            for error in (Unavailable("the database is not there now"), RuntimeError("a bug")):
                store.error, store.failures = error, 0
                await until(failed_twice)
            assert await _serves(change, "old")
            store.error = None
            await until(lambda: _serves(change, "new"))
    told = [entry["event"] for entry in logs if entry["log_level"] != "info"]
    assert told.count("the models cannot be looked after now") == 1
    assert "looking after the models failed" in told


async def test_a_process_starts_only_with_models_that_run(pool: Pool) -> None:
    """Unless they are on a server, which may come later."""
    models, store = FakeModels(pool, broken={"old"}), ModelSetStore(pool, OBSERVATIONS)
    with pytest.raises(ModelError, match="old"):
        await start_with(ModelChange(models, store, least_share=1.0), [_OLD])
    await start_with(ModelChange(models, store, least_share=1.0, may_be_away=True), [_OLD])
    models.is_away = True
    await start_with(ModelChange(models, store, least_share=1.0, may_be_away=True), [_OLD])


@pytest.mark.parametrize("steps", range(6))
async def test_it_ends_at_once_though_an_enrolment_comes_in_that_moment(pool: Pool, steps: int) -> None:
    """So many steps of the event loop before the end: none of them makes it wait for ever."""
    change = _change(pool)
    await change.adopt([_OLD])
    await enroll(pool, "old")
    await change.adopt([_NEW])
    watch = ChangeWatch(change, poll_seconds=_NEVER)
    async with asyncio.timeout(20):
        async with watch.watching():
            await asyncio.sleep(0.2)  # now it waits
            watch.hurry()
            for _ in range(steps):
                await asyncio.sleep(0)
