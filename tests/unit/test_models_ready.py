"""Models are tried out when they are there at first, and again after they were away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chassis.errors import ModelError
from chassis.inference import ModelFile
from chassis.inference.onnx import OnnxInference
from chassis.signal.models_ready import ModelsReady
from tests.fakes.onnx_models import arithmetic


async def test_models_are_tried_once_each_time_they_come(tmp_path: Path) -> None:
    """Not at every look; a model that is not there, or gives something else, is not ready."""
    file = ModelFile(name="sums", path=arithmetic(tmp_path / "sums.onnx"))
    trials: list[float] = []
    expected = 6.0

    async def try_out() -> None:
        outputs = await inference.infer("sums", np.array([[1, 2, 3]], np.float32))
        trials.append(float(outputs["total"][0, 0]))
        if trials[-1] != expected:
            raise ModelError("model sums: another sum")

    async with OnnxInference.open({}) as inference:
        ready = ModelsReady(inference, ["sums"], try_out)
        with pytest.raises(ModelError, match="sums"):
            await ready()
        await inference.add("sums", file)
        await ready()
        await ready()
        assert trials == [6.0]
        assert repr(ready) == "<ModelsReady sums, tried>"
        await inference.remove("sums")
        with pytest.raises(ModelError, match="sums"):
            await ready()
        await inference.add("sums", file)
        expected = 7.0
        for _ in range(2):
            with pytest.raises(ModelError, match="another sum"):
                await ready()
        assert trials == [6.0, 6.0, 6.0]
