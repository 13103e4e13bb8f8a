"""The folder that holds everything of one installation: database, logs, and who runs it now."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import platformdirs

from chassis.errors import AlreadyRunning, ConfigError

__all__ = ["DataFolder", "RunningStack", "default_data_folder"]

_LOCK_PATIENCE_SECONDS = 0.5
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class RunningStack:
    """Where a running `marquee up` can be reached."""

    pid: int
    gateway: str
    """host:port."""
    services: Mapping[str, str]
    """host:port of each service, the gateway included, by name."""


def default_data_folder() -> Path:
    """$MARQUEE_DATA, else /var/lib/marquee for root, else marquee in the user's data folder.

    Root's cannot lie under /root: PostgreSQL refuses to run as root, and its user must be able to enter.
    """
    if named := os.environ.get("MARQUEE_DATA"):
        return Path(named).expanduser()
    return Path("/var/lib/marquee") if os.geteuid() == 0 else platformdirs.user_data_path("marquee")


class DataFolder:
    """Names of the files in one data folder, the lock on it and the note about who holds it."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.database = self.root / "database"
        self.logs = self.root / "logs"
        self.indexes = self.root / "indexes"
        """Index files of the services."""
        self.triton_models = self.root / "triton" / "models"
        """Triton's model repository."""
        self.dsn_file = self.root / "database.dsn"
        """Read by the services; names the embedded database of the current run."""
        self._lock = self.root / "lock"
        self._state = self.root / "running.json"

    def __repr__(self) -> str:
        return f"DataFolder({str(self.root)!r})"

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Hold the folder alone, made if missing; the kernel lets go when this process ends, however it ends.

        Raises AlreadyRunning when another process holds it, ConfigError when it cannot be written.
        """
        self._create()
        with self._lock.open("a") as file:
            await self._take(file)
            self._state.unlink(missing_ok=True)  # left by a process that was killed
            yield

    def log_file(self, name: str) -> Path:
        """Where a service's output goes."""
        return self.logs / f"{name}.log"

    @contextmanager
    def published(self, running: RunningStack) -> Iterator[None]:
        """Let other commands find the running stack, for the time of the block. Needs the lock."""
        _write_privately(self._state, json.dumps(asdict(running), indent=2))
        try:
            yield
        finally:
            self._state.unlink(missing_ok=True)

    def write_dsn(self, dsn: str) -> Path:
        """Write the database's DSN where only this user can read it, and return the file."""
        _write_privately(self.dsn_file, dsn + "\n")
        return self.dsn_file

    def running(self) -> RunningStack | None:
        """The stack that `marquee up` runs on this folder now, None when there is none."""
        stack = self._read_state()
        return stack if stack and self._is_held() else None

    def _create(self) -> None:
        missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
        try:
            for path in reversed(missing):
                path.mkdir(exist_ok=True)
                path.chmod(0o755 if os.geteuid() == 0 else 0o700)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise ConfigError(f"the data folder {self.root} cannot be used: {exc.strerror}") from exc

    async def _take(self, file: IO[str]) -> None:
        # Somebody who only asks whether the folder is held has the lock for an instant; see _is_held.
        for _ in range(round(_LOCK_PATIENCE_SECONDS / _POLL_SECONDS)):
            if _lock(file, fcntl.LOCK_EX):
                return
            await asyncio.sleep(_POLL_SECONDS)
        holder = self._read_state()
        who = (
            f"`marquee up` (process {holder.pid}, {holder.gateway})" if holder else "another marquee command"
        )
        raise AlreadyRunning(
            f"{who} is using the data folder {self.root}; stop it first or name another --data"
        )

    def _is_held(self) -> bool:
        try:
            with self._lock.open() as file:
                return not _lock(file, fcntl.LOCK_SH)
        except OSError:
            return False

    def _read_state(self) -> RunningStack | None:
        try:
            return RunningStack(**json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_privately(path: Path, text: str) -> None:
    aside = path.with_name(path.name + ".partial")
    aside.unlink(missing_ok=True)
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(aside, path)
