"""One run of the server on a cluster, from its command line to `ready`."""

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chassis.errors import AlreadyRunning, StoreError
from chassis.postgres._account import Account
from chassis.postgres._binaries import Binaries
from chassis.postgres._folder import DatabaseFolder
from chassis.postgres._processes import can_list_processes, postgres_processes
from chassis.postgres._spawn import spawn, stop

__all__ = ["PORT", "ServerSpec", "start_server"]

PORT = 5432
"""Names the socket's file; nothing listens on TCP."""

_POLL_SECONDS = 0.03
_LEFTOVER_SECONDS = 30.0
_STOP_PATIENCE = 10.0
_STATUS_LINE = 7  # of postmaster.pid, counted from zero; the first line is the process id

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    # Small: a gallery's vectors are searched in an index, the database only keeps them.
    "shared_buffers": "64MB",
    "max_connections": "60",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "256MB",  # bounds what crash recovery replays
    "min_wal_size": "32MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """Everything a run needs."""

    folder: DatabaseFolder
    binaries: Binaries
    account: Account
    socket_directory: Path
    settings: Mapping[str, str]

    def command(self) -> list[str]:
        """Return the command line; settings there win over those in the cluster's files."""
        settings = {
            **_SETTINGS,
            "unix_socket_directories": str(self.socket_directory),
            **self.settings,
            "cluster_name": self.folder.cluster_name,
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [self.binaries.path("postgres"), "-D", str(self.folder.cluster), *options]


async def start_server(spec: ServerSpec, *, timeout: float) -> asyncio.subprocess.Process:
    """Start the server and return it when it takes connections, crash recovery included.

    Raises AlreadyRunning when processes of an earlier run do not end, StoreError with the log's last lines
    when the server ends or is not ready within `timeout` seconds.
    """
    await _await_leftovers(spec.folder)
    _remove_stale_pid_file(spec.folder)
    with spec.folder.open_log() as log:
        process = await spawn(
            spec.command(),
            account=spec.account,
            directory=spec.folder.root,
            death_signal=signal.SIGINT,  # a fast shutdown
            output=log,
        )
    try:
        await asyncio.wait_for(_until_ready(spec.folder, process), timeout)
    except TimeoutError as exc:
        await stop(process, patience=_STOP_PATIENCE)
        raise StoreError(f"PostgreSQL was not ready after {timeout:g} s:\n{spec.folder.log_tail()}") from exc
    except BaseException:
        await stop(process, patience=_STOP_PATIENCE)
        raise
    return process


async def _await_leftovers(folder: DatabaseFolder) -> None:
    # We hold the folder's lock, so whoever started these is dead and they are on their way out.
    deadline = asyncio.get_running_loop().time() + _LEFTOVER_SECONDS
    while leftovers := postgres_processes(folder.cluster_name):
        if asyncio.get_running_loop().time() > deadline:
            raise AlreadyRunning(f"another PostgreSQL (process {leftovers[0]}) uses {folder.cluster}")
        await asyncio.sleep(_POLL_SECONDS)


def _remove_stale_pid_file(folder: DatabaseFolder) -> None:
    # After a crash the number in it may belong to any new process (always so in a restarted container), for
    # which PostgreSQL would refuse to start. Only where _await_leftovers saw that no server is left.
    if can_list_processes():
        (folder.cluster / "postmaster.pid").unlink(missing_ok=True)


async def _until_ready(folder: DatabaseFolder, process: asyncio.subprocess.Process) -> None:
    while not _is_ready(folder.cluster / "postmaster.pid", process.pid):
        if process.returncode is not None:
            raise StoreError(f"PostgreSQL ended with status {process.returncode}:\n{folder.log_tail()}")
        await asyncio.sleep(_POLL_SECONDS)


def _is_ready(pid_file: Path, pid: int) -> bool:
    # The way pg_ctl does it: connecting instead would fill the log during a recovery.
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > _STATUS_LINE and lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"
