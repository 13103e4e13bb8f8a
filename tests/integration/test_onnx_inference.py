"""Real ONNX files in ONNX Runtime: batched without changing a number, and refused with the model's name."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import structlog
from onnx import helper

from chassis.errors import ConfigError, InvalidInput, ModelError, Overloaded, Unavailable
from chassis.inference import Inference
from chassis.inference._cuda import has_cuda
from chassis.inference.device import Device
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from tests.fakes.onnx_models import arithmetic, count_of_batch, picky, save, square_root


def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Reproducible values 0..1."""
    return np.random.default_rng(0).random(shape, np.float32)


async def test_a_model_gives_every_output_by_name(tmp_path: Path) -> None:
    """Outputs have the batch as their first axis, whatever the layout of the input in memory."""
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}) as inference:
        client: Inference = inference
        await client.ready()
        batch = np.asfortranarray(noise(5, 3))
        outputs = await client.infer("sums", batch)
        assert outputs.keys() == {"doubled", "total"}
        np.testing.assert_allclose(outputs["doubled"], 2 * batch)
        np.testing.assert_allclose(outputs["total"], batch.sum(axis=1, keepdims=True), rtol=1e-6)


async def test_concurrent_calls_share_runs_and_get_their_own_rows(tmp_path: Path) -> None:
    """Ten calls at once run in batches of at most four, and none gets another's numbers."""
    paths = {"sums": arithmetic(tmp_path / "a.onnx"), "count": count_of_batch(tmp_path / "c.onnx")}
    async with OnnxInference.open(paths, max_batch=4) as inference:
        batches = [np.full((1, 3), number, np.float32) for number in range(10)]
        outputs = await asyncio.gather(*(inference.infer("sums", batch) for batch in batches))
        assert [output["doubled"][0, 0] for output in outputs] == [2 * number for number in range(10)]
        counted = await asyncio.gather(*(inference.infer("count", noise(1, 1)) for _ in range(10)))
        sizes = [output["count"].item() for output in counted]
        assert max(sizes) == 4


async def test_models_run_in_threads_of_their_own(tmp_path: Path) -> None:
    """A run is not in the event loop's thread, and on leaving its thread is gone."""
    before = set(threading.enumerate())
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}) as inference:
        await inference.infer("sums", noise(1, 3))
        started = [
            thread for thread in set(threading.enumerate()) - before if thread.name.startswith("model")
        ]
        assert started
    assert not any(thread.is_alive() for thread in started)


async def test_inputs_of_any_size_are_taken_where_the_model_does(tmp_path: Path) -> None:
    """Calls of different sizes at the same time each get outputs of their size."""
    async with OnnxInference.open({"root": square_root(tmp_path / "r.onnx")}) as inference:
        batches = [noise(2, width) for width in (3, 5, 3, 7)]
        outputs = await asyncio.gather(*(inference.infer("root", batch) for batch in batches))
    for batch, output in zip(batches, outputs, strict=True):
        np.testing.assert_allclose(output["root"], np.sqrt(batch), rtol=1e-6)


async def test_a_model_exported_for_single_inputs_takes_many(tmp_path: Path) -> None:
    """A file of the user with its batch fixed to 1 runs input by input."""
    async with OnnxInference.open({"one": arithmetic(tmp_path / "a.onnx", batch=1)}) as inference:
        batch = noise(3, 3)
        np.testing.assert_allclose((await inference.infer("one", batch))["doubled"], 2 * batch)


async def test_one_failing_call_does_not_fail_the_others(tmp_path: Path) -> None:
    """An input that makes the run fail costs its own call; the message names the model, nothing internal."""
    async with OnnxInference.open({"picky": picky(tmp_path / "p.onnx")}) as inference:
        calls = [inference.infer("picky", np.full((1, 1), value, np.float32)) for value in (0, 9, 2, 1)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(results[1], ModelError)
        assert str(results[1]) == "model 'picky' failed"
        found = [result["found"].item() for result in results if not isinstance(result, BaseException)]
        assert found == [10, 12, 11]


async def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    """NaN in an input is the caller's fault, NaN in an output the model's; neither reaches a companion."""
    async with OnnxInference.open({"root": square_root(tmp_path / "r.onnx")}) as inference:
        values = (4.0, np.nan, -1.0, np.inf, 9.0)
        calls = [inference.infer("root", np.full((1, 1), value, np.float32)) for value in values]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [dict, InvalidInput, ModelError, InvalidInput, dict]
    assert "root" in str(results[2])


@pytest.mark.parametrize(
    "batch",
    [
        np.ones((2, 4), np.float32),
        np.ones(3, np.float32),
        np.ones((1, 3, 3), np.float32),
        np.ones((0, 3), np.float32),
        np.ones((1, 3), np.float64),
        np.ones((1, 3), np.uint8),
    ],
    ids=["width", "no batch axis", "extra axis", "empty", "float64", "uint8"],
)
async def test_a_batch_the_model_does_not_take_is_refused(
    tmp_path: Path, batch: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> None:
    """The message says what the model takes and what it got."""
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}) as inference:
        with pytest.raises(ModelError, match=f"'sums' takes float32 nx3, got {batch.dtype}"):
            await inference.infer("sums", batch)


