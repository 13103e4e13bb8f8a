"""Pools and the translation of what a real PostgreSQL says."""

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from chassis.errors import (
    ConfigError,
    Conflict,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    StoreError,
    Unavailable,
)
from chassis.postgres import EmbeddedPostgres, Pool, connect, open_pool, ping, translate
from tests.fakes.postgres import FAST_SETTINGS, database, open_folder, postgres_server

__all__ = ["database", "postgres_server"]  # fixtures

TABLES = """
CREATE TABLE performers (id uuid PRIMARY KEY, name text UNIQUE, age integer CHECK (age >= 18));
CREATE TABLE faces (performer_id uuid NOT NULL REFERENCES performers DEFERRABLE);
"""
SOMEBODY = "1b671a64-40d5-491e-99b0-da01ff1f3341"


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    """A pool on a database with two small tables."""
    async with open_pool(database, max_size=3) as opened:
        await opened.execute(TABLES)
        yield opened


async def test_a_pool_counts_names_and_limits_its_connections(database: str) -> None:
    """A pool opens its least size, says who it is, and has the server keep the same time limit."""
    async with open_pool(
        database, min_size=2, max_size=3, command_timeout=1.5, application_name="marquee face"
    ) as pool:
        assert (pool.get_size(), pool.get_max_size()) == (2, 3)
        assert await pool.fetchval("SHOW application_name") == "marquee face"
        assert await pool.fetchval("SHOW statement_timeout") == "1500ms"
    assert pool.is_closing()


async def test_a_uuid_may_be_given_as_text(pool: Pool) -> None:
    """Performer ids are text in Python and uuid in the database: nobody has to convert on the way in."""
    await pool.execute("INSERT INTO performers (id) VALUES ($1)", SOMEBODY)
    assert str(await pool.fetchval("SELECT id FROM performers")) == SOMEBODY


async def test_giving_a_connection_back_costs_no_statement(pool: Pool, database: str) -> None:
    """The last statement of the session is the caller's: the next caller has nothing to wait for."""
    async with pool.acquire() as connection:
        session = await connection.fetchval("SELECT pg_backend_pid()")
        await connection.fetchval("SELECT 42")
    async with connect(database) as other:
        last = await other.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", session)
    assert last == "SELECT 42"


async def test_a_transaction_that_is_left_open_ends_with_the_loan(pool: Pool) -> None:
    """Whoever has the connection next is in no transaction of somebody else."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("INSERT INTO performers (id) VALUES ($1)", SOMEBODY)
    assert await pool.fetchval("SELECT count(*) FROM performers") == 0


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("INSERT INTO faces VALUES ('1b671a64-40d5-491e-99b0-da01ff1f3341')", NotFound),
        ("INSERT INTO performers SELECT gen_random_uuid(), 'same' FROM generate_series(1, 2)", Conflict),
        ("INSERT INTO performers VALUES (gen_random_uuid(), 'x', 17)", InvalidInput),
        ("INSERT INTO performers (id) VALUES (NULL)", InvalidInput),
        ("SELECT 'no uuid'::uuid", InvalidInput),
        ("SELECT pg_terminate_backend(pg_backend_pid())", Unavailable),
        ("SET statement_timeout = 10; SELECT pg_sleep(10)", DeadlineExceeded),
        ("SELECT * FROM no_such_table", StoreError),
        ("THIS IS NOT SQL", StoreError),
    ],
)
async def test_the_servers_errors_become_ours(pool: Pool, statement: str, expected: type[Exception]) -> None:
    """Each kind of refusal has its error; its message shows no SQL and no value, its cause is kept."""
    with pytest.raises(expected) as caught, translate():
        await pool.execute(statement)
    assert isinstance(caught.value.__cause__, asyncpg.PostgresError)
    shown = str(caught.value)
    assert not any(word in shown for word in ("performers", "same", SOMEBODY, "no_such_table", "SELECT"))


async def test_the_caller_words_what_is_missing_and_what_is_double(pool: Pool) -> None:
    """A query function that knows what a constraint means says it."""
    with pytest.raises(NotFound, match="performer 7"), translate(missing="performer 7 does not exist"):
        await pool.execute("INSERT INTO faces VALUES ($1)", SOMEBODY)
    with pytest.raises(Conflict, match="taken"), translate(duplicate="the name is taken"):
        await pool.execute("INSERT INTO performers SELECT gen_random_uuid(), 'a' FROM generate_series(1, 2)")


async def test_a_constraint_may_speak_at_the_commit(pool: Pool) -> None:
    """Around the transaction, the translation sees a deferred foreign key fail, and nothing was stored."""

    async def enroll() -> None:
        with translate():
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("SET CONSTRAINTS ALL DEFERRED")
                await connection.execute("INSERT INTO faces VALUES ($1)", SOMEBODY)

    with pytest.raises(NotFound):
        await enroll()
    assert await pool.fetchval("SELECT count(*) FROM faces") == 0


async def test_a_malformed_argument_is_the_callers_fault(pool: Pool) -> None:
    """What asyncpg refuses before sending it, such as a text that is no uuid, is InvalidInput."""
    with pytest.raises(InvalidInput), translate():
        await pool.execute("INSERT INTO performers (id) VALUES ($1)", "closed")


async def test_our_time_limit_is_a_deadline(pool: Pool) -> None:
    """A statement cut off by our own limit is DeadlineExceeded, and the connection stays of use."""
    with pytest.raises(DeadlineExceeded), translate():
        await pool.execute("SELECT pg_sleep(10)", timeout=0.05)
    assert await pool.fetchval("SELECT 1") == 1


async def test_a_deadlock_can_be_tried_again(pool: Pool) -> None:
    """The victim of a deadlock is told that trying again helps; the other one succeeds."""
    await pool.execute("INSERT INTO performers VALUES (gen_random_uuid(), 'a'), (gen_random_uuid(), 'b')")
    both = asyncio.Barrier(2)

    async def update(first: str, second: str) -> None:
        with translate():
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute("UPDATE performers SET age = 20 WHERE name = $1", first)
                await both.wait()
                await connection.execute("UPDATE performers SET age = 20 WHERE name = $1", second)

    ends = await asyncio.gather(update("a", "b"), update("b", "a"), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["NoneType", "Unavailable"]


async def test_errors_that_are_not_the_databases_pass(pool: Pool) -> None:
    """The translation changes no error of the caller's own code, and no cancellation."""
    for error in (KeyError("x"), ValueError("x"), asyncio.CancelledError()):
        with pytest.raises(type(error)), translate():
            raise error


