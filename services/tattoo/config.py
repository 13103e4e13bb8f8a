"""Settings of the tattoo service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import pydantic

from chassis.config import MetricsPort, Port, ProcessConfig, Section, ServerSection

__all__ = ["OwnEmbedder", "TattooSection", "TattooConfig"]

_Triple = tuple[float, float, float]


class OwnEmbedder(Section):
    """[[tattoo.embedders]]: an embedder of your own, one input, one output, batch first and dynamic."""

    name: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")
    """Name to list in `embedders`; not the built-in one's."""
    version: str = pydantic.Field(min_length=1, max_length=64)
    """Change it with the file: vectors of different versions are never compared."""
    file: Path
    """The ONNX file."""
    size: int = pydantic.Field(ge=16, le=2048)
    """Width and height of the input, pixels."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    """Order of the input's dimensions."""
    color: Literal["RGB", "BGR"] = "RGB"
    """Order of the input's colours."""
    mean: _Triple = (0.485, 0.456, 0.406)
    """The input is (x / 255 - mean) / deviation for pixel values x in 0..255."""
    deviation: _Triple = (0.229, 0.224, 0.225)
    """See `mean`."""
    mirror: bool = True
    """Whether a crop and its mirror image are both embedded and averaged."""
    coarse: int | None = pydantic.Field(default=None, ge=8, le=2048)
    """Width and height in pixels of a coarse copy of each crop that is embedded and averaged, so that vectors
    hold through blur (with `mirror`, the mirror image is coarse); empty: none."""
    dimension: int = pydantic.Field(ge=2, le=16384)
    """Values of a vector."""
    impostor_p99: float = pydantic.Field(ge=-1, le=1)
    """99th percentile of the cosine of different tattoos; confidence is 0 there."""
    genuine_median: float = pydantic.Field(ge=-1, le=1)
    """Median cosine of two views of one tattoo; confidence is 1 there."""
    identification_confidence: float = pydantic.Field(default=1.0, gt=0, le=1)
    """Confidence that one in a hundred unknown tattoos reaches."""

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.genuine_median <= self.impostor_p99:
            raise ValueError("genuine_median must be above impostor_p99")
        if min(self.deviation) <= 0:
            raise ValueError("deviation must be above 0")
        return self


class TattooSection(ServerSection):
    """[tattoo]"""

    port: Port = 50052
    """TCP port; 0 lets the system choose."""
    metrics_port: MetricsPort = 9092
    """TCP port of /metrics; 0 lets the system choose, "off" serves none."""
    detector_file: Path | None = None
    """ONNX file of a detector of your own, in the format of `detector_format`; empty: the built-in one."""
    detector_format: Literal["yolo", "heatmap"] = "yolo"
    """What `detector_file` takes and gives: yolo, a YOLOv5 or YOLOv8 export for 640 x 640 pixels, or
    heatmap, the input and output that docs/models.md gives for tattoo_detector."""
    detection_threshold: float | None = pydantic.Field(default=None, gt=0, lt=1)
    """Least confidence of a tattoo; empty: what the built-in detector was trained for, 0.5 for another. Lower
    finds more, and more that is none."""
    embedder: tuple[str, ...] = pydantic.Field(default=("tattoo_embedder",), min_length=1)
    """Embedders in use; the first is the primary one, which similarities are told in. Another set than before
    is prepared while the old one serves; see docs/model-change.md."""
    embedders: tuple[OwnEmbedder, ...] = ()
    """Embedders of your own that `embedder` may name."""
    max_tattoos: int = pydantic.Field(default=16, ge=1, le=256)
    """Tattoos of a picture that are described, largest first; about 15 ms of one core each."""
    verify_candidates: int = pydantic.Field(default=10, ge=0, le=100)
    """Enrolled views that a tattoo's key points are compared with, under 1 ms each; 0: key points are neither
    found nor compared."""
    screen_candidates: int = pydantic.Field(default=400, ge=0, le=4000)
    """Most alike enrolled views that are looked over for these, shared between the tattoos of a call, about
    0.1 ms each; 0: the most alike ones are compared."""
    enrol_quality: float = pydantic.Field(default=0.3, ge=0, le=1)
    """Least quality of a tattoo that is enrolled."""
    switch_coverage: float = pydantic.Field(default=0.95, ge=0, le=1)
    """Share of the enrolled tattoos that new embedders must describe before they take over."""
    work_threads: int = pydantic.Field(default=2, ge=1, le=64)
    """Threads that decode, crop and search."""
    max_waiting: int = pydantic.Field(default=128, ge=0)
    """Tasks that may wait for one of them before requests are refused as overload."""


class TattooConfig(ProcessConfig):
    """Everything that the tattoo process reads."""

    tattoo: TattooSection = TattooSection()
    """[tattoo]"""
