"""The catalogue's SQL. Every function raises Unavailable when the database is not there."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg

from chassis.errors import Conflict, NotFound
from chassis.postgres import Connection, Pool, SchemaSource, translate
from gateway.catalogue.breast_history import HISTORY_COLUMN, drop_histories, history_of, write_histories
from gateway.catalogue.do_not_identify import DoNotIdentify
from gateway.catalogue.erase import erase
from gateway.catalogue.image_record import ImageOutcome, ImageState
from gateway.catalogue.images import record_outcomes
from gateway.catalogue.paging import Position
from gateway.catalogue.performer import ExternalId, Performer, search_text
from gateway.observations import Signal

__all__ = ["SCHEMA", "PERFORMER_COLUMNS", "CatalogueStore", "CatalogueEdit", "Page", "performer_of"]

SCHEMA = SchemaSource("catalogue", "gateway")

PERFORMER_COLUMNS = f"""
    p.id, p.name, p.aliases, p.birth_date, p.career_start_year, p.career_end_year, p.adult_attested, p.gender,
    p.country, p.image_url, p.urls, p.earliest_image_date, p.body_ratios,
    {HISTORY_COLUMN},
    ARRAY(SELECT e.authority FROM catalogue.external_ids e WHERE e.performer_id = p.id ORDER BY e.position)
        AS authorities,
    ARRAY(SELECT e.id FROM catalogue.external_ids e WHERE e.performer_id = p.id ORDER BY e.position)
        AS external_ids
"""
# Every word somewhere in the name or an alias; strpos knows no wildcards.
_HAS_WORDS = "NOT EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE strpos(p.search_text, word) = 0)"


@dataclass(frozen=True, slots=True)
class Page:
    """Performers by case-folded name, then id; `last` is None when nothing follows."""

    performers: tuple[Performer, ...]
    last: Position | None


class CatalogueStore:
    """Reads and changes the catalogue through a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.do_not_identify = DoNotIdentify(pool)
        """Whom not to enrol again."""

    async def by_ids(self, performer_ids: Iterable[str]) -> dict[str, Performer]:
        """Those of the performers who exist, by id."""
        with translate():
            rows = await self._pool.fetch(_BY_IDS, list(performer_ids))
        return {performer.id: performer for performer in map(performer_of, rows)}

    async def by_id(self, performer_id: str) -> Performer:
        """Raises NotFound."""
        found = await self.by_ids([performer_id])
        if performer_id not in found:
            raise NotFound("no such performer, or forgotten")
        return found[performer_id]

    async def by_external_id(self, external: ExternalId) -> Performer:
        """Raises NotFound."""
        with translate():
            performer_id = await self._pool.fetchval(
                "SELECT performer_id FROM catalogue.external_ids WHERE authority = $1 AND id = $2",
                external.authority,
                external.id,
            )
        if performer_id is None:
            raise NotFound("no such performer, or forgotten")
        return await self.by_id(str(performer_id))

    async def page(self, words: Sequence[str], *, after: Position, size: int) -> Page:
        """The next `size` performers whose name or aliases hold every (case-folded) word."""
        with translate():
            rows = await self._pool.fetch(
                f"""
                SELECT {PERFORMER_COLUMNS}, p.sort_name FROM catalogue.performers p
                WHERE {_HAS_WORDS} AND (p.sort_name, p.id) > ($2, $3::uuid)
                ORDER BY p.sort_name, p.id LIMIT $4
                """,
                list(words),
                after.sort_name,
                after.performer_id,
                size + 1,
            )
        shown = rows[:size]
        last = Position(shown[-1]["sort_name"], str(shown[-1]["id"])) if len(rows) > size and shown else None
        return Page(tuple(map(performer_of, shown)), last)

    async def count(self, words: Sequence[str] = ()) -> int:
        """Performers whose name or aliases hold every (case-folded) word."""
        with translate():
            return int(
                await self._pool.fetchval(
                    f"SELECT count(*) FROM catalogue.performers p WHERE {_HAS_WORDS}", list(words)
                )
            )

    async def count_age_unverified(self, adults_only: frozenset[str]) -> int:
        """Performers without a birth date whom the owner or an adults-only authority attests."""
        with translate():
            return int(
                await self._pool.fetchval(
                    """
                    SELECT count(*) FROM catalogue.performers p
                    WHERE p.birth_date IS NULL AND (p.adult_attested OR EXISTS (
                        SELECT FROM catalogue.external_ids e
                        WHERE e.performer_id = p.id AND e.authority = ANY($1::text[])))
                    """,
                    sorted(adults_only),
                )
            )

    async def all_ids(self) -> bytes:
        """Everybody's id, 16 bytes each, in order."""
        with translate():
            return bytes(await self._pool.fetchval(_ALL_IDS))

    async def erase(self, performer_id: str, *, may_return: bool) -> Mapping[Signal, int]:
        """Forget a performer in one transaction; see `gateway.catalogue.erase`. Raises NotFound."""
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                return await erase(connection, performer_id, may_return=may_return)

    @asynccontextmanager
    async def edit(self) -> AsyncIterator[CatalogueEdit]:
        """One transaction to find, change and create a performer in; rolled back when the block raises.

        Raises Conflict when somebody else created a performer with the same external id meanwhile.
        """
        with translate(duplicate="an external id belongs to another performer"):
            async with self._pool.acquire() as connection, connection.transaction():
                yield CatalogueEdit(connection)


