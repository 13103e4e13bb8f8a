"""Enrolled faces one by one, with what becomes of them: the SQL, and its pages."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass

import asyncpg

from chassis.errors import InvalidInput
from chassis.geometry import Box
from chassis.postgres.pool import Pool
from chassis.postgres.translation import translate
from chassis.protos import parse_uuid, to_proto_box
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from services.face.policy import FaceState

__all__ = [
    "FaceQuery",
    "FacePage",
    "FaceList",
    "ListedFace",
    "STATE_VALUES",
    "parse_list_faces",
    "to_proto_faces",
]

_USUAL_PAGE, _MOST = 100, 1000
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_TOKEN = 200

_STATES = {
    pb.FACE_STATE_ACTIVE: FaceState.ACTIVE,
    pb.FACE_STATE_RESERVE: FaceState.RESERVE,
    pb.FACE_STATE_QUARANTINED: FaceState.QUARANTINED,
}
STATE_VALUES = {state: value for value, state in _STATES.items()}
"""As the contract has them."""


@dataclass(frozen=True, slots=True)
class FaceQuery:
    """Which faces, and from where on."""

    performer_id: str | None
    """None: everybody's."""
    states: tuple[FaceState, ...]
    page_size: int
    after: tuple[str, str] | None
    """Performer and image that the page before ended with."""


@dataclass(frozen=True, slots=True)
class ListedFace:
    """One enrolled face."""

    performer_id: str
    state: FaceState
    reason: str
    quality: float
    box: Box
    image_hash: str
    uri: str
    date: str
    """YYYY-MM-DD; "" when unknown."""


@dataclass(frozen=True, slots=True)
class FacePage:
    """Some of them; `next_token` is "" on the last page."""

    faces: tuple[ListedFace, ...]
    next_token: str


class FaceList:
    """Reads faces. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, query: FaceQuery) -> FacePage:
        """Faces by performer and image."""
        # Faces that are set aside have a small index of their own, which asks for its own condition.
        is_set_aside = FaceState.ACTIVE not in query.states
        statement = _PAGE.format(condition="state <> 'active' AND" if is_set_aside else "")
        states = [state.value for state in query.states]
        after = query.after or (None, None)
        with translate():
            rows = await self._pool.fetch(statement, query.performer_id, states, *after, query.page_size + 1)
        faces = tuple(_face(row) for row in rows[: query.page_size])
        return FacePage(faces, _token(faces[-1]) if len(rows) > query.page_size else "")


def parse_list_faces(request: pb.ListFacesRequest) -> FaceQuery:
    """A request checked. Raises InvalidInput naming the field."""
    if request.page_size > _MOST:
        raise InvalidInput(f"page_size: more than {_MOST}")
    unknown = [state for state in request.states if state not in _STATES]
    if unknown:
        raise InvalidInput("states: not a state")
    return FaceQuery(
        performer_id=parse_uuid(request.performer_id) if request.performer_id else None,
        states=tuple(_STATES[state] for state in request.states) or tuple(FaceState),
        page_size=request.page_size or _USUAL_PAGE,
        after=_parse_token(request.page_token),
    )


def to_proto_faces(page: FacePage) -> pb.ListFacesResponse:
    return pb.ListFacesResponse(
        faces=[_to_proto(face) for face in page.faces], next_page_token=page.next_token
    )


def _to_proto(face: ListedFace) -> pb.EnrolledFace:
    return pb.EnrolledFace(
        performer_id=face.performer_id,
        state=STATE_VALUES[face.state],
        reason=face.reason,
        quality=face.quality,
        box=to_proto_box(face.box),
        source=common_pb2.ImageSource(image_hash=face.image_hash, uri=face.uri, date=face.date),
    )


def _face(row: asyncpg.Record) -> ListedFace:
    return ListedFace(
        performer_id=str(row["performer_id"]),
        state=FaceState(row["state"]),
        reason=row["state_reason"],
        quality=row["quality"],
        box=Box(*row["box"]),
        image_hash=row["image_hash"],
        uri=row["source"],
        date=row["image_date"].isoformat() if row["image_date"] else "",
    )


def _token(face: ListedFace) -> str:
    return base64.urlsafe_b64encode(json.dumps([face.performer_id, face.image_hash]).encode()).decode()


def _parse_token(token: str) -> tuple[str, str] | None:
    if not token:
        return None
    try:
        if len(token) > _LONGEST_TOKEN:
            raise ValueError("too long")
        performer_id, image_hash = json.loads(base64.b64decode(token, altchars=b"-_", validate=True))
        if not _HASH.fullmatch(image_hash):
            raise ValueError("no position")
        return parse_uuid(performer_id), image_hash
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidInput) as exc:
        raise InvalidInput("page_token: not one of a page before") from exc


# Of a face that several embedders describe the oldest row.
_PAGE = """
SELECT DISTINCT ON (performer_id, image_hash)
       performer_id, image_hash, state, state_reason, quality, box, source, image_date
FROM face.vectors
WHERE {condition} ($1::uuid IS NULL OR performer_id = $1) AND state = ANY($2::text[])
  AND ($3::uuid IS NULL OR (performer_id, image_hash) > ($3, $4::text))
ORDER BY performer_id, image_hash, seq
LIMIT $5
"""
