"""The model table: everything an embedder needs to know about its input, its output and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from chassis.models import ModelSpec, kept_name
from chassis.signal.operating_point import OperatingPoint
from services.face.models import DLIB_RESNET, MOBILEFACENET
from services.face.templates import ARCFACE, DLIB, AlignmentTemplate

__all__ = [
    "EmbedderRow",
    "FaceView",
    "PLAIN_VIEWS",
    "MIRRORED_VIEWS",
    "BUILT_IN_ROWS",
    "BUILT_IN_SPECS",
    "DEFAULT_EMBEDDERS",
    "ENSEMBLE_IDENTIFICATION_CONFIDENCE",
    "EMBEDDER_ROLE",
    "RECIPE",
]

EMBEDDER_ROLE = "face.embedder"

RECIPE = 1
"""Raised when detection, alignment or mirror averaging change: vectors from before must not meet new ones."""


@dataclass(frozen=True, slots=True)
class FaceView:
    """One look of an embedder at an aligned face; the vectors of all looks are averaged."""

    zoom: float
    """How much larger than the template says the face is shown, around the input's centre."""
    is_mirrored: bool


PLAIN_VIEWS = (FaceView(1.0, False),)
"""The aligned face as it is."""
MIRRORED_VIEWS = (FaceView(1.0, False), FaceView(1.0, True))
"""The face and its mirror image: nearly free accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderRow:
    """One embedder: a row of the model table."""

    name: str
    """As `marquee models list` and the settings name it."""
    version: str
    """Vectors of different versions are never compared."""
    size: int
    """Width and height of the input, pixels."""
    layout: Literal["NCHW", "NHWC"]
    color: Literal["RGB", "BGR"]
    subtract: float
    """The input is (x - subtract) / divide for pixel values x in 0..255."""
    divide: float
    template: AlignmentTemplate
    views: tuple[FaceView, ...]
    """Looks that are averaged, at least one."""
    dimension: int
    """Values of a vector."""
    weight: float = 1.0
    """Share in the mean of several embedders, relative to the others'; above 0."""
    operating_point: OperatingPoint
    model_version: str | None = None
    """Version of the built-in model's file; None: the owner gives the file."""
    file: Path | None = None
    """The owner's ONNX file; a row with neither this nor `model_version` is disabled."""
    sha256: str | None = None
    """Of the owner's file, hexadecimal; None: the version of a built-in model says which file it is."""
    is_recorded: bool = False
    """Whether the row is no longer in the table or the settings, but serves until others have taken over."""

    @property
    def is_enabled(self) -> bool:
        """Whether there is a file, or will be once `marquee models build` ran."""
        return self.model_version is not None or self.file is not None

    @property
    def key(self) -> tuple[str, str]:
        """What vectors are filed under: name and version."""
        return (self.name, self.version)

    @property
    def model(self) -> str:
        """What the model runs under: versions of one name can run side by side."""
        is_only_one = self.file is None and not self.is_recorded
        return self.name if is_only_one else kept_name(self.name, self.version)


_MEASURED = (
    "python -m bench.faces on Labeled Faces in the Wild, calibration half: 224 people in the gallery, 712 "
    "unknown; identification confidence at FPIR 0.5%, which is 1% with twice the people, rounded up"
)
_PROVISIONAL = (
    "provisional, not measured here: from thresholds published for the model; measure with "
    "`python -m bench.faces` and put the numbers into the settings"
)

_MOBILEFACENET = EmbedderRow(
    name=MOBILEFACENET.name,
    version=f"{MOBILEFACENET.version}.{RECIPE}",
    size=112,
    layout="NHWC",
    color="RGB",
    subtract=127.5,
    divide=128.0,
    template=ARCFACE,
    views=tuple(FaceView(zoom, mirrored) for zoom in (0.96, 1.04) for mirrored in (False, True)),
    dimension=192,
    weight=3.0,
    operating_point=OperatingPoint(
        impostor_p99=0.353, genuine_median=0.775, identification_confidence=0.52, provenance=_MEASURED
    ),
    model_version=MOBILEFACENET.version,
)

_DLIB_RESNET = EmbedderRow(
    name=DLIB_RESNET.name,
    version=f"{DLIB_RESNET.version}.{RECIPE}",
    size=150,
    layout="NCHW",
    color="RGB",
    subtract=0.0,
    divide=1.0,
    template=DLIB,
    # The mirror image at another scale: a second scale that costs nothing.
    views=(FaceView(0.94, False), FaceView(1.06, True)),
    dimension=128,
    operating_point=OperatingPoint(
        impostor_p99=0.912, genuine_median=0.959, identification_confidence=0.80, provenance=_MEASURED
    ),
    model_version=DLIB_RESNET.version,
)

# Community files that we do not ship: a row is disabled until the settings name its file.
_FACENET512 = EmbedderRow(
    name="facenet512",
    version="",
    size=160,
    layout="NHWC",
    color="RGB",
    subtract=127.5,
    divide=127.5,
    template=ARCFACE,
    views=MIRRORED_VIEWS,
    dimension=512,
    weight=3.0,
    operating_point=OperatingPoint(
        impostor_p99=0.40, genuine_median=0.80, identification_confidence=0.75, provenance=_PROVISIONAL
    ),
)

_ARCFACE = EmbedderRow(
    name="arcface",
    version="",
    size=112,
    layout="NHWC",
    color="RGB",
    subtract=127.5,
    divide=128.0,
    template=ARCFACE,
    views=MIRRORED_VIEWS,
    dimension=512,
    weight=3.0,
    operating_point=OperatingPoint(
        impostor_p99=0.22, genuine_median=0.62, identification_confidence=0.5, provenance=_PROVISIONAL
    ),
)

BUILT_IN_ROWS: Mapping[str, EmbedderRow] = MappingProxyType(
    {row.name: row for row in (_MOBILEFACENET, _DLIB_RESNET, _FACENET512, _ARCFACE)}
)
"""By name. The first two are built by `marquee models build`."""

BUILT_IN_SPECS: Mapping[str, ModelSpec] = MappingProxyType(
    {spec.name: spec for spec in (MOBILEFACENET, DLIB_RESNET)}
)
"""Of the built-in rows that have a file of ours."""

DEFAULT_EMBEDDERS: tuple[str, ...] = (MOBILEFACENET.name, DLIB_RESNET.name)
"""In use unless the settings name others, as far as they are built; the first is the primary."""

ENSEMBLE_IDENTIFICATION_CONFIDENCE: Mapping[frozenset[str], float] = MappingProxyType(
    {frozenset(DEFAULT_EMBEDDERS): 0.50}
)
"""For sets of embedders measured together; other sets use the weighted mean of their rows' values."""
