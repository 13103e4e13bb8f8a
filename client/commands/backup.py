"""`marquee backup` and `marquee restore`: the whole database in one file, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click
from rich.markup import escape

from chassis.postgres import dump, migrate
from chassis.postgres import restore as restore_dump
from client.commands._running import err, out, run
from client.commands._session import data_option
from client.supervisor.data_folder import DataFolder
from client.supervisor.parts import discover_parts, load_settings, schema_sources
from client.supervisor.stack import StackOptions, open_database

__all__ = ["backup", "restore"]

_file = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command()
@_file
@data_option
def backup(file: Path, data: Path) -> None:
    """Write the database to FILE, as of one moment: performers, vectors, everything but models and settings.

    It goes on while `marquee up` runs. FILE must be new; it holds what the database holds, so guard it as
    well.
    """
    run(lambda: _backup(file, data))


@click.command()
@_file
@data_option
def restore(file: Path, data: Path) -> None:
    """Bring back what `marquee backup` wrote, into a data folder or a configured database that is new.

    Whoever was forgotten after FILE was written is there again: forget them again.
    """
    run(lambda: _restore(file, data))


async def _backup(file: Path, data: Path) -> int:
    schemas = [source.schema for source in schema_sources(discover_parts())]
    async with _database(data) as dsn:
        with err.status("writing the database ..."):
            size = await dump(dsn, schemas, file)
    out.print(f"wrote {escape(str(file))}, {size / 1e6:.1f} MB", soft_wrap=True)
    return 0


async def _restore(file: Path, data: Path) -> int:
    sources = schema_sources(discover_parts())
    async with _database(data, alone=True) as dsn:
        with err.status("restoring the database ..."):
            await restore_dump(dsn, [source.schema for source in sources], file)
            await migrate(dsn, sources)
    out.print("restored; `marquee coverage` says what is there")
    return 0


@asynccontextmanager
async def _database(data: Path, *, alone: bool = False) -> AsyncIterator[str]:
    """The DSN of the configured database, of the embedded one that runs, or of one run for this command.

    Raises AlreadyRunning when the embedded one runs and this command must be alone.
    """
    settings = load_settings(discover_parts())
    folder = DataFolder(data)
    configured = settings.process.database
    if configured.dsn or configured.dsn_file:
        yield configured.resolve_dsn()
    elif not alone and folder.running() is not None:
        yield folder.dsn_file.read_text(encoding="utf-8").strip()
    else:
        async with folder.held(), open_database(folder, settings, StackOptions()) as server:
            assert server is not None, "no database is configured"
            yield server.dsn
