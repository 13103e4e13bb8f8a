"""The story of changing embedders, on a real database: what serves, what is prepared, what is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from chassis.errors import ModelError
from chassis.postgres import Pool, SchemaSource, migrate, open_pool
from chassis.postgres.migrations import load_migrations
from chassis.signal.model_change import ModelChange
from chassis.signal.model_set_store import ModelSetStore
from chassis.signal.model_sets import Progress, Sets
from services.face.store import OBSERVATIONS
from services.face.store import SCHEMA as FACE
from tests.fakes.embedders import FakeKnown, FakeModels, FakeRow, enroll
from tests.fakes.face_service import migrate_face
from tests.fakes.packages import make_package

_OLD, _NEW, _THIRD = FakeRow("old"), FakeRow("new"), FakeRow("third")
_GRACE_SECONDS = 60.0

Change = ModelChange[FakeRow, FakeKnown]


@dataclass
class _Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class _Process:
    """What one process has."""

    models: FakeModels
    change: Change
    clock: _Clock

    @property
    def serving(self) -> list[str]:
        return [row.name for row in self.change.in_use.serving.rows]

    @property
    def preparing(self) -> list[str]:
        preparing = self.change.in_use.preparing
        return [] if preparing is None else [row.name for row in preparing.rows]

    @property
    def known(self) -> set[str]:
        return self.change.in_use.serving.known.performers


def _process(
    pool: Pool,
    *,
    lost: Sequence[str] = (),
    broken: Sequence[str] = (),
    may_be_away: bool = False,
    least_share: float = 1.0,
) -> _Process:
    """A process that starts."""
    clock, models = _Clock(), FakeModels(pool, lost=set(lost), broken=set(broken))
    store = ModelSetStore(pool, OBSERVATIONS)
    change = Change(
        models,
        store,
        least_share=least_share,
        may_be_away=may_be_away,
        grace_seconds=_GRACE_SECONDS,
        clock=clock,
    )
    return _Process(models, change, clock)


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate_face(database)
    async with open_pool(database) as pool:
        yield pool


async def _recorded(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch("SELECT state, models FROM face.model_sets ORDER BY generation")
    return [(row["state"], row["models"]) for row in rows]


async def test_the_first_set_serves(pool: Pool) -> None:
    """Whatever is stored of other embedders: there is no set that could go on."""
    await enroll(pool, "another")
    process = _process(pool)
    await process.change.adopt([_OLD])
    assert (process.serving, process.preparing, process.known) == (["old"], [], set())
    assert process.change.progress == Progress(observations=1, described=0)


async def test_a_database_from_before_changes_were_recorded(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is enrolled there goes on being found by the embedder that described it."""
    monkeypatch.syspath_prepend(tmp_path)
    first = next(one for one in load_migrations(FACE) if one.version == 1)
    package = make_package(tmp_path, {"0001_face.sql": first.sql})
    await migrate(database, [SchemaSource("catalogue", "gateway"), SchemaSource("face", package)])
    async with open_pool(database) as pool:
        performer = await enroll(pool, "old")
        await migrate_face(database)
        process = _process(pool)
        await process.change.adopt([_OLD])
        assert (process.serving, process.preparing, process.known) == (["old"], [], {performer})
        await process.change.adopt([_NEW])
        assert (process.serving, process.preparing) == (["old"], ["new"])


async def test_where_nobody_is_enrolled_another_set_serves_at_once(pool: Pool) -> None:
    """There is nothing to describe again."""
    process = _process(pool)
    await process.change.adopt([_OLD])
    await process.change.adopt([_NEW])
    assert (process.serving, process.preparing) == (["new"], [])


async def test_another_order_serves_at_once(pool: Pool) -> None:
    """Everything is described; only the primary is another one."""
    process = _process(pool)
    await process.change.adopt([_OLD, _NEW])
    performer = await enroll(pool, "old", "new")
    await process.change.adopt([_NEW, _OLD])
    assert (process.serving, process.preparing, process.known) == (["new", "old"], [], {performer})


async def test_what_runs_goes_on_though_its_file_is_gone(pool: Pool) -> None:
    """Other settings while the old embedder is loaded: it needs no file to go on."""
    process = _process(pool)
    await process.change.adopt([_OLD])
    performer = await enroll(pool, "old")
    process.models.lost.add("old")
    await process.change.adopt([_NEW])
    assert (process.serving, process.preparing) == (["old"], ["new"])
    assert process.change.in_use.serving.known.performers <= {performer}
    assert process.change.problem == ""


@pytest.mark.parametrize("trouble", [{"lost": ["old"]}, {"broken": ["old"]}], ids=["lost", "broken"])
async def test_a_start_without_the_old_embedder(pool: Pool, trouble: dict[str, list[str]]) -> None:
    """The wanted one serves with what it has; that is told until everything is described."""
    await _process(pool).change.adopt([_OLD])
    performer = await enroll(pool, "old")
    process = _process(pool, **trouble)  # type: ignore[arg-type]  # one of two names
    await process.change.adopt([_NEW])
    assert (process.serving, process.known) == (["new"], set())
    assert "cannot be run any more" in process.change.problem
    assert ("old", "1") not in process.models.opened
    await enroll(pool, "new", performer_id=performer)
    process.clock.now += 1
    await process.change.check()
    assert process.change.problem == ""


