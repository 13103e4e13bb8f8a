"""Performers in bulk: the SQL. Portions are copied into the tables, not inserted row by row."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from chassis.postgres import Connection, Pool, translate
from gateway.catalogue.breast_history import drop_histories, write_histories
from gateway.catalogue.do_not_identify import DoNotIdentify
from gateway.catalogue.image_record import ImageOutcome, ImageState
from gateway.catalogue.images import record_outcomes
from gateway.catalogue.performer import ExternalId, Performer, search_text
from gateway.catalogue.store import PERFORMER_COLUMNS, performer_of
from gateway.transfer.records import Decision, Known, Record

__all__ = ["BulkEdit", "BulkStore", "copied_rows"]


class BulkStore:
    """Reads and writes many performers. Raises Unavailable and DeadlineExceeded as the database does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def edit(self) -> AsyncIterator[BulkEdit]:
        """One transaction. Raises Conflict when somebody else took an id of the portion meanwhile."""
        with translate(duplicate="an id belongs to another performer"):
            async with self._pool.acquire() as connection, connection.transaction():
                yield BulkEdit(connection)

    async def page(self, after: str, size: int) -> list[Record]:
        """The next performers in the order of ids."""
        with translate():
            return [_record_of(row) for row in await self._pool.fetch(_PAGE, after, size)]


