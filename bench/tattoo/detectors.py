"""Detectors as the service runs them, and what they find in photographs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from bench.tattoo.figures import Share, share
from bench.tattoo.photographs import TattooPhotograph, pixels_of
from chassis.images import RGBImage
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from services.tattoo.detect import Detection
from services.tattoo.finder import TattooFinder
from services.tattoo.models import TATTOO_BOXES, TATTOO_DETECTOR
from services.tattoo.table import DetectorRow, built_in_detector
from trainer.detector.threshold import enlarged
from trainer.drawings.clutter import add_overlay

__all__ = [
    "Detector",
    "built_in",
    "from_file",
    "heat_map_alone",
    "main_tattoos_found",
    "extra_boxes",
    "false_alarms",
    "overlaid",
]

_MOST = 100


class Detector:
    """One detector at its own threshold."""

    def __init__(self, row: DetectorRow, files: Mapping[str, Path]) -> None:
        self.row = row
        self.files = files

    @asynccontextmanager
    async def open(self, *, threshold: float | None = None) -> AsyncIterator[TattooFinder]:
        """Ready to find; `threshold`: another one than its own."""
        row = self.row if threshold is None else replace(self.row, threshold=threshold)
        async with OnnxInference.open(self.files) as inference, WorkPool(1, 8) as work:
            yield TattooFinder(inference, work, row, most=_MOST)


def built_in() -> Detector:
    """The one that is used unless the settings say otherwise; built where it was not."""
    specs, store = (TATTOO_BOXES, TATTOO_DETECTOR), ModelStore()
    store.build(specs)
    return Detector(built_in_detector(), {spec.name: store.path(spec.name) for spec in specs})


def heat_map_alone() -> Detector:
    """The one before: the heat map, with its own threshold."""
    card = json.loads((files("services.tattoo") / "weights" / "detector.json").read_text())
    row = DetectorRow(
        name=TATTOO_DETECTOR.name,
        version="1",
        format="heatmap",
        threshold=card["threshold"],
        edge=card["edge"],
    )
    return Detector(row, built_in().files)


def from_file(name: str, file: Path, threshold: float) -> Detector:
    """A YOLO file."""
    row = DetectorRow(name=name, version="file", format="yolo", threshold=threshold, file=file)
    return Detector(row, {name: file})


async def main_tattoos_found(
    finder: TattooFinder, photographs: Sequence[TattooPhotograph], *, ious: Sequence[float] = (0.5, 0.3)
) -> dict[str, Share]:
    """In how many photographs a box overlaps the main tattoo by each IoU."""
    best = [
        max((one.box.iou(photograph.main) for one in await finder.find(photograph.pixels)), default=0.0)
        for photograph in photographs
    ]
    return {f"iou_{iou}": share(sum(value >= iou for value in best), len(best)) for iou in ious}


async def extra_boxes(finder: TattooFinder, photographs: Sequence[TattooPhotograph]) -> float:
    """Boxes a photograph that touch no annotated tattoo."""
    extra = 0
    for photograph in photographs:
        found: list[Detection] = await finder.find(photograph.pixels)
        extra += sum(all(one.box.iou(box) == 0 for box in photograph.boxes) for one in found)
    return extra / max(1, len(photographs))


async def false_alarms(
    finder: TattooFinder,
    pictures: Sequence[Path],
    *,
    overlay_seed: int | None = None,
    is_enlarged: bool = False,
) -> Share:
    """In how many pictures without a tattoo anything is found.

    With a drawn overlay on each, by seed, or enlarged as if they were large pictures, where wanted.
    """
    alarms = 0
    for number, path in enumerate(pictures):
        pixels = pixels_of(path)
        if overlay_seed is not None:
            pixels = overlaid(pixels, np.random.default_rng([overlay_seed, number]))
        if is_enlarged:
            pixels = enlarged(pixels)
        alarms += bool(await finder.find(pixels))
    return share(alarms, len(pictures))


def overlaid(pixels: RGBImage, rng: np.random.Generator) -> RGBImage:
    """With a watermark, subtitle or logo over it."""
    canvas = pixels.astype(np.float32) / 255
    add_overlay(rng, canvas)
    return np.clip(canvas * 255, 0, 255).astype(np.uint8)
