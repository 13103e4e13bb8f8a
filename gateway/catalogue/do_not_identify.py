"""Who asked to be forgotten: neither these external ids nor these pictures are enrolled again.

The list holds digests, so that it tells nobody who is on it; whoever has an id or a picture can ask about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from chassis.errors import Refused
from chassis.postgres import Connection, Pool, translate
from gateway.catalogue.performer import ExternalId

__all__ = ["DoNotIdentify", "NotToBeIdentified", "Listed", "digest_of"]

_EXTERNAL_ID, _IMAGE = "external_id", "image"


class NotToBeIdentified(Refused):
    """Nobody's fault: an external id or a picture of somebody who asked to be forgotten."""


@dataclass(frozen=True, slots=True)
class Listed:
    """External ids and image hashes (SHA-256, lower-case hexadecimal) that are on the list."""

    external_ids: frozenset[ExternalId] = frozenset()
    image_hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.external_ids or self.image_hashes)


def digest_of(external: ExternalId) -> str:
    """What the list holds of an external id: SHA-256 of authority, a line feed and id; hexadecimal."""
    return hashlib.sha256(f"{external.authority}\n{external.id}".encode()).hexdigest()


class DoNotIdentify:
    """The list, on a pool or inside a transaction. Every function raises Unavailable without the database.

    External ids are given as stored: the authority in lower case. Image hashes are hexadecimal.
    """

    def __init__(self, database: Pool | Connection) -> None:
        self._database = database

    async def listed(
        self, external_ids: Iterable[ExternalId] = (), image_hashes: Iterable[str] = ()
    ) -> Listed:
        """Those that are on the list; one query for any number."""
        ids, images = {digest_of(one): one for one in external_ids}, set(image_hashes)
        if not ids and not images:
            return Listed()
        with translate():
            rows = await self._database.fetch(
                """
                SELECT kind, digest FROM catalogue.do_not_identify
                WHERE (kind = 'external_id' AND digest = ANY($1::text[]))
                   OR (kind = 'image' AND digest = ANY($2::text[]))
                """,
                list(ids),
                list(images),
            )
        return _listed(((row["kind"], row["digest"]) for row in rows), ids)

    async def check(self, external_ids: Iterable[ExternalId] = (), image_hashes: Iterable[str] = ()) -> None:
        """Raises NotToBeIdentified if any of these is on the list."""
        listed = await self.listed(external_ids, image_hashes)
        if listed.external_ids:
            named = ", ".join(sorted(f"{one.authority}:{one.id}" for one in listed.external_ids))
            raise NotToBeIdentified(f"external_ids: {named} is on the do-not-identify list")
        if listed.image_hashes:
            raise NotToBeIdentified("the picture is on the do-not-identify list")

    async def add(self, external_ids: Iterable[ExternalId]) -> None:
        """Put external ids on the list; those that are on it stay."""
        with translate():
            await self._database.execute(
                """
                INSERT INTO catalogue.do_not_identify (kind, digest)
                SELECT 'external_id', digest FROM unnest($1::text[]) AS digest ON CONFLICT DO NOTHING
                """,
                sorted({digest_of(one) for one in external_ids}),
            )

    async def allow(self, external_ids: Iterable[ExternalId], image_hashes: Iterable[str]) -> Listed:
        """Take these off the list; returns those that were on it."""
        ids, images = {digest_of(one): one for one in external_ids}, set(image_hashes)
        with translate():
            rows = await self._database.fetch(
                """
                DELETE FROM catalogue.do_not_identify
                WHERE (kind = 'external_id' AND digest = ANY($1::text[]))
                   OR (kind = 'image' AND digest = ANY($2::text[]))
                RETURNING kind, digest
                """,
                list(ids),
                list(images),
            )
        return _listed(((row["kind"], row["digest"]) for row in rows), ids)

    async def count(self) -> tuple[int, int]:
        """External ids and pictures on the list."""
        with translate():
            rows = await self._database.fetch(
                "SELECT kind, count(*) AS entries FROM catalogue.do_not_identify GROUP BY kind"
            )
        counts = {row["kind"]: int(row["entries"]) for row in rows}
        return counts.get(_EXTERNAL_ID, 0), counts.get(_IMAGE, 0)


def _listed(rows: Iterable[tuple[str, str]], ids: dict[str, ExternalId]) -> Listed:
    found = list(rows)
    return Listed(
        frozenset(ids[digest] for kind, digest in found if kind == _EXTERNAL_ID),
        frozenset(digest for kind, digest in found if kind == _IMAGE),
    )
