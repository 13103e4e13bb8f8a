"""A PostgreSQL server that belongs to this process: started, watched, restarted and stopped by it."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg
import structlog

from chassis.errors import MarqueeError, StoreError
from chassis.postgres._account import choose_account
from chassis.postgres._binaries import find_binaries
from chassis.postgres._cluster import SUPERUSER, ensure_cluster
from chassis.postgres._folder import DatabaseFolder
from chassis.postgres._server import PORT, ServerSpec, start_server
from chassis.postgres._spawn import stop

__all__ = ["EmbeddedPostgres"]

_DATABASE = "marquee"
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_DOUBLINGS = 6
_STEADY_SECONDS = 60.0

_log = structlog.get_logger()


class EmbeddedPostgres:
    """An embedded PostgreSQL as an async context manager; inside it, `dsn` names a database to connect to.

    The server listens on a Unix socket in a private directory only. It ends with this process, also when this
    process is killed, and with the thread that entered the context. When the server dies by itself it is
    started again, with pauses of 0.1 s growing to 5 s; the DSN stays the same.
    """

    def __init__(
        self,
        data_directory: Path,
        *,
        runtime_directory: Path | None = None,
        user: str | None = None,
        settings: Mapping[str, str] | None = None,
        start_timeout: float = 120.0,
        stop_timeout: float = 30.0,
    ) -> None:
        """Describe the server; nothing happens before the context is entered.

        data_directory: the database's own folder, made if missing (cluster/, server.log, lock, socket).
        runtime_directory: where root copies the programs; default /var/lib/marquee/runtime.
        user: whom root drops to for a new database; default the first existing of postgres and nobody.
        settings: PostgreSQL settings that win over ours, such as {"shared_buffers": "256MB"}.
        start_timeout: seconds for making the database, and again for its start with a crash recovery.
        stop_timeout: seconds for a fast shutdown before a harder one.
        """
        self._folder = DatabaseFolder(data_directory)
        self._runtime_directory = runtime_directory
        self._user = user
        self._settings = dict(settings or {})
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._stack = AsyncExitStack()
        self._spec: ServerSpec | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._restarts = 0

    @property
    def dsn(self) -> str:
        """The database as a URL that asyncpg and psql take. Raises StoreError outside the context."""
        return self.dsn_of(_DATABASE)

    def dsn_of(self, database: str) -> str:
        """Return the URL of another database of this server."""
        if self._spec is None:
            raise StoreError("the embedded database is not open")
        host = quote(str(self._spec.socket_directory), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"

    @property
    def running(self) -> bool:
        """Whether the server process lives and has told that it takes connections."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int | None:
        """The process id of the server (its postmaster), None while it does not run."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def restarts(self) -> int:
        """How often the server died and was started again since the context was entered."""
        return self._restarts

    @property
    def log_file(self) -> Path:
        """What the server says about itself."""
        return self._folder.log

    def __repr__(self) -> str:
        state = f"running as {self.pid}" if self.running else "not running"
        return f"<EmbeddedPostgres {str(self._folder.root)!r} {state}, {self._restarts} restarts>"

    async def __aenter__(self) -> Self:
        """Start the server.

        Raises AlreadyRunning when another process holds the folder, StoreError when it cannot be used or the
        server does not start; the message carries the last lines of the server's log.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._forget)
            with _os_errors_translated(self._folder.root):
                await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server with a fast shutdown; a cancellation waits for it."""
        await _finish(self._stack.aclose())

    async def _open(self, stack: AsyncExitStack) -> None:
        folder = self._folder
        folder.create()
        stack.enter_context(folder.held())
        account = choose_account(folder.cluster, user=self._user)
        binaries = await asyncio.to_thread(find_binaries, account, runtime_directory=self._runtime_directory)
        await ensure_cluster(folder, binaries, account, timeout=self._start_timeout)
        sockets = stack.enter_context(folder.socket_directory(account))
        self._spec = ServerSpec(folder, binaries, account, sockets, self._settings)
        stack.push_async_callback(self._stop)
        await self._start()
        await self._ensure_database()
        stack.push_async_callback(_cancel, asyncio.create_task(self._watch(), name="embedded postgres"))

    async def _start(self) -> None:
        assert self._spec is not None, "_open sets it"
        self._process = await start_server(self._spec, timeout=self._start_timeout)

    async def _stop(self) -> None:
        if self._process is not None:
            await stop(self._process, patience=self._stop_timeout)

    def _forget(self) -> None:
        self._spec = self._process = None

    async def _ensure_database(self) -> None:
        try:
            connection = await asyncpg.connect(self.dsn_of("postgres"), timeout=self._start_timeout)
            try:
                if not await connection.fetchval(
                    "SELECT true FROM pg_database WHERE datname = $1", _DATABASE
                ):
                    await connection.execute(f"CREATE DATABASE {_DATABASE}")
            finally:
                await connection.close()
        except (asyncpg.PostgresError, TimeoutError) as exc:
            raise StoreError(f"the new server refused us: {exc}\n{self._folder.log_tail()}") from exc

    async def _watch(self) -> None:
        pauses = _pauses()
        while self._process is not None:
            since = asyncio.get_running_loop().time()
            code = await self._process.wait()
            _log.warning("the database stopped, starting it again", status=code)
            if asyncio.get_running_loop().time() - since > _STEADY_SECONDS:
                pauses = _pauses()
            await self._start_again(pauses)
            _log.warning("the database runs again", restarts=self._restarts)

    async def _start_again(self, pauses: Iterator[float]) -> None:
        is_told = False
        for pause in pauses:
            await asyncio.sleep(pause)
            try:
                with _os_errors_translated(self._folder.root):
                    await self._start()
            except MarqueeError as exc:
                if not is_told:
                    _log.error("the database does not start, trying on", reason=str(exc))
                is_told = True
                continue
            self._restarts += 1
            return


def _pauses() -> Iterator[float]:
    return (min(_FIRST_PAUSE * 2 ** min(step, _DOUBLINGS), _LONGEST_PAUSE) for step in itertools.count())


@contextmanager
def _os_errors_translated(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise StoreError(f"the database folder {root} cannot be used: {exc}") from exc


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _finish(cleanup: Coroutine[object, object, None]) -> None:
    task = asyncio.ensure_future(cleanup)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
