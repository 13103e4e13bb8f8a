"""The supervisor with real processes and a real database: order, failures, restarts, nothing left behind."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chassis.errors import AlreadyRunning, DeadlineExceeded, Unavailable
from chassis.postgres.pool import connect
from client.supervisor.data_folder import DataFolder
from client.supervisor.parts import Part, free_ports
from client.supervisor.restart import Backoff
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder

_ROOT = Path(__file__).resolve().parents[2]
_PARTS = (Part("face", "tests.fakes.parts.face"), Part("gateway", "tests.fakes.parts.gateway"))


def _options(report: list[str] | None = None, *, start_timeout: float = 60.0, **fakes: str) -> StackOptions:
    lines = [] if report is None else report
    return StackOptions(
        parts=_PARTS,
        always_embedded=True,
        is_published=True,
        start_timeout=start_timeout,
        stop_patience=2.0,
        environment={"PYTHONPATH": str(_ROOT), **fakes},
        report=lines.append,
    )


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder that PostgreSQL's user can enter, which pytest's own is not for root; made once."""
    with throw_away_folder() as folder:
        yield folder


def _pids(stack: Stack) -> list[int]:
    database = stack.database
    assert database is not None
    found = [process.pid for process in stack.processes.values()] + [database.pid]
    return [pid for pid in found if pid is not None]


def _alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


async def _until(condition: Callable[[], object], *, seconds: float = 30.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)


async def test_services_start_before_the_gateway_and_stop_after_it(data: Path, tmp_path: Path) -> None:
    """The gateway, who asks the others, is the last to come and the first to go; nothing stays."""
    journal = tmp_path / "journal"
    async with running_stack(data, _options(FAKE_JOURNAL=str(journal))) as stack:
        pids = _pids(stack)
        assert len(_alive(pids)) == 3
    assert journal.read_text().splitlines() == [
        "face started",
        "gateway started",
        "gateway stopped",
        "face stopped",
    ]
    assert not _alive(pids)


async def test_other_commands_find_a_published_stack(data: Path) -> None:
    """While it runs the data folder tells where; afterwards it tells nothing, even if the note stayed."""
    folder = DataFolder(data)
    async with running_stack(data, _options()) as stack:
        found = folder.running()
        assert found is not None
        assert found.gateway == stack.address
        assert found.services["face"] == stack.processes["face"].address
        note = (data / "running.json").read_text()
    assert folder.running() is None
    (data / "running.json").write_text(note)  # as a killed process leaves it
    assert folder.running() is None


async def test_a_second_stack_on_the_same_folder_is_refused(data: Path) -> None:
    """The error names who holds the folder, and the first goes on."""
    async with running_stack(data, _options()) as stack:
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()}, {stack.address}"):
            async with running_stack(data, _options()):
                pass
        assert len(_alive(_pids(stack))) == 3


async def test_a_service_that_complains_is_quoted(data: Path) -> None:
    """A service that cannot start says why in one line; that line is the error, and the rest is stopped."""
    with pytest.raises(Unavailable, match=r"face did not start .*run `marquee models build`"):
        async with running_stack(data, _options(FAKE_FACE="complains")):
            pass
    assert not (data / "running.json").exists()


async def test_a_service_that_crashes_shows_its_last_words(data: Path) -> None:
    """Without a line of its own, the tail of the log is shown, with the log's place."""
    with pytest.raises(Unavailable, match="a mistake of ours") as raised:
        async with running_stack(data, _options(FAKE_GATEWAY="crashes")):
            pass
    assert str(data / "logs" / "gateway.log") in str(raised.value)


async def test_readiness_has_a_time_limit(data: Path) -> None:
    """A service that answers but never gets ready fails the start, and is ended."""
    with pytest.raises(DeadlineExceeded, match="gateway was not ready after 3 s"):
        async with running_stack(data, _options(start_timeout=3.0, FAKE_GATEWAY="never ready")):
            pass


