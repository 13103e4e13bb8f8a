"""Pools of connections to PostgreSQL, embedded or one's own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from chassis.errors import ConfigError, StoreError
from chassis.postgres.translation import is_connection_trouble, translate

__all__ = ["Connection", "Pool", "connect", "open_pool", "ping"]

if TYPE_CHECKING:  # asyncpg's classes take parameters only in its stubs
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    """A pool of connections; rows are asyncpg.Record, a uuid column gives uuid.UUID, jsonb gives str."""
    Connection = asyncpg.Connection | PoolConnectionProxy
    """A connection, from a pool or not."""

# It repeats a traceback at every try to reconnect; `ping` and every use of the pool tell the same once.
logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)

_T = TypeVar("_T")
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0
_CLOSE_SECONDS = 10.0
_IDLE_TRANSACTION_MS = 60_000


@asynccontextmanager
async def open_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 8,
    command_timeout: float = 30.0,
    connect_timeout: float = 5.0,
    start_timeout: float = 30.0,
    application_name: str = "marquee",
) -> AsyncIterator[Pool]:
    """Open a pool of `min_size` to `max_size` connections; it closes with the context, by force after 10 s.

    command_timeout: seconds a statement may take, kept by us and by the server.
    connect_timeout: seconds one attempt to connect may take.
    start_timeout: seconds to keep trying at the start, for a database that comes up beside this process.
    application_name: what pg_stat_activity shows.

    A connection lost later is replaced by the next use of the pool; see `translate` for what that use raises.
    A connection that is given back keeps its settings and session locks: whoever changes a session opens a
    connection of its own with `connect`.
    Raises ConfigError for a malformed DSN, StoreError when the database cannot be reached or refuses us.
    """

    async def open_once() -> Pool:
        return await _open_once(
            dsn,
            min_size=min(min_size, max_size),
            max_size=max_size,
            timeout=connect_timeout,
            command_timeout=command_timeout,
            server_settings=_server_settings(application_name, command_timeout),
        )

    _check_dsn(dsn)
    pool = await _retried(open_once, seconds=start_timeout)
    try:
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def connect(
    dsn: str, *, start_timeout: float = 30.0, application_name: str = "marquee"
) -> AsyncIterator[Connection]:
    """Open one connection without time limits for its statements, for migrations and tools.

    Raises as `open_pool` does.
    """

    async def connect_once() -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            dsn, timeout=start_timeout, server_settings={"application_name": application_name}
        )

    _check_dsn(dsn)
    connection = await _retried(connect_once, seconds=start_timeout)
    try:
        yield connection
    finally:
        await _close(connection)


async def ping(pool: Pool, *, timeout: float = 2.0) -> None:
    """Ask the database for a sign of life.

    Raises Unavailable when it is not there, DeadlineExceeded when it, or a free connection, takes longer than
    `timeout` seconds; giving a connection back may take as long again, after which it is dropped.
    """
    with translate():
        async with pool.acquire(timeout=timeout) as connection:
            await connection.execute("SELECT 1", timeout=timeout)


def _server_settings(application_name: str, command_timeout: float) -> dict[str, str]:
    return {
        "application_name": application_name,
        "statement_timeout": str(int(command_timeout * 1000)),
        "idle_in_transaction_session_timeout": str(_IDLE_TRANSACTION_MS),
    }


async def _leave_session(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Instead of asyncpg's RESET ALL at each release: a round trip that takes longer than many a statement.

    A transaction that was left open is rolled back all the same, and listeners are dropped.
    """


def _check_dsn(dsn: str) -> None:
    # asyncpg takes an empty one and then guesses from the environment.
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise ConfigError("database: the DSN must begin with postgresql://")


async def _open_once(
    dsn: str,
    *,
    min_size: int,
    max_size: int,
    timeout: float,
    command_timeout: float,
    server_settings: dict[str, str],
) -> Pool:
    pool = asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        timeout=timeout,
        command_timeout=command_timeout,
        server_settings=server_settings,
        reset=_leave_session,
    )
    try:
        await pool
    except BaseException:
        pool.terminate()  # the connections that did open
        raise
    return pool


async def _retried(open_once: Callable[[], Awaitable[_T]], *, seconds: float) -> _T:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = _FIRST_PAUSE
    while True:
        try:
            return await open_once()
        except (ValueError, asyncpg.InterfaceError) as exc:
            # The text of the cause may hold the DSN and with it a password.
            raise ConfigError("database: the DSN is malformed") from exc
        except (OSError, asyncpg.PostgresError) as exc:
            _refuse_unless_temporary(exc, is_late=loop.time() + pause > deadline, seconds=seconds)
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _refuse_unless_temporary(error: Exception, *, is_late: bool, seconds: float) -> None:
    is_temporary = is_connection_trouble(error) or isinstance(error, TimeoutError)
    if not is_temporary:
        raise StoreError(f"the database refuses the connection: {error}") from error
    if is_late:
        raise StoreError(f"the database could not be reached within {seconds:g} s: {error}") from error


async def _close(closable: "Pool | asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await asyncio.wait_for(closable.close(), _CLOSE_SECONDS)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        closable.terminate()  # the server is gone or a statement hangs: nothing is left to be saved
