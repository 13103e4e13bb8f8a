"""Purging the embedded database of a data folder, which must be ours alone meanwhile."""

from __future__ import annotations

from pathlib import Path

from chassis.errors import AlreadyRunning, InvalidInput, Unsupported
from chassis.postgres import PURGE_SETTINGS, EmbeddedPostgres, purge
from client.supervisor.data_folder import DataFolder
from client.supervisor.parts import discover_parts, load_settings, schema_sources

__all__ = ["check_purge", "purge_folder"]


def check_purge(server: str | None, data: Path) -> None:
    """Raises InvalidInput, Unsupported or AlreadyRunning when the folder cannot be purged now."""
    if server is not None:
        raise InvalidInput("--purge rewrites the database of a data folder here: leave --server out")
    database = load_settings(discover_parts()).process.database
    if database.dsn or database.dsn_file:
        raise Unsupported(
            "--purge is for the embedded database, yours is a server of your own: docs/operations.md says "
            "what its files keep of whom was forgotten, and for how long"
        )
    running = DataFolder(data).running()
    if running is not None:
        raise AlreadyRunning(
            f"`marquee up` (process {running.pid}) is using the data folder, and --purge needs the database "
            "alone: stop it first; nobody was forgotten"
        )


async def purge_folder(data: Path) -> None:
    """Rewrite the database with the folder's lock held. Raises AlreadyRunning, and as `purge` does."""
    folder = DataFolder(data)
    schemas = [source.schema for source in schema_sources(discover_parts())]
    async with folder.held(), EmbeddedPostgres(folder.database, settings=PURGE_SETTINGS) as server:
        await purge(server.dsn, schemas)
