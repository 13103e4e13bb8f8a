"""A replica follows the database: nothing that is committed is missed, nothing that is gone is found."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Never

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from structlog.testing import capture_logs

from chassis.config import IndexSection
from chassis.errors import MarqueeError, Unavailable
from chassis.postgres import Connection, EmbeddedPostgres, Pool, open_pool
from chassis.signal.feed import Feed
from chassis.signal.follow_watch import FollowWatch
from chassis.signal.followed import Followed
from chassis.signal.following import Following
from services.face.ensemble import Ensemble
from services.face.library import FaceLibrary, FaceRow
from services.face.store import FEED, FaceStore
from services.face.table import BUILT_IN_ROWS
from services.face.template import FaceTemplate
from tests.fakes.database_line import open_line
from tests.fakes.face_service import migrate_face
from tests.fakes.postgres import embedded_server, fresh_database
from tests.fakes.waiting import until

_ROW = dataclasses.replace(BUILT_IN_ROWS["mobilefacenet"], name="m", version="1", dimension=8)

FollowedFaces = Followed[FaceRow, FaceLibrary]


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate_face(database)
    async with open_pool(database) as pool:
        yield pool


def _followed(pool: Pool, directory: Path | None = None) -> FollowedFaces:
    """A replica that has not started; `directory` is for its index files."""
    store, following = (
        FaceStore(pool, most_searched=20),
        Following.of_table(IndexSection(directory=directory), pool, FEED),
    )
    store.use([_ROW])
    new = partial(FaceLibrary, Ensemble((_ROW,)), settings=following.index)
    return following.followed(store, new, [_ROW.key])


Start = Callable[..., Awaitable[FollowedFaces]]


@pytest_asyncio.fixture(loop_scope="session")
async def start() -> AsyncIterator[Start]:
    """Starts a replica on a pool, with a directory for its files if there is to be one."""
    started: list[FollowedFaces] = []

    async def start_one(pool: Pool, directory: Path | None = None) -> FollowedFaces:
        followed = _followed(pool, directory)
        started.append(followed)
        await followed.start()
        return followed

    yield start_one
    for one in started:
        await one.close()


def _vector(number: int) -> NDArray[np.float32]:
    vector = np.random.default_rng(number).normal(size=8).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


async def _performer(database: Pool | Connection) -> str:
    performer_id = str(uuid.uuid4())
    await database.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
        performer_id,
    )
    return performer_id


async def _enroll(database: Pool | Connection, performer_id: str, *numbers: int) -> None:
    """Vectors of a performer, as any process writes them."""
    for number in numbers:
        await database.execute(
            """
            INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
            VALUES ($1, 'm', '1', $2, 0.9, '{1,2,3,4}', $3)
            """,
            performer_id,
            _vector(number).tobytes(),
            f"{number:064x}",
        )


async def _forget(pool: Pool, performer_id: str) -> None:
    await pool.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)


def _found(followed: FollowedFaces, number: int) -> list[str]:
    """Whom a search for exactly this vector finds."""
    found = followed.known.search(FaceTemplate({_ROW.key: _vector(number)}, 1.0), 5)
    return [one.performer_id for one in found if one.likeness.similarity > 0.999]


def _same(replicas: Sequence[FollowedFaces]) -> bool:
    return len({tuple(one.known.seqs(_ROW.key)) for one in replicas}) == 1


async def test_what_another_process_commits_is_known_after_catching_up(pool: Pool, start: Start) -> None:
    """Rows come, rows go, and a row that rests goes and comes back."""
    replica = await start(pool)
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2)
    await replica.catch_up()
    assert _found(replica, 1) == [performer]
    await pool.execute("UPDATE face.vectors SET state = 'reserve' WHERE image_hash = $1", f"{1:064x}")
    await replica.catch_up()
    assert (_found(replica, 1), _found(replica, 2)) == ([], [performer])
    await pool.execute("UPDATE face.vectors SET state = 'active'")
    await replica.catch_up()
    assert _found(replica, 1) == [performer]
    await _forget(pool, performer)
    await replica.catch_up()
    assert (_found(replica, 1), len(replica.known.seqs(_ROW.key))) == ([], 0)


async def test_a_transaction_that_commits_late_is_not_missed(pool: Pool, start: Start) -> None:
    """Its rows have lower numbers, and a lower transaction, than what was seen before it committed."""
    replica = await start(pool)
    late, early = await _performer(pool), await _performer(pool)
    async with pool.acquire() as connection:
        held = connection.transaction()
        await held.start()
        await _enroll(connection, late, 1)
        await _enroll(pool, early, 2)
        for _ in range(3):
            await replica.catch_up()
        assert (_found(replica, 1), _found(replica, 2)) == ([], [early])
        await held.commit()
    await replica.catch_up()
    assert _found(replica, 1) == [late]


async def test_a_deletion_that_commits_late_is_not_missed(pool: Pool, start: Start) -> None:
    """The same for rows that go."""
    performer, another = await _performer(pool), await _performer(pool)
    await _enroll(pool, performer, 1)
    replica = await start(pool)
    async with pool.acquire() as connection:
        held = connection.transaction()
        await held.start()
        await connection.execute("DELETE FROM face.vectors")
        await _enroll(pool, another, 2)
        await replica.catch_up()
        await replica.catch_up()
        assert _found(replica, 1) == [performer]
        await held.commit()
    await replica.catch_up()
    assert _found(replica, 1) == []
    assert _found(replica, 2) == [another]


async def test_a_replica_that_starts_during_a_transaction_sees_it_later(pool: Pool, start: Start) -> None:
    """What is under way at the start is part of what is followed."""
    performer = await _performer(pool)
    async with pool.acquire() as connection:
        held = connection.transaction()
        await held.start()
        await _enroll(connection, performer, 1)
        replica = await start(pool)
        await held.commit()
    await replica.catch_up()
    assert _found(replica, 1) == [performer]


async def test_replicas_agree_by_themselves(pool: Pool, start: Start) -> None:
    """Nobody calls: a hint, or the next poll, is enough for each."""
    replicas = [await start(pool) for _ in range(2)]

    async def know(number: int, found: list[str]) -> bool:
        return all(_found(one, number) == found for one in replicas)

    first = FollowWatch(pool, FEED.channel, lambda: replicas[:1], IndexSection(poll_seconds=0.05))
    second = FollowWatch(pool, FEED.channel, lambda: replicas[1:], IndexSection(poll_seconds=60))
    async with first.watching(), second.watching():  # the second one has little but hints
        performer = await _performer(pool)
        await _enroll(pool, performer, 1)
        await until(partial(know, 1, [performer]))
        await _forget(pool, performer)
        await until(partial(know, 1, []))
    assert _same(replicas)


async def test_the_database_may_go_and_come(database: str, start: Start) -> None:
    """Meanwhile what is known is found; afterwards everything is compared, not only what is new."""
    await migrate_face(database)
    async with open_line(database) as line, open_pool(line.dsn) as through, open_pool(database) as direct:
        performer, other = await _performer(direct), await _performer(direct)
        await _enroll(direct, performer, 1)
        await _enroll(direct, other, 2)
        replica = await start(through)
        await line.cut()
        with pytest.raises(Unavailable):
            await replica.catch_up()
        await _forget(direct, other)
        # As after a crash of the server that lost what it had not written: no withdrawal tells of it.
        await direct.execute("DELETE FROM face.withdrawals")
        await _enroll(direct, performer, 3)
        assert _found(replica, 1) == [performer]
        await line.mend()
        await replica.catch_up()
        assert (_found(replica, 2), _found(replica, 3)) == ([], [performer])


async def test_a_server_that_is_killed_and_comes_back_is_followed(start: Start) -> None:
    """Nothing that was committed is lost, and what comes afterwards is known."""
    async with embedded_server() as server, fresh_database(server) as dsn:
        await migrate_face(dsn)
        async with open_pool(dsn) as pool:
            performer = await _performer(pool)
            await _enroll(pool, performer, 1)
            replica = await start(pool)
            async with FollowWatch(
                pool, FEED.channel, lambda: [replica], IndexSection(poll_seconds=0.05)
            ).watching():
                assert server.pid is not None
                os.kill(server.pid, signal.SIGKILL)
                assert _found(replica, 1) == [performer]

                async def is_back() -> bool:
                    with suppress(MarqueeError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                        await _enroll(pool, performer, 2)
                        return True
                    return False

                async def is_known() -> bool:
                    return _found(replica, 2) == [performer]

                await until(is_back)
                await until(is_known)
            assert (_found(replica, 1), replica.problem) == ([performer], "")


async def test_callers_share_a_look(pool: Pool, start: Start) -> None:
    """Each of many callers at once sees what was committed before its call."""
    replica = await start(pool)
    performer = await _performer(pool)

    async def enroll(number: int) -> list[str]:
        await _enroll(pool, performer, number)
        await replica.catch_up()
        return _found(replica, number)

    assert await asyncio.gather(*(enroll(number) for number in range(30))) == [[performer]] * 30


async def test_a_start_uses_the_file_and_catches_up(pool: Pool, tmp_path: Path, start: Start) -> None:
    """What came and went since the file was written is seen to, and the file with what went is deleted."""
    stays, goes, comes = [await _performer(pool) for _ in range(3)]
    await _enroll(pool, stays, 1)
    await _enroll(pool, goes, 2)
    first = await start(pool, tmp_path)
    await _save(first)
    await first.close()
    await _forget(pool, goes)
    await _enroll(pool, comes, 3)
    with capture_logs() as logs:
        second = await start(pool, tmp_path)
    assert "index read from its file" in [entry["event"] for entry in logs]
    assert [_found(second, number) for number in (1, 2, 3)] == [[stays], [], [comes]]
    assert _files(tmp_path) == []
    await _save(second)
    await second.close()
    third = await start(pool, tmp_path)
    assert _same([second, third])
    assert _files(tmp_path) != []


async def _save(followed: FollowedFaces) -> None:
    """Until the files are as the index is; they wait a moment after a change."""

    async def is_saved() -> bool:
        await followed.keep_files()
        return followed.files is not None and followed.files.manifest(_ROW.key) is not None

    await until(is_saved)


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and path.name != "lock"]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _lose_manifest(path: Path) -> None:
    (path.parent / "manifest.json").write_text("{}")


def _lose_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("damage", [_flip, _truncate, _lose_manifest, _lose_folder, Path.unlink])
async def test_a_bad_file_is_read_from_the_database_instead(
    pool: Pool, tmp_path: Path, damage: Callable[[Path], None], start: Start
) -> None:
    """A flipped byte, a cut file, a lost one: it is told, and nothing is missing."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2, 3)
    first = await start(pool, tmp_path)
    await _save(first)
    await first.close()
    [graph] = [path for path in _files(tmp_path) if path.name == "graph.voy"]
    damage(graph)
    with capture_logs() as logs:
        second = await start(pool, tmp_path)
    assert [_found(second, number) for number in (1, 2, 3)] == [[performer]] * 3
    told = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert ("an index file cannot be used; reading from the database" in told) is (damage is not _lose_folder)
    await _save(second)


