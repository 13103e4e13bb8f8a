"""Dumping schemas to a file and restoring them, by PostgreSQL's own programs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from chassis.errors import ConfigError, StoreError
from chassis.postgres._binaries import own_program
from chassis.postgres.pool import connect
from chassis.postgres.translation import translate

__all__ = ["dump", "restore"]

_LONGEST_COMPLAINT = 500


async def dump(dsn: str, schemas: Sequence[str], file: Path) -> int:
    """Write everything of these schemas, as of one moment, to a new file that only this user can read.

    The database is used meanwhile by whoever likes. Raises ConfigError when the file cannot be written or
    is there already, StoreError when it cannot be done; then there is no file.
    """
    aside = file.with_name(file.name + ".partial")
    try:
        _make_private(file, aside)
        wanted = [f"--schema={schema}" for schema in schemas]
        await _run("pg_dump", dsn, "--format=custom", *wanted, f"--file={aside}")
        return await asyncio.to_thread(_publish, aside, file)
    except OSError as exc:
        raise ConfigError(f"{file} cannot be written ({exc.strerror})") from exc
    finally:
        with suppress(OSError):
            os.unlink(aside)


async def restore(dsn: str, schemas: Sequence[str], file: Path) -> None:
    """Bring back what `dump` wrote, in one transaction, into a database that has none of these schemas.

    Raises ConfigError when there is no such file, StoreError when one of the schemas is there or it cannot
    be done; then nothing has changed.
    """
    _check_readable(file)
    async with connect(dsn, application_name="marquee restore") as connection:
        with translate():
            found = await connection.fetchval(
                "SELECT min(nspname) FROM pg_namespace WHERE nspname = ANY($1::text[])", list(schemas)
            )
    if found is not None:
        raise StoreError(f"the database is not empty, it has the schema {found}: restore into a new one")
    await _run("pg_restore", dsn, "--exit-on-error", "--single-transaction", str(file))


async def _run(program: str, dsn: str, *arguments: str) -> None:
    address, password = _without_password(dsn)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    process = await asyncio.create_subprocess_exec(
        own_program(program),
        f"--dbname={address}",
        "--no-owner",
        "--no-privileges",
        "--no-password",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        complaint = said.decode(errors="replace").strip()[:_LONGEST_COMPLAINT]
        raise StoreError(f"{program} failed: {complaint}")


def _without_password(dsn: str) -> tuple[str, str]:
    """The DSN as it may be seen in a list of processes, and the password; "" when it has none."""
    parts = urlsplit(dsn)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    if not password:
        return dsn, ""
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{place}")), unquote(password)


def _make_private(file: Path, aside: Path) -> None:
    if file.exists():
        raise ConfigError(f"{file} is there already")
    aside.unlink(missing_ok=True)
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _publish(aside: Path, file: Path) -> int:
    descriptor = os.open(aside, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside.rename(file)
    return file.stat().st_size


def _check_readable(file: Path) -> None:
    try:
        file.open("rb").close()
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read ({exc.strerror})") from exc
