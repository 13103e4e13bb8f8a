"""`marquee migrate`: bring the database's schemas up to date."""

from __future__ import annotations

from pathlib import Path

import click

from chassis.postgres.migrations import Migration
from chassis.postgres.migrations import migrate as apply_migrations
from client.commands._running import out, run
from client.commands._session import data_option
from client.supervisor.data_folder import DataFolder
from client.supervisor.parts import discover_parts, load_settings, schema_sources
from client.supervisor.stack import StackOptions, open_database

__all__ = ["migrate"]


@click.command()
@data_option
def migrate(data: Path) -> None:
    """Bring the database up to date: the configured one, else the embedded one of the data folder.

    Any number of these may run at once. `marquee up` does it by itself.
    """
    run(lambda: _migrate(data))


async def _migrate(data: Path) -> int:
    applied = await _apply(data)
    for migration in applied:
        out.print(f"applied {migration.label}")
    out.print("the database is up to date" if applied else "the database was up to date already")
    return 0


async def _apply(data: Path) -> tuple[Migration, ...]:
    parts = discover_parts()
    settings = load_settings(parts)
    database = settings.process.database
    if database.dsn or database.dsn_file:
        return await apply_migrations(database.resolve_dsn(), schema_sources(parts))
    folder = DataFolder(data)
    async with folder.held(), open_database(folder, settings, StackOptions()) as embedded:
        assert embedded is not None, "no database is configured"
        return await apply_migrations(embedded.dsn, schema_sources(parts))
