"""Migrations applied to a real PostgreSQL."""

import asyncio
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import asyncpg
import pytest

from chassis.errors import StoreError, Unavailable
from chassis.postgres import Migration, SchemaSource, connect, migrate, open_pool, pending, require_schema
from tests.fakes.packages import make_package
from tests.fakes.postgres import database, postgres_server

__all__ = ["database", "postgres_server"]  # fixtures

MakeSource = Callable[[str, Mapping[str, str]], SchemaSource]

PERFORMERS = "CREATE TABLE performers (id uuid PRIMARY KEY);"
FACES = """
CREATE TABLE faces (
    id bigserial PRIMARY KEY,
    performer_id uuid NOT NULL REFERENCES catalogue.performers ON DELETE CASCADE
);
"""


@pytest.fixture
def make_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeSource:
    """Make packages with migrations that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda schema, files: SchemaSource(schema, make_package(tmp_path, files))


def labels(migrations: tuple[Migration, ...]) -> list[str]:
    """Return what messages call them."""
    return [migration.label for migration in migrations]


async def fetchval(dsn: str, query: str) -> object:
    """Ask one thing on a connection of its own."""
    async with connect(dsn) as connection:
        return await connection.fetchval(query)


async def test_schemas_are_made_in_the_order_given(database: str, make_source: MakeSource) -> None:
    """Each package's tables land in its own schema, and a later one may refer to an earlier one's."""
    catalogue = make_source("catalogue", {"0001_performers.sql": PERFORMERS})
    face = make_source("face", {"0001_faces.sql": FACES, "0002_seen.sql": "ALTER TABLE faces ADD seen date;"})
    applied = await migrate(database, [catalogue, face])
    assert labels(applied) == ["catalogue/0001_performers", "face/0001_faces", "face/0002_seen"]
    assert await fetchval(database, "SELECT count(seen) FROM face.faces") == 0
    kept = await fetchval(database, "SELECT array_agg(name ORDER BY version) FROM face.schema_migrations")
    assert kept == ["faces", "seen"]
    assert await fetchval(database, "SELECT bool_and(applied_at <= now()) FROM face.schema_migrations")


async def test_a_second_run_changes_nothing(database: str, make_source: MakeSource) -> None:
    """Applied migrations are not applied again."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    assert len(await migrate(database, [source])) == 1
    assert await migrate(database, [source]) == ()


async def test_only_what_is_new_is_applied(database: str, make_source: MakeSource, tmp_path: Path) -> None:
    """A migration added later is pending, then applied alone."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    await migrate(database, [source])
    (tmp_path / source.package / "migrations" / "0002_b.sql").write_text("CREATE TABLE b ();")
    async with connect(database) as connection:
        assert labels(await pending(connection, source)) == ["face/0002_b"]
    assert labels(await migrate(database, [source])) == ["face/0002_b"]
    async with connect(database) as connection:
        assert await pending(connection, source) == ()


async def test_many_may_migrate_at_once(database: str, make_source: MakeSource) -> None:
    """Of four concurrent runs exactly one applies each migration, and all return without an error."""
    slow = "SELECT pg_sleep(0.05); CREATE TABLE {} ();"
    sources = [
        make_source(schema, {f"000{n}_t.sql": slow.format(f"t{n}") for n in (1, 2)})
        for schema in ("catalogue", "face")
    ]
    runs = await asyncio.gather(*(migrate(database, sources) for _ in range(4)))
    assert sorted(label for run in runs for label in labels(run)) == [
        "catalogue/0001_t",
        "catalogue/0002_t",
        "face/0001_t",
        "face/0002_t",
    ]


async def test_waiting_for_another_run_has_a_limit(database: str, make_source: MakeSource) -> None:
    """A run that holds the lock for too long makes the next one a StoreError that says so."""
    slow = make_source("catalogue", {"0001_slow.sql": "CREATE TABLE a (); SELECT pg_sleep(30);"})
    quick = make_source("face", {"0001_quick.sql": "CREATE TABLE a ();"})
    run = asyncio.create_task(migrate(database, [slow]))
    async with connect(database) as connection, asyncio.timeout(30):
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        while not await connection.fetchval(locks):  # noqa: ASYNC110 - another session's doing
            await asyncio.sleep(0.01)
    with pytest.raises(StoreError, match="still migrating"):
        await migrate(database, [quick], lock_timeout=0.05)
    run.cancel()
    await asyncio.wait({run})
    assert labels(await migrate(database, [quick])) == ["face/0001_quick"]


async def test_a_changed_migration_is_refused(database: str, make_source: MakeSource, tmp_path: Path) -> None:
    """An applied file with another text stops everything before the first change, and is named."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    await migrate(database, [source])
    folder = tmp_path / source.package / "migrations"
    (folder / "0001_a.sql").write_text("CREATE TABLE a (n integer);")
    (folder / "0002_b.sql").write_text("CREATE TABLE b ();")
    other = make_source("catalogue", {"0001_c.sql": "CREATE TABLE c ();"})
    with pytest.raises(StoreError, match="face/0001_a was changed after it was applied"):
        await migrate(database, [other, source])
    assert await fetchval(database, "SELECT to_regclass('face.b')") is None
    assert await fetchval(database, "SELECT to_regnamespace('catalogue')") is None


