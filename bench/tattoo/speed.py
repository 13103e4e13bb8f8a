"""How long Observe takes on a picture of 1080p with four tattoos: the code of the service, no database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
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
from services.tattoo.agreement import agreeing_points
from services.tattoo.config import TattooSection
from services.tattoo.crop import cut
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.key_points import FIRST_BYTES, KeyPoints, find_key_points, to_bytes
from services.tattoo.quality import view_quality
from services.tattoo.screening import most_paired

__all__ = ["Speed", "observe_speed"]

_WIDTH, _HEIGHT = 1920, 1080
_BOXES = [Box(200 + 400 * number, 300, 240, 240) for number in range(4)]


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds of one picture at a time."""

    p50: float
    p95: float
    finding_p50: float
    """Of that, finding."""
    without_key_points_p50: float
    """The same without key points."""
    verifying_p50: float
    """Besides, comparing the key points of each tattoo with those of ten views."""
    screening_p50: float
    """And looking over a hundred views of each for these ten."""
    runs: int


async def observe_speed(detector: Detector, describer: EmbedderDescriber, *, runs: int) -> Speed:
    """Decode, find, cut four crops, describe and judge them; search is not part of it."""
    files = {**detector.files, describer.row.model: describer.file}
    async with OnnxInference.open(files, threads=1) as inference, WorkPool(2, 64) as work:
        finder = TattooFinder(inference, work, detector.row, most=16)
        observing = _Observing(finder, TattooEmbedder(inference, work, [describer.row]), work)
        full, finding, plain, verifying, screening = [], [], [], [], []
        for _ in range(runs + 2):
            took, found, points = await observing(with_key_points=True)
            full.append(took)
            finding.append(found)
            plain.append((await observing(with_key_points=False))[0])
            verifying.append(await _verifying(work, points))
            screening.append(await _screening(work, points))
    return Speed(
        p50=_quantile(full, 0.5),
        p95=_quantile(full, 0.95),
        finding_p50=_quantile(finding, 0.5),
        without_key_points_p50=_quantile(plain, 0.5),
        verifying_p50=_quantile(verifying, 0.5),
        screening_p50=_quantile(screening, 0.5),
        runs=runs,
    )


def _quantile(seconds: Sequence[float], share: float) -> float:
    """Milliseconds; the first two warmed up."""
    return float(np.quantile(seconds[2:], share) * 1000)


class _Observing:
    """What Observe does with a picture until it searches."""

    def __init__(self, finder: TattooFinder, embedder: TattooEmbedder, work: WorkPool) -> None:
        self._finder = finder
        self._embedder = embedder
        self._work = work
        self._data = _picture()

    async def __call__(self, *, with_key_points: bool) -> tuple[float, float, list[KeyPoints]]:
        """Seconds in all, seconds of finding, and the key points."""
        start = time.perf_counter()
        pixels = await self._work.run(decode, self._data, ImageLimits())
        decoded = time.perf_counter()
        await self._finder.find(pixels)
        found = time.perf_counter()
        crops = [cut(pixels, box) for box in _BOXES]
        wanted = crops if with_key_points else []
        _, points = await asyncio.gather(self._embedder.embed(crops), self._key_points(wanted))
        for crop in crops:
            await self._work.run(view_quality, crop, 0.9)
        return time.perf_counter() - start, found - decoded, points

    async def _key_points(self, crops: Sequence[NDArray[np.uint8]]) -> list[KeyPoints]:
        return [await self._work.run(find_key_points, crop) for crop in crops]


async def _verifying(work: WorkPool, points: Sequence[KeyPoints]) -> float:
    """Seconds: each tattoo with nine others and itself, one tattoo a task, two at once as in the service."""
    start = time.perf_counter()
    await asyncio.gather(*(work.run(_compare, one, _views(one, points, 10)) for one in points))
    return time.perf_counter() - start


async def _screening(work: WorkPool, points: Sequence[KeyPoints]) -> float:
    """Seconds: each tattoo by its first points with its share of what is looked over."""
    settings = TattooSection()
    most = settings.screen_candidates // len(points)
    starts = [[to_bytes(view)[:FIRST_BYTES] for view in _views(one, points, most)] for one in points]
    start = time.perf_counter()
    pairs = zip(points, starts, strict=True)
    await asyncio.gather(*(work.run(most_paired, *each, settings.verify_candidates) for each in pairs))
    return time.perf_counter() - start


def _compare(one: KeyPoints, views: Sequence[KeyPoints]) -> None:
    for other in views:
        agreeing_points(one, other)


def _views(one: KeyPoints, points: Sequence[KeyPoints], count: int) -> list[KeyPoints]:
    others = [other for other in points if other is not one]
    return [one, *(others[number % len(others)] for number in range(count - 1))]


def _picture() -> bytes:
    """Skin-coloured noise and four drawings as a JPEG: what is found does not matter, the size does."""
    rng = np.random.default_rng(0)
    coarse: NDArray[np.uint8] = rng.integers(120, 220, (27, 48, 3), np.uint8)
    pixels = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    for box in _BOXES:
        for _ in range(60):
            x, y, radius = (int(value) for value in rng.integers([0, 0, 3], [240, 240, 20]))
            cv2.circle(pixels, (int(box.x) + x, int(box.y) + y), radius, (int(rng.integers(120)),) * 3, 2)
    is_done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert is_done, "JPEG takes any picture"
    return bytes(data)
