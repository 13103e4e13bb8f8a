"""Plain SQL migrations: numbered files in each package, one PostgreSQL schema per package.

A file `migrations/NNNN_name.sql` is applied once, in one transaction, with the search path set to the schema;
the table `schema_migrations` in that schema remembers its checksum. Applied files never change.
"""

import hashlib
import importlib.resources
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import asyncpg
import structlog

from chassis.errors import StoreError
from chassis.postgres.pool import Connection, Pool, connect
from chassis.postgres.restamp import stamp_anew
from chassis.postgres.translation import translate

__all__ = ["Migration", "SchemaSource", "load_migrations", "migrate", "pending", "require_schema"]

_log = structlog.get_logger()
_LOCK_KEY = 0x6D_61_72_71_75_65_65  # "marquee"
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,40}")
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_TRANSACTION_STATEMENT = re.compile(
    r"^\s*(BEGIN|START\s+TRANSACTION|COMMIT|ROLLBACK)(\s+(WORK|TRANSACTION))?\s*;", re.I | re.M
)


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """Which package brings the migrations of which PostgreSQL schema, such as ("face", "services.face")."""

    schema: str
    package: str

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.schema):
            raise StoreError(f"{self.schema!r} is no name for a schema")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of a package."""

    schema: str
    version: int
    """From 1, without gaps."""
    name: str
    sql: str
    checksum: str
    """SHA-256 of the text in hexadecimal, line ends taken as LF."""

    @property
    def label(self) -> str:
        """How messages name it: `face/0001_faces`."""
        return f"{self.schema}/{self.version:04d}_{self.name}"


def load_migrations(source: SchemaSource) -> tuple[Migration, ...]:
    """Return the package's migrations in order, from an installed wheel as well as from a checkout.

    Raises StoreError when there are none, or a name, a number or a file's text is not as it must be.
    """
    migrations = sorted((_read(source, file) for file in _files(source)), key=lambda one: one.version)
    counts = Counter(one.version for one in migrations)
    for one in migrations:
        if counts[one.version] > 1:
            raise StoreError(f"migration {one.label}: its number is there twice")
    for expected, one in enumerate(migrations, start=1):
        if one.version != expected:
            raise StoreError(f"migration {one.label}: number {expected:04d} is missing before it")
    return tuple(migrations)


async def migrate(
    dsn: str,
    sources: Sequence[SchemaSource],
    *,
    lock_timeout: float = 120.0,
    start_timeout: float = 30.0,
) -> tuple[Migration, ...]:
    """Bring every schema up to date, in the order given, and return what was applied.

    All sources are checked before the first change. Each migration is one transaction: one that fails
    leaves nothing of itself, those before it stay. One advisory lock covers the whole run, so any number of
    processes may call this at once; each waits up to `lock_timeout` seconds for it. Needs a session of its
    own: connect to the server, not through a pooler in transaction mode.

    Rows of a restored dump whose transactions are numbered ahead of this cluster's get a number of ours.

    Raises StoreError when an applied migration was changed or is missing here, when the database is newer
    than this code, when a migration fails (named) or when the database cannot be reached.
    """
    loaded = [(source, load_migrations(source)) for source in sources]
    async with connect(dsn, start_timeout=start_timeout, application_name="marquee migrate") as connection:
        with translate():
            await _take_lock(connection, lock_timeout)
            plan = [await _plan(connection, source, migrations) for source, migrations in loaded]
        for source, missing in zip(sources, plan, strict=True):
            await _apply_all(connection, source, missing)
        with translate():
            restored = await stamp_anew(connection, [source.schema for source in sources])
        if restored:
            _log.warning("rows of another cluster were stamped anew", rows=restored)
    return tuple(migration for missing in plan for migration in missing)


async def pending(database: Pool | Connection, source: SchemaSource) -> tuple[Migration, ...]:
    """Return the migrations of `source` that the database has not, in order.

    Raises StoreError when an applied migration was changed or is missing here, or the database is newer than
    this code; Unavailable when it is not there.
    """
    with translate():
        return await _plan(database, source, load_migrations(source))


async def require_schema(database: Pool | Connection, source: SchemaSource) -> None:
    """Return if the schema is exactly what this code expects.

    Raises StoreError when it is older (the process is not ready until somebody migrates), and as `pending`
    does.
    """
    missing = await pending(database, source)
    if missing:
        raise StoreError(
            f"the database schema {source.schema} lacks {len(missing)} migrations from "
            f"{missing[0].label} on: run `marquee migrate`"
        )


def _files(source: SchemaSource) -> list[Traversable]:
    try:
        folder = importlib.resources.files(source.package) / "migrations"
        found = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    except (ModuleNotFoundError, FileNotFoundError, NotADirectoryError) as exc:
        raise StoreError(f"the package {source.package} has no folder of migrations") from exc
    if not found:
        raise StoreError(f"the package {source.package} has no migrations")
    return found


def _read(source: SchemaSource, file: Traversable) -> Migration:
    match = _FILE_NAME.fullmatch(file.name)
    if match is None:
        raise StoreError(f"migration {source.schema}/{file.name}: its name is not NNNN_name.sql")
    sql = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    migration = Migration(source.schema, int(match[1]), match[2], sql, checksum)
    if _TRANSACTION_STATEMENT.search(sql):
        raise StoreError(f"migration {migration.label}: it must not begin or end transactions itself")
    return migration


async def _take_lock(connection: Connection, seconds: float) -> None:
    # The lock belongs to the session: it is gone with the connection, however that ends.
    await connection.execute(f"SET lock_timeout = {int(seconds * 1000)}")
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
    except asyncpg.LockNotAvailableError as exc:
        raise StoreError(f"another process was still migrating after {seconds:g} s") from exc


async def _plan(
    database: Pool | Connection, source: SchemaSource, migrations: tuple[Migration, ...]
) -> tuple[Migration, ...]:
    applied = await _applied(database, source)
    for row in applied:
        _check_applied(source, migrations, row)
    if [row["version"] for row in applied] != list(range(1, len(applied) + 1)):
        raise StoreError(f"the database schema {source.schema} was not migrated in order")
    return migrations[len(applied) :]


async def _applied(database: Pool | Connection, source: SchemaSource) -> list[asyncpg.Record]:
    table = f"{source.schema}.schema_migrations"
    if await database.fetchval("SELECT to_regclass($1)", table) is None:
        return []
    return await database.fetch(f"SELECT version, name, checksum FROM {table} ORDER BY version")


def _check_applied(source: SchemaSource, migrations: tuple[Migration, ...], row: asyncpg.Record) -> None:
    version, label = row["version"], f"{source.schema}/{row['version']:04d}_{row['name']}"
    if version > len(migrations):
        raise StoreError(f"the database is newer than this version of Marquee: it has the migration {label}")
    known = migrations[version - 1]
    if known.name != row["name"]:
        raise StoreError(f"migration {label} is applied in the database, here it is {known.label}")
    if known.checksum != row["checksum"]:
        raise StoreError(f"migration {label} was changed after it was applied")


async def _apply_all(connection: Connection, source: SchemaSource, missing: Sequence[Migration]) -> None:
    if not missing:
        return
    with translate():
        await _create_schema(connection, source.schema)
    for migration in missing:
        try:
            await _apply(connection, migration)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
            raise StoreError(f"migration {migration.label} failed: {exc}") from exc


async def _create_schema(connection: Connection, schema: str) -> None:
    await connection.execute(
        f"""
        CREATE SCHEMA IF NOT EXISTS {schema};
        CREATE TABLE IF NOT EXISTS {schema}.schema_migrations (
            version integer PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
        """
    )


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path TO {migration.schema}")
        await connection.execute(migration.sql)
        await connection.execute(
            f"INSERT INTO {migration.schema}.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)",
            migration.version,
            migration.name,
            migration.checksum,
        )
