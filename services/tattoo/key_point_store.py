"""Key points of enrolled views: the SQL.

They are biometric templates: kept in the view's row, gone with it, never logged.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chassis.errors import InvalidInput
from chassis.geometry import Box
from chassis.postgres import Connection, Pool, translate
from services.tattoo.key_points import FIRST_BYTES, VERSION, KeyPoints, from_bytes, to_bytes

__all__ = ["KeyPointStore", "ViewPoints", "renew_key_points", "stored_key_points"]


@dataclass(frozen=True, slots=True)
class ViewPoints:
    """The key points of one enrolled view."""

    performer_id: str
    image_hash: str
    box: Box
    points: KeyPoints


class KeyPointStore:
    """Reads key points of the version in use.

    Raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_rows(self, seqs: Collection[int]) -> dict[int, KeyPoints]:
        """By row; those that are gone, have none, or damaged ones, are left out."""
        with translate():
            rows = await self._pool.fetch(_OF_ROWS, list(seqs), VERSION)
        found = {}
        for row in rows:
            try:
                found[row["seq"]] = from_bytes(row["key_points"])
            except InvalidInput:  # damaged: as if there were none
                continue
        return found

    async def starts_of_rows(self, seqs: Collection[int]) -> dict[int, bytes]:
        """The bytes of each row's first 60 points, as they are stored; otherwise as `of_rows`."""
        with translate():
            rows = await self._pool.fetch(_STARTS_OF_ROWS, list(seqs), VERSION, FIRST_BYTES)
        return {row["seq"]: row["start"] for row in rows}

    async def of_images(self, images: Sequence[tuple[str, str]]) -> list[ViewPoints]:
        """Of the views of performers in images, pairs of id and hash; otherwise as `of_rows`."""
        performers, hashes = [one for one, _ in images], [one for _, one in images]
        with translate():
            rows = await self._pool.fetch(_OF_IMAGES, performers, hashes, VERSION)
        found = []
        for row in rows:
            with suppress(InvalidInput):  # damaged: as if there were none
                points = from_bytes(row["key_points"])
                found.append(
                    ViewPoints(str(row["performer_id"]), row["image_hash"], Box(*row["box"]), points)
                )
        return found


def stored_key_points(points: KeyPoints | None) -> tuple[bytes | None, str | None]:
    """What a row keeps: the bytes and their version."""
    return (None, None) if points is None else (to_bytes(points), VERSION)


async def renew_key_points(
    connection: Connection, performer_id: str, image_hash: str, box: Box, points: KeyPoints | None
) -> None:
    """Give the rows of a view key points of the version in use, where they have none of it."""
    if points is not None:
        place = [box.x, box.y, box.width, box.height]
        await connection.execute(_RENEW, performer_id, image_hash, place, *stored_key_points(points))


_OF_ROWS = """
SELECT seq, key_points FROM tattoo.performer_tattoos
WHERE seq = ANY($1::bigint[]) AND key_points_version = $2
"""
# Stored as they are, so that a part of them is read and no more.
_STARTS_OF_ROWS = """
SELECT seq, substring(key_points FROM 1 FOR $3) AS start FROM tattoo.performer_tattoos
WHERE seq = ANY($1::bigint[]) AND key_points_version = $2
"""
_OF_IMAGES = """
SELECT DISTINCT ON (performer_id, image_hash, box) performer_id, image_hash, box, key_points
FROM tattoo.performer_tattoos
WHERE (performer_id, image_hash) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
      AND key_points_version = $3
ORDER BY performer_id, image_hash, box, seq
"""
_RENEW = """
UPDATE tattoo.performer_tattoos SET key_points = $4, key_points_version = $5
WHERE performer_id = $1 AND image_hash = $2 AND box = $3 AND key_points_version IS DISTINCT FROM $5
"""