async def test_a_file_of_another_database_is_not_used(
    pool: Pool, tmp_path: Path, postgres_server: EmbeddedPostgres, start: Start
) -> None:
    """The same numbers are other rows there."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    first = await start(pool, tmp_path)
    await _save(first)
    await first.close()
    async with fresh_database(postgres_server) as dsn:
        await migrate_face(dsn)
        async with open_pool(dsn) as other:
            another = await _performer(other)
            await _enroll(other, another, 2)
            replica = await start(other, tmp_path)
            assert (_found(replica, 1), _found(replica, 2)) == ([], [another])


async def test_a_restored_database_is_read_anew_while_the_old_serves(pool: Pool, start: Start) -> None:
    """The mark goes back: nothing that was seen can be trusted. What is known serves until all is read."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    replica = await start(pool)
    moment = replica.state.moment
    assert moment is not None
    before = replica.known
    replica.state = dataclasses.replace(
        replica.state, moment=dataclasses.replace(moment, mark=moment.mark + 10_000)
    )
    with capture_logs() as logs:
        await replica.catch_up()
    assert replica.known is not before
    assert (_found(replica, 1), replica.state.rebuilding) == ([performer], "")
    assert "everything is read anew; what was known serves meanwhile" in [entry["event"] for entry in logs]


