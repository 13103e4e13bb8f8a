"""The gallery of one signal notices what changes while it is compared."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import Refused
from gateway.calibration.measuring import Gallery
from gateway.calibration.report import Stage
from gateway.observations import Signal
from marquee.common.v1 import calibration_pb2


class _Client:
    """Serves one embedder."""

    signal = Signal.TATTOO

    def __init__(self) -> None:
        self.version = "1"

    async def calibration(self, *, timeout: float) -> calibration_pb2.CalibrationState:
        models = [calibration_pb2.CalibratedModel(model="m", version=self.version)]
        return calibration_pb2.CalibrationState(models=models)


async def test_models_are_asked_for_again_after_comparing() -> None:
    """Similarities of two models are no one's; the first switch ends it, not only what stores."""
    client: Any = _Client()
    gallery = await Gallery.open(client, seconds=1, tell=lambda _: None)
    assert await gallery.compare([], [], stage=Stage.COMPARING, seed=0) == []
    client.version = "2"
    with pytest.raises(Refused, match="tattoo: its models changed meanwhile; nothing was stored"):
        await gallery.compare([], [], stage=Stage.COMPARING, seed=0)
