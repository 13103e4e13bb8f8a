"""Backup and restore: what comes back, and that rows from another cluster mislead nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chassis.errors import ConfigError, StoreError
from chassis.postgres import connect, dump, migrate, restore
from chassis.postgres.embedded import EmbeddedPostgres
from tests.fakes.enrolled_rows import add_body, add_face, add_tattoo, random_vector
from tests.fakes.gateway_system import SCHEMAS
from tests.fakes.postgres import database, fresh_database, postgres_server

__all__ = ["database", "postgres_server"]

_NAMES = [source.schema for source in SCHEMAS]
_PERFORMER = "00000000-0000-4000-8000-000000000001"
_AHEAD = 2**40
_STAMPED = ("face.vectors", "tattoo.performer_tattoos", "body.measurements")


async def _fill(dsn: str) -> None:
    """One performer with a row of each signal, written by transactions far ahead of this cluster's."""
    await migrate(dsn, SCHEMAS)
    async with connect(dsn) as connection:
        await connection.execute(
            "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
            _PERFORMER,
        )
        await add_face(connection, _PERFORMER, vector=random_vector(128))
        await add_tattoo(connection, _PERFORMER)
        await add_body(connection, _PERFORMER)
        for table in _STAMPED:
            await connection.execute(f"UPDATE {table} SET xid = $1::text::xid8", str(_AHEAD))
        await connection.execute(
            "INSERT INTO face.withdrawals (row_seq, xid) VALUES (7, $1::text::xid8)", str(_AHEAD)
        )


async def _fetch(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with connect(dsn) as connection:
        return [tuple(row) for row in await connection.fetch(query)]


_CONTENT = "SELECT seq, performer_id, model, vector, quality, image_hash, state, created_at FROM face.vectors"
_FUTURE = " UNION ALL ".join(
    f"SELECT xid FROM {table} WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())"
    for table in (*_STAMPED, "face.withdrawals")
)


async def test_a_dump_comes_back_as_it_was(
    database: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Same rows under the same numbers; new ones get numbers of their own; migrations count as applied."""
    await _fill(database)
    file = tmp_path / "marquee.dump"
    assert await dump(database, _NAMES, file) == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    async with fresh_database(postgres_server) as other:
        await restore(other, _NAMES, file)
        assert await migrate(other, SCHEMAS) == ()
        assert await _fetch(other, _CONTENT) == await _fetch(database, _CONTENT)
        async with connect(other) as connection:
            last = max(seq for seq, *_ in await _fetch(database, _CONTENT))  # type: ignore[type-var]  # numbers
            assert await add_face(connection, _PERFORMER, image_hash="b" * 64) > last  # type: ignore[operator]
            await connection.execute("DELETE FROM catalogue.performers")
            assert await connection.fetchval("SELECT count(*) FROM face.withdrawals") == 3


async def test_rows_of_another_cluster_are_stamped_anew(
    database: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """As restored they would be "still to come" for ever; after migrating none is, and they stay so."""
    await _fill(database)
    await dump(database, _NAMES, tmp_path / "dump")
    async with fresh_database(postgres_server) as other:
        await restore(other, _NAMES, tmp_path / "dump")
        assert len(await _fetch(other, _FUTURE)) == 4
        before = await _fetch(other, _CONTENT)
        await migrate(other, SCHEMAS)
        assert await _fetch(other, _FUTURE) == []
        stamps = await _fetch(other, "SELECT xid FROM face.vectors")
        assert await _fetch(other, _CONTENT) == before
        assert await _fetch(other, "SELECT count(*) FROM face.withdrawals") == [(1,)]
        await migrate(other, SCHEMAS)
        assert await _fetch(other, "SELECT xid FROM face.vectors") == stamps


async def test_nothing_is_restored_over_something(
    database: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """A database that has one of the schemas is refused and stays as it is."""
    await _fill(database)
    await dump(database, _NAMES, tmp_path / "dump")
    before = await _fetch(database, _CONTENT)
    with pytest.raises(StoreError, match="not empty"):
        await restore(database, _NAMES, tmp_path / "dump")
    assert await _fetch(database, _CONTENT) == before


async def test_a_damaged_dump_leaves_nothing(
    database: str, postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Half a file is refused with what pg_restore said; the database stays empty and takes the whole one."""
    await _fill(database)
    file = tmp_path / "dump"
    await dump(database, _NAMES, file)
    half = tmp_path / "half"
    half.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    async with fresh_database(postgres_server) as other:
        with pytest.raises(StoreError, match="pg_restore failed"):
            await restore(other, _NAMES, half)
        await restore(other, _NAMES, file)


async def test_a_dump_replaces_nothing_and_leaves_no_half(database: str, tmp_path: Path) -> None:
    """A file that is there stays; a database that cannot be dumped leaves no file."""
    kept = tmp_path / "kept"
    kept.write_text("mine")
    with pytest.raises(ConfigError, match="there already"):
        await dump(database, _NAMES, kept)
    assert kept.read_text() == "mine"
    with pytest.raises(StoreError, match="pg_dump failed"):
        await dump(database.replace("/test_", "/nobody_"), _NAMES, tmp_path / "new")
    with pytest.raises(ConfigError, match="cannot be written"):
        await dump(database, _NAMES, tmp_path / "missing" / "new")
    with pytest.raises(ConfigError, match="cannot be read"):
        await restore(database, _NAMES, tmp_path / "new")
    assert os.listdir(tmp_path) == ["kept"]
