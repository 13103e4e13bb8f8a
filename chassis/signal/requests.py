"""What requests to signal services have in common, checked.

Each function raises InvalidInput, naming the field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.fingerprint import Fingerprint
from chassis.protos import parse_uuid, vector_of
from marquee.common.v1 import common_pb2

__all__ = [
    "MOST_COMPARED",
    "MOST_OBSERVATIONS",
    "check_count",
    "parse_image_hash",
    "parse_except_images",
    "check_max_candidates",
    "check_queries",
    "parse_performer_ids",
    "parse_share",
    "parse_fingerprint",
    "embeddings_of",
    "unit_vector_of",
    "generations_of",
]

_SHA256 = re.compile(r"[0-9a-f]{64}")
MOST_COMPARED = 1000
"""Templates of one Compare."""
MOST_OBSERVATIONS = 256
"""Observations of one Enroll."""
_SHORTEST = 1e-6
_MOST_QUERIES, _MOST_TEMPLATES, _MOST_PERFORMERS, _MOST_CANDIDATES = 256, 256, 1000, 1000
_MOST_EXCEPT = 1000


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
    """Unique keys, and as many queries and templates as the contract says."""
    check_count("queries", len(queries), least=0, most=_MOST_QUERIES)
    if len({query.key for query in queries}) != len(queries):
        raise InvalidInput("queries: keys are not unique")
    for query in queries:
        check_count("templates", len(query.templates), least=1, most=_MOST_TEMPLATES)


def parse_performer_ids(texts: Sequence[str]) -> list[str]:
    """Up to 1000 ids, in order."""
    check_count("performer_ids", len(texts), least=0, most=_MOST_PERFORMERS)
    return [parse_uuid(one) for one in texts]


def parse_share(field: str, value: float) -> float:
    """A number 0..1, both ends included."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise InvalidInput(f"{field}: not in 0..1")
    return value


def parse_fingerprint(field: str, data: bytes) -> Fingerprint | None:
    """None for no bytes."""
    try:
        return Fingerprint.decode(data) if data else None
    except ValueError as exc:
        raise InvalidInput(f"{field}: {exc}") from exc


def embeddings_of(
    template: common_pb2.Template, signal: common_pb2.Signal.ValueType
) -> dict[tuple[str, str], common_pb2.Embedding]:
    """The template's embeddings by model and version, at least one; of a model given twice the last one."""
    if template.signal != signal:
        name = common_pb2.Signal.Name(signal).removeprefix("SIGNAL_").lower()
        raise InvalidInput(f"template: not of the {name} signal")
    if not template.embeddings:
        raise InvalidInput("template: no embeddings")
    return {(one.model, one.version): one for one in template.embeddings}


def unit_vector_of(embedding: common_pb2.Embedding, dimension: int) -> NDArray[np.float32]:
    """The embedding's direction, float32 (dimension,), of length 1."""
    vector = vector_of(embedding, dimension)
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if length < _SHORTEST:
        raise InvalidInput(f"embedding of {embedding.model}: has no direction")
    return np.ascontiguousarray(vector / length, np.float32)


def generations_of(templates: Iterable[common_pb2.Template]) -> frozenset[int]:
    """The generations of models that templates were made in; 0 where nobody knows."""
    return frozenset(template.generation for template in templates)


def parse_image_hash(text: str) -> str:
    """Raises InvalidInput."""
    if not _SHA256.fullmatch(text):
        raise InvalidInput("image_hash: not 64 lower-case hexadecimal digits")
    return text


def parse_except_images(texts: Sequence[str]) -> frozenset[str]:
    """Up to 1000 hashes of images what is enrolled from which is not compared."""
    check_count("except_image_hashes", len(texts), least=0, most=_MOST_EXCEPT)
    for text in texts:
        if not _SHA256.fullmatch(text):
            raise InvalidInput("except_image_hashes: not 64 lower-case hexadecimal digits")
    return frozenset(texts)
