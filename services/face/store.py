"""The face service's rows in PostgreSQL; all of its SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from chassis.errors import NotFound
from chassis.geometry import Box
from chassis.postgres.migrations import SchemaSource
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.postgres.vectors import vector_from_bytes, vector_to_bytes
from chassis.protos import ImageSource
from chassis.row_images import image_code
from chassis.signal.counting import count_range
from chassis.signal.enrolment import Stored
from chassis.signal.feed import FeedTable
from chassis.signal.model_set_store import ObservationTable
from chassis.signal.rows import adding_rows, removing_rows
from marquee.common.v1 import counts_pb2
from services.face.counting import COUNT_FACES, FACES_BY_QUALITY
from services.face.deciding import apply_policy
from services.face.ensemble import ModelKey
from services.face.library import FaceFacts, FaceRow
from services.face.policy import Decision, FaceState, Verdict
from services.face.table import EmbedderRow
from services.face.template import FaceTemplate

__all__ = ["SCHEMA", "OBSERVATIONS", "FEED", "NewFace", "FaceAttributes", "FaceStore"]

SCHEMA = SchemaSource("face", "services.face")

OBSERVATIONS = ObservationTable(
    schema="face",
    table="vectors",
    identity="performer_id, image_hash",
    uri="source",
    date="image_date",
    region="''::text",
)

FEED = FeedTable("face", "vectors", active="state = 'active'")

# What the primary embedder does not describe is not judged.
_UNJUDGED = Verdict(FaceState.ACTIVE)
_UNDECIDED = Decision({}, {})


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """One face to store for a performer."""

    template: FaceTemplate
    box: Box
    source: ImageSource

    @property
    def quality(self) -> float:
        """0..1."""
        return self.template.quality


@dataclass(frozen=True, slots=True)
class FaceAttributes:
    """What is enrolled of one performer's face."""

    performer_id: str
    faces: int
    """That are searched: an embedder that serves describes them, and they are not set aside."""
    good_faces: int
    """Of these, of quality above 0.8."""
    best_quality: float
    """Of these; 0 without any."""
    weak_faces: int
    """Of these, of quality below 0.4."""
    reserve: int
    """Kept besides."""
    quarantined: int
    """Kept besides, because they seem to be somebody else."""
    unsearchable: int
    """Kept besides, because no embedder that serves describes them."""