async def test_one_process_writes_the_files(pool: Pool, tmp_path: Path, start: Start) -> None:
    """Two replicas of one folder: the second leaves it alone until the first is gone."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    first, second = await start(pool, tmp_path), await start(pool, tmp_path)
    await _save(first)
    written = {path: path.stat().st_mtime_ns for path in _files(tmp_path)}
    await _enroll(pool, performer, 2)
    await second.catch_up()
    assert second.files is not None
    second.files.note(_ROW.key, 5000)
    await second.keep_files()
    assert not second.files.is_due(_ROW.key, second.known.galleries[_ROW.key])
    assert {path: path.stat().st_mtime_ns for path in _files(tmp_path)} == written
    await first.close()
    second.files.note(_ROW.key, 5000)
    await _save(second)


async def test_the_process_that_is_told_deletes_the_file_of_the_other_one(
    pool: Pool, tmp_path: Path, start: Start
) -> None:
    """Before it answers; the one that wrote the file sees that it is gone, and writes the next one."""
    stays, goes = await _performer(pool), await _performer(pool)
    await _enroll(pool, stays, 1)
    await _enroll(pool, goes, 2)
    first, second = await start(pool, tmp_path), await start(pool, tmp_path)
    await _save(first)
    await _forget(pool, goes)
    await second.catch_up()
    assert _files(tmp_path) == []
    await first.keep_files()
    assert first.files is not None
    assert first.files.manifest(_ROW.key) is None
    await first.catch_up()
    await _save(first)
    assert (await start(pool, tmp_path)).known.seqs(_ROW.key) == first.known.seqs(_ROW.key)


async def test_a_file_that_cannot_be_deleted_is_told_and_tried_again(
    pool: Pool, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is gone from every search; the status says that a file still holds it."""
    stays, goes = await _performer(pool), await _performer(pool)
    await _enroll(pool, stays, 1)
    await _enroll(pool, goes, 2)
    replica = await start(pool, tmp_path)
    await _save(replica)

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refuse)
        await _forget(pool, goes)
        await replica.catch_up()
        await replica.keep_files()
        assert _found(replica, 2) == []
        assert "cannot be deleted: Permission denied" in replica.problem
        assert _files(tmp_path) != []
    await replica.delete_files()
    assert (replica.problem, _files(tmp_path)) == ("", [])


