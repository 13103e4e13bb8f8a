"""Making a cluster (PostgreSQL's data directory) once, and refusing one of another version."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

from chassis.errors import StoreError
from chassis.postgres._account import Account
from chassis.postgres._binaries import Binaries
from chassis.postgres._folder import DatabaseFolder
from chassis.postgres._spawn import spawn, stop

__all__ = ["SUPERUSER", "ensure_cluster"]

SUPERUSER = "marquee"
"""The role that owns everything in an embedded database."""

_OPTIONS = (
    f"--username={SUPERUSER}",
    "--encoding=UTF8",
    "--locale=C",  # sorts the same on every machine; the next two give upper and lower case beyond ASCII
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--auth-local=trust",  # whoever may enter the socket's directory, which is private
    "--auth-host=reject",
    "--no-instructions",
)


async def ensure_cluster(
    folder: DatabaseFolder, binaries: Binaries, account: Account, *, timeout: float
) -> None:
    """Make the folder's cluster where there is none yet. Raises StoreError when that fails."""
    if folder.cluster.exists():
        _check_version(folder.cluster, binaries)
        return
    _make_empty(folder.partial_cluster, account)
    await _run_initdb(folder, binaries, account, timeout=timeout)
    folder.partial_cluster.rename(folder.cluster)
    _sync(folder.root)


def _check_version(cluster: Path, binaries: Binaries) -> None:
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError as exc:
        raise StoreError(f"{cluster} is not a PostgreSQL data directory") from exc
    if found != str(binaries.major):
        raise StoreError(
            f"the database in {cluster} was made by PostgreSQL {found}, this version of Marquee brings "
            f"{binaries.major}: see docs/operations.md, section Upgrade"
        )


def _make_empty(partial: Path, account: Account) -> None:
    if partial.exists():  # an earlier start was killed half way
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    if not account.is_current:
        os.chown(partial, account.uid, account.gid)


async def _run_initdb(
    folder: DatabaseFolder, binaries: Binaries, account: Account, *, timeout: float
) -> None:
    command = [binaries.path("initdb"), "-D", str(folder.partial_cluster), *_OPTIONS]
    with folder.open_log() as log:
        process = await spawn(
            command, account=account, directory=folder.root, death_signal=signal.SIGTERM, output=log
        )
    try:
        code = await asyncio.wait_for(process.wait(), timeout)
    except TimeoutError as exc:
        raise StoreError(f"initdb was not done after {timeout:g} s:\n{folder.log_tail()}") from exc
    finally:
        await stop(process, patience=1.0)
    if code != 0:
        raise StoreError(f"initdb failed with exit status {code}:\n{folder.log_tail()}")


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