class CatalogueEdit:
    """The statements of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, change: Performer) -> Performer | None:
        """The stored performer that a change is about, locked: by its id, else by its external ids.

        Raises NotFound for an id that does not exist, Conflict when external ids belong to somebody else.
        """
        owners = await self._owners(change.external_ids)
        target = change.id or next(iter(owners), None)
        if owners - {target}:
            raise Conflict("external_ids: one belongs to another performer")
        if target is None:
            return None
        row = await self._connection.fetchrow(
            f"""
            SELECT {PERFORMER_COLUMNS} FROM catalogue.performers p
            WHERE p.id = $1::uuid FOR NO KEY UPDATE OF p
            """,
            target,
        )
        if row is None:
            raise NotFound("no such performer, or forgotten")
        return performer_of(row)

    async def create(self, performer: Performer) -> Performer:
        """Store a new performer; returns it with its id.

        Raises NotToBeIdentified for a listed external id.
        """
        created = replace(performer, id=str(uuid.uuid4()), adult_attested=bool(performer.adult_attested))
        await self._connection.execute(
            """
            INSERT INTO catalogue.performers (id, name, aliases, birth_date, career_start_year,
            career_end_year, adult_attested, gender, country, image_url, urls, sort_name, search_text,
            body_ratios)
            VALUES ($1::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb)
            """,
            *_values(created),
        )
        await self._insert_lists(created)
        return created

    async def update(self, performer: Performer) -> None:
        """Replace what is stored of a performer. Raises NotToBeIdentified for a listed external id."""
        await self._connection.execute(
            """
            UPDATE catalogue.performers SET name = $2, aliases = $3, birth_date = $4, career_start_year = $5,
                career_end_year = $6, adult_attested = $7, gender = $8, country = $9, image_url = $10, urls
                = $11, sort_name = $12, search_text = $13, body_ratios = $14::jsonb, updated_at = now()
            WHERE id = $1::uuid
            """,
            *_values(performer),
        )
        await self._connection.execute(
            "DELETE FROM catalogue.external_ids WHERE performer_id = $1::uuid", performer.id
        )
        await drop_histories(self._connection, [performer.id])
        await self._insert_lists(performer)

    async def is_measured(self, performer_id: str) -> bool:
        """Whether the body service derives the ratios from its measurements, which then count."""
        return bool(
            await self._connection.fetchval(
                "SELECT EXISTS (SELECT FROM body.measurements WHERE performer_id = $1::uuid)", performer_id
            )
        )

    async def record_image_date(self, performer_id: str, image_date: datetime.date) -> None:
        """Remember the date if no earlier one is known."""
        await self._connection.execute(
            """
            UPDATE catalogue.performers SET earliest_image_date = $2
            WHERE id = $1::uuid AND (earliest_image_date IS NULL OR earliest_image_date > $2)
            """,
            performer_id,
            image_date,
        )

    async def name_image(self, performer_id: str, url: str) -> None:
        """Remember that there is an image of the performer at the URL."""
        known = ImageOutcome(performer_id=performer_id, uri=url, state=ImageState.KNOWN)
        await record_outcomes(self._connection, [known])

    async def _owners(self, external_ids: Sequence[ExternalId]) -> set[str]:
        rows = await self._connection.fetch(
            """
            SELECT DISTINCT e.performer_id FROM catalogue.external_ids e
            JOIN unnest($1::text[], $2::text[]) AS given (authority, id) USING (authority, id)
            """,
            [one.authority for one in external_ids],
            [one.id for one in external_ids],
        )
        return {str(row["performer_id"]) for row in rows}

    async def _insert_lists(self, performer: Performer) -> None:
        await self._insert_external_ids(performer)
        await write_histories(self._connection, {performer.id: performer.breast_history})

    async def _insert_external_ids(self, performer: Performer) -> None:
        # In one order everywhere, so that two changes that share ids wait for each other and do not deadlock.
        numbered = sorted(enumerate(performer.external_ids), key=lambda item: (item[1].authority, item[1].id))
        await self._connection.executemany(
            """
            INSERT INTO catalogue.external_ids (authority, id, performer_id, position)
            VALUES ($1, $2, $3::uuid, $4)
            """,
            [(one.authority, one.id, performer.id, position) for position, one in numbered],
        )
        # Not before: whoever is forgotten at this moment had these ids until now, and has put them on the
        # list.
        await DoNotIdentify(self._connection).check(performer.external_ids)


_ALL_IDS = "SELECT coalesce(string_agg(uuid_send(id), '' ORDER BY id), '') FROM catalogue.performers"
_BY_IDS = f"SELECT {PERFORMER_COLUMNS} FROM catalogue.performers p WHERE p.id = ANY($1::uuid[])"


def performer_of(row: asyncpg.Record) -> Performer:
    """The performer of a row with `PERFORMER_COLUMNS`."""
    return Performer(
        id=str(row["id"]),
        name=row["name"],
        aliases=tuple(row["aliases"]),
        external_ids=tuple(map(ExternalId, row["authorities"], row["external_ids"])),
        birth_date=row["birth_date"],
        career_start_year=row["career_start_year"],
        career_end_year=row["career_end_year"],
        adult_attested=row["adult_attested"],
        gender=row["gender"],
        country=row["country"],
        image_url=row["image_url"],
        urls=tuple(row["urls"]),
        earliest_image_date=row["earliest_image_date"],
        breast_history=history_of(row["breast_history"]),
        body_ratios=json.loads(row["body_ratios"]),
    )


def _values(performer: Performer) -> tuple[object, ...]:
    return (
        performer.id,
        performer.name,
        list(performer.aliases),
        performer.birth_date,
        performer.career_start_year,
        performer.career_end_year,
        performer.adult_attested,
        performer.gender,
        performer.country,
        performer.image_url,
        list(performer.urls),
        performer.name.casefold(),
        search_text(performer),
        json.dumps(dict(performer.body_ratios)),
    )
