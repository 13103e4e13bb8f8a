"""Triton and the services' own ONNX Runtime give the same numbers for what services really send."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.inference.inputs import record_inputs, served_specs
from chassis.inference import Inference, ModelFile, Outputs
from chassis.inference.onnx import OnnxInference
from chassis.inference.triton import TritonInference
from chassis.models import ModelStore, discover_specs
from chassis.models.repository import assemble, has_config
from client.triton_stand_in.server import POLLING, TritonProcess
from tests.e2e.conftest import Photographs
from tests.fakes.triton import open_triton

_LFW = Path(__file__).parents[3] / "shared" / "data" / "lfw"
_TOLERANCE = 1e-5
_MOST = 24
_ENROLLED, _STRANGERS = 8, 8
_NAMES = sorted(spec.name for spec in discover_specs() if has_config(spec))


@dataclass(frozen=True)
class Sides:
    """The same models on both sides, and real inputs of each."""

    local: Inference
    triton: Inference
    inputs: Mapping[str, NDArray[np.float32]]

    def inputs_of(self, model: str) -> NDArray[np.float32]:
        if model not in self.inputs:
            pytest.skip(f"{model} is not built here")
        return self.inputs[model]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TritonProcess]:
    """A Triton with every built model, from a repository as `marquee models build` makes it."""
    folder = tmp_path_factory.mktemp("triton")
    assemble(folder / "models", ModelStore(), discover_specs())
    async with open_triton(folder / "models", folder / "triton.log", options=POLLING) as process:
        yield process


@pytest.fixture(scope="module")
async def sides(server: TritonProcess, photographs: Photographs) -> AsyncIterator[Sides]:
    """Both ways to run a model."""
    store = ModelStore()
    specs = served_specs(store)
    files = {spec.name: ModelFile(name=spec.name, version=spec.version, spec=spec) for spec in specs}
    inputs = await record_inputs(list(photographs.values()), store, most=_MOST)
    async with (
        OnnxInference.open({spec.name: store.path(spec.name) for spec in specs}) as local,
        TritonInference.open(server.address, files, timeout_seconds=60.0) as triton,
    ):
        await triton.ready()
        yield Sides(local, triton, inputs)


@pytest.mark.parametrize("model", _NAMES)
async def test_one_input_at_a_time(sides: Sides, model: str) -> None:
    """Batch 1: every output of every model."""
    for one in sides.inputs_of(model)[:6]:
        _agree(await sides.triton.infer(model, one[None]), await sides.local.infer(model, one[None]))


@pytest.mark.parametrize("model", _NAMES)
async def test_mixed_batches_at_the_same_time(sides: Sides, model: str) -> None:
    """Calls of 1 to 5 inputs side by side, as the server batches them: each has its own numbers."""
    inputs = sides.inputs_of(model)
    parts = [inputs[start : start + 1 + start % 5] for start in range(0, len(inputs), 3)]
    answers = await asyncio.gather(*(sides.triton.infer(model, part) for part in parts))
    for part, answer in zip(parts, answers, strict=True):
        alone = [await sides.local.infer(model, one[None]) for one in part]
        _agree(answer, {name: np.concatenate([one[name] for one in alone]) for name in alone[0]})


def _agree(found: Outputs, expected: Outputs) -> None:
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].shape == values.shape
        assert np.abs(found[name] - values).max() <= _TOLERANCE * np.abs(values).max()


def test_evaluate_ranks_alike(server: TritonProcess, tmp_path: Path) -> None:
    """`marquee evaluate` gives the same ranks, statuses and scores, whoever runs the models."""
    if not (_LFW / "identities").is_dir():
        pytest.skip("Labeled Faces in the Wild is not beside the checkout (shared/data/lfw)")
    gallery, probes = _galleries(tmp_path)
    local = _evaluate(gallery, probes, tmp_path / "local.json", {})
    served = _evaluate(
        gallery, probes, tmp_path / "triton.json", {"MARQUEE_INFERENCE_TRITON_URL": server.address}
    )
    assert len(local) == _ENROLLED + _STRANGERS
    for one, other in zip(local, served, strict=True):
        assert _ranking(one) == _ranking(other)
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)


def _ranking(probe: dict[str, object]) -> dict[str, object]:
    """Without the score, and without what nobody's score leaves to the performers' random ids."""
    is_tie = not probe["score"]
    return {
        key: value
        for key, value in probe.items()
        if key != "score" and not (is_tie and key in ("best", "rank"))
    }


def _galleries(folder: Path) -> tuple[Path, Path]:
    """Some people with one photograph enrolled and another as the probe, and some strangers."""
    gallery, probes = folder / "gallery", folder / "probes"
    for person in sorted((_LFW / "identities").iterdir())[:_ENROLLED]:
        first, second = sorted(person.iterdir())[:2]
        _link(first, gallery / person.name / first.name)
        _link(second, probes / person.name / second.name)
    for stranger in sorted(path for path in (_LFW / "distractors").rglob("*.jpg"))[:_STRANGERS]:
        _link(stranger, probes / stranger.stem / stranger.name)
    return gallery, probes


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)


def _evaluate(
    gallery: Path, probes: Path, report: Path, variables: dict[str, str]
) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "client", "evaluate", str(gallery), str(probes), "--json", str(report)]
    done = subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, object]] = json.loads(report.read_text())["probes"]
    return answers
