"""The recorded sets of embedders in PostgreSQL: the SQL, the same in every signal's schema."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.signal.model_sets import ModelKey, ModelRecord, ModelSet, Progress, Sets, agreed

__all__ = ["ObservationTable", "ModelSetStore", "wanted_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservationTable:
    """Names in one signal's schema. A row is one observation as one model describes it."""

    schema: str
    table: str
    identity: str
    """Columns that tell observations apart, with commas; performer_id and image_hash are among them."""
    uri: str
    """The column with the image's path or URL."""
    date: str
    """The column with the image's day."""
    region: str
    """The column with a tattoo's body region, or an SQL constant."""

    def named(self, statement: str) -> str:
        """The statement with this signal's names, which are constants of the code."""
        return statement.format(
            schema=self.schema,
            table=f"{self.schema}.{self.table}",
            identity=self.identity,
            uri=self.uri,
            date=self.date,
            region=self.region,
            is_unseen=_IS_UNSEEN.format(uri=self.uri),
        )


class ModelSetStore:
    """Reads and writes `<schema>.model_sets`, and counts observations against it.

    Every method raises Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool, table: ObservationTable) -> None:
        self._pool = pool
        self._table = table

    async def adopt(self, wanted: Sequence[ModelRecord]) -> Sets:
        """Make `wanted` the set that serves, or is prepared while another serves, and return both.

        The first set ever serves at once. Wanting the set that serves ends a change to another one. What is
        wanted of an embedder replaces what is recorded of it, unless its file is another one: see `agreed`.
        """
        async with self._changing() as connection:
            recorded = await self._read(connection)
            if recorded is None:
                return Sets(await self._insert(connection, wanted, "serving"))
            models = agreed(wanted, await self._ever_recorded(connection))
            sets = await self._adopted(connection, recorded, models)
            return await self._refreshed(connection, sets, {one.key: one for one in models})

    async def read(self) -> Sets | None:
        """What is recorded; None before the first set."""
        with translate():
            async with self._pool.acquire() as connection:
                return await self._read(connection)

    async def switch(self, generation: int, *, least_share: float) -> Sets | None:
        """Make the set that is prepared, if it still is this one, the one that serves; return what is so now.

        Nothing changes when it describes less than `least_share`, 0..1, of what is enrolled. One transaction:
        every process sees the old set or the new one.
        """
        async with self._changing() as connection:
            sets = await self._read(connection)
            if sets is None or sets.preparing is None or sets.preparing.generation != generation:
                return sets
            if least_share and not (await self._progress(connection, sets)).reaches(least_share):
                return sets
            await connection.execute(self._table.named(_RETIRE), sets.serving.generation)
            await connection.execute(self._table.named(_SERVE), generation)
            return Sets(sets.preparing)

    async def progress(self, sets: Sets) -> Progress:
        """How much of what is enrolled the wanted set describes."""
        with translate():
            async with self._pool.acquire() as connection:
                return await self._progress(connection, sets)

    async def _progress(self, connection: Connection, sets: Sets) -> Progress:
        row = await connection.fetchrow(self._table.named(_PROGRESS), *wanted_keys(sets))
        return Progress(row["observations"], row["described"]) if row else Progress(0, 0)

    async def _adopted(self, connection: Connection, sets: Sets, wanted: Sequence[ModelRecord]) -> Sets:
        keys = tuple(one.key for one in wanted)
        if sets.preparing is not None and sets.preparing.keys == keys:
            return sets
        if sets.preparing is not None:
            await connection.execute(self._table.named(_RETIRE), sets.preparing.generation)
        if sets.serving.keys == keys:
            return Sets(sets.serving)
        return Sets(sets.serving, await self._insert(connection, wanted, "preparing"))

    async def _refreshed(
        self, connection: Connection, sets: Sets, models: Mapping[ModelKey, ModelRecord]
    ) -> Sets:
        """The sets with these records, which differ from those before where numbers were measured again."""

        async def refreshed(models_of_set: ModelSet) -> ModelSet:
            new = tuple(models.get(one.key, one) for one in models_of_set.models)
            if (text := _text(new)) != _text(models_of_set.models):
                await connection.execute(self._table.named(_DESCRIBE), models_of_set.generation, text)
            return ModelSet(models_of_set.generation, new)

        serving = await refreshed(sets.serving)
        return Sets(serving, await refreshed(sets.preparing) if sets.preparing is not None else None)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Connection]:
        """A transaction during which no other process changes the sets."""
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(self._table.named(_LOCK))
                yield connection

    async def _read(self, connection: Connection) -> Sets | None:
        rows = await connection.fetch(self._table.named(_READ))
        found = {row["state"]: _model_set(row) for row in rows}
        return Sets(found["serving"], found.get("preparing")) if "serving" in found else None

    async def _ever_recorded(self, connection: Connection) -> dict[ModelKey, ModelRecord]:
        """The latest record of every embedder, those of retired sets too: their vectors are stored still."""
        rows = await connection.fetch(self._table.named(_EVER))
        return {one.key: one for row in rows for one in _model_set(row).models}

    async def _insert(self, connection: Connection, models: Sequence[ModelRecord], state: str) -> ModelSet:
        generation = await connection.fetchval(self._table.named(_INSERT), _text(models), state)
        return ModelSet(generation, tuple(models))


def wanted_keys(sets: Sets) -> tuple[list[str], list[str], int]:
    """Names and versions of the wanted models, and how many they are, as the statements take them."""
    keys = sets.wanted.keys
    return [name for name, _ in keys], [version for _, version in keys], len(keys)


def _text(models: Sequence[ModelRecord]) -> str:
    rows = [{"name": one.name, "version": one.version, "facts": dict(one.facts)} for one in models]
    return json.dumps(rows, sort_keys=True)


def _model_set(row: asyncpg.Record) -> ModelSet:
    models = json.loads(row["models"])
    return ModelSet(
        row["generation"], tuple(ModelRecord(one["name"], one["version"], one["facts"]) for one in models)
    )


# Of a picture whose bytes were never read here, such as an imported one, the hash is that of `url:` and its
# URL. It cannot be described again: there is nothing to compare the bytes with.
_IS_UNSEEN = "bool_and(image_hash = encode(sha256(convert_to('url:' || {uri}, 'UTF8')), 'hex'))"
_LOCK = "LOCK TABLE {schema}.model_sets IN SHARE ROW EXCLUSIVE MODE"
_READ = """
SELECT generation, models, state FROM {schema}.model_sets WHERE state IN ('serving', 'preparing')
"""
_EVER = "SELECT generation, models FROM {schema}.model_sets ORDER BY generation"
_INSERT = """
INSERT INTO {schema}.model_sets (models, state, switched_at)
VALUES ($1, $2, CASE WHEN $2 = 'serving' THEN now() END)
RETURNING generation
"""
_DESCRIBE = "UPDATE {schema}.model_sets SET models = $2 WHERE generation = $1"
_RETIRE = "UPDATE {schema}.model_sets SET state = 'retired' WHERE generation = $1"
_SERVE = "UPDATE {schema}.model_sets SET state = 'serving', switched_at = now() WHERE generation = $1"
_PROGRESS = """
SELECT count(*) AS observations, count(*) FILTER (WHERE described = $3) AS described
FROM (
    SELECT count(*) FILTER (WHERE (model, version) IN (SELECT * FROM unnest($1::text[], $2::text[])))
           AS described, {is_unseen} AS is_unseen
    FROM {table} GROUP BY {identity}
) AS counted
WHERE described = $3 OR NOT is_unseen
"""
