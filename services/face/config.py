"""Settings of the face service."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pydantic

from chassis.config import MetricsPort, Port, ProcessConfig, Section, ServerSection

__all__ = ["EmbedderSettings", "FaceSection", "FaceConfig"]


class EmbedderSettings(Section):
    """One `[[face.embedders]]` table: an ONNX file of the owner's.

    A name of the built-in table takes what is left out from there; any other name needs every field.
    """

    name: str = pydantic.Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    """What the role and the stored vectors call it."""
    file: Path | None = None
    """The ONNX file: one float32 input, batch first; the first output is the vector."""
    version: str | None = pydantic.Field(default=None, min_length=1, max_length=64)
    """Change it whenever the file or any field here changes what vectors come out; by default the first 12
    digits of the SHA-256 of the file."""
    size: int | None = pydantic.Field(default=None, ge=16, le=1024)
    """Width and height of the input, pixels."""
    layout: Literal["NCHW", "NHWC"] | None = None
    """Order of the input's axes."""
    color: Literal["RGB", "BGR"] | None = None
    """Order of the input's colours."""
    subtract: float | None = None
    """The input is (x - subtract) / divide for pixel values x in 0..255."""
    divide: float | None = pydantic.Field(default=None, gt=0)
    """See `subtract`."""
    template: str | None = None
    """Alignment template: "arcface" or "dlib"."""
    mirror: bool | None = None
    """Embed the mirror image too and average."""
    dimension: int | None = pydantic.Field(default=None, ge=2, le=8192)
    """Values of a vector."""
    weight: float | None = pydantic.Field(default=None, gt=0)
    """Share in the mean of several embedders, relative to the others'."""
    impostor_p99: float | None = pydantic.Field(default=None, ge=-1, le=1)
    """99th percentile of the cosine of different people; `python -m bench.faces` measures it."""
    genuine_median: float | None = pydantic.Field(default=None, ge=-1, le=1)
    """Median cosine of two pictures of one person, above `impostor_p99`."""
    identification_confidence: float | None = pydantic.Field(default=None, ge=0, le=1)
    """Confidence that one in a hundred strangers reaches."""


class FaceSection(ServerSection):
    """[face]"""

    port: Port = 50051
    """TCP port; 0 lets the system choose."""
    metrics_port: MetricsPort = 9091
    """TCP port of /metrics; 0 lets the system choose, "off" serves none."""
    embedder: tuple[str, ...] = ()
    """Embedders in use, the primary first; rows of the model table. Empty: the built-in ones that are built.
    Another set than before is prepared while the old one serves; see docs/model-change.md."""
    embedders: tuple[EmbedderSettings, ...] = ()
    """Files of your own; see docs/face.md."""
    enrol_quality: float = pydantic.Field(default=0.1, ge=0, le=1)
    """Faces of less quality are not enrolled."""
    max_faces_per_performer: int = pydantic.Field(default=20, ge=1, le=100)
    """Faces of a performer that are searched, chosen by quality and by how much they differ. Up to five times
    as many are kept. A change holds for a performer from the next enrolment on."""
    switch_coverage: float = pydantic.Field(default=0.95, ge=0, le=1)
    """Share of the enrolled faces that new embedders must describe before they take over."""
    max_faces: int = pydantic.Field(default=64, ge=1, le=256)
    """Most faces described in one picture, the largest."""
    work_threads: int = pydantic.Field(default=2, ge=1, le=64)
    """Threads for decoding, alignment and search."""
    work_max_waiting: int = pydantic.Field(default=256, ge=1)
    """Steps that may wait for a thread before requests are refused as overload."""


class FaceConfig(ProcessConfig):
    """All settings of the face service's process."""

    face: FaceSection = FaceSection()
    """[face]"""
