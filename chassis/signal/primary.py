"""The embedder by which a signal judges what it has stored, as the database says it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from chassis.postgres.pool import Connection
from chassis.signal.model_sets import ModelKey
from chassis.signal.operating_point import OperatingPoint

__all__ = ["PrimaryEmbedder", "primary_embedder"]


@dataclass(frozen=True, slots=True)
class PrimaryEmbedder:
    """The first of the set that serves."""

    key: ModelKey
    dimension: int
    operating_point: OperatingPoint


async def primary_embedder(connection: Connection, schema: str) -> PrimaryEmbedder | None:
    """The primary embedder of a signal's schema; None before any serves.

    Read in the transaction that judges by it, so that every process judges alike, whatever it has in memory.
    `schema` is a constant of the code.
    """
    text = await connection.fetchval(f"SELECT models -> 0 FROM {schema}.model_sets WHERE state = 'serving'")
    if text is None:
        return None
    record = json.loads(text)
    facts = record["facts"]
    point = OperatingPoint(**facts["operating_point"])
    return PrimaryEmbedder((record["name"], record["version"]), facts["dimension"], point)
