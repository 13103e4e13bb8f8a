"""The gallery of one signal notices what changes while it is compared."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

import numpy as np
import pytest

from chassis.errors import Overloaded, Refused, Unavailable
from chassis.work import WorkPool
from gateway.calibration import asking
from gateway.calibration.asking import computed
from gateway.calibration.compared import compare
from gateway.calibration.measuring import Gallery
from gateway.calibration.performers import Performers
from gateway.calibration.probes import Probe
from gateway.calibration.report import Stage
from gateway.observations import Signal
from gateway.signals import Query
from marquee.common.v1 import calibration_pb2, common_pb2


class _Client:
    """Serves one embedder."""

    signal = Signal.TATTOO

    def __init__(self) -> None:
        self.version = "1"
        self.known = {"anna": 0.5, "bea": 0.25}

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        models = [calibration_pb2.CalibratedModel(model="m", version=self.version)]
        return calibration_pb2.CalibrationState(models=models)

    async def similarities(
        self, queries: Sequence[Query], *, timeout: float
    ) -> Mapping[str, Mapping[str, float]]:
        return {query.key: self.known for query in queries}


async def test_models_are_asked_for_again_after_comparing() -> None:
    """Similarities of two models are no one's; the first switch ends it, not only what stores."""
    client: Any = _Client()
    nobody = Performers.of([])
    async with WorkPool(1, 0) as work:
        gallery = await Gallery.open(client, work, seconds=1, tell=lambda _: None)
        assert await gallery.compare([], nobody, stage=Stage.COMPARING, seed=0) == []
        client.version = "2"
        with pytest.raises(Refused, match="tattoo: its models changed meanwhile; nothing was stored"):
            await gallery.compare([], nobody, stage=Stage.COMPARING, seed=0)


async def _compare(client: Any, *, quality: float = 0.8) -> tuple[float, dict[str, float]]:
    probe = Probe("anna", "image", ("image",), is_undated=False)
    templates = {("anna", "image"): [common_pb2.Template(quality=quality)]}
    performers = Performers.of(["anna", "bea", "carla"])
    others = {probe: np.array([2, 1], np.int32)}
    [found] = await compare(
        client, [probe], templates, others, performers, seconds=1, on_compared=lambda _: None
    )
    names = [performers.ids[one] for one in found.others]
    return found.own, dict(zip(names, found.similarities.tolist(), strict=True))


async def test_a_probe_is_compared_with_those_whom_the_signal_knows() -> None:
    """Its own performer apart from the others; of whom nothing is enrolled there is no similarity."""
    assert await _compare(_Client()) == (0.5, {"bea": 0.25})


@pytest.mark.parametrize("name", ["anna", "bea"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
async def test_a_broken_signal_is_named(name: str, value: float) -> None:
    """What is no number is the signal's fault, not the caller's."""
    client = _Client()
    client.known[name] = value
    with pytest.raises(Unavailable, match="tattoo gave a similarity or a quality that is no number"):
        await _compare(client)


async def test_a_quality_that_is_no_number_is_the_signals_fault_too() -> None:
    """It comes with what is enrolled."""
    with pytest.raises(Unavailable, match="tattoo gave"):
        await _compare(_Client(), quality=math.nan)


async def test_a_pool_that_is_full_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured until then is worth a wait; not for ever."""
    monkeypatch.setattr(asking, "_PAUSES", (0.05,))
    done = Event()
    async with WorkPool(1, 0) as work:
        running = asyncio.create_task(work.run(done.wait))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(computed(work, lambda: 7))
        await asyncio.sleep(0.01)
        done.set()
        assert await waiting == 7
        await running
        done.clear()
        running = asyncio.create_task(work.run(done.wait))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await computed(work, lambda: 7)
        done.set()
        await running
