"""The whole real system, started once, and real photographs to try it on."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from client.api import Marquee
from client.demo.pictures import PERFORMERS, PROBES, default_cache, load
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder

Photographs = Mapping[str, bytes]


@pytest.fixture(scope="session")
def photographs() -> Photographs:
    """The demonstration's photographs by file name, such as obama2.jpg."""
    files = list(dict.fromkeys(each.picture for each in (*PERFORMERS, *PROBES)))
    try:
        pictures = load(files, default_cache())
    except Unavailable as exc:
        reason = f"the photographs of the demonstration cannot be fetched: {exc}"
        if os.environ.get("CI") == "true":  # there a skip would read as a pass, with nothing tested
            pytest.fail(reason)
        pytest.skip(reason)
    return {Path(file.path).name: data for file, data in pictures.items()}


@pytest.fixture(scope="session")
def data_folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's user can enter."""
    with throw_away_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def report() -> list[str]:
    """What the supervisor said so far."""
    return []


@pytest.fixture(scope="session")
async def stack(data_folder: Path, report: list[str]) -> AsyncIterator[Stack]:
    """Database, three services and gateway."""
    options = StackOptions(always_embedded=True, is_published=True, report=report.append)
    async with running_stack(data_folder, options) as running:
        yield running


@pytest.fixture
async def marquee(stack: Stack) -> AsyncIterator[Marquee]:
    """A client of the stack."""
    async with Marquee.connect(stack.address, timeout=60.0) as client:
        yield client