async def test_what_may_come_later_is_waited_for(pool: Pool) -> None:
    """A server that has not the old model yet is no reason to do without: the process is not ready."""
    await _process(pool).change.adopt([_OLD])
    await enroll(pool, "old")
    process = _process(pool, broken=["old"], may_be_away=True)
    await process.change.adopt([_NEW])
    assert (process.serving, process.preparing) == (["old"], ["new"])
    with pytest.raises(ModelError, match="old"):
        await process.change.ready()
    process.models.broken.clear()
    await process.change.ready()


async def test_the_set_before_is_kept_for_calls_that_began_with_it(pool: Pool) -> None:
    """Also when settings are read again meanwhile; after a minute nothing of it is left."""
    process = _process(pool)
    await process.change.adopt([_OLD])
    await process.change.ready()
    first = process.change.in_use.serving
    performer = await enroll(pool, "old", "new")
    await process.change.adopt([_NEW])
    assert (process.serving, process.known) == (["new"], {performer})
    await process.change.adopt([_THIRD])
    assert process.preparing == ["third"]
    assert process.change.in_use.of([first.number]) is first
    assert ("old", "1") in process.models.opened
    process.clock.now += _GRACE_SECONDS + 1
    await process.change.check()
    assert process.change.in_use.of([first.number]) is process.change.in_use.serving
    assert process.models.opened == {("new", "1"), ("third", "1")}


async def test_a_change_that_is_called_off_leaves_nothing(pool: Pool) -> None:
    """Neither a model nor a complaint about it."""
    process = _process(pool, broken=["new"])
    await process.change.adopt([_OLD])
    await enroll(pool, "old")
    await process.change.adopt([_NEW])
    assert "new does not run" in process.change.problem
    await process.change.adopt([_OLD])
    assert (process.serving, process.preparing, process.change.problem) == (["old"], [], "")
    assert [state for state, _ in await _recorded(pool)] == ["serving", "retired"]


async def test_a_process_follows_what_another_one_wants(pool: Pool) -> None:
    """It prepares the set that is recorded, whatever its own settings, and switches with the other."""
    first, second = _process(pool), _process(pool)
    await first.change.adopt([_OLD])
    performer = await enroll(pool, "old")
    await second.change.adopt([_OLD])
    await first.change.adopt([_NEW])
    await second.change.check()
    assert second.preparing == ["new"]
    await enroll(pool, "new", performer_id=performer)
    first.clock.now += 1
    await first.change.check()
    await second.change.check()
    for process in (first, second):
        assert (process.serving, process.preparing, process.known) == (["new"], [], {performer})
        await process.change.ready()


@pytest.mark.parametrize("trouble", ["lost", "broken"])
async def test_a_process_that_cannot_run_what_serves(pool: Pool, trouble: str) -> None:
    """It goes on with what it has, is not ready and says why, until it can."""
    first, second = _process(pool), _process(pool)
    getattr(second.models, trouble).add("new")
    await first.change.adopt([_OLD])
    performer = await enroll(pool, "old", "new")
    await second.change.adopt([_OLD])
    await first.change.adopt([_NEW])
    with pytest.raises(ModelError, match="new"):
        await second.change.check()
    assert (first.serving, second.serving) == (["new"], ["old"])
    with pytest.raises(ModelError, match=r"new 1.* do not run here"):
        await second.change.ready()
    getattr(second.models, trouble).clear()
    await second.change.check()
    await second.change.ready()
    assert (second.serving, second.known) == (["new"], {performer})


async def test_what_is_enrolled_during_the_switch_is_there(pool: Pool) -> None:
    """By another process while this one reads, or here while the new set is not yet known here."""
    first, second = _process(pool), _process(pool)
    await first.change.adopt([_OLD])
    await second.change.adopt([_OLD])
    performers = {await enroll(pool, "old", "new")}
    await first.change.adopt([_NEW])

    async def enroll_one() -> None:
        if len(performers) == 1:
            performers.add(await enroll(pool, "old", "new"))

    second.models.after_reading = enroll_one
    await second.change.check()
    assert (second.serving, second.known) == (["new"], performers)


async def test_another_file_under_the_same_version_is_not_used(pool: Pool) -> None:
    """What is stored was made by the file before: that one goes on, and the problem names the remedy."""
    mine, other = FakeRow("mine", digest="a" * 64), FakeRow("mine", digest="b" * 64)
    await _process(pool).change.adopt([mine])
    process = _process(pool)
    await process.change.adopt([other])
    assert [row.digest for row in process.change.in_use.serving.rows] == ["a" * 64]
    assert "give the new one another version" in process.change.problem
    assert process.models.kept == []
    lost = _process(pool, lost=["mine"])
    with pytest.raises(ModelError, match="mine"):
        await lost.change.adopt([other])
    again = _process(pool)
    await again.change.adopt([mine])
    assert again.change.problem == ""


