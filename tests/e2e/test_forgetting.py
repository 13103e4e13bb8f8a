"""What stays of a forgotten performer in files, and what a backup brings back, on a real system."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from chassis.errors import Refused
from chassis.models import default_root
from client.api import Marquee
from client.catalogue import EnrollImage, Performer, PersonChoice, Rejection
from client.commands._purging import purge_folder
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder
from client.values import ExternalId, Identification
from tests.e2e.conftest import Photographs
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.files_with import files_with
from tests.fakes.waiting import until

_GONE, _KEPT = "Joe Biden", "Barack Obama"


@pytest.fixture
def folder() -> Iterator[Path]:
    with throw_away_folder() as data:
        yield data


@asynccontextmanager
async def _running(data: Path) -> AsyncIterator[tuple[Stack, Marquee]]:
    """A system whose every file, temporary ones and indexes included, lies in the folder."""
    temporary = data / "tmp"
    temporary.mkdir(exist_ok=True)
    environment = {
        "TMPDIR": str(temporary),
        "MARQUEE_INDEX_DIRECTORY": str(data / "index"),
        "MARQUEE_INDEX_SNAPSHOT_SECONDS": "1",
    }
    options = StackOptions(always_embedded=True, is_published=True, environment=environment)
    async with running_stack(data, options) as stack, Marquee.connect(stack.address, timeout=60) as marquee:
        yield stack, marquee


async def _enroll(marquee: Marquee, name: str, image: bytes) -> str:
    wanted = Performer(name=name, adult_attested=True, external_ids=(ExternalId("test", name),))
    performer = await marquee.upsert(wanted)
    assert await _reason(marquee, performer.id, image) is None
    return performer.id


async def _reason(marquee: Marquee, performer_id: str, image: bytes) -> Rejection | None:
    offered = EnrollImage(key="k", performer_id=performer_id, image=image, choice=PersonChoice.LARGEST_FACE)
    [reply] = [reply async for reply in marquee.enroll([offered])]
    return reply.reason


async def _vectors(stack: Stack, performer_id: str) -> list[bytes]:
    """Every stored vector of the performer as it is stored, and of unit length."""
    assert stack.database is not None
    connection = await asyncpg.connect(stack.database.dsn)
    try:
        rows = await connection.fetch(
            """
            SELECT vector FROM face.vectors WHERE performer_id = $1
            UNION ALL SELECT embedding FROM tattoo.performer_tattoos WHERE performer_id = $1
            UNION ALL SELECT vector FROM body.measurements WHERE performer_id = $1
            """,
            performer_id,
        )
    finally:
        await connection.close()
    stored = [np.frombuffer(row["vector"], "<f4") for row in rows]
    return [one.tobytes() for each in stored for one in (each, each / np.linalg.norm(each))]


def _found(data: Path, vectors: Iterable[bytes], *, with_database: bool) -> set[Path]:
    """Files with any of the vectors: of the data folder, and of the models."""
    without = [] if with_database else [data / "database"]
    folders = (data, default_root())
    return {
        file for each in folders for vector in vectors for file in files_with(each, vector, without=without)
    }


def _names(seen: Identification) -> set[str]:
    return {candidate.name for person in seen.people for candidate in person.candidates}


async def test_nothing_of_whom_is_forgotten_stays_in_a_file(folder: Path, photographs: Photographs) -> None:
    """Index files lose the vectors, and no other file has them; a purge clears the database's own."""
    image = photographs["biden.jpg"]
    async with _running(folder) as (stack, marquee):
        kept = await _enroll(marquee, _KEPT, photographs["obama2.jpg"])
        gone = await _enroll(marquee, _GONE, image)
        vectors, others = await _vectors(stack, gone), await _vectors(stack, kept)
        assert vectors
        assert others
        assert _GONE in _names(await marquee.identify(image))

        async def is_saved() -> bool:
            return bool(await asyncio.to_thread(_found, folder, vectors, with_database=False))

        await until(is_saved)  # in index files: the search below can fail
        await marquee.forget(gone)
        assert _GONE not in _names(await marquee.identify(image))

        async def is_clean() -> bool:
            return not await asyncio.to_thread(_found, folder, vectors, with_database=False)

        await until(is_clean)

        async def is_saved_again() -> bool:
            return bool(await asyncio.to_thread(_found, folder, others, with_database=False))

        await until(is_saved_again)
        assert await is_clean()
        export = await _marquee("export", folder / "export", "--data", folder)
        assert export.code == 0, export.err
        assert _found(folder / "export", others, with_database=True)
        assert await is_clean()
        with pytest.raises(Refused):
            await _enroll(marquee, _GONE, image)
        assert await _reason(marquee, kept, image) is Rejection.DO_NOT_IDENTIFY
        busy = await _marquee("forget", "--purge", "--data", folder)
        assert (busy.code, "needs the database alone" in busy.err) == (1, True)
    assert _found(folder, vectors, with_database=True), "the log of the database still has them"
    assert not _found(folder, vectors, with_database=False)
    await purge_folder(folder)
    assert not _found(folder, vectors, with_database=True)
    async with _running(folder) as (_, marquee):
        assert _KEPT in _names(await marquee.identify(photographs["obama.jpg"]))
        with pytest.raises(Refused):
            await _enroll(marquee, _GONE, image)


async def test_a_backup_brings_the_same_answers(folder: Path, photographs: Photographs) -> None:
    """Dumped while it runs, everything lost, restored elsewhere: the same performers with the same scores."""
    probes = [photographs[name] for name in ("obama.jpg", "obama_partial_face.jpg", "astronaut.png")]

    async def answers(marquee: Marquee) -> list[list[tuple[str, str, float]]]:
        seen = [await marquee.identify(probe) for probe in probes]
        return [
            [(one.performer_id, one.name, one.score) for person in each.people for one in person.candidates]
            for each in seen
        ]

    file = folder / "marquee.dump"
    first, second = folder / "first", folder / "second"
    first.mkdir(mode=0o755)
    second.mkdir(mode=0o755)
    async with _running(first) as (_, marquee):
        await _enroll(marquee, _KEPT, photographs["obama2.jpg"])
        await _enroll(marquee, "Eileen Collins", photographs["astronaut.png"])
        before, counts = await answers(marquee), (await marquee.coverage()).signals
        written = await _marquee("backup", file, "--data", first)
        assert written.code == 0, written.err
    assert any(before)
    shutil.rmtree(first)
    restored = await _marquee("restore", file, "--data", second)
    assert restored.code == 0, restored.err
    over = await _marquee("restore", file, "--data", second)
    assert (over.code, "not empty" in over.err) == (1, True)
    async with _running(second) as (_, marquee):
        assert await answers(marquee) == before
        assert (await marquee.coverage()).signals == counts
        # Followers see what comes after as well.
        await _enroll(marquee, _GONE, photographs["biden.jpg"])
        assert _GONE in _names(await marquee.identify(photographs["biden.jpg"]))


async def test_a_server_of_ones_own_is_not_purged(folder: Path) -> None:
    """It says so before it connects or forgets anybody."""
    done = await _marquee(
        "forget", "folder:Ann", "--purge", "--data", folder, MARQUEE_DATABASE_DSN="postgresql://nobody@/x"
    )
    assert (done.code, "a server of your own" in done.err) == (1, True)


async def _marquee(*arguments: str | Path, **environment: str) -> Done:
    return await ended(await start_command(*arguments, **environment))
