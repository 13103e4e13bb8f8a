"""How long Observe takes on a picture of 1080p with four tattoos: the code of the service, no database."""

from __future__ import annotations

import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.tattoo.describers import EmbedderDescriber
from bench.tattoo.detectors import Detector
from chassis.geometry import Box
from chassis.images import ImageLimits, decode
from chassis.inference.onnx import OnnxInference
from chassis.work import WorkPool
from services.tattoo.crop import cut
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.quality import view_quality

__all__ = ["Speed", "observe_speed"]

_TATTOOS = 4
_WIDTH, _HEIGHT = 1920, 1080


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one picture at a time."""

    p50: float
    p95: float
    finding_p50: float
    """Of that, finding."""
    runs: int


async def observe_speed(detector: Detector, describer: EmbedderDescriber, *, runs: int) -> Speed:
    """Decode, find, cut four crops, describe and judge them; search is not part of it."""
    data, row = _picture(), describer.row
    boxes = [Box(200 + 400 * number, 300, 240, 240) for number in range(_TATTOOS)]
    files = {detector.row.name: detector.file, row.model: describer.file}
    limits = ImageLimits()
    totals, finding = [], []
    async with OnnxInference.open(files, threads=1) as inference, WorkPool(2, 64) as work:
        finder = TattooFinder(inference, work, detector.row, most=16)
        embedder = TattooEmbedder(inference, work, [row])
        for _ in range(runs + 2):
            start = time.perf_counter()
            pixels = await work.run(decode, data, limits)
            decoded = time.perf_counter()
            await finder.find(pixels)
            found = time.perf_counter()
            crops = [cut(pixels, box) for box in boxes]
            await embedder.embed(crops)
            for crop in crops:
                await work.run(view_quality, crop, 0.9)
            totals.append(time.perf_counter() - start)
            finding.append(found - decoded)
    kept = np.array(totals[2:]) * 1000
    return Speed(
        p50=float(np.median(kept)),
        p95=float(np.quantile(kept, 0.95)),
        finding_p50=float(np.median(finding[2:]) * 1000),
        runs=runs,
    )


def _picture() -> bytes:
    """Skin-coloured noise as a JPEG: what is found in it does not matter, its size does."""
    rng = np.random.default_rng(0)
    coarse: NDArray[np.uint8] = rng.integers(120, 220, (27, 48, 3), np.uint8)
    pixels = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    is_done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert is_done, "JPEG takes any picture"
    return bytes(data)
