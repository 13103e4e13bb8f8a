"""Quarantined faces as the owner sees them: the story of ListQuarantined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.postgres import Pool, translate
from gateway.catalogue.names import PerformerNames
from gateway.fan_out import time_for
from gateway.signals import EnrolledFace, FaceClient

__all__ = ["QuarantinedFace", "QuarantinedPage", "ListQuarantined"]


@dataclass(frozen=True, slots=True)
class QuarantinedFace:
    """A face, whose it is said to be, and how many views of tattoos and bodies came with it."""

    face: EnrolledFace
    name: str
    tattoos: int
    bodies: int


@dataclass(frozen=True, slots=True)
class QuarantinedPage:
    """Some of them; `next_page_token` is "" on the last page."""

    faces: tuple[QuarantinedFace, ...]
    next_page_token: str


class ListQuarantined:
    """Asks the face signal which, and the database who they are and what came with them."""

    def __init__(
        self, face: FaceClient, names: PerformerNames, pool: Pool, *, seconds: float, reserve_seconds: float
    ) -> None:
        self._face = face
        self._names = names
        self._pool = pool
        self._seconds = seconds
        self._reserve_seconds = reserve_seconds

    async def __call__(self, performer_id: str, *, size: int, token: str) -> QuarantinedPage:
        """At most `size`. Raises InvalidInput for a token of somebody else, Unavailable, DeadlineExceeded."""
        seconds = time_for(self._seconds, reserve=self._reserve_seconds)
        page = await self._face.quarantined(performer_id, page_size=size, page_token=token, timeout=seconds)
        names = await self._names({one.performer_id for one in page.faces})
        tattoos, bodies = await self._with_them(page.faces)
        faces = tuple(
            QuarantinedFace(
                face,
                names[face.performer_id].name if face.performer_id in names else "",
                tattoos.get(_key(face), 0),
                bodies.get(_key(face), 0),
            )
            for face in page.faces
        )
        return QuarantinedPage(faces, page.next_page_token)

    async def _with_them(
        self, faces: Sequence[EnrolledFace]
    ) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
        """Views of tattoos, and bodies, by performer and image."""
        ids, hashes = [one.performer_id for one in faces], [one.source.image_hash for one in faces]
        with translate():
            rows = await self._pool.fetch(_SAME_IMAGES, ids, hashes)
        found = [((str(row["performer_id"]), row["image_hash"]), row) for row in rows]
        return {key: row["tattoos"] for key, row in found}, {key: row["bodies"] for key, row in found}


def _key(face: EnrolledFace) -> tuple[str, str]:
    return (face.performer_id, face.source.image_hash)


_SAME_IMAGES = """
SELECT performer_id, image_hash,
    (SELECT count(DISTINCT t.box) FROM tattoo.performer_tattoos t
     WHERE t.performer_id = given.performer_id AND t.image_hash = given.image_hash) AS tattoos,
    (SELECT count(DISTINCT b.box) FROM body.measurements b
     WHERE b.performer_id = given.performer_id AND b.image_hash = given.image_hash) AS bodies
FROM unnest($1::uuid[], $2::text[]) AS given (performer_id, image_hash)
"""
