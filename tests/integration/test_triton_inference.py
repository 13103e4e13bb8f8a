"""The Triton client against a real tritonserver: right numbers, and the right error for each fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs
from tritonclient.utils import InferenceServerException

from chassis.deadline import Deadline, deadline_scope
from chassis.errors import (
    DeadlineExceeded,
    InternalError,
    InvalidInput,
    ModelError,
    Overloaded,
    Unavailable,
)
from chassis.inference import Inference, ModelFile
from chassis.inference.triton import TritonInference
from client.triton_stand_in.server import TritonProcess
from tests.fakes.onnx_models import arithmetic, count_of_batch, lasting, picky, square_root
from tests.fakes.triton import add_model, load, open_triton, unload

_NAMES = ("sums", "count", "picky", "root", "slow")


def noise(*shape: int) -> NDArray[np.float32]:
    """Reproducible values 0..1."""
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small models, each for one behaviour."""
    folder = tmp_path_factory.mktemp("models")
    files, models = folder / "files", folder / "repository"
    files.mkdir()
    add_model(models, "sums", arithmetic(files / "a.onnx"), side=3, outputs={"doubled": 3, "total": 1})
    add_model(models, "count", count_of_batch(files / "c.onnx"), side=1, outputs={"count": 1})
    add_model(models, "picky", picky(files / "p.onnx"), side=1, outputs={"found": 1})
    add_model(models, "root", square_root(files / "r.onnx"), side=-1, outputs={"root": -1})
    add_model(
        models, "slow", lasting(files / "s.onnx", products=150), side=1, outputs={"same": 1}, max_batch=1,
        max_queue=1,
    )  # fmt: skip
    return models


@pytest.fixture(scope="module")
async def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TritonProcess]:
    """One server for the tests that leave it as they found it."""
    async with open_triton(repository, tmp_path_factory.mktemp("log") / "triton.log") as process:
        yield process


@pytest.fixture
async def inference(triton: TritonProcess) -> AsyncIterator[TritonInference]:
    """A client that knows every model, and one that the server does not have."""
    async with TritonInference.open(triton.address, _files("missing"), retry_seconds=0.0) as client:
        yield client


def _files(*more: str) -> dict[str, ModelFile]:
    return {name: ModelFile(name=name, version="1") for name in (*_NAMES, *more)}


async def test_a_model_gives_every_output_by_name(inference: Inference) -> None:
    """Outputs have the batch as their first axis, whatever the layout of the input in memory."""
    await inference.ready(_NAMES)
    batch = np.asfortranarray(noise(3, 3))
    outputs = await inference.infer("sums", batch)
    assert outputs.keys() == {"doubled", "total"}
    np.testing.assert_allclose(outputs["doubled"], 2 * batch)
    np.testing.assert_allclose(outputs["total"], batch.sum(axis=1, keepdims=True), rtol=1e-6)


async def test_a_large_call_runs_in_portions(inference: Inference) -> None:
    """More inputs than the server takes at once are sent in parts, and each comes back at its place."""
    batch = np.arange(30, dtype=np.float32).reshape(10, 3)
    np.testing.assert_allclose((await inference.infer("sums", batch))["doubled"], 2 * batch)
    counted = (await inference.infer("count", noise(10, 1)))["count"].ravel()
    assert counted.max() <= 4


async def test_concurrent_calls_get_their_own_rows(inference: Inference) -> None:
    """Whatever the server batches together, nobody gets another's numbers."""
    batches = [np.full((1 + number % 3, 3), number, np.float32) for number in range(24)]
    outputs = await asyncio.gather(*(inference.infer("sums", batch) for batch in batches))
    for batch, output in zip(batches, outputs, strict=True):
        np.testing.assert_allclose(output["doubled"], 2 * batch)


