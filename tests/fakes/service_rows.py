"""What a signal service's tests ask of its database, past the service."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import asyncpg

__all__ = ["ServiceRows"]


@dataclass(frozen=True, slots=True)
class ServiceRows:
    """A migrated database, and the table in which the service keeps its observations."""

    dsn: str
    table: str

    async def performer(self) -> str:
        """A new performer in the catalogue; returns the id."""
        performer_id = str(uuid.uuid4())
        await self.execute(
            "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
            performer_id,
        )
        return performer_id

    async def delete(self, performer_id: str) -> None:
        """Delete a performer from the catalogue."""
        await self.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)

    async def count(self, performer_id: str) -> int:
        """Rows of a performer."""
        return len(await self.of(performer_id))

    async def of(self, performer_id: str) -> list[asyncpg.Record]:
        """Rows of a performer, oldest first."""
        query = f"SELECT * FROM {self.table} WHERE performer_id = $1 ORDER BY seq"
        return await self.execute(query, performer_id)

    async def execute(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Run a statement."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()
