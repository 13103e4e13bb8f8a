"""Which sets of embedders a signal has: the SQL, the same in every signal's schema."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate

__all__ = [
    "ModelKey",
    "ModelRecord",
    "ModelSet",
    "Sets",
    "Progress",
    "ObservationTable",
    "ModelSetStore",
    "wanted_keys",
]

ModelKey = tuple[str, str]
"""Name and version; vectors of different keys are never compared."""


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """One embedder as it is recorded."""

    name: str
    version: str
    facts: Mapping[str, Any]
    """JSON values: whatever its signal needs to run it again."""

    @property
    def key(self) -> ModelKey:
        return (self.name, self.version)


@dataclass(frozen=True, slots=True)
class ModelSet:
    """Embedders that are used together, the primary first."""

    generation: int
    models: tuple[ModelRecord, ...]

    @property
    def keys(self) -> tuple[ModelKey, ...]:
        return tuple(model.key for model in self.models)


@dataclass(frozen=True, slots=True)
class Sets:
    """What the database says now."""

    serving: ModelSet
    preparing: ModelSet | None = None

    @property
    def wanted(self) -> ModelSet:
        """The set that everything enrolled should be described by."""
        return self.preparing or self.serving


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change is."""

    observations: int
    """Enrolled, whichever model describes them."""
    described: int
    """Of these, those that every wanted model describes."""

    @property
    def is_complete(self) -> bool:
        return self.described == self.observations

    def reaches(self, share: float) -> bool:
        """Whether at least this share, 0..1, is described; of nothing all is."""
        return self.described >= share * self.observations


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

        The first set ever serves at once. Wanting the set that serves ends a change to another one.
        """
        keys = tuple(one.key for one in wanted)
        async with self._changing() as connection:
            sets = await self._read(connection)
            if sets is None:
                return Sets(await self._insert(connection, wanted, "serving"))
            if sets.preparing is not None and sets.preparing.keys == keys:
                return sets
            if sets.preparing is not None:
                await connection.execute(self._table.named(_RETIRE), sets.preparing.generation)
            if sets.serving.keys == keys:
                return Sets(sets.serving)
            return Sets(sets.serving, await self._insert(connection, wanted, "preparing"))

    async def read(self) -> Sets | None:
        """What is recorded; None before the first set."""
        with translate():
            async with self._pool.acquire() as connection:
                return await self._read(connection)

    async def switch(self, generation: int) -> Sets | None:
        """Make the set that is prepared, if it still is this one, the one that serves; return what is so now.

        One transaction: every process sees the old set or the new one.
        """
        async with self._changing() as connection:
            sets = await self._read(connection)
            if sets is None or sets.preparing is None or sets.preparing.generation != generation:
                return sets
            await connection.execute(self._table.named(_RETIRE), sets.serving.generation)
            await connection.execute(self._table.named(_SERVE), generation)
            return Sets(sets.preparing)

    async def progress(self, sets: Sets) -> Progress:
        """How much of what is enrolled the wanted set describes."""
        with translate():
            row = await self._pool.fetchrow(self._table.named(_PROGRESS), *wanted_keys(sets))
        return Progress(row["observations"], row["described"]) if row else Progress(0, 0)

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

    async def _insert(self, connection: Connection, models: Sequence[ModelRecord], state: str) -> ModelSet:
        rows = [{"name": one.name, "version": one.version, "facts": dict(one.facts)} for one in models]
        generation = await connection.fetchval(self._table.named(_INSERT), json.dumps(rows), state)
        return ModelSet(generation, tuple(models))


def wanted_keys(sets: Sets) -> tuple[list[str], list[str], int]:
    """Names and versions of the wanted models, and how many they are, as the statements take them."""
    keys = sets.wanted.keys
    return [name for name, _ in keys], [version for _, version in keys], len(keys)


def _model_set(row: asyncpg.Record) -> ModelSet:
    models = json.loads(row["models"])
    return ModelSet(
        row["generation"], tuple(ModelRecord(one["name"], one["version"], one["facts"]) for one in models)
    )


_LOCK = "LOCK TABLE {schema}.model_sets IN SHARE ROW EXCLUSIVE MODE"
_READ = """
SELECT generation, models, state FROM {schema}.model_sets WHERE state IN ('serving', 'preparing')
"""
_INSERT = """
INSERT INTO {schema}.model_sets (models, state, switched_at)
VALUES ($1, $2, CASE WHEN $2 = 'serving' THEN now() END)
RETURNING generation
"""
_RETIRE = "UPDATE {schema}.model_sets SET state = 'retired' WHERE generation = $1"
_SERVE = "UPDATE {schema}.model_sets SET state = 'serving', switched_at = now() WHERE generation = $1"
_PROGRESS = """
SELECT count(*) AS observations, count(*) FILTER (WHERE described = $3) AS described
FROM (
    SELECT count(*) FILTER (WHERE (model, version) IN (SELECT * FROM unnest($1::text[], $2::text[])))
           AS described
    FROM {table} GROUP BY {identity}
) AS counted
"""
