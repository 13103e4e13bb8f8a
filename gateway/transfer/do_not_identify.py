"""Who is not to be identified: digests of ids and pictures, looked up for a portion at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from chassis.postgres import Connection
from gateway.catalogue.performer import ExternalId

__all__ = ["forgotten_ids", "forgotten_images"]


async def forgotten_ids(connection: Connection, external_ids: Iterable[ExternalId]) -> set[ExternalId]:
    """Those of the ids that are not to be identified."""
    if not await connection.fetchval(_ARE_THERE_IDS):
        return set()
    digests = {_digest(one): one for one in external_ids}
    rows = await connection.fetch(_FIND, "external_id", list(digests))
    return {digests[row["digest"]] for row in rows}


async def forgotten_images(connection: Connection, image_hashes: Iterable[str]) -> set[str]:
    """Those of the pictures, by SHA-256, that are not to be enrolled."""
    rows = await connection.fetch(_FIND, "image", list(set(image_hashes)))
    return {row["digest"] for row in rows}


def _digest(external: ExternalId) -> str:
    return hashlib.sha256(f"{external.authority}\n{external.id}".encode()).hexdigest()


_ARE_THERE_IDS = "SELECT EXISTS (SELECT FROM catalogue.do_not_identify WHERE kind = 'external_id')"
_FIND = "SELECT digest FROM catalogue.do_not_identify WHERE kind = $1 AND digest = ANY($2::text[])"
