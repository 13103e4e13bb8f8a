"""The embedded PostgreSQL: real servers, killed, restarted and refused."""

import asyncio
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil
import pytest
import structlog

from chassis.errors import AlreadyRunning, StoreError, Unavailable
from chassis.postgres import EmbeddedPostgres, open_pool, ping
from tests.fakes.postgres import FAST_SETTINGS, open_folder

REPOSITORY = Path(__file__).parents[2]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another user")


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    """A folder for the copied programs, shared to save time."""
    with open_folder(in_memory=False) as folder:
        yield folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that the server's user can enter."""
    with open_folder() as path:
        yield path


def make_server(folder: Path, runtime: Path, **settings: str) -> EmbeddedPostgres:
    """Describe a server in `folder`, with `settings` on top."""
    return EmbeddedPostgres(
        folder / "database", runtime_directory=runtime, settings={**FAST_SETTINGS, **settings}
    )


@asynccontextmanager
async def connection_to(server: EmbeddedPostgres) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Open one connection."""
    connection = await asyncpg.connect(server.dsn, timeout=30)
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


def socket_directory(dsn: str) -> Path:
    """Return the directory of the socket that a DSN names."""
    return Path(parse_qs(urlsplit(dsn).query)["host"][0])


@contextmanager
def sleeper(uid: int) -> Iterator[int]:
    """Run a process of another user that does nothing; give its id."""
    user = uid if os.geteuid() == 0 else None
    process = subprocess.Popen(["sleep", "120"], user=user)
    with process:
        try:
            yield process.pid
        finally:
            process.kill()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice its end does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def server_processes(folder: Path) -> list[int]:
    """Return all processes that work in the folder's cluster, found by their current directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder / "database" / "cluster":
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


async def eventually(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait until `condition()` holds; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.001)


