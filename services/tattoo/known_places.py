"""Where in the images of an enrolment tattoos of the performer are known already."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from chassis.geometry import Box
from chassis.postgres import Connection

__all__ = ["KnownPlaces"]

# Boxes of one image that overlap so much are one: another version of the detector draws it a little
# differently.
_SAME_PLACE = 0.5

_Boxes = Mapping[str, Sequence[Box]]


class KnownPlaces:
    """Boxes by image hash: of stored views, and of views that the owner deleted."""

    def __init__(self, stored: _Boxes, deleted: _Boxes) -> None:
        self._stored = {image: list(boxes) for image, boxes in stored.items()}
        self._deleted = deleted

    def __repr__(self) -> str:
        return f"<KnownPlaces in {len(self._stored)} images>"

    @classmethod
    async def read(
        cls, connection: Connection, performer_id: str, image_hashes: Collection[str]
    ) -> KnownPlaces:
        """In the transaction that adds, with the performer locked."""
        found = []
        for table in ("performer_tattoos", "deleted_views"):
            boxes: dict[str, list[Box]] = {}
            for row in await connection.fetch(_PLACES.format(table=table), performer_id, list(image_hashes)):
                boxes.setdefault(row["image_hash"], []).append(Box(*row["box"]))
            found.append(boxes)
        return cls(*found)

    def is_deleted(self, image_hash: str, box: Box) -> bool:
        """Whether the owner deleted what is there."""
        return any(box.iou(other) >= _SAME_PLACE for other in self._deleted.get(image_hash, ()))

    def take(self, image_hash: str, box: Box) -> Box | None:
        """The stored box that is meant, once; None when none is."""
        boxes = self._stored.get(image_hash, [])
        best = max(boxes, key=box.iou, default=None)
        if best is None or box.iou(best) < _SAME_PLACE:
            return None
        boxes.remove(best)
        return best


_PLACES = """
SELECT DISTINCT image_hash, box FROM tattoo.{table}
WHERE performer_id = $1 AND image_hash = ANY($2::text[])
ORDER BY image_hash, box
"""