class BulkEdit:
    """The statements of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def known(self, changes: Sequence[Performer]) -> Known:
        """What the catalogue has of a portion; those performers are locked, in one order everywhere."""
        external_ids = list(dict.fromkeys(one for change in changes for one in change.external_ids))
        owners = await self._owners(external_ids)
        ids = sorted({*owners.values(), *(change.id for change in changes if change.id)})
        rows = await self._connection.fetch(_LOCK, ids)
        performers = {str(row["id"]): performer_of(row) for row in rows}
        # Last: who was forgotten while this waited for the lock is nobody's owner any more, and on the list.
        listed = await DoNotIdentify(self._connection).listed(external_ids)
        owners = {one: owner for one, owner in owners.items() if owner in performers}
        return Known(performers, owners, listed.external_ids)

    async def write(self, decisions: Sequence[Decision]) -> None:
        """Create and change performers, and fill in ratios where none are known."""
        new = [one.performer for one in decisions if one.is_created and one.performer is not None]
        changed = [one.performer for one in decisions if one.is_changed and one.performer is not None]
        if changed:
            await self._change(changed)
        for table, (columns, rows) in copied_rows(decisions).items():
            await self._copy(table, columns, rows)
        await write_histories(self._connection, {one.id: one.breast_history for one in (*new, *changed)})
        pictured = [_named(one.id, one.image_url) for one in (*new, *changed) if one.image_url]
        if pictured:
            await record_outcomes(self._connection, pictured)
        known = [one for one in decisions if one.performer is not None and not one.is_created and one.ratios]
        if known:
            ids = [one.performer.id for one in known if one.performer is not None]
            await self._connection.execute(_FILL_RATIOS, ids, [json.dumps(dict(one.ratios)) for one in known])

    async def _owners(self, external_ids: Sequence[ExternalId]) -> dict[ExternalId, str]:
        authorities, ids = [one.authority for one in external_ids], [one.id for one in external_ids]
        rows = await self._connection.fetch(_OWNERS, authorities, ids)
        return {ExternalId(row["authority"], row["id"]): str(row["performer_id"]) for row in rows}

    async def _change(self, performers: Sequence[Performer]) -> None:
        await self._connection.execute(_CREATE)
        records = [_values(Decision(performer, {})) for performer in performers]
        await self._connection.copy_records_to_table("incoming_performers", records=records, columns=_COLUMNS)
        await self._connection.execute(_UPDATE)
        ids = [performer.id for performer in performers]
        await self._connection.execute(_DROP_IDS, ids)
        await drop_histories(self._connection, ids)

    async def _copy(self, table: str, columns: Sequence[str], records: Sequence[tuple[object, ...]]) -> None:
        if records:
            await self._connection.copy_records_to_table(
                table, schema_name="catalogue", records=records, columns=columns
            )


def copied_rows(decisions: Sequence[Decision]) -> dict[str, tuple[Sequence[str], list[tuple[object, ...]]]]:
    """Columns and rows by table, in the order of writing: of new performers, and ids of all that are written.

    Ids are sorted, so that two imports that share some wait for each other and do not deadlock.
    """
    created = [one for one in decisions if one.is_created]
    written = [one.performer for one in decisions if one.is_created or one.is_changed]
    ids = (one for performer in written if performer is not None for one in _ids_of(performer))
    return {
        "performers": (_COLUMNS, [_values(one) for one in created]),
        "external_ids": (_ID_COLUMNS, sorted(ids)),
    }


def _named(performer_id: str, url: str) -> ImageOutcome:
    return ImageOutcome(performer_id=performer_id, uri=url, state=ImageState.KNOWN)


def _record_of(row: asyncpg.Record) -> Record:
    performer = performer_of(row)
    return Record(performer, performer.body_ratios)


def _values(decision: Decision) -> tuple[object, ...]:
    performer = decision.performer
    assert performer is not None
    return (
        performer.id,
        performer.name,
        performer.aliases,
        performer.birth_date,
        performer.career_start_year,
        performer.career_end_year,
        bool(performer.adult_attested),
        performer.gender,
        performer.country,
        performer.image_url,
        performer.urls,
        performer.name.casefold(),
        search_text(performer),
        json.dumps(dict(decision.ratios)) if decision.ratios else "{}",
    )


def _ids_of(performer: Performer) -> list[tuple[str, str, str, int]]:
    return [
        (one.authority, one.id, performer.id, position) for position, one in enumerate(performer.external_ids)
    ]


_COLUMNS = (
    "id",
    "name",
    "aliases",
    "birth_date",
    "career_start_year",
    "career_end_year",
    "adult_attested",
    "gender",
    "country",
    "image_url",
    "urls",
    "sort_name",
    "search_text",
    "body_ratios",
)
_ID_COLUMNS = ("authority", "id", "performer_id", "position")
_PAGE = f"""
SELECT {PERFORMER_COLUMNS} FROM catalogue.performers p
WHERE p.id > $1::uuid ORDER BY p.id LIMIT $2
"""
_LOCK = f"""
SELECT {PERFORMER_COLUMNS} FROM catalogue.performers p
WHERE p.id = ANY($1::uuid[]) ORDER BY p.id FOR NO KEY UPDATE OF p
"""
_OWNERS = """
SELECT e.authority, e.id, e.performer_id FROM catalogue.external_ids e
JOIN unnest($1::text[], $2::text[]) AS given (authority, id) USING (authority, id)
"""
_CREATE = """
CREATE TEMP TABLE IF NOT EXISTS incoming_performers (
    id uuid, name text, aliases text[], birth_date date, career_start_year integer, career_end_year integer,
    adult_attested boolean, gender text, country text, image_url text, urls text[], sort_name text,
    search_text text, body_ratios jsonb
) ON COMMIT DELETE ROWS
"""
_UPDATE = """
UPDATE catalogue.performers AS p SET
    name = new.name, aliases = new.aliases, birth_date = new.birth_date,
    career_start_year = new.career_start_year, career_end_year = new.career_end_year,
    adult_attested = new.adult_attested, gender = new.gender, country = new.country,
    image_url = new.image_url, urls = new.urls, sort_name = new.sort_name, search_text = new.search_text,
    updated_at = now()
FROM incoming_performers AS new WHERE p.id = new.id
"""
_DROP_IDS = "DELETE FROM catalogue.external_ids WHERE performer_id = ANY($1::uuid[])"
# What the body service derives from measurements takes the place of what is filled in here.
_FILL_RATIOS = """
UPDATE catalogue.performers AS p SET body_ratios = new.body_ratios::jsonb
FROM unnest($1::uuid[], $2::text[]) AS new (id, body_ratios)
WHERE p.id = new.id AND p.body_ratios = '{}'
"""
