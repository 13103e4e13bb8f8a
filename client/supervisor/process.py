"""One service as a child process: started, awaited, watched, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from chassis.errors import Unavailable
from client.supervisor.parts import Part

__all__ = ["ServiceProcess"]

_LAUNCHER = Path(__file__).with_name("_launch.py")
_LOG_LIMIT = 8 * 2**20
_TAIL_BYTES = 16_384
_ERROR_PREFIX = "marquee: "


class ServiceProcess:
    """One run after another of a service; its output is appended to a log file.

    command: what to run; by default the part's package.

    Start it on the event loop's own thread, which must live as long as the service: the kernel ends the
    child when the thread that started it is gone.
    """

    def __init__(
        self,
        part: Part,
        *,
        address: str,
        environment: Mapping[str, str],
        log: Path,
        command: Sequence[str] | None = None,
    ) -> None:
        self.part = part
        self.address = address
        """host:port."""
        self.log = log
        self._environment = dict(environment)
        # -P: a folder named like a package where the user stands must not be run instead of it.
        self._command = list(command or (sys.executable, "-P", "-m", part.package))
        self._process: asyncio.subprocess.Process | None = None
        self._log_start = 0

    def __repr__(self) -> str:
        return f"<ServiceProcess {self.part.name} {self.address} pid {self.pid or 'none'}>"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is gone."""
        return self._process is not None and self._process.returncode is not None

    async def start(self) -> None:
        """Start it; whether it gets ready is another question. Raises Unavailable when it cannot start."""
        with _open_log(self.log) as log:
            self._log_start = os.fstat(log.fileno()).st_size
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", "-B", str(_LAUNCHER), str(os.getpid())),
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    # Ctrl-C in a terminal goes to its whole group; we stop the services in our order.
                    start_new_session=True,
                )
            except OSError as exc:
                raise Unavailable(f"{self.part.name} cannot be started: {exc.strerror}") from exc

    async def wait(self) -> str:
        """Wait for its end and say how it ended."""
        if self._process is None:
            return "not started"
        code = await self._process.wait()
        if code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit status {code}"

    def reload(self) -> None:
        """Ask it to read its settings again (SIGHUP); one that cannot, or is not there, is left alone."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGHUP)

    async def stop(self, *, patience: float) -> None:
        """Let it drain; after `patience` seconds kill it and everything it started. Idempotent."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), patience)
        self.kill()
        await process.wait()

    def kill(self) -> None:
        """End the whole process group at once."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def complaint(self) -> str:
        """What it said was wrong: its own one-line error, else the last lines of this run's log."""
        lines = self._tail(lines=12)
        errors = [line.removeprefix(_ERROR_PREFIX) for line in lines if line.startswith(_ERROR_PREFIX)]
        return errors[-1] if errors else "\n".join(["its last words:", *lines, f"(all of it: {self.log})"])

    def _tail(self, *, lines: int) -> list[str]:
        try:
            with self.log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start if self._log_start <= size else 0, size - _TAIL_BYTES))
                text = file.read().decode(errors="replace")
        except OSError as exc:
            return [f"no log: {exc.strerror}"]
        return text.splitlines()[-lines:] or ["nothing"]


def _open_log(path: Path) -> IO[bytes]:
    """A log to append to; a long one is set aside first, one old log is kept."""
    with suppress(OSError):
        if path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".log.1"))
    return open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0)