async def test_inputs_of_any_size_are_taken_where_the_model_does(inference: Inference) -> None:
    """Calls of different sizes at the same time each get outputs of their size."""
    batches = [noise(2, width) for width in (3, 5, 3, 7)]
    outputs = await asyncio.gather(*(inference.infer("root", batch) for batch in batches))
    for batch, output in zip(batches, outputs, strict=True):
        np.testing.assert_allclose(output["root"], np.sqrt(batch), rtol=1e-6)


async def test_one_failing_call_does_not_fail_the_others(inference: Inference) -> None:
    """An input that makes the run fail costs a model error that names the model; the server goes on."""
    with pytest.raises(ModelError, match="'picky' failed in Triton"):
        await inference.infer("picky", np.full((1, 1), 9, np.float32))
    found = (await inference.infer("picky", np.full((1, 1), 2, np.float32)))["found"]
    assert found.item() == 12


@pytest.mark.parametrize("value", [np.nan, np.inf])
async def test_inputs_that_are_not_finite_are_refused(inference: Inference, value: float) -> None:
    """They never reach the server."""
    with pytest.raises(InvalidInput, match="'sums' must be finite"):
        await inference.infer("sums", np.full((1, 3), value, np.float32))


async def test_outputs_that_are_not_finite_are_refused(inference: Inference) -> None:
    """They must not reach an index."""
    with pytest.raises(ModelError, match="'root' gave a 'root' that is not finite"):
        await inference.infer("root", np.full((1, 2), -1, np.float32))


@pytest.mark.parametrize(
    "batch",
    [noise(1, 4), noise(3), noise(0, 3), noise(1, 3).astype(np.float64), noise(1, 3, 1)],
    ids=["width", "no batch", "empty", "float64", "too deep"],
)
async def test_a_batch_of_the_wrong_shape_or_type_is_refused(
    inference: Inference, batch: NDArray[np.float32]
) -> None:
    """With the model's name and what it takes."""
    with pytest.raises(ModelError, match="'sums' takes float32 nx3, got"):
        await inference.infer("sums", batch)


async def test_a_model_that_nobody_named_is_refused(inference: Inference) -> None:
    """Services call what they have opened."""
    with pytest.raises(ModelError, match="no model 'other' here"):
        await inference.infer("other", noise(1, 3))
    with pytest.raises(ModelError, match="no model 'other' here"):
        await inference.ready(["other"])


async def test_a_model_the_server_lacks_is_named(inference: Inference) -> None:
    """A server that is ready may lack one model: not ready, with its name; the others are."""
    with pytest.raises(ModelError, match="no model 'missing' version 1 ready"):
        await inference.ready()
    with pytest.raises(ModelError, match="no model 'missing'"):
        await inference.infer("missing", noise(1, 3))
    await inference.ready(_NAMES)


async def test_a_version_the_server_lacks_is_named(triton: TritonProcess) -> None:
    """Another version of a model is another model: it is never used in its place."""
    files = {"sums": ModelFile(name="sums", version="2")}
    async with TritonInference.open(triton.address, files) as client:
        with pytest.raises(ModelError, match="no model 'sums' version 2 ready"):
            await client.ready()
        with pytest.raises(ModelError, match="no model 'sums'"):
            await client.infer("sums", noise(1, 3))


async def test_a_version_that_is_no_number_means_the_newest(triton: TritonProcess) -> None:
    """Files of the owner are versioned by checksum; the server's newest is used."""
    files = {"mine": ModelFile(name="sums", version="3f2a90c1d0aa")}
    async with TritonInference.open(triton.address, files) as client:
        await client.ready()
        assert (await client.infer("mine", noise(1, 3)))["total"].shape == (1, 1)


async def test_models_can_be_added_and_removed(triton: TritonProcess) -> None:
    """While others run; adding asks nobody, and a key that is known keeps its model."""
    async with TritonInference.open(triton.address, {}) as client:
        await client.add("one", ModelFile(name="sums", version="1"))
        await client.add("one", ModelFile(name="root", version="1"))
        assert (await client.infer("one", noise(1, 3)))["doubled"].shape == (1, 3)
        await client.remove("one")
        await client.remove("one")
        with pytest.raises(ModelError, match="no model 'one' here"):
            await client.infer("one", noise(1, 3))


