"""What requests to signal services have in common, checked.

Each function raises InvalidInput, naming the field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from chassis.errors import InvalidInput
from chassis.protos import parse_uuid
from marquee.common.v1 import common_pb2

__all__ = [
    "MOST_COMPARED",
    "MOST_OBSERVATIONS",
    "check_count",
    "check_max_candidates",
    "check_queries",
    "parse_performer_ids",
    "parse_quality",
    "find_embedding",
]

MOST_COMPARED = 1000
"""Templates of one Compare."""
MOST_OBSERVATIONS = 256
"""Observations of one Enroll."""
_MOST_TEMPLATES, _MOST_PERFORMERS, _MOST_CANDIDATES = 256, 1000, 1000


def check_count(field: str, count: int, *, least: int, most: int) -> None:
    """The number of values of a repeated field, both ends included."""
    if not least <= count <= most:
        raise InvalidInput(f"{field}: {count} given, {least} to {most} are accepted")


def check_max_candidates(wanted: int) -> int:
    """Candidates wanted for each observation, 0..1000."""
    if wanted > _MOST_CANDIDATES:
        raise InvalidInput(f"max_candidates: more than {_MOST_CANDIDATES}")
    return wanted


def check_queries(queries: Sequence[common_pb2.ScoreQuery]) -> None:
    """Unique keys, and as many templates as the contract says."""
    if len({query.key for query in queries}) != len(queries):
        raise InvalidInput("queries: keys are not unique")
    for query in queries:
        check_count("templates", len(query.templates), least=1, most=_MOST_TEMPLATES)


def parse_performer_ids(texts: Sequence[str]) -> list[str]:
    """Up to 1000 ids, in order."""
    check_count("performer_ids", len(texts), least=0, most=_MOST_PERFORMERS)
    return [parse_uuid(one) for one in texts]


def parse_quality(template: common_pb2.Template) -> float:
    """The template's quality, 0..1."""
    if not (math.isfinite(template.quality) and 0 <= template.quality <= 1):
        raise InvalidInput("template.quality: not in 0..1")
    return template.quality


def find_embedding(
    template: common_pb2.Template, signal: common_pb2.Signal.ValueType, key: tuple[str, str]
) -> common_pb2.Embedding | None:
    """The embedding of the model and version `key`; None when the template holds others only."""
    if template.signal != signal:
        name = common_pb2.Signal.Name(signal).removeprefix("SIGNAL_").lower()
        raise InvalidInput(f"template: not of the {name} signal")
    if not template.embeddings:
        raise InvalidInput("template: no embeddings")
    return next((one for one in template.embeddings if (one.model, one.version) == key), None)
