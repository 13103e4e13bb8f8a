"""From which confidence on a box is a tattoo: the one number of the detector that photographs may set.

Renders cannot set it: what is taken for a tattoo in photographs is hair, ties and patterned shirts. It is
read off one half of the people in a folder of photographs of faces; `bench.tattoo` reports the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from chassis.images import decode
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from services.tattoo.finder import TattooFinder
from services.tattoo.looks import FINE
from services.tattoo.models import TATTOO_BOXES, TATTOO_DETECTOR
from services.tattoo.table import built_in_detector
from trainer.drawings.calibration import is_for_calibration

__all__ = ["best_confidences", "faces_for_calibration", "threshold_for"]

_LEAST = 0.05
_MARGIN = 0.005


def faces_for_calibration(folder: Path) -> list[Path]:
    """One photograph of each person in the half that may set numbers: FOLDER/KIND/PERSON/*.jpg."""
    people = sorted(path for path in folder.glob("*/*") if path.is_dir() and is_for_calibration(path.name))
    photographs = [sorted(person.glob("*")) for person in people]
    return [found[0] for found in photographs if found]


async def best_confidences(faces: Sequence[Path]) -> NDArray[np.float64]:
    """Of each face the surest box, 0 for none: at its own size or, as if it were part of one, enlarged."""
    row, store = replace(built_in_detector(), threshold=_LEAST), ModelStore()
    files = {spec.name: store.path(spec.name) for spec in (TATTOO_BOXES, TATTOO_DETECTOR)}
    best = []
    async with OnnxInference.open(files) as inference, WorkPool(2, 8) as work:
        finder = TattooFinder(inference, work, row, most=100)
        for path in track(faces, "faces"):
            pixels = decode(path.read_bytes())
            found = [*await finder.find(pixels), *await finder.find(enlarged(pixels))]
            best.append(max((one.confidence for one in found), default=0.0))
    return np.array(best)


def enlarged(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """So that its longer side is what the fine look sees; one that is larger stays."""
    scale = FINE / max(pixels.shape[:2])
    if scale <= 1:
        return pixels
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def threshold_for(best: NDArray[np.float64], *, alarms: float) -> float:
    """The confidence that a share `alarms` of pictures without a tattoo reaches, and a little more.

    Raises ValueError without pictures, or for a share that is not below 1.
    """
    if not len(best) or not 0 <= alarms < 1:
        raise ValueError("a threshold needs pictures, and a share of alarms from 0 to below 1")
    ordered = np.sort(best)[::-1]
    return round(float(ordered[int(alarms * len(ordered))]) + _MARGIN, 3)