async def test_a_closed_client_is_unavailable(triton: TritonProcess) -> None:
    """Who calls after the end is turned away."""
    async with TritonInference.open(triton.address, _files()) as client:
        pass
    with pytest.raises(Unavailable, match="closed"):
        await client.infer("sums", noise(1, 3))
    with pytest.raises(Unavailable, match="closed"):
        await client.ready()


# --- time and load ---


async def test_a_deadline_shorter_than_the_model(inference: Inference) -> None:
    """The caller gets DEADLINE_EXCEEDED, and the next call is served."""
    with deadline_scope(Deadline.after(0.05)), pytest.raises(DeadlineExceeded, match="'slow' in time"):
        await inference.infer("slow", noise(1, 1))
    np.testing.assert_allclose((await inference.infer("slow", noise(1, 1)))["same"], noise(1, 1))


async def test_a_call_without_a_deadline_has_one(triton: TritonProcess) -> None:
    """The client's default would be forever."""
    async with TritonInference.open(triton.address, _files(), timeout_seconds=0.05) as client:
        with pytest.raises(DeadlineExceeded):
            await client.infer("slow", noise(1, 1))


async def test_a_full_queue_is_unavailable(inference: Inference) -> None:
    """Who does not fit into the model's queue is turned away when trying again is off."""
    calls = [inference.infer("slow", noise(1, 1)) for _ in range(6)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert refused
    assert len(refused) < len(results)
    assert all(isinstance(result, Unavailable) for result in refused)


async def test_a_full_queue_is_tried_again_within_the_deadline(triton: TritonProcess) -> None:
    """With time left, everybody is served in the end."""
    async with TritonInference.open(triton.address, _files(), retry_seconds=60.0) as client:
        with deadline_scope(Deadline.after(60.0)):
            results = await asyncio.gather(*(client.infer("slow", noise(1, 1)) for _ in range(5)))
    assert len(results) == 5


async def test_more_inputs_than_may_wait_are_refused(triton: TritonProcess) -> None:
    """At once, and nothing is sent."""
    async with TritonInference.open(triton.address, _files(), max_waiting=2) as client:
        calls = [client.infer("slow", noise(1, 1)) for _ in range(4)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(result, Overloaded) for result in results) == 2


async def test_a_cancelled_call_leaves_the_server_free(inference: Inference) -> None:
    """Who leaves is forgotten, and its place in the count with it."""
    call = asyncio.create_task(inference.infer("slow", noise(1, 1)))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert "slow" in repr(inference)
    await inference.infer("slow", noise(1, 1))


# --- a server that changes, goes and comes ---


async def test_a_model_is_unloaded_and_comes_back(triton: TritonProcess, inference: Inference) -> None:
    """Not ready with its name while it is gone, ready by itself when it is back."""
    await inference.ready(["count"])
    await unload(triton, "count")
    with pytest.raises(ModelError, match="no model 'count' version 1 ready"):
        await inference.ready(["count"])
    with pytest.raises(Unavailable, match="cannot run model 'count' now"):
        await inference.infer("count", noise(1, 1))
    await load(triton, "count")
    await inference.ready(["count"])
    assert (await inference.infer("count", noise(1, 1)))["count"].item() == 1


async def test_another_shape_than_we_learned_is_our_fault(
    triton: TritonProcess, inference: Inference, repository: Path, tmp_path: Path
) -> None:
    """The server refuses what we send: INTERNAL, the cause in the log only; then the shape is learned."""
    wide = arithmetic(tmp_path / "wide.onnx", size=5)
    add_model(
        repository, "changing", arithmetic(tmp_path / "a.onnx"), side=3, outputs={"doubled": 3, "total": 1}
    )
    await load(triton, "changing")
    await inference.add("changing", ModelFile(name="changing", version="1"))
    await inference.infer("changing", noise(1, 3))
    add_model(repository, "changing", wide, side=5, outputs={"doubled": 5, "total": 1})
    await load(triton, "changing")
    with capture_logs() as lines, pytest.raises(InternalError, match="refuses what it is sent"):
        await inference.infer("changing", noise(1, 3))
    assert any("unexpected shape" in str(line.get("cause")) for line in lines)
    with pytest.raises(ModelError, match="takes float32 nx5"):
        await inference.infer("changing", noise(1, 3))
    assert (await inference.infer("changing", noise(1, 5)))["doubled"].shape == (1, 5)


async def test_a_file_that_is_not_what_its_configuration_says(
    triton: TritonProcess, inference: Inference, repository: Path, tmp_path: Path
) -> None:
    """It is not loaded: not ready, with its name; ready when the right file is there."""
    outputs = {"doubled": 3, "total": 1}
    add_model(repository, "wrong", arithmetic(tmp_path / "w.onnx", size=4), side=3, outputs=outputs)
    await inference.add("wrong", ModelFile(name="wrong", version="1"))
    with pytest.raises(InferenceServerException, match="the configuration has inputs"):
        await load(triton, "wrong")
    with pytest.raises(ModelError, match="no model 'wrong' version 1 ready"):
        await inference.ready(["wrong"])
    add_model(repository, "wrong", arithmetic(tmp_path / "r.onnx"), side=3, outputs=outputs)
    await load(triton, "wrong")
    await inference.ready(["wrong"])


async def test_nobody_there_is_unavailable_and_recovers(repository: Path, tmp_path: Path) -> None:
    """Without a server calls fail within their deadline; when it comes, the same client works."""
    async with open_triton(repository, tmp_path / "log") as process:
        pass  # its ports are free again
    async with TritonInference.open(process.address, _files(), retry_seconds=0.3) as client:
        with pytest.raises(Unavailable, match="not there"):
            await client.ready()
        with pytest.raises(Unavailable, match="cannot run model 'sums' now"):
            await client.infer("sums", noise(1, 3))
        with deadline_scope(Deadline.after(0.05)), pytest.raises((Unavailable, DeadlineExceeded)):
            await client.infer("sums", noise(1, 3))
        await process.start()
        try:
            await _until_ready(client)
            assert (await client.infer("sums", noise(1, 3)))["total"].shape == (1, 1)
        finally:
            await process.stop(patience=10)


async def test_a_server_killed_in_a_call_and_started_again(repository: Path, tmp_path: Path) -> None:
    """A call with time left is answered by the next server; one without gets UNAVAILABLE; both end."""
    async with (
        open_triton(repository, tmp_path / "log") as process,
        TritonInference.open(process.address, _files(), retry_seconds=60.0) as patient,
        TritonInference.open(process.address, _files(), retry_seconds=0.0) as hasty,
    ):
        await asyncio.gather(patient.infer("sums", noise(1, 3)), hasty.infer("sums", noise(1, 3)))
        with deadline_scope(Deadline.after(90.0)):
            waiting = asyncio.create_task(patient.infer("slow", noise(1, 1)))
            leaving = asyncio.create_task(hasty.infer("slow", noise(1, 1)))
        await asyncio.sleep(0.05)
        process.kill()
        with pytest.raises(Unavailable):
            await leaving
        with pytest.raises(Unavailable, match="not there"):
            await hasty.ready()
        await process.wait()
        await process.start()
        np.testing.assert_allclose((await waiting)["same"], noise(1, 1))
        await _until_ready(hasty)


async def _until_ready(client: TritonInference) -> None:
    """Ask as a service's readiness does, again and again."""
    async with asyncio.timeout(90):
        while True:
            try:
                return await client.ready(_NAMES)
            except (ModelError, Unavailable, DeadlineExceeded):
                await asyncio.sleep(0.1)
