"""Calibrations of this library in PostgreSQL: the SQL, the same in every signal's schema that has them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from chassis.errors import Refused
from chassis.postgres.pool import Connection, Pool
from chassis.postgres.translation import translate
from chassis.signal.model_sets import ModelKey

__all__ = ["CalibrationStore", "Fitted", "StoredCalibration"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was fitted on this library: see `chassis.signal.calibration_parameters`."""

    parameters: Mapping[str, float]
    provenance: str
    genuine_pairs: int
    impostor_pairs: int


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """What some embedders together are calibrated by."""

    models: tuple[ModelKey, ...]
    """The primary first."""
    fitted: Fitted | None
    """None: what ships is used."""
    weight: float
    """0..1."""
    created_at: datetime.datetime


class CalibrationStore:
    """Reads and writes `<schema>.calibrations`; `schema` is a constant of the code.

    has_model_sets: whether the schema says which embedders serve; else settings do. Every method raises
    Unavailable when the database is not there and DeadlineExceeded when it is too slow.
    """

    def __init__(self, pool: Pool, schema: str, *, has_model_sets: bool = True) -> None:
        self._pool = pool
        self._schema = schema
        self._has_model_sets = has_model_sets

    async def newest(self) -> list[StoredCalibration]:
        """The newest one of every set of embedders that has any."""
        with translate():
            rows = await self._pool.fetch(_NEWEST.format(schema=self._schema))
        return [_stored(row) for row in rows]

    async def put(self, models: Sequence[ModelKey], fitted: Fitted | None, weight: float) -> None:
        """Commit one for the embedders that serve; nothing where it is the newest one already.

        Raises Refused where others serve by now.
        """
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                if self._has_model_sets:
                    await connection.execute(_LOCK_MODELS.format(schema=self._schema))
                    await self._check(connection, models)
                await connection.execute(_LOCK.format(schema=self._schema))
                await connection.execute(_PUT.format(schema=self._schema), *_columns(models, fitted, weight))

    async def _check(self, connection: Connection, models: Sequence[ModelKey]) -> None:
        text = await connection.fetchval(_SERVING.format(schema=self._schema))
        serving = [(one["name"], one["version"]) for one in json.loads(text)] if text else []
        if serving != list(models):
            raise Refused("a calibration for other models than those that serve")


def _columns(models: Sequence[ModelKey], fitted: Fitted | None, weight: float) -> tuple[object, ...]:
    names = json.dumps([list(key) for key in models])
    if fitted is None:
        return (names, None, 0, 0, "", weight)
    parameters = json.dumps(dict(fitted.parameters), sort_keys=True, allow_nan=False)
    return (names, parameters, fitted.genuine_pairs, fitted.impostor_pairs, fitted.provenance, weight)


def _stored(row: asyncpg.Record) -> StoredCalibration:
    fitted = None
    if row["parameters"] is not None:
        fitted = Fitted(
            json.loads(row["parameters"]), row["provenance"], row["genuine_pairs"], row["impostor_pairs"]
        )
    models = tuple((name, version) for name, version in json.loads(row["models"]))
    return StoredCalibration(models, fitted, row["weight"], row["created_at"])


_NEWEST = """
SELECT DISTINCT ON (models)
       models, parameters, genuine_pairs, impostor_pairs, provenance, weight, created_at
FROM {schema}.calibrations ORDER BY models, seq DESC
"""
# While this is held no models switch.
_LOCK_MODELS = "LOCK TABLE {schema}.model_sets IN SHARE MODE"
# Two that come at once are put one after the other, by their numbers.
_LOCK = "LOCK TABLE {schema}.calibrations IN SHARE ROW EXCLUSIVE MODE"
_SERVING = "SELECT models FROM {schema}.model_sets WHERE state = 'serving'"
_PUT = """
INSERT INTO {schema}.calibrations (models, parameters, genuine_pairs, impostor_pairs, provenance, weight)
SELECT $1::jsonb, $2::jsonb, $3, $4, $5, $6::real
WHERE NOT EXISTS (
    SELECT FROM (
        SELECT * FROM {schema}.calibrations WHERE models = $1::jsonb ORDER BY seq DESC LIMIT 1
    ) AS newest
    WHERE (parameters, genuine_pairs, impostor_pairs, provenance, weight)
          IS NOT DISTINCT FROM ($2::jsonb, $3::bigint, $4::bigint, $5::text, $6::real)
)
"""