async def test_a_full_disk_is_told_and_costs_nothing(pool: Pool, tmp_path: Path, start: Start) -> None:
    """A folder that cannot be written: searches go on, and the trouble is in the state until it is over."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    blocked = tmp_path / "face"
    blocked.write_text("a file where the folder should be")
    replica = await start(pool, tmp_path)

    async def is_told() -> bool:
        await replica.keep_files()
        return "cannot be saved" in replica.problem

    await until(is_told)
    assert _found(replica, 1) == [performer]
    blocked.unlink()
    replica_files = replica.files
    assert replica_files is not None
    await _save(replica)
    assert replica.problem == ""


async def test_a_number_that_is_given_again_is_another_row(pool: Pool, start: Start) -> None:
    """As after a copy of the database's files was put back: all is read anew, nothing is refused."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2)
    replica = await start(pool)
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{2:064x}")
    await replica.catch_up()
    await pool.execute("SELECT setval('face.vectors_seq_seq', 1)")
    await _enroll(pool, performer, 3)
    await replica.catch_up()
    assert [_found(replica, number) for number in (1, 2, 3)] == [[performer], [], [performer]]


async def test_a_damaged_row_is_left_out_and_told(pool: Pool, start: Start) -> None:
    """Following goes on with all others; once it is gone, or whole again, nothing is told any more."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2, 3)
    await pool.execute("UPDATE face.vectors SET vector = 'four' WHERE image_hash = $1", f"{2:064x}")
    replica = await start(pool)
    seq = await pool.fetchval("SELECT seq FROM face.vectors WHERE image_hash = $1", f"{2:064x}")
    assert [_found(replica, number) for number in (1, 2, 3)] == [[performer], [], [performer]]
    assert replica.problem == f"damaged rows in the database are left out: 1, seq {seq}"
    await _enroll(pool, performer, 4)
    await pool.execute(
        "INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)"
        " VALUES ($1, 'm', '1', $2, 0.9, '{1,2,3,4}', $3)",
        performer,
        bytes(32),  # all zeros: of the right length, and without a direction
        f"{5:064x}",
    )
    await replica.catch_up()
    assert _found(replica, 4) == [performer]
    assert "left out: 2," in replica.problem
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = ANY($1)", [f"{2:064x}", f"{5:064x}"])
    await replica.catch_up()
    assert replica.problem == ""


async def test_truncated_rows_are_gone(pool: Pool, start: Start) -> None:
    """By hand, in the table or by cascade; what is enrolled afterwards is found."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    replica = await start(pool)
    await pool.execute("TRUNCATE catalogue.performers CASCADE")
    await replica.catch_up()
    assert _found(replica, 1) == []
    performer = await _performer(pool)
    await _enroll(pool, performer, 2)
    await replica.catch_up()
    assert (_found(replica, 1), _found(replica, 2)) == ([], [performer])


