"""The gallery of one signal notices what changes while it is compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chassis.errors import Refused, Unavailable
from gateway.calibration.compared import compare
from gateway.calibration.measuring import Gallery
from gateway.calibration.probes import Probe
from gateway.calibration.report import Stage
from gateway.observations import Signal
from gateway.signals import Query, SignalScore
from marquee.common.v1 import calibration_pb2, common_pb2


class _Client:
    """Serves one embedder."""

    signal = Signal.TATTOO

    def __init__(self) -> None:
        self.version = "1"
        self.similarities = {"anna": 0.5, "bea": 0.25}

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        models = [calibration_pb2.CalibratedModel(model="m", version=self.version)]
        return calibration_pb2.CalibrationState(models=models)

    async def score(
        self, queries: Sequence[Query], *, timeout: float
    ) -> Mapping[str, Mapping[str, SignalScore]]:
        scores = {one: SignalScore(value, 0.5) for one, value in self.similarities.items()}
        return {query.key: scores for query in queries}


async def test_models_are_asked_for_again_after_comparing() -> None:
    """Similarities of two models are no one's; the first switch ends it, not only what stores."""
    client: Any = _Client()
    gallery = await Gallery.open(client, seconds=1, tell=lambda _: None)
    assert await gallery.compare([], [], stage=Stage.COMPARING, seed=0) == []
    client.version = "2"
    with pytest.raises(Refused, match="tattoo: its models changed meanwhile; nothing was stored"):
        await gallery.compare([], [], stage=Stage.COMPARING, seed=0)


async def _compare(client: Any, *, quality: float = 0.8) -> tuple[float, dict[str, float]]:
    probe = Probe("anna", "image", ("image",), is_undated=False)
    templates = {("anna", "image"): [common_pb2.Template(quality=quality)]}
    others = {probe: ("bea", "carla")}
    [found] = await compare(client, [probe], templates, others, seconds=1, on_compared=lambda _: None)
    return found.own, dict(zip(found.others, found.similarities.tolist(), strict=True))


async def test_a_probe_is_compared_with_those_whom_the_signal_knows() -> None:
    """Its own performer apart from the others; of whom nothing is enrolled there is no similarity."""
    assert await _compare(_Client()) == (0.5, {"bea": 0.25})


@pytest.mark.parametrize("name", ["anna", "bea"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
async def test_a_broken_signal_is_named(name: str, value: float) -> None:
    """What is no number is the signal's fault, not the caller's."""
    client = _Client()
    client.similarities[name] = value
    with pytest.raises(Unavailable, match="tattoo gave a similarity or a quality that is no number"):
        await _compare(client)


async def test_a_quality_that_is_no_number_is_the_signals_fault_too() -> None:
    """It comes with what is enrolled."""
    with pytest.raises(Unavailable, match="tattoo gave"):
        await _compare(_Client(), quality=math.nan)
