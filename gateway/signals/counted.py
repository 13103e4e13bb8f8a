"""What a signal has of many performers: counts in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from marquee.common.v1 import counts_pb2

__all__ = ["Column", "Counted", "counted_of"]

Column = NDArray[np.int64]
_ID_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Entry i of each column is of performer i; `faces`: of the face signal only, by FaceCounts' names."""

    performer_ids: bytes
    """16 bytes each."""
    observations: Column
    faces: Mapping[str, Column] = field(default_factory=lambda: MappingProxyType({}))


def counted_of(
    counts: counts_pb2.ObservationCounts, faces: Mapping[str, Iterable[int]] = MappingProxyType({})
) -> Counted:
    """From a message. Raises InvalidInput for columns of different lengths."""
    observations = _column(counts.observations)
    columns = {name: _column(values) for name, values in faces.items()}
    lengths = {len(observations), *map(len, columns.values())}
    if lengths != {len(counts.performer_ids) // _ID_BYTES} or len(counts.performer_ids) % _ID_BYTES:
        raise InvalidInput("counts: columns of different lengths")
    return Counted(counts.performer_ids, observations, columns)


def _column(values: Iterable[int]) -> Column:
    return np.fromiter(values, np.int64)