class FaceStore:
    """Reads and writes `face.vectors`, of the embedders in `use`.

    most_searched: faces of one performer that are searched, see `services.face.policy`.
    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool, *, most_searched: int) -> None:
        self._pool = pool
        self._most_searched = most_searched
        self._dimensions: dict[ModelKey, int] = {}

    def use(self, rows: Sequence[EmbedderRow]) -> None:
        """Read and write vectors of these embedders, too."""
        self._dimensions |= {row.key: row.dimension for row in rows}

    async def insert(self, performer_id: str, views: Sequence[NewFace]) -> list[Stored]:
        """Store faces of a performer in one transaction, and decide in it over all faces of the performer.

        Returns what became of each, in order. A face is new when any of its vectors is: one that was enrolled
        before another embedder came into use is enrolled for that embedder. Raises NotFound when there is no
        such performer, also for no faces.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            new = [await self._insert(connection, performer_id, view) for view in views]
            decisions = await apply_policy(connection, [performer_id], most=self._most_searched)
        decision = decisions.get(performer_id, _UNDECIDED)
        return [
            _stored(view.source.image_hash, is_new, decision) for view, is_new in zip(views, new, strict=True)
        ]

    async def forget(self, performer_id: str) -> int:
        """Delete a performer's rows, of every model, and return how many faces they were."""
        async with removing_rows(self._pool, performer_id) as connection:
            return int(await connection.fetchval(_DELETE, performer_id))

    async def discard(self, performer_id: str, image_hash: str) -> int:
        """Delete a performer's face from one image, and decide anew; 1 if there was one.

        Raises NotFound: no such performer.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            deleted = await connection.fetch(_DISCARD, performer_id, image_hash)
            await apply_policy(connection, [performer_id], most=self._most_searched)
        return min(1, len(deleted))

    async def accept(self, performer_id: str, image_hash: str) -> FaceState:
        """The owner says that a face is the performer's: decide anew with that, and return its state.

        Raises NotFound: no such performer, or no face of theirs from this image.
        """
        async with adding_rows(self._pool, performer_id) as connection:
            if not await connection.fetch(_CONFIRM, performer_id, image_hash):
                raise NotFound("no face of the performer from this image")
            decisions = await apply_policy(connection, [performer_id], most=self._most_searched)
        return decisions.get(performer_id, _UNDECIDED).verdicts.get(image_hash, _UNJUDGED).state

    async def lookup(
        self, performer_ids: Sequence[str], serving: Sequence[ModelKey]
    ) -> dict[str, FaceAttributes]:
        """Attributes of those of the performers that have faces; `serving`: embedders that are searched."""
        names, versions = [name for name, _ in serving], [version for _, version in serving]
        with translate():
            rows = await self._pool.fetch(_LOOKUP, list(performer_ids), names, versions)
        found = [FaceAttributes(str(performer_id), *counts) for performer_id, *counts in rows]
        return {one.performer_id: one for one in found}

    async def count(
        self, performers: counts_pb2.PerformerRange, serving: Sequence[ModelKey]
    ) -> list[asyncpg.Record]:
        """Rows of `COUNT_FACES`. Raises InvalidInput for a range that is none, or of too many."""
        names, versions = [name for name, _ in serving], [version for _, version in serving]
        return await count_range(self._pool, COUNT_FACES, performers, names, versions)

    async def rows(self, seqs: Sequence[int]) -> list[FaceRow]:
        """Those of the rows that are there, of embedders in use."""
        with translate():
            found = await self._pool.fetch(_ROWS, seqs)
        return [self._row(row) for row in found if _key_of(row) in self._dimensions]

    async def facts(self, seqs: Sequence[int]) -> list[FaceFacts]:
        """The images of those of the rows that are there."""
        with translate():
            found = await self._pool.fetch(_FACTS, seqs)
        return [FaceFacts(seq, image_code(prefix)) for seq, prefix in found]

    async def _insert(self, connection: Connection, performer_id: str, view: NewFace) -> bool:
        """Whether any of the face's vectors is new."""
        box = [view.box.x, view.box.y, view.box.width, view.box.height]
        source = (view.source.image_hash, view.source.uri, view.source.date)
        new = [
            await connection.fetchval(
                _INSERT, performer_id, *key, self._bytes(key, vector), view.quality, box, *source
            )
            for key, vector in view.template.vectors.items()
        ]
        return any(seq is not None for seq in new)

    def _bytes(self, key: ModelKey, vector: NDArray[np.float32]) -> bytes:
        return vector_to_bytes(vector, dimension=self._dimensions[key])

    def _row(self, row: asyncpg.Record) -> FaceRow:
        key = _key_of(row)
        vector = vector_from_bytes(row["vector"], dimension=self._dimensions[key])
        return FaceRow(row["seq"], str(row["performer_id"]), key, vector, image_code(row["image_hash"]))


def _stored(image_hash: str, is_new: bool, decision: Decision) -> Stored:
    verdict = decision.dropped.get(image_hash) or decision.verdicts.get(image_hash, _UNJUDGED)
    return Stored(is_new, verdict.cause, verdict.reason)


def _key_of(row: asyncpg.Record) -> ModelKey:
    return (row["model"], row["version"])


# Another embedder's vector of a face is searched when the face is.
_INSERT = """
INSERT INTO face.vectors
    (performer_id, model, version, vector, quality, box, image_hash, source, image_date, state, state_reason,
     is_confirmed)
SELECT $1::uuid, $2::text, $3::text, $4::bytea, $5::real, $6::real[], $7::text, $8::text, $9::date,
       state, state_reason, is_confirmed
FROM (
    SELECT state, state_reason, is_confirmed, seq
    FROM face.vectors WHERE performer_id = $1 AND image_hash = $7
    UNION ALL
    SELECT 'active', '', false, NULL
) AS known
ORDER BY seq NULLS LAST
LIMIT 1
ON CONFLICT DO NOTHING
RETURNING seq
"""
_DELETE = """
WITH deleted AS (DELETE FROM face.vectors WHERE performer_id = $1 RETURNING image_hash)
SELECT count(DISTINCT image_hash) FROM deleted
"""
_DISCARD = "DELETE FROM face.vectors WHERE performer_id = $1 AND image_hash = $2 RETURNING seq"
_CONFIRM = """
UPDATE face.vectors SET is_confirmed = true, state = 'active', state_reason = ''
WHERE performer_id = $1 AND image_hash = $2 RETURNING seq
"""
_LOOKUP = FACES_BY_QUALITY.format(
    condition="performer_id = ANY($1::uuid[])", names="$2::text[]", versions="$3::text[]"
)
_ROWS = """
SELECT seq, performer_id, model, version, vector, image_hash FROM face.vectors
WHERE seq = ANY($1::bigint[]) AND state = 'active'
"""
_FACTS = "SELECT seq, left(image_hash, 16) FROM face.vectors WHERE seq = ANY($1::bigint[])"
