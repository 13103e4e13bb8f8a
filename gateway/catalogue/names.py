"""By which names and ids performers are known: what an answer to Identify shows of each candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chassis.postgres import Pool, translate
from gateway.catalogue.performer import ExternalId

__all__ = ["NamedPerformer", "PerformerNames"]


@dataclass(frozen=True, slots=True)
class NamedPerformer:
    """Who a performer is, without all that is known of them."""

    id: str
    name: str
    external_ids: tuple[ExternalId, ...]
    urls: tuple[str, ...]


class PerformerNames:
    """Reads names. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(self, performer_ids: Iterable[str]) -> dict[str, NamedPerformer]:
        """Those of the performers who exist, by id.

        Every answer waits for this: one statement, with as few columns as it can do with. The ids elsewhere
        are read from their index alone.
        """
        with translate():
            rows = await self._pool.fetch(_NAMES, list(performer_ids))
        names = {row[0]: (row[1], row[2]) for row in rows}
        ids: dict[object, list[ExternalId]] = {id_: [] for id_ in names}
        for id_, _, _, authority, external_id in rows:
            if authority is not None:
                ids[id_].append(ExternalId(authority, external_id))
        performers = (
            NamedPerformer(str(id_), name, tuple(ids[id_]), tuple(urls))
            for id_, (name, urls) in names.items()
        )
        return {one.id: one for one in performers}


_NAMES = """
SELECT p.id, p.name, p.urls, e.authority, e.id
FROM catalogue.performers p LEFT JOIN catalogue.external_ids e ON e.performer_id = p.id
WHERE p.id = ANY($1::uuid[]) ORDER BY e.position
"""
