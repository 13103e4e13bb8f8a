"""Settings of the body service."""

from __future__ import annotations

from pathlib import Path

import pydantic

from chassis.config import MetricsPort, Port, ProcessConfig, ServerSection

__all__ = ["BodySection", "BodyConfig"]


class BodySection(ServerSection):
    """[body]"""

    port: Port = 50053
    """TCP port; 0 lets the system choose."""
    metrics_port: MetricsPort = 9093
    """TCP port of /metrics; 0 lets the system choose, "off" serves none."""
    landmarks_file: Path | None = None
    """ONNX file of another BlazePose landmark network (lite, heavy) with the inputs and outputs that
    docs/models.md gives for pose_landmarks; empty: the built-in one. What is enrolled with one is not
    compared with the other."""
    max_people: int = pydantic.Field(default=8, ge=1, le=64)
    """People of a picture whose key points are looked for, largest first; about 30 ms of one core each."""
    detection_threshold: float = pydantic.Field(default=0.5, gt=0, lt=1)
    """Least confidence of the detector."""
    presence_threshold: float = pydantic.Field(default=0.5, ge=0, lt=1)
    """Least probability of the landmark network that it sees a person."""
    enrol_quality: float = pydantic.Field(default=0.5, ge=0, le=1)
    """Least view quality of a body that is enrolled."""
    ratio_tolerance: float = pydantic.Field(default=0.2, ge=0, le=2)
    """Relative difference up to which a proportion agrees, beyond the error of the measurements."""
    work_threads: int = pydantic.Field(default=2, ge=1, le=64)
    """Threads that decode, crop, measure and search."""
    max_waiting: int = pydantic.Field(default=128, ge=0)
    """Tasks that may wait for one of them before requests are refused as overload."""


class BodyConfig(ProcessConfig):
    """Everything that the body process reads."""

    body: BodySection = BodySection()
    """[body]"""