async def test_numbers_that_were_measured_again_are_recorded(pool: Pool) -> None:
    """The same set, with what is known of it now: no change of models."""
    await _process(pool).change.adopt([_OLD])
    process = _process(pool)
    await process.change.adopt([FakeRow("old", weight=3.0)])
    [(state, models)] = await _recorded(pool)
    assert state == "serving"
    assert '"weight": 3.0' in models


async def test_a_new_embedder_that_fails_at_work(pool: Pool) -> None:
    """It describes no more until it was tried again; what keeps the change from going on is told."""
    process = _process(pool, least_share=0.5)
    await process.change.adopt([_OLD])
    performer = await enroll(pool, "old")
    await process.change.adopt([_NEW])
    assert process.change.in_use.further == (_NEW,)
    process.change.worked(_NEW, "model new gives nothing")
    assert not process.change.in_use.further
    assert process.change.problem == "model new gives nothing"
    assert process.models.doubted == [_NEW.key]
    await process.change.check()
    assert process.change.in_use.further == (_NEW,)
    assert process.change.problem == "model new gives nothing"
    process.change.worked(_NEW)
    assert process.change.problem == ""
    process.models.broken.add("new")
    await enroll(pool, "new", performer_id=performer)
    process.clock.now += 1
    await process.change.check()
    assert (process.serving, process.change.problem) == (["old"], "model new does not run")
    process.models.broken.clear()
    process.clock.now += 1
    await process.change.check()
    assert (process.serving, process.change.problem) == (["new"], "")
    process.change.worked(_NEW, "too late")
    assert process.change.problem == ""


async def test_a_new_embedder_that_does_not_run_is_tried_now_and_then(pool: Pool) -> None:
    """After a second, two, four: trying may be work. Other settings are tried at once."""
    process = _process(pool, broken=["new"])
    await process.change.adopt([_OLD])
    await enroll(pool, "old")
    await process.change.adopt([_NEW])
    tried = [process.models.trials["new"]]
    for _ in range(8):
        process.clock.now += 1
        await process.change.check()
        tried.append(process.models.trials["new"])
    assert tried == [1, 2, 2, 3, 3, 3, 3, 4, 4]
    await process.change.adopt([_NEW])
    assert process.models.trials["new"] == 5


async def test_the_share_is_counted_once_more_at_the_switch(pool: Pool) -> None:
    """What was enrolled since it was counted may be too much."""
    process, store = _process(pool), ModelSetStore(pool, OBSERVATIONS)
    await process.change.adopt([_OLD])
    await enroll(pool, "old")
    await process.change.adopt([_NEW])
    sets = process.change.sets
    assert await store.switch(sets.wanted.generation, least_share=0.5) == await store.read()
    assert (await store.switch(sets.wanted.generation, least_share=0.0)) == Sets(sets.wanted)
    assert (await store.switch(sets.serving.generation, least_share=0.0)) == Sets(sets.wanted)


class _SlowStore(ModelSetStore):
    """Counts for a second of the clock."""

    def __init__(self, pool: Pool, clock: _Clock) -> None:
        super().__init__(pool, OBSERVATIONS)
        self.counts = 0
        self._clock = clock

    async def progress(self, sets: Sets) -> Progress:
        self.counts += 1
        self._clock.now += 1
        return await super().progress(sets)


async def test_counting_takes_a_small_share_of_the_time(pool: Pool) -> None:
    """Of a gallery that takes a second to count, not again within twenty."""
    clock = _Clock()
    store = _SlowStore(pool, clock)
    change = Change(FakeModels(pool), store, least_share=1.0, clock=clock)
    await change.adopt([_OLD])
    await enroll(pool, "old")
    await change.adopt([_NEW])
    before = store.counts
    await change.check()
    assert store.counts == before
    clock.now += 20
    await change.check()
    assert store.counts == before + 1
    await change.adopt([_OLD])
    assert repr(change) == "<ModelChange <LoadedGenerations [1]>, <Coverage 1 of 1>>"
    counted = store.counts
    clock.now += 1000
    await change.check()
    assert store.counts == counted


async def test_who_was_forgotten_stays_forgotten(pool: Pool) -> None:
    """Also when the rows were deleted while they were read."""
    process = _process(pool)
    await process.change.adopt([_OLD])
    performer = await enroll(pool, "old", "new")
    another = await enroll(pool, "old")

    async def forget() -> None:
        await pool.execute("DELETE FROM face.vectors WHERE performer_id = $1", performer)

    process.models.after_reading = forget
    await process.change.adopt([_NEW])
    assert process.preparing == ["new"]
    await enroll(pool, "new", performer_id=another)
    process.clock.now += 1
    await process.change.check()
    assert (process.serving, process.known) == (["new"], {another})
