"""Models that nobody calls give their memory back, and nobody notices but by the wait."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import structlog

from chassis.errors import ModelError, Unavailable
from chassis.inference import Batch
from chassis.inference.onnx import OnnxInference
from tests.fakes.onnx_models import arithmetic, count_of_batch, lasting

_SECONDS = 20.0


class Clock:
    """Time passes when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._bells: list[asyncio.Event] = []

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        bell = asyncio.Event()
        self._bells.append(bell)
        try:
            await bell.wait()
        finally:
            self._bells.remove(bell)

    @property
    def sleepers(self) -> int:
        """How many wait for the clock."""
        return sum(not bell.is_set() for bell in self._bells)

    def strike(self) -> None:
        """Wake who sleeps now."""
        for bell in self._bells:
            bell.set()


class Sessions:
    """The sessions of ONNX Runtime that are in memory now beyond those that were there before."""

    def __init__(self) -> None:
        self._before = {id(session) for session in _sessions()}

    def __len__(self) -> int:
        return sum(id(session) not in self._before for session in _sessions())


def _sessions() -> list[object]:
    return [found for found in gc.get_objects() if type(found) is ort.InferenceSession]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions() -> Sessions:
    gc.collect()
    return Sessions()


@asynccontextmanager
async def resting(paths: dict[str, Path], clock: Clock) -> AsyncIterator[OnnxInference]:
    """Models that rest when the clock strikes."""
    async with OnnxInference.open(paths, idle_seconds=60, sleep=clock.sleep) as inference:
        yield inference


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop and the models' threads work until it holds."""
    async with asyncio.timeout(_SECONDS):
        while not holds():  # noqa: ASYNC110  # nobody tells when a library's object leaves memory
            await asyncio.sleep(0)


async def struck(clock: Clock, sessions: Sessions, *, models: int = 1) -> None:
    """The idle time of every model is over, and their sessions are gone."""
    await until(lambda: clock.sleepers == models)
    clock.strike()
    await until(lambda: len(sessions) == 0)


def row(value: float = 1.0) -> Batch:
    return np.full((1, 3), value, np.float32)


async def test_an_idle_model_is_gone_and_the_next_call_has_the_same_numbers(
    tmp_path: Path, clock: Clock, sessions: Sessions
) -> None:
    """The session itself is out of memory; readiness stays; one call opens it again and is answered."""
    batch = np.random.default_rng(0).random((5, 3), np.float32)
    async with resting({"sums": arithmetic(tmp_path / "a.onnx")}, clock) as inference:
        before = await inference.infer("sums", batch)
        assert len(sessions) == 1
        await struck(clock, sessions)
        await inference.ready(["sums"])
        assert "resting" in repr(inference)
        with structlog.testing.capture_logs() as logs:
            after = await inference.infer("sums", batch)
        assert len(sessions) == 1
        assert [line["event"] for line in logs] == ["model opened again"]
        assert "resting" not in repr(inference)
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name])
    assert set(clock.asked) == {60}


async def test_a_model_rests_again_and_again(tmp_path: Path, clock: Clock, sessions: Sessions) -> None:
    """Each quiet time ends its session, the very first one before any call included."""
    async with resting({"sums": arithmetic(tmp_path / "a.onnx")}, clock) as inference:
        for number in range(3):
            await struck(clock, sessions)
            assert (await inference.infer("sums", row(number)))["doubled"][0, 0] == 2 * number


async def test_models_rest_each_for_itself(tmp_path: Path, clock: Clock, sessions: Sessions) -> None:
    """A model that is called keeps the other neither awake nor asleep."""
    paths = {"sums": arithmetic(tmp_path / "a.onnx"), "count": count_of_batch(tmp_path / "c.onnx")}
    async with resting(paths, clock) as inference:
        assert len(sessions) == 2
        await struck(clock, sessions, models=2)
        await inference.infer("sums", row())
        assert len(sessions) == 1


async def test_without_an_idle_time_nothing_is_closed(
    tmp_path: Path, clock: Clock, sessions: Sessions
) -> None:
    """Nobody even asks the clock."""
    paths = {"sums": arithmetic(tmp_path / "a.onnx")}
    async with OnnxInference.open(paths, sleep=clock.sleep) as inference:
        await inference.infer("sums", row())
        assert clock.asked == []
        assert len(sessions) == 1


