"""Turning what asyncpg and the operating system raise into Marquee's errors."""

from contextlib import AbstractContextManager
from types import TracebackType

import asyncpg

from chassis.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    MarqueeError,
    NotFound,
    StoreError,
    Unavailable,
)

__all__ = ["is_connection_trouble", "translate"]

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,  # starting up, recovering or shutting down
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby after a failover
    asyncpg.TargetServerAttributeNotMatched,  # only standbys are left
)
_TRY_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
_BAD_VALUES = (
    asyncpg.CheckViolationError,
    asyncpg.NotNullViolationError,
    asyncpg.DataError,  # the server's: out of range, malformed text
)
_DUPLICATES = (asyncpg.UniqueViolationError, asyncpg.ExclusionViolationError, asyncpg.RestrictViolationError)


def translate(
    *,
    missing: str = "what this refers to does not exist, or no longer does",
    duplicate: str = "this contradicts what is stored already",
) -> AbstractContextManager[None]:
    """Return a context for database work that raises our errors: `with translate(): await pool.execute(...)`.

    A broken foreign key becomes NotFound(missing), a broken unique constraint Conflict(duplicate), a value
    that cannot be stored InvalidInput, a time limit DeadlineExceeded, a lost or refused connection, a
    deadlock or a full disk Unavailable, anything else that the database says StoreError. Put it *around*
    the transaction: a deferred constraint speaks at the commit. Errors that are not the database's pass.
    Messages are fit for a client; the cause stays attached.
    """
    return _Translation(missing=missing, duplicate=duplicate)


def is_connection_trouble(error: BaseException) -> bool:
    """Whether `error` says that the database cannot be reached now, and trying again may help."""
    if isinstance(error, asyncpg.InterfaceError):
        # "connection is closed", "pool is closing": asyncpg has no class for it. ValueErrors quote a value.
        return "clos" in str(error) and not isinstance(error, ValueError)
    # TimeoutError without a number is a limit of ours, with one it is the network's.
    is_network = isinstance(error, OSError) and not _is_time_limit(error)
    # asyncpg trips over itself when a statement starts just as the server ends the session.
    is_ending = isinstance(error, asyncpg.InternalClientError) and "another operation" in str(error)
    return is_network or is_ending or isinstance(error, (*_GONE, asyncpg.InsufficientResourcesError))


class _Translation:
    # A class and not a @contextmanager: that could decorate an async function and would then do nothing.
    def __init__(self, *, missing: str, duplicate: str) -> None:
        self._missing = missing
        self._duplicate = duplicate

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        translated = None if error is None else self._translated(error)
        if translated is not None:
            raise translated from error

    def _translated(self, error: BaseException) -> MarqueeError | None:
        if isinstance(error, asyncpg.ForeignKeyViolationError):
            return NotFound(self._missing)
        if isinstance(error, _DUPLICATES):
            return Conflict(self._duplicate)
        return _translated_cause(error)


def _translated_cause(error: BaseException) -> MarqueeError | None:
    if isinstance(error, _BAD_VALUES) or _is_refused_argument(error):
        return InvalidInput("the database refuses a value")
    if isinstance(error, asyncpg.QueryCanceledError) or _is_time_limit(error):
        return DeadlineExceeded("the database did not answer in time")
    if isinstance(error, asyncpg.DiskFullError):
        return Unavailable("the database's disk is full")
    if isinstance(error, _TRY_AGAIN) or is_connection_trouble(error):
        return Unavailable("the database is not there now")
    if isinstance(error, asyncpg.PostgresError):
        return StoreError("the database refused a statement")
    return None


def _is_refused_argument(error: BaseException) -> bool:
    # asyncpg checks arguments before it sends them, such as the text of a uuid.
    is_configuration = isinstance(error, asyncpg.ClientConfigurationError)
    return (
        isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError) and not is_configuration
    )


def _is_time_limit(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) and error.errno is None
