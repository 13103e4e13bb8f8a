"""How a process is, in the contract's words."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from chassis.health import Readiness
from marquee.common.v1 import common_pb2

__all__ = ["service_status"]

_STARTED = time.monotonic()


def service_status(
    readiness: Readiness,
    *,
    models: Sequence[common_pb2.ModelStatus] = (),
    performers: int = 0,
    observations: int = 0,
    model_change: common_pb2.ModelChange | None = None,
    not_searchable: Sequence[common_pb2.NotSearchable] = (),
    calibration: common_pb2.CalibrationInUse | None = None,
) -> common_pb2.ServiceStatus:
    """The status of this process: version, readiness, age, memory and the counts given."""
    return common_pb2.ServiceStatus(
        version=version("marquee"),
        is_ready=readiness.is_ready,
        reason=readiness.reason,
        uptime_seconds=time.monotonic() - _STARTED,
        models=models,
        performers=performers,
        observations=observations,
        resident_bytes=_resident_bytes(),
        model_change=model_change,
        not_searchable=not_searchable,
        calibration=calibration,
    )


def _resident_bytes() -> int:
    """Resident memory of this process, bytes; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
