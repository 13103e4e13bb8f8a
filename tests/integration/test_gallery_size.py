"""How many performers a prior is spread over."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import StoreError, Unavailable
from chassis.postgres import SchemaSource, migrate, open_pool
from gateway.catalogue.size import GallerySize
from tests.fakes.postgres import database, postgres_server
from tests.fakes.service_rows import ServiceRows

__all__ = ["database", "postgres_server"]


async def test_performers_are_counted_at_most_once_a_minute(database: str) -> None:
    """Many calls at once are one count; after a minute it is counted anew."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    rows, now = ServiceRows(database, "catalogue.performers"), [0.0]
    async with open_pool(database, max_size=2) as pool:
        size = GallerySize(pool, clock=lambda: now[0])
        assert await asyncio.gather(*(size() for _ in range(5))) == [0] * 5
        for _ in range(3):
            await rows.performer()
        now[0] = 59.0
        assert await size() == 0
        now[0] = 60.0
        assert await size() == 3


async def test_without_the_database_it_is_unavailable_once_the_count_is_old(database: str) -> None:
    """What was counted a moment ago still holds."""
    await migrate(database, [SchemaSource("catalogue", "gateway")])
    now = [0.0]
    async with open_pool(database, max_size=2) as pool:
        size = GallerySize(pool, clock=lambda: now[0])
        assert await size() == 0
    now[0] = 30.0
    assert await size() == 0
    now[0] = 61.0
    with pytest.raises((Unavailable, StoreError)):
        await size()
