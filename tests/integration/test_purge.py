"""After a purge no file of an embedded cluster has the bytes of a deleted vector."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.errors import StoreError
from chassis.postgres import PURGE_SETTINGS, Connection, connect, migrate, purge
from chassis.postgres.embedded import EmbeddedPostgres
from tests.fakes.enrolled_rows import add_body, add_face, add_tattoo, random_vector
from tests.fakes.files_with import files_with
from tests.fakes.gateway_system import SCHEMAS
from tests.fakes.postgres import open_folder

_NAMES = [source.schema for source in SCHEMAS]
_GONE = "00000000-0000-4000-8000-000000000001"
_KEPT = "00000000-0000-4000-8000-000000000002"
# The larger ones lie out of line (TOAST); the smaller ones are sampled into the planner's statistics.
_FACES = [random_vector(dimension, seed=dimension) for dimension in (128, 192, 512)]
_TATTOO, _BODIES = random_vector(512, seed=1), [random_vector(12, seed=seed) for seed in range(10, 14)]
_VECTORS = [*_FACES, _TATTOO, *_BODIES]


async def _add_all(connection: Connection, performer_id: str, hashes: int) -> None:
    await connection.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
        performer_id,
    )
    for number, vector in enumerate(_FACES if performer_id == _GONE else [random_vector(128, seed=99)]):
        await add_face(connection, performer_id, image_hash=f"{hashes + number:064x}", vector=vector)
    if performer_id == _GONE:
        await add_tattoo(connection, performer_id, vector=_TATTOO)
        for number, vector in enumerate(_BODIES):
            await add_body(connection, performer_id, image_hash=f"{number:064x}", vector=vector)


async def _write_log(connection: Connection) -> None:
    await connection.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', 9000000))")
    await connection.execute("CHECKPOINT")


async def _until_log_waits(connection: Connection, cluster: Path) -> None:
    """Write log until a segment with a vector's bytes waits to be used again."""
    for _ in range(40):
        await _write_log(connection)
        waiting = await connection.fetch(
            "SELECT name FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_insert_lsn())"
        )
        found = {file.name for file in files_with(cluster / "pg_wal", _FACES[0][:32])}
        if found & {row["name"] for row in waiting}:
            return
    raise AssertionError("no segment of the log is used again")


async def test_a_purge_leaves_nothing_of_what_was_deleted() -> None:
    """Found in tables, log and statistics before; nowhere after; everything else is as it was."""
    with open_folder() as folder, open_folder(in_memory=False) as runtime:
        data, cluster = folder / "database", folder / "database" / "cluster"
        async with EmbeddedPostgres(data, runtime_directory=runtime) as server:
            await migrate(server.dsn, SCHEMAS)
            async with connect(server.dsn) as connection:
                await _add_all(connection, _GONE, 0)
                await _add_all(connection, _KEPT, 100)
                await connection.execute("ANALYZE")
                await _until_log_waits(connection, cluster)
                await connection.execute("DELETE FROM catalogue.performers WHERE id = $1", _GONE)
                samples = await connection.fetchval(
                    "SELECT histogram_bounds::text FROM pg_stats"
                    " WHERE tablename = 'measurements' AND attname = 'vector'"
                )
                assert _BODIES[0].hex() in samples
        before = [files_with(cluster, vector) for vector in _VECTORS]
        assert all(before), "the bytes must be there, or this proves nothing"
        places = {file.relative_to(cluster).parts[0] for files in before for file in files}
        assert places >= {"base", "pg_wal"}

        async with EmbeddedPostgres(data, runtime_directory=runtime, settings=PURGE_SETTINGS) as server:
            await purge(server.dsn, _NAMES)
            assert [files_with(cluster, vector) for vector in _VECTORS] == [[]] * len(_VECTORS)
        assert [files_with(folder, vector) for vector in _VECTORS] == [[]] * len(_VECTORS)

        async with (
            EmbeddedPostgres(data, runtime_directory=runtime) as server,
            connect(server.dsn) as connection,
        ):
            assert await connection.fetchval("SELECT count(*) FROM face.vectors") == 1
            assert await connection.fetchval("SELECT count(*) FROM face.withdrawals") == len(_FACES)


async def test_a_purge_needs_the_database_alone(tmp_path: Path) -> None:
    """With somebody else connected, or on a server that keeps its log, it refuses before it begins."""
    with open_folder() as folder, open_folder(in_memory=False) as runtime:
        data = folder / "database"
        async with EmbeddedPostgres(data, runtime_directory=runtime, settings=PURGE_SETTINGS) as server:
            async with connect(server.dsn):
                with pytest.raises(StoreError, match="1 others are connected"):
                    await purge(server.dsn, _NAMES)
            await purge(server.dsn, _NAMES)
        async with EmbeddedPostgres(data, runtime_directory=runtime) as server:
            with pytest.raises(StoreError, match="not started for a purge"):
                await purge(server.dsn, _NAMES)
