"""By which names and ids performers are known: what an answer to Identify shows of each candidate."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg

from chassis.postgres import Pool, translate
from gateway.catalogue.breast_history import HISTORY_COLUMN, BreastRecord, history_of
from gateway.catalogue.performer import ExternalId

__all__ = ["NamedPerformer", "Past", "PerformerNames"]


@dataclass(frozen=True, slots=True)
class Past:
    """What metadata says of a performer's time; None, 0 and empty mean unknown, or that it was not asked."""

    birth_date: datetime.date | None = None
    career_start_year: int = 0
    career_end_year: int = 0
    breast_history: tuple[BreastRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class NamedPerformer:
    """Who a performer is, without all that is known of them; `past`: where it was asked."""

    id: str
    name: str
    external_ids: tuple[ExternalId, ...]
    urls: tuple[str, ...]
    past: Past = Past()


class PerformerNames:
    """Reads names. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __call__(
        self, performer_ids: Iterable[str], *, with_past: bool = False, with_history: bool = False
    ) -> dict[str, NamedPerformer]:
        """Those of the performers who exist, by id.

        with_past: also birth date and years of the career; with_history: to these, what is said of breasts.

        Every answer waits for this: one statement, with as few columns as it can do with. The ids elsewhere
        are read from their index alone.
        """
        past = _past_of if with_past else lambda _: Past()
        further = [*(_PAST if with_past else ()), *([HISTORY_COLUMN] if with_past and with_history else ())]
        with translate():
            rows = await self._pool.fetch(_names(further), list(performer_ids))
        performers = {row["id"]: row for row in rows}
        ids: dict[object, list[ExternalId]] = {id_: [] for id_ in performers}
        for row in rows:
            if row["authority"] is not None:
                ids[row["id"]].append(ExternalId(row["authority"], row["external_id"]))
        named = (
            NamedPerformer(str(id_), row["name"], tuple(ids[id_]), tuple(row["urls"]), past(row))
            for id_, row in performers.items()
        )
        return {one.id: one for one in named}


_PAST = ("p.birth_date", "p.career_start_year", "p.career_end_year")


def _names(further: Iterable[str]) -> str:
    columns = ", ".join(["p.id, p.name, p.urls, e.authority, e.id AS external_id", *further])
    return f"""
        SELECT {columns}
        FROM catalogue.performers p LEFT JOIN catalogue.external_ids e ON e.performer_id = p.id
        WHERE p.id = ANY($1::uuid[]) ORDER BY e.position
    """


def _past_of(row: asyncpg.Record) -> Past:
    return Past(
        birth_date=row["birth_date"],
        career_start_year=row["career_start_year"],
        career_end_year=row["career_end_year"],
        breast_history=history_of(row.get("breast_history", "[]")),
    )
