"""What each source brought: the ledger counted. All of it is SQL and adding up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from chassis.postgres import Pool, translate
from gateway.catalogue.image_record import PASSING_REASONS, ImageState
from gateway.observations import Signal

__all__ = ["ReasonCount", "SourceCounts", "ImageCounts"]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """Images that were rejected, or failed, for one reason."""

    state: ImageState
    reason: str
    images: int


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """What became of the images that one source named or sent.

    `downloaded`: those whose bytes came here. `with_face`: the accepted ones that the face signal has.
    `opened`: those worth another try. `reasons`: most first.
    """

    source: str
    seen: int
    downloaded: int
    with_face: int
    opened: int
    by_state: Mapping[ImageState, int]
    reasons: tuple[ReasonCount, ...]

    @property
    def has_brought_nothing(self) -> bool:
        """Whether none of its images was accepted: perhaps it fails silently."""
        return self.seen > 0 and not self.by_state.get(ImageState.ACCEPTED)


class ImageCounts:
    """Reads the ledger through a pool. Every function raises Unavailable when the database is not there."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of_everybody(self) -> tuple[SourceCounts, ...]:
        """By source."""
        with translate():
            rows = await self._pool.fetch(_OF_EVERYBODY)
        return _by_source(rows)

    async def of_performers(self, performer_ids: Sequence[str]) -> Mapping[str, tuple[SourceCounts, ...]]:
        """By performer and source; a performer without images is missing."""
        with translate():
            rows = await self._pool.fetch(_OF_PERFORMERS, list(performer_ids))
        groups: dict[str, list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            groups[str(row["performer_id"])].append(row)
        return {performer_id: _by_source(group) for performer_id, group in groups.items()}


def _by_source(rows: Iterable[asyncpg.Record]) -> tuple[SourceCounts, ...]:
    groups: dict[str, list[asyncpg.Record]] = defaultdict(list)
    for row in rows:
        groups[row["source"]].append(row)
    return tuple(_counts(source, groups[source]) for source in sorted(groups))


def _counts(source: str, rows: Sequence[asyncpg.Record]) -> SourceCounts:
    by_state: dict[ImageState, int] = defaultdict(int)
    for row in rows:
        by_state[ImageState(row["state"])] += row["images"]
    reasons = [
        ReasonCount(ImageState(row["state"]), row["reason"], row["images"]) for row in rows if row["reason"]
    ]
    return SourceCounts(
        source=source,
        seen=sum(by_state.values()),
        downloaded=sum(row["downloaded"] for row in rows),
        with_face=sum(row["with_face"] for row in rows),
        opened=sum(row["images"] for row in rows if _is_open(row)),
        by_state=dict(by_state),
        reasons=tuple(sorted(reasons, key=lambda one: (-one.images, one.state, one.reason))),
    )


def _is_open(row: asyncpg.Record) -> bool:
    return row["state"] == ImageState.KNOWN or row["reason"] in PASSING_REASONS


_COUNTS = f"""
    i.source, i.state, i.reason, count(*) AS images, count(*) FILTER (WHERE i.image_hash <> '') AS downloaded,
    count(*) FILTER (WHERE i.state = 'accepted' AND '{Signal.FACE.label}' = ANY(i.signals)) AS with_face
"""
_OF_EVERYBODY = f"SELECT {_COUNTS} FROM catalogue.images i GROUP BY i.source, i.state, i.reason"
_OF_PERFORMERS = f"""
SELECT i.performer_id, {_COUNTS} FROM catalogue.images i WHERE i.performer_id = ANY($1::uuid[])
GROUP BY i.performer_id, i.source, i.state, i.reason
"""
