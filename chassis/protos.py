"""Between the contract's common messages and domain values."""

from __future__ import annotations

import datetime
import math
import re
import uuid
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.geometry import Box
from marquee.common.v1 import common_pb2

__all__ = [
    "ImageSource",
    "to_proto_box",
    "from_proto_box",
    "to_proto_embedding",
    "vector_of",
    "parse_date",
    "parse_uuid",
    "parse_image_source",
]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_LONGEST_URI = 4096


@dataclass(frozen=True, slots=True)
class ImageSource:
    """Where an observation comes from: sha256 of the image (hex), path or URL or "", day or None."""

    image_hash: str
    uri: str
    date: datetime.date | None


def to_proto_box(box: Box) -> common_pb2.Box:
    return common_pb2.Box(x=box.x, y=box.y, width=box.width, height=box.height)


def from_proto_box(box: common_pb2.Box) -> Box:
    """Raises InvalidInput for a side that is not above 0 or a number that is not finite."""
    values = (box.x, box.y, box.width, box.height)
    if not all(math.isfinite(value) for value in values) or box.width <= 0 or box.height <= 0:
        raise InvalidInput("box: sides must be finite and above 0")
    return Box(*values)


def to_proto_embedding(model: str, version: str, vector: NDArray[np.float32]) -> common_pb2.Embedding:
    """`vector`: float32, one dimension."""
    data = np.ascontiguousarray(vector, dtype="<f4").tobytes()
    return common_pb2.Embedding(model=model, version=version, vector=data)


def vector_of(embedding: common_pb2.Embedding, dimension: int) -> NDArray[np.float32]:
    """The embedding's vector, float32 (dimension,). Raises InvalidInput for another size, NaN or infinity."""
    if len(embedding.vector) != 4 * dimension:
        raise InvalidInput(
            f"embedding of {embedding.model}: {len(embedding.vector)} bytes, expected {4 * dimension}"
        )
    vector = np.frombuffer(embedding.vector, dtype="<f4").astype(np.float32)
    if not np.isfinite(vector).all():
        raise InvalidInput(f"embedding of {embedding.model}: not finite")
    return vector


def parse_date(text: str, *, field: str = "date") -> datetime.date | None:
    """None for "". Raises InvalidInput unless YYYY-MM-DD."""
    if not text:
        return None
    try:
        if len(text) != len("YYYY-MM-DD"):
            raise ValueError(text)
        return datetime.date.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInput(f"{field}: not a day of the form YYYY-MM-DD") from exc


def parse_uuid(text: str, *, field: str = "performer_id") -> str:
    """The UUID in its usual lower-case form. Raises InvalidInput for anything else."""
    try:
        return str(uuid.UUID(text))
    except ValueError as exc:
        raise InvalidInput(f"{field}: not a UUID") from exc


def parse_image_source(source: common_pb2.ImageSource) -> ImageSource:
    """Raises InvalidInput for a hash that is no sha256, an overlong uri or a malformed date."""
    if not _SHA256.fullmatch(source.image_hash):
        raise InvalidInput("source.image_hash: not 64 lower-case hexadecimal digits")
    if len(source.uri) > _LONGEST_URI:
        raise InvalidInput(f"source.uri: longer than {_LONGEST_URI} characters")
    return ImageSource(source.image_hash, source.uri, parse_date(source.date, field="source.date"))
