"""Views of a performer in pictures of which an enrolment may bring copies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chassis.fingerprint import Fingerprint
from chassis.geometry import Box
from chassis.postgres import Connection

__all__ = ["CopiedView", "KnownCopies"]

# A detector draws its box a little differently in a copy.
_SAME_PLACE = 0.5


@dataclass(frozen=True, slots=True)
class CopiedView:
    """A view that is stored, or that the owner deleted."""

    image_hash: str
    box: Box
    fingerprint: Fingerprint
    is_deleted: bool = False


class KnownCopies:
    """Views with a fingerprint of their picture; those of old rows have none, and are not here."""

    def __init__(self, views: Iterable[CopiedView] = ()) -> None:
        self._views = list(views)

    def __repr__(self) -> str:
        return f"<KnownCopies of {len(self._views)} views>"

    @classmethod
    async def read(cls, connection: Connection, performer_id: str) -> KnownCopies:
        """All of a performer's, in the transaction that adds, with the performer locked."""
        rows = await connection.fetch(_VIEWS, performer_id)
        return cls(
            CopiedView(
                row["image_hash"],
                Box(*row["box"]),
                Fingerprint.decode(row["fingerprint"]),
                is_deleted=row["is_deleted"],
            )
            for row in rows
        )

    def add(self, view: CopiedView) -> None:
        """One that was stored just now."""
        self._views.append(view)

    def find(self, image_hash: str, box: Box, fingerprint: Fingerprint | None) -> CopiedView | None:
        """The view that this one is a copy of: at the same place of another picture that is a copy.

        Of several one that the owner deleted.
        """
        if fingerprint is None:
            return None
        found = [
            view for view in self._views if view.image_hash != image_hash and _is_copy(view, box, fingerprint)
        ]
        return max(found, key=lambda view: view.is_deleted, default=None)


def _is_copy(view: CopiedView, box: Box, fingerprint: Fingerprint) -> bool:
    place = fingerprint.place_in(view.fingerprint, box)
    return place is not None and place.iou(view.box) >= _SAME_PLACE


_VIEWS = """
SELECT DISTINCT image_hash, box, fingerprint, false AS is_deleted FROM tattoo.performer_tattoos
WHERE performer_id = $1 AND fingerprint IS NOT NULL
UNION ALL
SELECT image_hash, box, fingerprint, true FROM tattoo.deleted_views
WHERE performer_id = $1 AND fingerprint IS NOT NULL
ORDER BY image_hash, box
"""
