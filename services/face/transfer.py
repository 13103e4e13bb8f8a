"""Faces to and from other installations: the SQL, and their messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial

import asyncpg

from chassis.geometry import Box
from chassis.postgres import Connection, Pool
from chassis.protos import to_proto_box
from chassis.signal.model_sets import ModelKey
from chassis.signal.primary import primary_embedder
from chassis.signal.transfer import VectorTransfer, why_not_searchable
from chassis.signal.transfer_store import TransferStatements, TransferStore
from chassis.signal.transferred import TransferredRow
from chassis.signal.unsearchable import Unsearchable
from marquee.common.v1 import common_pb2, transfer_pb2
from services.face.config import EmbedderSettings
from services.face.deciding import apply_policy
from services.face.models_in_use import FaceChange
from services.face.policy import FaceState
from services.face.store import OBSERVATIONS
from services.face.table import BUILT_IN_ROWS, BUILT_IN_SPECS

__all__ = ["face_statements", "new_transfer"]


def _values(row: TransferredRow) -> tuple[object, ...]:
    box, source = row.box, row.source
    return (
        row.performer_id,
        *row.key,
        row.vector,
        row.quality,
        (box.x, box.y, box.width, box.height),
        source.image_hash,
        source.uri,
        source.date,
        row.state or FaceState.ACTIVE.value,
        row.state_reason,
        row.is_confirmed,
    )


def _row(row: asyncpg.Record) -> transfer_pb2.VectorRow:
    date = row["image_date"]
    return transfer_pb2.VectorRow(
        performer_id=str(row["performer_id"]),
        embedding=common_pb2.Embedding(model=row["model"], version=row["version"], vector=row["vector"]),
        quality=row["quality"],
        box=to_proto_box(Box(*row["box"])),
        source=common_pb2.ImageSource(
            image_hash=row["image_hash"], uri=row["source"], date=date.isoformat() if date else ""
        ),
        state="" if row["state"] == FaceState.ACTIVE else row["state"],
        state_reason=row["state_reason"],
        is_confirmed=row["is_confirmed"],
    )


_CREATE = """
CREATE TEMP TABLE IF NOT EXISTS incoming_faces (
    performer_id uuid, model text, version text, vector bytea STORAGE EXTERNAL, quality real,
    box real[], image_hash text, source text, image_date date, state text, state_reason text,
    is_confirmed boolean
) WITH (toast_tuple_target = 4080) ON COMMIT DELETE ROWS
"""
# In the order of the unique key, so that two imports of the same rows wait for each other and do not
# deadlock. Every vector of one face has the same state.
_INSERT = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash, source, image_date,
                          state, state_reason, is_confirmed)
SELECT new.performer_id, new.model, new.version, new.vector, new.quality, new.box, new.image_hash, new.source,
       new.image_date, coalesce(same.state, new.state), coalesce(same.state_reason, new.state_reason),
       coalesce(same.is_confirmed, new.is_confirmed)
FROM incoming_faces AS new
LEFT JOIN LATERAL (
    SELECT state, state_reason, is_confirmed FROM face.vectors AS old
    WHERE old.performer_id = new.performer_id AND old.image_hash = new.image_hash ORDER BY old.seq LIMIT 1
) AS same ON true
ORDER BY new.performer_id, new.image_hash, new.model, new.version
ON CONFLICT DO NOTHING
"""
_PAGE_OF = """
SELECT model, version, seq, performer_id, {{vector}}, quality, box, image_hash, source, image_date, state,
       state_reason, is_confirmed
FROM face.vectors
WHERE {condition} (model, version, seq) > ($1, $2, $3)
ORDER BY model, version, seq LIMIT $4
"""
_PAGE, _PAGE_OF_ALL = _PAGE_OF.format(condition="state = 'active' AND"), _PAGE_OF.format(condition="")
_VECTOR_BYTES = "SELECT octet_length(vector) FROM face.vectors WHERE model = $1 AND version = $2 LIMIT 1"
_COLUMNS = (
    "performer_id",
    "model",
    "version",
    "vector",
    "quality",
    "box",
    "image_hash",
    "source",
    "image_date",
    "state",
    "state_reason",
    "is_confirmed",
)
_After = Callable[[Connection, Sequence[TransferredRow]], Awaitable[None]]


def new_transfer(
    pool: Pool, change: FaceChange, own: Sequence[EmbedderSettings], *, most_searched: int
) -> tuple[VectorTransfer, Unsearchable]:
    """What takes vectors in and out of `face.vectors`, and what counts those that cannot be found.

    most_searched: faces of one performer that are searched, see `services.face.policy`.
    """
    why_not = partial(_why_not, change, {*BUILT_IN_SPECS, *(one.name for one in own)})
    store = TransferStore(pool, face_statements(partial(_decide, most_searched)))
    transfer = VectorTransfer(store, dimensions=partial(_dimensions, change), why_not=why_not)
    return transfer, Unsearchable(pool, OBSERVATIONS, why_not)


async def _decide(most_searched: int, connection: Connection, rows: Sequence[TransferredRow]) -> None:
    """Decide anew over the faces of those performers of whom the primary embedder describes new ones."""
    primary = await primary_embedder(connection, "face")
    judged = {row.performer_id for row in rows if primary is not None and row.key == primary.key}
    if judged:
        await apply_policy(connection, sorted(judged), most=most_searched)


def _dimensions(change: FaceChange, keys: Collection[ModelKey]) -> dict[ModelKey, int]:
    """Of the embedders in use, and of the built-in rows in whatever version."""
    known = {key: BUILT_IN_ROWS[key[0]].dimension for key in keys if key[0] in BUILT_IN_ROWS}
    return {**known, **{row.key: row.dimension for row in change.in_use.rows}}


def _why_not(change: FaceChange, with_file: Collection[str], key: ModelKey) -> str:
    in_use = change.in_use
    return why_not_searchable(
        key,
        serving=[row.key for row in in_use.serving.rows],
        preparing=[row.key for row in in_use.new_rows],
        with_file=with_file,
        role="face.embedder",
    )


def face_statements(after: _After) -> TransferStatements:
    """Of `face.vectors`; after: see there."""
    return TransferStatements(
        create=_CREATE,
        incoming="incoming_faces",
        columns=_COLUMNS,
        values=_values,
        insert=_INSERT,
        after=after,
        page=_PAGE,
        page_of_all=_PAGE_OF_ALL,
        vector="vector",
        row=_row,
        vector_bytes=_VECTOR_BYTES,
    )