async def test_a_closed_pool_is_unavailable(database: str) -> None:
    """Work that comes while the process ends gets Unavailable."""
    async with open_pool(database) as pool:
        await ping(pool)
    with pytest.raises(Unavailable):
        await ping(pool)


async def test_ping_waits_no_longer_than_told(pool: Pool) -> None:
    """When every connection is busy, ping says so in time."""
    async with pool.acquire(), pool.acquire(), pool.acquire():
        with pytest.raises(DeadlineExceeded):
            await ping(pool, timeout=0.05)
    await ping(pool)


async def test_a_lost_connection_is_replaced(pool: Pool, database: str) -> None:
    """After the server ended all of a pool's sessions, its next use works."""
    lost = await _backend(pool)
    async with connect(database) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    async with asyncio.timeout(30):
        while await _backend(pool) in (None, lost):  # noqa: ASYNC110 - the server's doing
            await asyncio.sleep(0.01)
    await ping(pool)


async def _backend(pool: Pool) -> int | None:
    try:
        with translate():
            return int(await pool.fetchval("SELECT pg_backend_pid()"))
    except Unavailable:  # at most as long as we have not seen that the session ended
        return None


async def test_a_frozen_session_is_told_and_dropped(pool: Pool) -> None:
    """A session that does not answer any more is DeadlineExceeded once; the pool then opens another one."""
    backend = await _backend(pool)
    assert backend is not None
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(DeadlineExceeded):
            await ping(pool, timeout=0.1)
        assert await _backend(pool) != backend
    finally:
        os.kill(backend, signal.SIGCONT)


async def test_opening_tries_until_the_database_is_there() -> None:
    """A pool opened before its server is up waits for it, so that processes may start in any order."""
    with open_folder() as link, open_folder(in_memory=False) as runtime:
        dsn = f"postgresql://marquee@/postgres?host={link / 'socket'}"
        opening = asyncio.create_task(_open_and_ask(dsn))
        await asyncio.sleep(0.1)
        assert not opening.done()
        async with EmbeddedPostgres(link, runtime_directory=runtime, settings=FAST_SETTINGS):
            assert await opening == "postgres"


async def _open_and_ask(dsn: str) -> object:
    async with open_pool(dsn, start_timeout=60) as pool:
        return await pool.fetchval("SELECT current_database()")


async def test_a_pool_that_opens_half_way_leaves_no_session(pool: Pool, database: str) -> None:
    """When the least size cannot be reached, that is told, and the sessions that did open are closed."""
    role = f"limited_{uuid.uuid4().hex}"
    await pool.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")
    with pytest.raises(StoreError, match=f"could not be reached within .*{role}"):
        async with open_pool(database.replace("marquee@", f"{role}@"), min_size=2, start_timeout=0.2):
            pass
    async with asyncio.timeout(30):
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1"
        while await pool.fetchval(sessions, role):  # noqa: ASYNC110 - the server's doing
            await asyncio.sleep(0.01)
    await pool.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("dsn", ["", "mysql://h/d", "postgresql://u:secret@h:port/d", "postgresql://[::1/d"])
async def test_a_malformed_dsn_is_a_setting_to_mend(dsn: str) -> None:
    """A DSN that cannot be read is a ConfigError that does not repeat it: it may hold a password."""
    with pytest.raises(ConfigError, match="DSN") as caught:
        async with open_pool(dsn, start_timeout=0.2):
            pass
    assert "secret" not in str(caught.value)


async def test_a_refusal_is_not_retried(postgres_server: EmbeddedPostgres) -> None:
    """A database that does not exist is told at once, with its name."""
    with pytest.raises(StoreError, match=r"refuses the connection.*no_such_database"):
        async with open_pool(postgres_server.dsn_of("no_such_database"), start_timeout=600):
            pass


async def test_an_absent_server_is_told_after_the_limit() -> None:
    """A server that is not there is a StoreError after the time to keep trying."""
    with pytest.raises(StoreError, match=r"could not be reached within 0\.2 s"):
        async with open_pool("postgresql://u@/d?host=/no/such/directory", start_timeout=0.2):
            pass