async def test_what_was_seen_is_noted_no_longer(pool: Pool, start: Start) -> None:
    """Notes from before a moment go, later ones stay; a moment of another database deletes nothing."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2)
    replica = await start(pool)
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{1:064x}")
    await replica.catch_up()
    seen = replica.state.moment
    assert seen is not None
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{2:064x}")
    await replica.trim(dataclasses.replace(seen, epoch="another", mark=seen.mark + 1000))
    assert await pool.fetchval("SELECT count(*) FROM face.withdrawals") == 2
    await replica.trim(seen)
    assert await pool.fetchval("SELECT count(*) FROM face.withdrawals") == 1


async def test_a_process_that_slept_compares_everything(
    pool: Pool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have missed notes that are no longer there; the next look is an ordinary one again."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2)
    replica = await start(pool)
    await replica.catch_up()
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{1:064x}")
    await pool.execute("DELETE FROM face.withdrawals")
    await replica.catch_up()
    assert _found(replica, 1) == [performer]
    assert replica.state.moment is not None
    earlier = replica.state.moment.at - datetime.timedelta(hours=2)
    before = dataclasses.replace(replica.state.moment, at=earlier)
    monkeypatch.setattr(replica, "state", dataclasses.replace(replica.state, moment=before))
    await replica.catch_up()
    assert (_found(replica, 1), _found(replica, 2)) == ([], [performer])


async def test_notes_are_trimmed_while_a_process_serves(pool: Pool, start: Start) -> None:
    """What was noted before the round before goes."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    replica = await start(pool)
    watch = FollowWatch(
        pool, FEED.channel, lambda: [replica], IndexSection(poll_seconds=0.05), trim_seconds=0.1
    )

    async def is_trimmed() -> bool:
        return not await pool.fetchval("SELECT count(*) FROM face.withdrawals")

    async with watch.watching():
        await _forget(pool, performer)
        await replica.catch_up()
        assert _found(replica, 1) == []
        await until(is_trimmed)


async def test_ending_does_not_wait_for_compaction(pool: Pool, start: Start) -> None:
    """A rebuild that is under way stops, and what is known still serves until the process ends."""
    performer, other = await _performer(pool), await _performer(pool)
    await _enroll(pool, performer, 1)
    await _enroll(pool, other, *range(2, 40))
    replica = await start(pool)
    await _forget(pool, other)
    await replica.catch_up()
    await replica.close()
    await replica.keep_files()
    gallery = replica.known.galleries[_ROW.key]
    assert (gallery.index.tombstones, _found(replica, 1)) == (38, [performer])


