"""How good an exported detector is, run as the service runs it: letterbox, ONNX Runtime, overlaps removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.tattoo.box_layouts import read_candidates
from services.tattoo.boxes import letterbox_centred, select_tattoos
from services.tattoo.detect import Detection
from trainer.learning.precision import Judged, average_precision, judge
from trainer.learning.truth import Picture, Tattoo, load_pixels

__all__ = ["BoxDetector", "Found", "find_all", "judged", "precisions", "SMALL"]

SMALL = 0.05
"""A small tattoo covers less than this share of the person in the picture."""

_LEAST_SCORE = 0.01
_OVERLAP = 0.45
_MOST = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A picture and what was found in it."""

    picture: Picture
    detections: tuple[Detection, ...]

    @property
    def best(self) -> float:
        """The highest confidence, 0 for none."""
        return max((one.confidence for one in self.detections), default=0.0)


class BoxDetector:
    """A YOLO file in ONNX Runtime."""

    def __init__(self, file: Path | bytes, *, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        data = file if isinstance(file, bytes) else str(file)
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, pixels: NDArray[np.uint8], *, threshold: float = _LEAST_SCORE) -> list[Detection]:
        """Tattoos of a picture, uint8 RGB, from a confidence of `threshold` on."""
        frame = letterbox_centred(pixels)
        values = self._session.run(self._outputs, {self._input: frame.tensor[None]})
        candidates = read_candidates("detector", dict(zip(self._outputs, values, strict=True)))
        return select_tattoos(candidates, frame, threshold=threshold, overlap=_OVERLAP, most=_MOST)


def find_all(detector: BoxDetector, pictures: Sequence[Picture]) -> list[Found]:
    """Run the detector on every picture."""
    return [Found(picture, tuple(detector(load_pixels(picture)))) for picture in pictures]


def precisions(found: Sequence[Found]) -> Mapping[str, float]:
    """AP50 of all tattoos that must be found, of the small ones, and of the others."""
    groups: Mapping[str, Callable[[Tattoo], bool]] = {
        "all": lambda tattoo: tattoo.is_plain,
        "small": lambda tattoo: tattoo.is_plain and tattoo.area_share < SMALL,
        "large": lambda tattoo: tattoo.is_plain and tattoo.area_share >= SMALL,
    }
    return {name: average_precision([judged(one, of) for one in found]) for name, of in groups.items()}


def judged(one: Found, counts: Callable[[Tattoo], bool]) -> Judged:
    """Which boxes of a picture are right about the tattoos that count."""
    boxes = [[d.box.x, d.box.y, d.box.right, d.box.bottom] for d in one.detections]
    return judge(
        np.array(boxes, float).reshape(-1, 4),
        [d.confidence for d in one.detections],
        np.array([tattoo.box for tattoo in one.picture.tattoos], float).reshape(-1, 4),
        [counts(tattoo) for tattoo in one.picture.tattoos],
    )