async def test_a_model_at_work_does_not_rest(tmp_path: Path, clock: Clock, sessions: Sessions) -> None:
    """While a run is under way nobody waits for the idle time to end, so nothing is closed below it."""
    path = lasting(tmp_path / "l.onnx", products=10)
    async with resting({"lasting": path}, clock) as inference:
        await until(lambda: clock.sleepers == 1)
        call = asyncio.create_task(inference.infer("lasting", np.ones((1, 1), np.float32)))
        await until(lambda: clock.sleepers == 0)
        clock.strike()
        while not call.done():
            assert len(sessions) == 1
            await asyncio.sleep(0)
        assert (await call)["same"].item() == 1


async def test_calls_that_come_while_a_model_closes_are_answered(
    tmp_path: Path, clock: Clock, sessions: Sessions
) -> None:
    """Whatever the order of closing and calling, each call gets its own numbers."""
    async with resting({"sums": arithmetic(tmp_path / "a.onnx")}, clock) as inference:
        for turn in range(20):
            await until(lambda: clock.sleepers == 1)
            clock.strike()
            for _ in range(turn % 4):  # from before the closing has begun to after its end
                await asyncio.sleep(0)
            calls = [inference.infer("sums", row(number)) for number in range(6)]
            outputs = await asyncio.gather(*calls)
            assert [output["doubled"][0, 0] for output in outputs] == [2 * number for number in range(6)]
        assert len(sessions) == 1


async def test_a_caller_who_leaves_while_the_model_opens_harms_nobody(
    tmp_path: Path, clock: Clock, sessions: Sessions
) -> None:
    """A cancelled call may have woken the model; who came with it is answered, and the model rests again."""
    async with resting({"sums": arithmetic(tmp_path / "a.onnx")}, clock) as inference:
        await struck(clock, sessions)
        leaves = asyncio.create_task(inference.infer("sums", row(1)))
        stays = asyncio.create_task(inference.infer("sums", row(2)))
        for _ in range(3):
            await asyncio.sleep(0)
        leaves.cancel()
        assert (await stays)["doubled"][0, 0] == 4
        assert leaves.cancelled()
        await struck(clock, sessions)
        assert (await inference.infer("sums", row(3)))["doubled"][0, 0] == 6


@pytest.mark.parametrize("damage", ["missing", "cut", "another"])
async def test_a_file_that_changed_meanwhile_is_told_with_the_models_name(
    tmp_path: Path, clock: Clock, sessions: Sessions, damage: str
) -> None:
    """A call gets ModelError, also for a sound file of other numbers; readiness agrees until it is mended."""
    path = arithmetic(tmp_path / "a.onnx")
    original = path.read_bytes()
    async with resting({"sums": path}, clock) as inference:
        await struck(clock, sessions)
        _damage(path, damage)
        await inference.ready()
        with pytest.raises(ModelError, match="'sums'") as caught:
            await inference.infer("sums", row())
        assert str(tmp_path) not in str(caught.value)
        with pytest.raises(ModelError, match="'sums'"):
            await inference.ready(["sums"])
        path.write_bytes(original)
        await inference.ready()
        assert (await inference.infer("sums", row()))["doubled"][0, 0] == 2


def _damage(path: Path, how: str) -> None:
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.write_bytes(path.read_bytes().replace(b"Add", b"Mul"))


async def test_a_model_that_is_taken_away_is_gone_at_once(tmp_path: Path, sessions: Sessions) -> None:
    """Its memory is free for the model that takes its place, and does not wait for the garbage collector."""
    paths = {"sums": arithmetic(tmp_path / "a.onnx"), "count": count_of_batch(tmp_path / "c.onnx")}
    gc.disable()
    try:
        async with OnnxInference.open(paths) as inference:
            await inference.infer("sums", row())
            await inference.remove("sums")
            assert len(sessions) == 1
        assert len(sessions) == 0
    finally:
        gc.enable()


async def test_leaving_ends_a_model_that_rests(tmp_path: Path, clock: Clock, sessions: Sessions) -> None:
    """Closing a resting model opens nothing, leaves no thread and turns callers away."""
    before = set(threading.enumerate())
    async with resting({"sums": arithmetic(tmp_path / "a.onnx")}, clock) as inference:
        await inference.infer("sums", row())
        started = [thread for thread in set(threading.enumerate()) - before if "model" in thread.name]
        await struck(clock, sessions)
    assert started
    assert not any(thread.is_alive() for thread in started)
    assert len(sessions) == 0
    with pytest.raises(Unavailable):
        await inference.infer("sums", row())
