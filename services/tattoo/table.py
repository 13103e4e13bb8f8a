"""The model table: everything the service needs to know about its detector and its embedders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from chassis.models import kept_name
from chassis.signal.operating_point import OperatingPoint
from services.tattoo.crop import ColorOrder, Layout
from services.tattoo.models import TATTOO_EMBEDDER
from services.tattoo.networks import DIMENSION
from services.tattoo.template import ModelKey

__all__ = [
    "BOXES",
    "DETECTOR",
    "EMBEDDER",
    "DETECTOR_ROLE",
    "DetectorFormat",
    "EMBEDDER_ROLE",
    "DetectorRow",
    "EmbedderRow",
    "built_in_detector",
    "built_in_embedder",
    "RECIPE",
]

BOXES = "tattoo_boxes"
"""Name of the built-in network that draws boxes."""
DETECTOR = "tattoo_detector"
"""Name of the built-in network that gives a heat map, and of a detector of the owner's."""
EMBEDDER = "tattoo_embedder"
"""Name of the built-in embedder."""
DETECTOR_ROLE = "tattoo.detector"
EMBEDDER_ROLE = "tattoo.embedder"

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
RECIPE = 1
"""Raised when cropping changes or a row means something else: vectors from before must not meet new ones."""
_REVISION = 1
"""Of the built-in embedder's row: raised with any change of it."""
_COARSE = 40

DetectorFormat = Literal["yolo", "heatmap", "looks"]
"""What a detector takes and gives: that of a YOLOv5 or YOLOv8 export, that of `tattoo_detector`, or that of
`tattoo_boxes` in several sizes, beside a heat map of `tattoo_detector`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorRow:
    """The detector."""

    name: str
    version: str
    format: DetectorFormat
    threshold: float
    """Least confidence of a tattoo, 0..1."""
    edge: float = 0.0
    """Heat maps: probability at a tattoo's outline, in the format `heatmap` at most `threshold`."""
    overlap: float = 0.45
    """Boxes: intersection over union, 0..1, above which only the surer of two boxes is a tattoo."""
    heat: str | None = None
    """Looks: name of the network that gives the heat map."""
    file: Path | None = None
    """The owner's ONNX file; None: the built-in one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRow:
    """One embedder."""

    name: str
    version: str
    size: int
    """Width and height of the input, pixels."""
    layout: Layout = "NCHW"
    color: ColorOrder = "RGB"
    mean: tuple[float, float, float] = _MEAN
    """The input is (x / 255 - mean) / deviation for pixel values x in 0..255, in the order of `color`."""
    deviation: tuple[float, float, float] = _DEVIATION
    mirror: bool = True
    """Whether the crop and its mirror image are both embedded and averaged."""
    coarse: int | None = None
    """Width and height, pixels, of a coarse copy of the crop that is averaged in; None: none. With `mirror`
    the mirror image is the coarse one: one run more covers both."""
    dimension: int
    """Values of a vector."""
    operating_point: OperatingPoint
    file: Path | None = None
    """The owner's ONNX file; None: a built-in one."""
    model_version: str | None = None
    """Version of the built-in model's file; None: the owner gives the file."""
    sha256: str | None = None
    """Of the owner's file, hexadecimal; None: the version of a built-in model says which file it is."""
    is_recorded: bool = False
    """Whether the row is no longer in the table or the settings, but serves until others have taken over."""

    @property
    def key(self) -> ModelKey:
        """What vectors are filed under."""
        return (self.name, self.version)

    @property
    def model(self) -> str:
        """What the model runs under: versions of one name can run side by side."""
        is_only_one = self.file is None and not self.is_recorded
        return self.name if is_only_one else kept_name(self.name, self.version)


def built_in_detector() -> DetectorRow:
    """Boxes and heat map on MobileNetV2, with the threshold and edge of their cards."""
    return DetectorRow(
        name=BOXES,
        version="1",
        format="looks",
        threshold=_card("boxes")["threshold"],
        edge=_card("detector")["edge"],
        heat=DETECTOR,
    )


def built_in_embedder() -> EmbedderRow:
    """The embedder on MobileNetV2, with the operating point measured when its projection was fitted."""
    card = _card("embedder")
    return EmbedderRow(
        name=EMBEDDER,
        version=f"{TATTOO_EMBEDDER.version}.{_REVISION}",
        model_version=TATTOO_EMBEDDER.version,
        size=224,
        coarse=_COARSE,
        dimension=DIMENSION,
        operating_point=OperatingPoint(
            impostor_p99=card["impostor_p99"],
            genuine_median=card["genuine_median"],
            identification_confidence=card["identification_confidence"],
            provenance=card["provenance"],
        ),
    )


@cache
def _card(name: str) -> dict[str, Any]:
    text = (files("services.tattoo") / "weights" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))