async def test_a_renamed_migration_is_refused(database: str, make_source: MakeSource, tmp_path: Path) -> None:
    """An applied file under another name is refused with both names."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    await migrate(database, [source])
    folder = tmp_path / source.package / "migrations"
    (folder / "0001_a.sql").rename(folder / "0001_b.sql")
    with pytest.raises(StoreError, match="face/0001_a is applied in the database, here it is face/0001_b"):
        await migrate(database, [source])


async def test_a_newer_database_is_refused(database: str, make_source: MakeSource, tmp_path: Path) -> None:
    """Code that lacks a migration which the database has is too old: neither migrating nor starting works."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();", "0002_b.sql": "CREATE TABLE b ();"})
    await migrate(database, [source])
    (tmp_path / source.package / "migrations" / "0002_b.sql").unlink()
    with pytest.raises(StoreError, match=r"newer than this version.*face/0002_b"):
        await migrate(database, [source])
    async with open_pool(database) as pool:
        with pytest.raises(StoreError, match="newer than this version"):
            await require_schema(pool, source)


async def test_an_older_database_is_not_ready(database: str, make_source: MakeSource, tmp_path: Path) -> None:
    """A process whose schema is not there, or only in part, is told what lacks and what to run."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    async with open_pool(database) as pool:
        with pytest.raises(
            StoreError, match="face lacks 1 migrations from face/0001_a on: run `marquee migrate`"
        ):
            await require_schema(pool, source)
        await migrate(database, [source])
        await require_schema(pool, source)
        (tmp_path / source.package / "migrations" / "0002_b.sql").write_text("CREATE TABLE b ();")
        with pytest.raises(StoreError, match="face/0002_b"):
            await require_schema(pool, source)


async def test_a_failing_migration_leaves_nothing_and_names_itself(
    database: str, make_source: MakeSource, tmp_path: Path
) -> None:
    """Of a migration that fails half way nothing stays, those before it do; once mended it goes on there."""
    source = make_source(
        "face",
        {
            "0001_a.sql": "CREATE TABLE a ();",
            "0002_b.sql": "CREATE TABLE b (); INSERT INTO no_such_table VALUES (1);",
            "0003_c.sql": "CREATE TABLE c ();",
        },
    )
    with pytest.raises(StoreError, match=r"face/0002_b failed.*no_such_table"):
        await migrate(database, [source])
    assert await fetchval(database, "SELECT to_regclass('face.a')") is not None
    assert await fetchval(database, "SELECT to_regclass('face.b')") is None
    (tmp_path / source.package / "migrations" / "0002_b.sql").write_text("CREATE TABLE b ();")
    assert labels(await migrate(database, [source])) == ["face/0002_b", "face/0003_c"]


async def test_a_deferred_constraint_fails_its_migration(database: str, make_source: MakeSource) -> None:
    """What the database says only at the commit still names the migration, and leaves nothing."""
    late = """
    CREATE TABLE a (id integer PRIMARY KEY);
    CREATE TABLE b (a integer REFERENCES a DEFERRABLE INITIALLY DEFERRED);
    INSERT INTO b VALUES (1);
    """
    source = make_source("face", {"0001_late.sql": late})
    with pytest.raises(StoreError, match="face/0001_late failed"):
        await migrate(database, [source])
    assert await fetchval(database, "SELECT to_regclass('face.a')") is None


async def test_a_lost_connection_leaves_nothing(database: str, make_source: MakeSource) -> None:
    """When the session is lost within a migration, that one is named and the next run applies it."""
    cut = """
    CREATE TABLE a ();
    DO $$ BEGIN
        IF current_setting('marquee.cut', true) = 'yes' THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
    END $$;
    """
    source = make_source("face", {"0001_cut.sql": cut})
    name = await fetchval(database, "SELECT current_database()")
    await set_default(database, f"ALTER DATABASE {name} SET marquee.cut = 'yes'")
    with pytest.raises(StoreError, match="face/0001_cut failed"):
        await migrate(database, [source])
    await set_default(database, f"ALTER DATABASE {name} RESET marquee.cut")
    assert labels(await migrate(database, [source])) == ["face/0001_cut"]


async def set_default(dsn: str, statement: str) -> None:
    """Change a default of new sessions."""
    async with connect(dsn) as connection:
        await connection.execute(statement)


async def test_the_search_path_does_not_leak(database: str, make_source: MakeSource) -> None:
    """Unqualified names of a package never land in, or read from, the schema of the one before it."""
    first = make_source("catalogue", {"0001_t.sql": "CREATE TABLE t (n integer); INSERT INTO t VALUES (1);"})
    second = make_source("face", {"0001_t.sql": "CREATE TABLE t (n integer);"})
    await migrate(database, [first, second])
    assert await fetchval(database, "SELECT count(*) FROM face.t") == 0
    with pytest.raises(asyncpg.UndefinedTableError):
        await fetchval(database, "SELECT count(*) FROM t")


async def test_a_database_that_is_not_there_is_told(database: str, make_source: MakeSource) -> None:
    """Migrating a server that is not reachable ends after its limit; asking a closed pool is Unavailable."""
    source = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    nowhere = "postgresql://marquee@/marquee?host=/no/such/directory"
    with pytest.raises(StoreError, match=r"could not be reached within 0\.2 s"):
        await migrate(nowhere, [source], start_timeout=0.2)
    async with open_pool(database) as pool:
        pass
    with pytest.raises(Unavailable):
        await require_schema(pool, source)


async def test_a_missing_package_changes_nothing(
    database: str, make_source: MakeSource, tmp_path: Path
) -> None:
    """When one package has no migrations, those of the others are not applied either."""
    good = make_source("catalogue", {"0001_a.sql": "CREATE TABLE a ();"})
    bad = make_source("face", {"0001_a.sql": "CREATE TABLE a ();"})
    shutil.rmtree(tmp_path / bad.package / "migrations")
    with pytest.raises(StoreError, match=bad.package):
        await migrate(database, [good, bad])
    assert await fetchval(database, "SELECT to_regnamespace('catalogue')") is None
