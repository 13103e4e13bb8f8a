"""What the owner says of tattoos, written to their rows: the SQL."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.errors import InvalidInput, NotFound
from chassis.postgres import Connection, Pool
from chassis.signal.rows import adding_rows
from services.tattoo.arranging import arrange
from services.tattoo.enrolled import KnownTattoo
from services.tattoo.grouping import UNKNOWN_REGION
from services.tattoo.store import FACTS, known_of
from services.tattoo.whole import WholeTattoo, wholes_of

__all__ = ["OwnerChange", "OwnerStore"]

_NO_TATTOO = "the performer has no such tattoo"
_NO_VIEW = "there is no such view"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerChange:
    """What is said of a tattoo. A day that is said to be None takes back what was said before."""

    says_since: bool = False
    since: datetime.date | None = None
    says_removed: bool = False
    removed: datetime.date | None = None
    region: str = ""
    """"" when not said."""


class OwnerStore:
    """Changes of the owner's, each one transaction with the performer locked.

    What is said pins views to their tattoo; see `grouping`. Every method raises NotFound too, for no such
    performer, tattoo or view, and as the database does.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def update(self, performer_id: str, tattoo_id: str, change: OwnerChange) -> None:
        """Raises InvalidInput for a tattoo that would be gone before it came."""
        async with adding_rows(self._pool, performer_id) as connection:
            whole = (await _wholes(connection, performer_id, [tattoo_id]))[0]
            since = change.since if change.says_since else whole.first_seen
            removed = change.removed if change.says_removed else whole.removed
            if since is not None and removed is not None and removed < since:
                raise InvalidInput("removed_date: before the first day that the tattoo was there")
            await connection.execute(
                _UPDATE,
                performer_id,
                tattoo_id,
                change.says_since,
                change.since,
                change.says_removed,
                change.removed,
                change.region or None,
            )
            await arrange(connection, performer_id)

    async def merge(self, performer_id: str, tattoo_ids: Sequence[str]) -> None:
        """Make one of several tattoos, under the id and in the region of the first."""
        async with adding_rows(self._pool, performer_id) as connection:
            wholes = await _wholes(connection, performer_id, tattoo_ids)
            places = [one.region for one in wholes if one.region != UNKNOWN_REGION]
            days = [one.removed for one in wholes]
            removed = None if None in days else max(day for day in days if day is not None)
            region = places[0] if places else None
            await connection.execute(_MERGE, performer_id, tattoo_ids, tattoo_ids[0], region, removed)
            await arrange(connection, performer_id)

    async def split(self, performer_id: str, tattoo_id: str, view_ids: Sequence[str]) -> str:
        """Make a tattoo of its own of some views; its id. Raises InvalidInput when no view would be left."""
        async with adding_rows(self._pool, performer_id) as connection:
            known = await _views(connection, performer_id, [tattoo_id])
            if not known:
                raise NotFound(_NO_TATTOO)
            places = await _places(connection, performer_id, view_ids)
            if not places <= {(one.image_hash, one.box.x, one.box.y) for one in known}:
                raise NotFound(_NO_VIEW)
            if len(places) == len(known):
                raise InvalidInput(
                    "view_ids: all views of the tattoo; there would be nothing left to split from"
                )
            new_id = str(uuid.uuid4())
            await connection.execute(_SPLIT, performer_id, tattoo_id, view_ids, new_id)
            await connection.execute(_PIN, performer_id, tattoo_id)
            await arrange(connection, performer_id)
            return new_id

    async def delete(self, performer_id: str, view_ids: Sequence[str]) -> None:
        """Delete views, and note that they are not to come back."""
        async with adding_rows(self._pool, performer_id) as connection:
            await _places(connection, performer_id, view_ids)
            await connection.execute(_NOTE_DELETED, performer_id, view_ids)
            await connection.execute(_DELETE, performer_id)
            await arrange(connection, performer_id)


async def _views(connection: Connection, performer_id: str, tattoo_ids: Sequence[str]) -> list[KnownTattoo]:
    rows = await connection.fetch(_VIEWS, performer_id, tattoo_ids)
    return [known_of(row) for row in rows]


async def _wholes(connection: Connection, performer_id: str, tattoo_ids: Sequence[str]) -> list[WholeTattoo]:
    """In the order asked."""
    wholes = wholes_of(await _views(connection, performer_id, tattoo_ids))
    if any(one not in wholes for one in tattoo_ids):
        raise NotFound(_NO_TATTOO)
    return [wholes[one] for one in tattoo_ids]


async def _places(
    connection: Connection, performer_id: str, view_ids: Sequence[str]
) -> set[tuple[str, float, float]]:
    """Where the views are."""
    rows = await connection.fetch(_PLACES, performer_id, view_ids)
    if len(rows) != len(set(view_ids)):
        raise NotFound(_NO_VIEW)
    return {(row["image_hash"], row["box"][0], row["box"][1]) for row in rows}


_VIEWS = f"""
SELECT DISTINCT ON (image_hash, box) {FACTS} FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND tattoo_id = ANY($2::uuid[]) ORDER BY image_hash, box, seq
"""
_PLACES = (
    "SELECT image_hash, box FROM tattoo.performer_tattoos WHERE performer_id = $1 AND id = ANY($2::uuid[])"
)
_UPDATE = """
UPDATE tattoo.performer_tattoos SET
    known_since = CASE WHEN $3::boolean THEN $4::date ELSE known_since END,
    removed_date = CASE WHEN $5::boolean THEN $6::date ELSE removed_date END,
    body_region = coalesce($7::text, body_region),
    is_pinned = true
WHERE performer_id = $1 AND tattoo_id = $2
"""
_MERGE = """
UPDATE tattoo.performer_tattoos
SET tattoo_id = $3, body_region = coalesce($4::text, body_region), removed_date = $5::date, is_pinned = true
WHERE performer_id = $1 AND tattoo_id = ANY($2::uuid[])
"""
# All rows of a view: another embedder's are of the same image and box.
_CHOSEN = """
SELECT image_hash, box FROM tattoo.performer_tattoos WHERE performer_id = $1 AND id = ANY($3::uuid[])
"""
_SPLIT = f"""
UPDATE tattoo.performer_tattoos SET tattoo_id = $4, is_pinned = true
WHERE performer_id = $1 AND tattoo_id = $2 AND (image_hash, box) IN ({_CHOSEN})
"""
_PIN = "UPDATE tattoo.performer_tattoos SET is_pinned = true WHERE performer_id = $1 AND tattoo_id = $2"
_NOTE_DELETED = """
INSERT INTO tattoo.deleted_views (performer_id, image_hash, box, fingerprint)
SELECT DISTINCT performer_id, image_hash, box, fingerprint FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND id = ANY($2::uuid[])
ON CONFLICT DO NOTHING
"""
_DELETE = """
DELETE FROM tattoo.performer_tattoos AS one USING tattoo.deleted_views AS deleted
WHERE one.performer_id = $1 AND deleted.performer_id = $1
AND (one.image_hash, one.box) = (deleted.image_hash, deleted.box)
"""