_IMPORT = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
SELECT $1::uuid, 'm', '1', vector, 0.9, '{1,2,3,4}', lpad(to_hex(9999 + number), 64, '0')
FROM unnest($2::bytea[]) WITH ORDINALITY AS one (vector, number)
"""


async def _import(pool: Pool, performer_id: str, count: int = 2000) -> None:
    """More rows in one transaction than are read at once."""
    vectors = [_vector(number).tobytes() for number in range(10_000, 10_000 + count)]
    await pool.execute(_IMPORT, performer_id, vectors)


async def test_forgetting_does_not_wait_for_an_import(pool: Pool, start: Start) -> None:
    """Nor does enrolling: what goes and what comes is known while thousands of rows are still to be read."""
    stays, goes = await _performer(pool), await _performer(pool)
    await _enroll(pool, goes, 1)
    replica = await start(pool)
    await _import(pool, stays)
    await replica.look()
    assert replica.is_behind
    await _forget(pool, goes)
    await _enroll(pool, stays, 2)
    await replica.look()
    assert (_found(replica, 1), _found(replica, 2)) == ([], [stays])
    assert replica.is_behind
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{11_999:064x}")
    await replica.catch_up()
    assert not replica.is_behind
    assert len(replica.known.seqs(_ROW.key)) == 2000
    assert (_found(replica, 11_998), _found(replica, 11_999)) == ([stays], [])


async def test_forgetting_does_not_wait_for_a_rebuild(pool: Pool, start: Start) -> None:
    """What was known serves meanwhile, without whoever goes; those who were gone before it go at once."""
    stays, goes, went = [await _performer(pool) for _ in range(3)]
    for number, performer in enumerate((stays, goes, went)):
        await _enroll(pool, performer, number)
    replica = await start(pool)
    await _import(pool, stays)
    await replica.catch_up()
    before = replica.known
    await pool.execute("DELETE FROM face.vectors WHERE performer_id = $1", went)
    assert replica.state.moment is not None
    replica.state = dataclasses.replace(
        replica.state, moment=dataclasses.replace(replica.state.moment, epoch="another")
    )
    await replica.look()
    assert replica.known is before
    assert replica.state.rebuilding
    assert [_found(replica, number) for number in range(3)] == [[stays], [goes], []]
    await _forget(pool, goes)
    await _enroll(pool, stays, 3)
    await replica.look()
    assert replica.known is before
    assert [_found(replica, number) for number in range(3)] == [[stays], [], []]
    await replica.catch_up()
    assert replica.known is not before
    assert (replica.state.rebuilding, len(replica.known.seqs(_ROW.key))) == ("", 2002)
    assert [_found(replica, number) for number in range(4)] == [[stays], [], [], [stays]]


async def test_a_rebuild_that_fails_in_the_middle_is_made_up_for(
    pool: Pool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is half listed never answers: what was known goes on until everything is read."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1, 2)
    replica = await start(pool)
    before = replica.known
    await pool.execute("DELETE FROM face.vectors WHERE image_hash = $1", f"{2:064x}")
    await replica.catch_up()
    await pool.execute("SELECT setval('face.vectors_seq_seq', 1)")
    await _enroll(pool, performer, 3)  # the number of the second one: everything is read anew

    async def refuse(*_: object) -> Never:
        raise Unavailable("the database is not there now")

    with monkeypatch.context() as patch:
        patch.setattr(Feed, "listing", refuse)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await replica.catch_up()
        assert (replica.known is before, _found(replica, 1)) == (True, [performer])
    await replica.catch_up()
    assert [_found(replica, number) for number in (1, 2, 3)] == [[performer], [], [performer]]
    assert replica.state.rebuilding == ""


async def test_a_known_number_that_is_given_again_is_another_row(pool: Pool, start: Start) -> None:
    """As after a copy of the database's files was put back while nobody looked."""
    before, after = await _performer(pool), await _performer(pool)
    await _enroll(pool, before, 1)
    replica = await start(pool)
    await pool.execute("DELETE FROM face.vectors")
    await pool.execute("DELETE FROM face.withdrawals")
    await pool.execute("SELECT setval('face.vectors_seq_seq', 1, false)")
    await _enroll(pool, after, 2)
    await replica.catch_up()
    assert (_found(replica, 1), _found(replica, 2)) == ([], [after])


async def test_only_files_of_indexes_are_pruned(pool: Pool, tmp_path: Path, start: Start) -> None:
    """A folder that the settings name by mistake keeps what is in it."""
    performer = await _performer(pool)
    await _enroll(pool, performer, 1)
    replica = await start(pool, tmp_path)
    await _save(replica)
    await replica.close()
    (tmp_path / "face" / "holiday").mkdir()
    (tmp_path / "face" / "holiday" / "picture.jpg").write_bytes(b"x")
    Following.of_table(IndexSection(directory=tmp_path), pool, FEED).prune([])
    assert [path.name for path in _files(tmp_path)] == ["picture.jpg"]
