"""`marquee up` and the other commands as a person runs them."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from chassis.models import default_root
from client.demo.mannequins import MANNEQUINS, TATTOO_PROBES
from client.supervisor.data_folder import DataFolder
from client.supervisor.stack import throw_away_folder
from tests.e2e.conftest import Photographs


def _command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "client", *map(str, arguments)]


async def _run(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *_command(*arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200", **environment},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def _until(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with throw_away_folder() as data:
        yield data


@asynccontextmanager
async def _up(data: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A running `marquee up` and what it printed until it was ready."""
    process = await asyncio.create_subprocess_exec(
        *_command("up", "--data", data, "--ephemeral-ports"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(180):
            while "is ready at" not in said:
                line = (await process.stdout.readline()).decode()
                assert line, f"up ended:\n{said}"
                said += line
        yield process, said
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _running(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [each for each in processes if _is_running(each)]


def _is_running(process: psutil.Process) -> bool:
    """Not ended, nor ending while we ask."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_up_says_when_it_is_ready_and_stops_clean(folder: Path) -> None:
    """One line with the address; others find it; SIGTERM ends everything with exit code 0."""
    async with _up(folder) as (process, said):
        running = DataFolder(folder).running()
        assert running is not None
        assert f"Marquee is ready at {running.gateway};" in said
        code, out, _ = await _run("status", "--data", folder, "--json")
        assert code == 0, out
        children = _descendants(process.pid)
        assert len(children) >= 5
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        assert not _running(children)
    assert DataFolder(folder).running() is None


async def test_up_passes_a_reload_on_and_ends_with_its_terminal(folder: Path) -> None:
    """SIGHUP makes the services read their settings again and ends nobody; without a terminal it ends all."""
    terminal, end = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *_command("up", "--data", folder, "--ephemeral-ports"),
        stdout=end,
        env={**os.environ, "COLUMNS": "200"},
    )
    os.close(end)
    try:
        await _printed(terminal, "Marquee is ready")
        children = _descendants(process.pid)
        process.send_signal(signal.SIGHUP)
        await _printed(terminal, "services read their settings again")
        code, out, _ = await _run("status", "--data", folder, "--json")
        assert code == 0, out
        assert _running(children) == children
        os.close(terminal)
        process.send_signal(signal.SIGHUP)
        assert await asyncio.wait_for(process.wait(), 60) == 0
        assert not _running(children)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _printed(terminal: int, words: str) -> None:
    """Read what is printed on a terminal until some words come."""
    said = b""
    async with asyncio.timeout(180):
        while words.encode() not in said:
            said += await asyncio.to_thread(os.read, terminal, 4096)


async def test_a_second_up_is_refused(folder: Path) -> None:
    """On the same data folder: exit code 1, one line that names the first."""
    async with _up(folder) as (process, _):
        code, _, err = await _run("up", "--data", folder, "--ephemeral-ports")
        assert code == 1
        assert re.search(rf"`marquee up` \(process {process.pid}, .*is using the data folder", err)


async def test_a_killed_up_leaves_nothing(folder: Path) -> None:
    """After SIGKILL the kernel ends every service and the database; the next `up` starts as usual."""
    async with _up(folder) as (process, _):
        children = _descendants(process.pid)
        process.kill()
        await process.wait()
        await _until(lambda: not _running(children))
    async with _up(folder):
        pass


async def test_commands_share_one_up(folder: Path, photographs: Photographs, tmp_path: Path) -> None:
    """Enrol, identify, coverage and forget through the running system, as a person would."""
    gallery = tmp_path / "gallery" / "Barack_Obama"
    gallery.mkdir(parents=True)
    (gallery / "1.jpg").write_bytes(photographs["obama2.jpg"])
    probe = tmp_path / "probe.jpg"
    probe.write_bytes(photographs["obama.jpg"])
    async with _up(folder):
        code, out, err = await _run("enroll", gallery.parent, "--adults", "--data", folder)
        assert (code, "1 enrolled" in out) == (0, True), out + err
        code, out, err = await _run("identify", probe, "--data", folder, "--json", "--save", tmp_path)
        assert code == 0, err
        (seen,) = json.loads(out)
        assert seen["people"][0]["candidates"][0]["name"] == "Barack Obama"
        assert os.stat(seen["saved"]).st_size > 10_000
        code, out, err = await _run("forget", "folder:Barack_Obama", "--yes", "--data", folder)
        assert code == 0, err
        code, out, err = await _run("coverage", "--data", folder, "--json")
        assert json.loads(out)["performers"] == 0


async def test_a_command_runs_without_up(folder: Path) -> None:
    """It starts what it needs for its own time, and leaves the folder free."""
    code, out, err = await _run("coverage", "--data", folder, "--json")
    assert code == 0, err
    assert json.loads(out)["performers"] == 0
    assert DataFolder(folder).running() is None


async def test_a_corrupted_model_is_named(folder: Path, tmp_path: Path) -> None:
    """A changed byte in a model file: `up` ends with exit code 1, the model's name and what to do."""
    models = tmp_path / "models"
    shutil.copytree(default_root(), models)
    for file in models.glob("*.onnx"):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0xFF
        file.write_bytes(data)
    code, _, err = await _run(
        "up", "--data", folder, "--ephemeral-ports", MARQUEE_MODELS_DIRECTORY=str(models)
    )
    assert code == 1
    assert re.search(r"did not start .*model \S+ is missing or corrupted: run `marquee models build`", err)


async def test_migrate_is_repeatable(folder: Path) -> None:
    """The second run finds nothing to do."""
    assert (await _run("migrate", "--data", folder))[0] == 0
    code, out, _ = await _run("migrate", "--data", folder)
    assert (code, "was up to date already" in out) == (0, True)


async def test_evaluate_reports_the_documented_figures(photographs: Photographs, tmp_path: Path) -> None:
    """A gallery of two, a known and an unknown probe: right at rank 1, and nothing is left behind."""
    for name, file in (
        ("gallery/Obama/1.jpg", "obama2.jpg"),
        ("gallery/Collins/1.png", "astronaut.png"),
        ("probes/Obama/2.jpg", "obama.jpg"),
        ("probes/Biden/1.jpg", "biden.jpg"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(photographs[file])
    report = tmp_path / "report.json"
    code, out, err = await _run("evaluate", tmp_path / "gallery", tmp_path / "probes", "--json", report)
    assert code == 0, err
    assert "rank-1" in out
    figures = json.loads(report.read_text())
    assert (figures["n_gallery"], figures["n_probes"], figures["n_unknown"]) == (2, 2, 1)
    assert figures["rank1"]["value"] == 1.0
    assert set(figures["fnir_at_fpir_0.01"]) == {"value", "low", "high"}
    assert figures["n_degraded"] == 0


async def test_the_demo_is_right(photographs: Photographs, tmp_path: Path) -> None:
    """Every photograph right, an annotated picture for each; no mannequin is named who is not there."""
    code, out, err = await _run("demo", "--output", tmp_path / "out")
    assert code == 0, out + err
    assert "7 of 7 right" in out
    assert len(list((tmp_path / "out").glob("*.jpg"))) == 7 + len(TATTOO_PROBES)
    assert re.search(rf"by tattoos alone: \d of {len(TATTOO_PROBES)} right", out)
    for probe in TATTOO_PROBES:
        [answer] = re.findall(rf"^(?:right|wrong)  {probe.title}: (.*)$", out, re.MULTILINE)
        named = [one.name for one in MANNEQUINS if one.name in answer.partition(", expected")[0]]
        assert named in ([], [probe.expected]), answer