@dataclass(frozen=True, slots=True)
class Runner:
    """An interpreter and the user that runs it."""

    python: str = sys.executable
    user: str | None = None

    @property
    def group(self) -> int | None:
        """The user's group."""
        return None if self.user is None else pwd.getpwnam(self.user).pw_gid

    @property
    def environment(self) -> dict[str, str] | None:
        """The variables that let another interpreter find our packages."""
        if self.user is None:
            return None
        site_packages = [path for path in sys.path if path.endswith("site-packages")]
        path = ":".join([str(REPOSITORY), str(REPOSITORY / "protos"), *site_packages])
        return {"PYTHONPATH": path, "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}

    def can_import(self) -> bool:
        """Whether it runs at all: an interpreter may lie in a home that is closed to the user."""
        command = [self.python, "-c", "import asyncpg, structlog, psutil, numpy, chassis"]
        try:
            done = subprocess.run(
                command,
                user=self.user,
                group=self.group,
                extra_groups=[] if self.user else None,
                env=self.environment,
                cwd="/",
                timeout=60,
                capture_output=True,
            )
        except PermissionError:
            return False
        return done.returncode == 0


@contextmanager
def held(
    data: Path, runtime: Path, *, runner: Runner | None = None
) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """Run a process that holds a database; give it and what it told about the server."""
    runner = runner or Runner()
    process = subprocess.Popen(
        [runner.python, "-m", "tests.fakes.postgres_holder", str(data), str(runtime)],
        user=runner.user,
        group=runner.group,
        extra_groups=[] if runner.user else None,
        env=runner.environment,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its standard input at the end, which ends it
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, json.loads(line) if line else {}


def kill(pid: int | None) -> None:
    """Kill the server process `pid`."""
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_a_new_folder_becomes_a_database(folder: Path, runtime: Path) -> None:
    """A start on an empty folder gives a UTF-8 database with page checksums and small settings."""
    async with make_server(folder, runtime) as server, connection_to(server) as connection:
        shown = {
            name: await connection.fetchval(f"SHOW {name}")
            for name in ("server_encoding", "data_checksums", "shared_buffers", "max_connections")
        }
        upper = await connection.fetchval("SELECT upper('zoë')")
    assert shown == {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "shared_buffers": "64MB",
        "max_connections": "60",
    }
    assert upper == "ZOË"


async def test_only_the_private_socket_leads_in(folder: Path, runtime: Path) -> None:
    """The server listens on no network address, and its socket lies in a directory of its user alone."""
    async with make_server(folder, runtime) as server:
        postmaster = psutil.Process(server.pid)
        directory = socket_directory(server.dsn)
        status = directory.stat()
        assert postmaster.net_connections(kind="inet") == []
        assert stat.S_IMODE(status.st_mode) == 0o700
        assert status.st_uid == postmaster.uids().effective
    assert not directory.exists()


async def test_our_environment_stays_ours(
    folder: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable of this process reaches the server: some change how it behaves, others are secrets."""
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("SOME_SECRET", "x")
    async with make_server(folder, runtime) as server:
        environment = psutil.Process(server.pid).environ()
    assert not {"PGCLIENTENCODING", "SOME_SECRET"} & environment.keys()


@needs_root
async def test_root_drops_to_an_unprivileged_user(folder: Path, runtime: Path) -> None:
    """Started by root, no process of the server runs as root, and it runs the programs copied for it."""
    async with make_server(folder, runtime) as server:
        postmaster = psutil.Process(server.pid)
        users = {process.uids().real for process in (postmaster, *postmaster.children())}
        assert users == {(folder / "database" / "cluster").stat().st_uid}
        assert 0 not in users
        assert Path(postmaster.exe()).is_relative_to(runtime)


@needs_root
async def test_a_folder_keeps_its_user(folder: Path, runtime: Path) -> None:
    """A cluster made as `nobody` is started as `nobody` again, whatever user a new one would get."""
    database = folder / "database"
    async with EmbeddedPostgres(database, runtime_directory=runtime, user="nobody"):
        pass
    async with EmbeddedPostgres(database, runtime_directory=runtime) as server:
        assert psutil.Process(server.pid).username() == "nobody"


@needs_root
async def test_a_closed_parent_folder_is_named(tmp_path: Path, runtime: Path) -> None:
    """A data folder below one that the server's user cannot enter is refused with reason and path."""
    os.chmod(tmp_path, 0o700)
    with pytest.raises(StoreError, match=r"(?s)Permission denied.*database"):
        await make_server(tmp_path, runtime).__aenter__()


async def test_data_is_kept_across_a_restart(folder: Path, runtime: Path) -> None:
    """Rows of one run are there in the next one, without a crash recovery in between."""
    async with make_server(folder, runtime) as server, connection_to(server) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    async with make_server(folder, runtime) as server, connection_to(server) as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7
        assert "not properly shut down" not in server.log_file.read_text()


async def test_a_killed_server_comes_back_with_its_rows(folder: Path, runtime: Path) -> None:
    """After SIGKILL of the server the same DSN and the same pool work again, every committed row is there."""
    async with make_server(folder, runtime) as server, open_pool(server.dsn, min_size=2) as pool:
        await pool.execute("CREATE TABLE kept AS SELECT 7 AS n")
        dsn, pid = server.dsn, server.pid
        kill(pid)
        await eventually(lambda: server.restarts == 1)
        assert server.dsn == dsn
        assert server.pid not in (None, pid)
        assert await pool.fetchval("SELECT n FROM kept") == 7


async def test_a_server_that_is_gone_is_reported_and_retried(folder: Path, runtime: Path) -> None:
    """While the server cannot start, use says Unavailable; it is retried, told once, and comes back."""
    version = folder / "database" / "cluster" / "PG_VERSION"
    async with make_server(folder, runtime) as server, open_pool(server.dsn) as pool:
        version.rename(folder / "aside")
        with structlog.testing.capture_logs() as logs:
            kill(server.pid)
            await eventually(lambda: len(logs) == 2)
            with pytest.raises(Unavailable):
                await ping(pool)
            await eventually(lambda: server.log_file.read_text().count("PG_VERSION") > 2)
            (folder / "aside").rename(version)
            await eventually(lambda: server.restarts == 1)
        await ping(pool)
    assert [log["log_level"] for log in logs] == ["warning", "error", "warning"]
    assert "PG_VERSION" in logs[1]["reason"]


async def test_a_killed_parent_leaves_no_server(folder: Path, runtime: Path) -> None:
    """SIGKILL of the process that holds the database ends every server process, and its socket's directory
    goes at the next start; that start may come at once and finds the committed rows."""
    with held(folder / "database", runtime) as (holder, told):
        holder.kill()
    async with make_server(folder, runtime) as server, connection_to(server) as connection:
        assert await connection.fetchval("SELECT count(*) FROM kept") == 1
        assert not any(is_alive(pid) for pid in told["pids"])
        assert not socket_directory(told["dsn"]).exists()


async def test_a_killed_parent_leaves_no_server_without_a_next_start(folder: Path, runtime: Path) -> None:
    """The server processes of a killed parent end by themselves, nobody has to start again for that."""
    with held(folder / "database", runtime) as (holder, told):
        assert set(server_processes(folder)) == set(told["pids"])
        holder.kill()
    await eventually(lambda: not any(is_alive(pid) for pid in told["pids"]))
    shutil.rmtree(socket_directory(told["dsn"]), ignore_errors=True)


async def test_a_second_start_on_the_folder_is_refused(folder: Path, runtime: Path) -> None:
    """While a process holds the folder, another start, its own too, raises AlreadyRunning without harm."""
    async with make_server(folder, runtime) as server:
        with pytest.raises(AlreadyRunning, match="database"):
            await make_server(folder, runtime).__aenter__()
        with held(folder / "database", runtime) as (other, told):
            assert not told
            assert other.stderr is not None
            assert "AlreadyRunning" in other.stderr.read()
        async with connection_to(server) as connection:
            assert await connection.fetchval("SELECT 1") == 1
    async with make_server(folder, runtime) as server:
        assert server.running


async def test_a_deep_and_odd_folder_works(folder: Path, runtime: Path) -> None:
    """A data folder with a path longer than a socket's may be, with blanks and quotes, works all the same."""
    deep = folder / ("x" * 90) / 'it\'s "here" $HOME' / ("ü" * 40)
    async with make_server(deep, runtime) as server, connection_to(server) as connection:
        assert await connection.fetchval("SELECT 1") == 1
        assert len(os.fsencode(socket_directory(server.dsn) / ".s.PGSQL.5432")) <= 107


async def test_a_stale_pid_file_is_no_obstacle(folder: Path, runtime: Path) -> None:
    """A postmaster.pid left by a crash is ignored, also when another process of its user has that number."""
    async with make_server(folder, runtime):
        pid_file = folder / "database" / "cluster" / "postmaster.pid"
        _, *rest = pid_file.read_text().splitlines()
    with sleeper(pid_file.parent.stat().st_uid) as pid:
        pid_file.write_text("\n".join([str(pid), *rest, ""]))
        async with make_server(folder, runtime) as server:
            assert server.running
        assert is_alive(pid)


async def test_a_half_made_database_is_made_anew(folder: Path, runtime: Path) -> None:
    """What a start killed within initdb leaves does not keep the next one from making the database."""
    half = folder / "database" / "cluster.partial"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with make_server(folder, runtime) as server:
        assert server.running
    assert not half.exists()


async def test_a_failed_start_tells_the_log(folder: Path, runtime: Path) -> None:
    """A server that ends at its start gives a StoreError with its last words, and nothing of it stays."""
    link = folder / "database" / "socket"
    start = asyncio.create_task(make_server(folder, runtime, shared_buffers="no size").__aenter__())
    await eventually(link.is_symlink)
    directory = link.readlink()
    with pytest.raises(StoreError, match=r"(?s)shared_buffers.*no size"):
        await start
    assert server_processes(folder) == []
    assert not link.is_symlink()
    assert not directory.exists()
    async with make_server(folder, runtime) as server:
        assert server.running


async def test_starting_has_a_time_limit(folder: Path, runtime: Path) -> None:
    """A start that takes longer than its limit is a StoreError that says so; what was started is ended."""
    hurried = EmbeddedPostgres(folder / "database", runtime_directory=runtime, start_timeout=0.001)
    with pytest.raises(StoreError, match="initdb was not done after"):
        await hurried.__aenter__()
    async with make_server(folder, runtime):
        pass
    with pytest.raises(StoreError, match="not ready after"):
        await hurried.__aenter__()
    assert server_processes(folder) == []


async def test_a_cancelled_start_leaves_nothing(folder: Path, runtime: Path) -> None:
    """Cancelling while the server starts ends its processes and frees the folder."""
    async with make_server(folder, runtime):
        pass
    for pause in (0.0, 0.01, 0.03):
        start = asyncio.create_task(make_server(folder, runtime).__aenter__())
        await asyncio.sleep(pause)
        start.cancel()
        await asyncio.wait({start})
        assert start.cancelled()
        assert server_processes(folder) == []
    async with make_server(folder, runtime) as server:
        assert server.running


async def test_another_major_version_is_refused(folder: Path, runtime: Path) -> None:
    """A cluster of another PostgreSQL is not touched: the error names both versions."""
    async with make_server(folder, runtime):
        pass
    (folder / "database" / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(StoreError, match=r"PostgreSQL 17.*18"):
        await make_server(folder, runtime).__aenter__()


async def test_a_file_in_the_folders_place_is_refused(folder: Path, runtime: Path) -> None:
    """A data folder that is a file is a StoreError with its path."""
    (folder / "database").write_text("")
    with pytest.raises(StoreError, match="database"):
        await make_server(folder, runtime).__aenter__()


async def test_a_long_log_is_set_aside(folder: Path, runtime: Path) -> None:
    """A server log over 8 MiB is renamed at the next start, so that it does not grow for ever."""
    log = folder / "database" / "server.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * (8 * 2**20 + 1))
    async with make_server(folder, runtime) as server:
        assert server.log_file.stat().st_size < 2**20
    assert log.with_suffix(".log.1").stat().st_size == 8 * 2**20 + 1


async def test_there_is_no_dsn_outside_the_context(folder: Path, runtime: Path) -> None:
    """A server that is not open has no DSN, no process, and says so in its repr."""
    server = make_server(folder, runtime)
    async with server:
        assert f"running as {server.pid}" in repr(server)
    assert not server.running
    assert "not running" in repr(server)
    with pytest.raises(StoreError, match="not open"):
        _ = server.dsn


def runner_as(user: str) -> Runner:
    """Return an interpreter of our version that `user` can run with our packages, else skip the test."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, shutil.which(name, path="/usr/local/bin:/usr/bin")):
        runner = Runner(python or "", user)
        if python and runner.can_import():
            return runner
    pytest.skip(f"the user {user} can run no interpreter with our packages here")


@needs_root
async def test_a_normal_user_runs_it_in_place(folder: Path) -> None:
    """Started by a user without rights, the server runs as that user, in place, and ends with its parent."""
    runner = runner_as("nobody")
    shutil.chown(folder, "nobody")
    with held(folder / "database", folder / "runtime", runner=runner) as (holder, told):
        assert told["uid"] == pwd.getpwnam("nobody").pw_uid
        assert {psutil.Process(pid).uids().real for pid in told["pids"]} == {told["uid"]}
        assert not (folder / "runtime").exists()
        holder.kill()
    await eventually(lambda: not any(is_alive(pid) for pid in told["pids"]))
    shutil.rmtree(socket_directory(told["dsn"]), ignore_errors=True)