async def test_a_killed_service_is_started_again(data: Path) -> None:
    """It comes back at the same address, and the supervisor says so."""
    report: list[str] = []
    async with running_stack(data, _options(report)) as stack:
        face = stack.processes["face"]
        before = face.pid
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await _until(lambda: "face is ready again" in report)
        assert face.pid not in (None, before)
    assert "face ended (signal SIGKILL); starting it again in 0.5 s" in report


async def test_services_are_asked_to_reload(data: Path, tmp_path: Path) -> None:
    """SIGHUP reaches those that know what to do; the others go on as if nothing had been."""
    journal = tmp_path / "journal"
    options = _options(FAKE_JOURNAL=str(journal), FAKE_FACE="reloads")
    async with running_stack(data, options) as stack:
        pids = _pids(stack)
        await _until(lambda: "face listens" in journal.read_text())
        for process in stack.processes.values():
            process.reload()
        await _until(lambda: "face reloads" in journal.read_text())
        await asyncio.sleep(0.2)
        assert _alive(pids) == pids
        assert stack.processes["face"].pid in pids
    stack.processes["face"].reload()  # what has ended is left alone


async def test_a_deaf_service_is_killed(data: Path) -> None:
    """A service that ignores SIGTERM does not keep the others, nor the database, from stopping."""
    async with running_stack(data, _options(FAKE_FACE="deaf")) as stack:
        pids = _pids(stack)
    assert not _alive(pids)


async def test_a_configured_database_is_used(
    data: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DSN in the settings is migrated and no other is started; throw-away data never goes there."""
    monkeypatch.setenv("MARQUEE_DATABASE_DSN", database)
    async with running_stack(data, replace(_options(), always_embedded=False)) as stack:
        assert stack.database is None
        async with connect(database) as connection:
            assert await connection.fetchval("SELECT to_regclass('catalogue.performers') IS NOT NULL")
            assert await connection.fetchval("SELECT to_regclass('face.rows') IS NOT NULL")
    async with running_stack(data, _options()) as stack:
        assert stack.database is not None


async def test_throw_away_stacks_do_not_ask_for_ports_of_metrics(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port of the settings that another stack has stops only a stack on the settings' ports."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("MARQUEE_GATEWAY_METRICS_PORT", str(taken.getsockname()[1]))
        async with running_stack(data, _options()):
            pass
        gateway, face = free_ports(2)
        monkeypatch.setenv("MARQUEE_FACE_PORT", str(face))
        fixed = replace(_options(), ephemeral_ports=False, gateway_port=gateway)
        with pytest.raises(Unavailable, match="metrics_port: cannot listen"):
            async with running_stack(data, fixed):
                pass


def test_pauses_double_up_to_a_bound_and_start_over() -> None:
    """Quick deaths wait longer each time, at most 30 s; a steady run forgives."""
    backoff = Backoff()
    assert [backoff.after_run_of(1.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert backoff.after_run_of(61.0) == 0.5


def test_free_ports_are_different() -> None:
    """No two services get the same port."""
    assert len(set(free_ports(20))) == 20


_HOLDER = """
import asyncio, json, sys
from pathlib import Path
from tests.integration.test_supervisor import _options, _pids
from client.supervisor.stack import running_stack

async def main():
    async with running_stack(Path(sys.argv[1]), _options()) as stack:
        print(json.dumps(_pids(stack)), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@asynccontextmanager
async def _holder(data: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[int]]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HOLDER, str(data)), stdout=asyncio.subprocess.PIPE, cwd=_ROOT
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_killed_supervisor_leaves_nothing(data: Path) -> None:
    """After SIGKILL of the supervisor its services and its database end too, and the folder is free."""
    async with _holder(data) as (process, pids):
        assert len(_alive(pids)) == 3
        process.kill()
        await process.wait()
        await _until(lambda: not _alive(pids))
    async with running_stack(data, _options()) as stack:
        assert len(_alive(_pids(stack))) == 3
