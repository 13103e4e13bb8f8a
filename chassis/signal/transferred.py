"""Vectors that come from another installation, checked row by row; and the tokens of pages that go there.

Pure. A row that is not as the contract says is refused alone: the others are stored.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.fingerprint import Fingerprint
from chassis.geometry import Box
from chassis.protos import ImageSource, from_proto_box, parse_date, parse_image_source, parse_uuid
from chassis.signal.model_sets import ModelKey
from chassis.signal.requests import check_count, parse_fingerprint, parse_share
from marquee.common.v1 import common_pb2, transfer_pb2

__all__ = [
    "MOST_ROWS",
    "Checked",
    "Cursor",
    "PageQuery",
    "Refused",
    "TransferredRow",
    "checked",
    "page_token",
    "parse_page",
]

MOST_ROWS = 5000
"""Of one request or page."""
_USUAL_PAGE = 1000
_SHORTEST = 1e-6
_LONGEST_NAME, _LONGEST_TOKEN, _LARGEST_ROW = 64, 600, 2**63 - 1
_LONGEST_REASON = 500
_STATES = ("", "reserve", "quarantined")
_VALUE_BYTES = 4
_LARGEST_DIMENSION = 16384

Cursor = tuple[str, str, int]
"""Model, version and row that a page ended with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferredRow:
    """One vector with everything known of its observation; `index` is its place in the request."""

    index: int
    performer_id: str
    key: ModelKey
    vector: bytes
    """Of length 1, little-endian float32."""
    quality: float
    box: Box
    source: ImageSource
    region: common_pb2.BodyRegion.ValueType
    confidence: float
    removed: datetime.date | None
    tattoo_id: str
    """"" when unknown."""
    state: str
    """Of a face `reserve` or `quarantined`; "" for one that is searched."""
    state_reason: str
    is_confirmed: bool
    """Whether the owner says that a face is the performer's, or that this is a view of that tattoo."""
    since: datetime.date | None
    """First day of the tattoo, as the owner says."""
    fingerprint: Fingerprint | None
    """Of the picture of a tattoo."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not as the contract says, and why."""

    index: int
    detail: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The rows of a request that can be stored, in its order, and the others."""

    rows: tuple[TransferredRow, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class PageQuery:
    """How many rows, after which, whether also those that are set aside, and whether without vectors."""

    size: int
    after: Cursor
    with_set_aside: bool = False
    without_vectors: bool = False


def checked(rows: Sequence[transfer_pb2.VectorRow], dimensions: Mapping[ModelKey, int]) -> Checked:
    """Check the rows of a request.

    dimensions: of the models that are known; of any other the first row of the request says it.
    Raises InvalidInput for no rows, or too many.
    """
    check_count("rows", len(rows), least=1, most=MOST_ROWS)
    vectors = _unit_vectors([row.embedding for row in rows], dimensions)
    good, refused = [], []
    for index, (row, vector) in enumerate(zip(rows, vectors, strict=True)):
        try:
            good.append(_row(index, row, vector))
        except InvalidInput as exc:
            refused.append(Refused(index, str(exc)))
    return Checked(tuple(good), tuple(refused))


def parse_page(
    page_size: int, token: str, *, with_set_aside: bool = False, without_vectors: bool = False
) -> PageQuery:
    """A request for a page, checked. Raises InvalidInput naming the field."""
    if page_size > MOST_ROWS:
        raise InvalidInput(f"page_size: more than {MOST_ROWS}")
    after = _cursor(token) if token else ("", "", 0)
    return PageQuery(page_size or _USUAL_PAGE, after, with_set_aside, without_vectors)


def page_token(cursor: Cursor) -> str:
    """The token of what comes after a row."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()


def _cursor(token: str) -> Cursor:
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ValueError(token)
        model, version, seq = json.loads(base64.urlsafe_b64decode(token.encode()))
        is_ours = isinstance(model, str) and isinstance(version, str) and isinstance(seq, int)
        if not is_ours or "\0" in model + version or not 0 <= seq <= _LARGEST_ROW:
            raise ValueError(token)
        return (model, version, seq)
    except (ValueError, TypeError) as exc:
        raise InvalidInput("page_token: not a token of this service") from exc


def _row(index: int, row: transfer_pb2.VectorRow, vector: bytes | None) -> TransferredRow:
    if vector is None:
        raise InvalidInput("embedding.vector: of another length than its model's, not finite, or zero")
    return TransferredRow(
        index=index,
        performer_id=parse_uuid(row.performer_id),
        key=(_name("model", row.embedding.model), _name("version", row.embedding.version)),
        vector=vector,
        quality=parse_share("quality", row.quality),
        box=from_proto_box(row.box),
        source=parse_image_source(row.source),
        region=row.region,
        confidence=parse_share("detection_confidence", row.detection_confidence),
        removed=parse_date(row.removed_date, field="removed_date"),
        tattoo_id=parse_uuid(row.tattoo_id, field="tattoo_id") if row.tattoo_id else "",
        state=_state(row.state),
        state_reason=_reason(row.state_reason),
        is_confirmed=row.is_confirmed,
        since=parse_date(row.since_date, field="since_date"),
        fingerprint=parse_fingerprint("fingerprint", row.fingerprint),
    )


def _name(field: str, text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
        raise InvalidInput(f"embedding.{field}: not 1 to {_LONGEST_NAME} printable characters")
    return text


def _state(text: str) -> str:
    if text not in _STATES:
        raise InvalidInput(f"state: none of {', '.join(filter(None, _STATES))}")
    return text


def _reason(text: str) -> str:
    if len(text) > _LONGEST_REASON or "\0" in text:
        raise InvalidInput(f"state_reason: longer than {_LONGEST_REASON} characters, or with a NUL in it")
    return text


def _unit_vectors(
    embeddings: Sequence[common_pb2.Embedding], dimensions: Mapping[ModelKey, int]
) -> list[bytes | None]:
    """The direction of each, None for what has none. All of a model are worked on at once."""
    of_model: dict[ModelKey, list[int]] = defaultdict(list)
    for index, one in enumerate(embeddings):
        of_model[(one.model, one.version)].append(index)
    found: list[bytes | None] = [None] * len(embeddings)
    for key, indexes in of_model.items():
        dimension = dimensions.get(key) or _dimension_of(embeddings[indexes[0]])
        fitting = [one for one in indexes if len(embeddings[one].vector) == _VALUE_BYTES * dimension]
        units, is_good = _directions(_stacked((embeddings[one].vector for one in fitting), dimension))
        for place, index in enumerate(fitting):
            found[index] = units[place].tobytes() if is_good[place] else None
    return found


def _dimension_of(embedding: common_pb2.Embedding) -> int:
    return min(max(1, len(embedding.vector) // _VALUE_BYTES), _LARGEST_DIMENSION)


def _stacked(vectors: Iterable[bytes], dimension: int) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(-1, dimension)


def _directions(vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Vectors of length 1 (n, d), and which of them (n,) are one."""
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        is_good = np.isfinite(lengths) & (lengths >= _SHORTEST)
        return np.asarray(vectors / lengths[:, None], dtype="<f4"), is_good