async def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    """Asking for a model that was not opened is a ModelError."""
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}) as inference:
        with pytest.raises(ModelError, match="'other'"):
            await inference.infer("other", noise(1, 3))


async def test_too_many_waiting_is_overloaded(tmp_path: Path) -> None:
    """The limit counts waiting inputs; those turned away get an error at once, the others their numbers."""
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}, max_waiting=3) as inference:
        calls = [inference.infer("sums", noise(1, 3)) for _ in range(10)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [dict] * 3 + [Overloaded] * 7


async def test_closed_inference_is_unavailable(tmp_path: Path) -> None:
    """After the block neither readiness nor a run is promised."""
    async with OnnxInference.open({"sums": arithmetic(tmp_path / "a.onnx")}) as inference:
        pass
    with pytest.raises(Unavailable):
        await inference.ready()
    with pytest.raises(Unavailable):
        await inference.infer("sums", noise(1, 3))


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text"])
async def test_a_damaged_file_is_refused_on_opening(tmp_path: Path, damage: str) -> None:
    """The error names the model, and no path of the server."""
    path = arithmetic(tmp_path / "a.onnx")
    contents = {"empty": b"", "cut": path.read_bytes()[:-20], "text": b"not a model"}
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(contents[damage])
    with pytest.raises(ModelError, match="'sums'") as caught:
        async with OnnxInference.open({"sums": path}):
            pass
    assert str(tmp_path) not in str(caught.value)


async def test_a_file_that_is_no_batched_model_is_refused_on_opening(tmp_path: Path) -> None:
    """Two inputs, a batch fixed to two, or other number types are found before the first request."""
    add = [helper.make_node("Add", ["input", "other"], ["sum"])]
    double = [helper.make_node("Add", ["input", "input"], ["sum"])]
    paths = [
        save(tmp_path / "two.onnx", add, takes=["n"], gives={"sum": ["n"]}, more_inputs=["other"]),
        save(tmp_path / "fixed.onnx", double, takes=[2, 3], gives={"sum": [2, 3]}),
        save(tmp_path / "whole.onnx", double, takes=["n"], gives={"sum": ["n"]}, kind=onnx.TensorProto.INT64),
    ]
    for path in paths:
        with pytest.raises(ModelError, match="'mine'"):
            async with OnnxInference.open({"mine": path}):
                pass


@pytest.mark.skipif(has_cuda(), reason="needs a build of ONNX Runtime that refuses CUDA")
async def test_a_model_that_the_gpu_does_not_take_runs_on_the_cpu(tmp_path: Path) -> None:
    """One line says which, unless the GPU is a must: then it is an error that names the model.

    ONNX Runtime refuses a GPU here with a warning, which in tests is an error, as that of a GPU without room.
    """
    paths = {"sums": arithmetic(tmp_path / "a.onnx")}
    with structlog.testing.capture_logs() as logs:
        async with OnnxInference.open(paths, device=Device(gpu=0)) as inference:
            assert (await inference.infer("sums", noise(1, 3)))["doubled"].shape == (1, 3)
    assert [line["model"] for line in logs if line["log_level"] == "warning"] == ["sums"]
    with pytest.raises(ModelError, match=r"'sums' cannot be opened: .*GPU"):
        async with OnnxInference.open(paths, device=Device(gpu=0, is_required=True)):
            pass


@pytest.mark.parametrize("option", ["threads", "max_batch", "max_waiting"])
async def test_impossible_options_are_configuration_errors(option: str) -> None:
    """Zero threads, inputs or places are refused before a file is opened."""
    options: dict[str, Any] = {option: 0}
    with pytest.raises(ConfigError):
        async with OnnxInference.open({}, **options):
            pass


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mobilefacenet", (112, 112, 3)), ("face_mesh", (192, 192, 3)), ("pose_landmarks", (256, 256, 3))],
)
async def test_built_in_models_give_the_same_numbers_in_any_batch(name: str, shape: tuple[int, ...]) -> None:
    """Six inputs in one call, and each alone in calls at the same time, agree."""
    try:
        path = ModelStore().path(name)
    except ModelError as exc:
        pytest.skip(f"not built here: {exc}")
    async with OnnxInference.open({name: path}, max_batch=4) as inference:
        batch = noise(6, *shape)
        together = await inference.infer(name, batch)
        alone = await asyncio.gather(*(inference.infer(name, batch[i : i + 1]) for i in range(6)))
    for output, values in together.items():
        expected = np.concatenate([one[output] for one in alone])
        scale = float(np.abs(expected).max())
        np.testing.assert_allclose(values, expected, atol=1e-5 * scale, rtol=0)
