"""Indexes in files: what is read is what was written, or an error, never something else."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.errors import StoreError
from chassis.index import IndexSettings, Space, VectorIndex
from chassis.index.snapshots import ROWS, Manifest, Origin, Snapshot, SnapshotFolder

_DIMENSION = 16
_ORIGIN = Origin(model="m", version="1", epoch="e", mark=7)
_PLAIN, _COMPACT = IndexSettings(threads=1), IndexSettings(threads=1, is_compact=True)
_BOTH = pytest.mark.parametrize("settings", [_PLAIN, _COMPACT], ids=["plain", "compact"])


def _vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, _DIMENSION))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _index(count: int, settings: IndexSettings = _PLAIN) -> VectorIndex:
    index = VectorIndex(_DIMENSION, settings=settings)
    index.add(range(count), _vectors(count))
    return index


def _rows(seqs: list[int]) -> NDArray[np.void]:
    rows = np.empty(len(seqs), ROWS)
    rows["seq"], rows["xid"] = seqs, [seq + 1000 for seq in seqs]
    return rows


def _write(folder: SnapshotFolder, index: VectorIndex) -> Manifest | None:
    return folder.write(index, _rows(index.ids()), _ORIGIN)


def _read(folder: SnapshotFolder, settings: IndexSettings = _PLAIN) -> Snapshot | None:
    return folder.read(_DIMENSION, Space.COSINE, settings)


def _names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir() if one.name != "lock")


@_BOTH
def test_what_is_read_is_what_was_written(tmp_path: Path, settings: IndexSettings) -> None:
    """Vectors, rows and origin; removed vectors are not there, and searches agree."""
    index = _index(300, settings)
    index.remove(range(0, 300, 3))
    with closing(SnapshotFolder(tmp_path)) as folder:
        written = _write(folder, index)
        snapshot = _read(folder, settings)
    assert snapshot is not None
    assert snapshot.manifest == written
    assert (snapshot.manifest.count, snapshot.manifest.origin) == (200, _ORIGIN)
    assert snapshot.rows.tolist() == _rows(index.ids()).tolist()
    assert snapshot.index.ids() == index.ids()
    np.testing.assert_allclose(snapshot.index.vectors(index.ids()), index.vectors(index.ids()), atol=1e-6)
    for probe in _vectors(10, seed=3):
        found = [one.id for one in snapshot.index.search(probe, 5)]
        assert found == [one.id for one in index.search(probe, 5)]


@_BOTH
def test_an_index_from_a_file_goes_on(tmp_path: Path, settings: IndexSettings) -> None:
    """It takes more vectors, loses some, is compacted and written again."""
    vectors = _vectors(400)
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(300, settings))
        snapshot = _read(folder, settings)
        assert snapshot is not None
        index = snapshot.index
        index.add(range(300, 400), vectors[300:])
        index.remove(range(50))
        index.rebuild()
        _write(folder, index)
        again = _read(folder, settings)
    assert again is not None
    assert again.manifest.generation == 2
    assert _names(tmp_path) == ["snapshot-2"]
    assert again.index.ids() == list(range(50, 400))
    for seq in (60, 310, 399):
        assert again.index.search(vectors[seq], 1)[0].id == seq


@_BOTH
def test_nothing_of_a_removed_vector_is_in_the_files(tmp_path: Path, settings: IndexSettings) -> None:
    """Not its bytes, though its place is still there, nor those of neighbours that were removed later."""
    index = _index(100, settings)
    stored = index.vectors(range(100))
    for gone in range(40, 60):
        index.remove([gone])
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, index)
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [seq for seq in range(100) if stored[seq].tobytes() in data] == index.ids()


@_BOTH
def test_nothing_of_many_removed_vectors_is_in_the_files(tmp_path: Path, settings: IndexSettings) -> None:
    """Their places are overwritten after the removal, and before a file is written at the latest."""
    index = _index(600, settings)
    stored = index.vectors(range(600))
    index.remove(range(500))
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, index)
    data = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [seq for seq in range(600) if stored[seq].tobytes() in data] == index.ids()


def test_a_compact_index_overwrites_what_it_has_mapped(tmp_path: Path) -> None:
    """The bytes of a removed vector stay in no file, even one that is only open and has no name any more."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50, _COMPACT))
        snapshot = _read(folder, _COMPACT)
        assert snapshot is not None
        index, path = snapshot.index, tmp_path / "snapshot-1" / "originals.f32"
        stored = index.vectors(range(50))
        with path.open("rb") as still_open:
            folder.remove()
            index.remove(range(10, 20))
            data = still_open.read()
    assert [seq for seq in range(50) if stored[seq].tobytes() in data] == index.ids()
    np.testing.assert_array_equal(index.vectors(index.ids()), stored[index.ids()])


def test_files_of_another_owner_are_not_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that may only be read are mapped for this process alone."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50, _COMPACT))
        path = tmp_path / "snapshot-1" / "originals.f32"
        before, real = path.read_bytes(), np.memmap

        def refuse(name: Path, dtype: object, mode: str, shape: tuple[int, int]) -> object:
            if mode == "r+":
                raise PermissionError
            return real(name, dtype, mode, shape=shape)  # type: ignore[call-overload]

        monkeypatch.setattr(np, "memmap", refuse)
        snapshot = _read(folder, _COMPACT)
        assert snapshot is not None
        stored = snapshot.index.vectors(range(50))
        snapshot.index.remove([7])
    assert path.read_bytes() == before
    np.testing.assert_array_equal(snapshot.index.vectors([6, 8]), stored[[6, 8]])


def _flip(path: Path, at: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(at * (len(data) - 1))] ^= 1
    path.write_bytes(data)


@_BOTH
@pytest.mark.parametrize("at", [0.0, 0.3, 0.7, 1.0])
def test_a_flipped_byte_is_found(tmp_path: Path, settings: IndexSettings, at: float) -> None:
    """In any file, anywhere, before Voyager sees it."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50, settings))
        for path in (tmp_path / "snapshot-1").iterdir():
            before = path.read_bytes()
            if path.name != "manifest.json":
                _flip(path, at)
                with pytest.raises(StoreError, match="changed"):
                    _read(folder, settings)
            path.write_bytes(before)
        assert _read(folder, settings) is not None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [_cut, _empty, Path.unlink])
@pytest.mark.parametrize("name", ["graph.voy", "rows.npy", "manifest.json"])
def test_a_file_that_is_not_whole_is_an_error(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    """Cut, empty or lost."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50))
        damage(tmp_path / "snapshot-1" / name)
        with pytest.raises(StoreError):
            _read(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"count": 49},
        {"dimension": 8},
        {"space": "euclidean"},
        {"is_compact": True},
        {"files": {}},
        {"more": 1},
    ],
)
def test_a_manifest_that_says_otherwise_is_an_error(tmp_path: Path, change: dict[str, object]) -> None:
    """Whatever it says, the index that is asked for is another one."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50))
        path = tmp_path / "snapshot-1" / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
        with pytest.raises(StoreError):
            _read(folder)


def test_rows_that_are_not_the_index_are_not_written(tmp_path: Path) -> None:
    """The index changed while the database was asked: nothing is written, nothing is lost."""
    index = _index(10)
    with closing(SnapshotFolder(tmp_path)) as folder:
        assert folder.write(index, _rows(list(range(9))), _ORIGIN) is None
        assert _names(tmp_path) == []
        _write(folder, index)
        assert folder.write(index, _rows(list(range(9))), _ORIGIN) is None
        assert _names(tmp_path) == ["snapshot-1"]


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """Another process may read; it writes when the first one is gone."""
    with closing(SnapshotFolder(tmp_path)) as first, closing(SnapshotFolder(tmp_path)) as second:
        assert _write(first, _index(10)) is not None
        assert _write(second, _index(20)) is None
        snapshot = _read(second)
        assert snapshot is not None
        assert snapshot.manifest.count == 10
        first.close()
        assert _write(second, _index(20)) is not None


def test_any_process_may_delete(tmp_path: Path) -> None:
    """Whoever knows first that a row is gone; what the other one is writing is left alone."""
    with closing(SnapshotFolder(tmp_path)) as first, closing(SnapshotFolder(tmp_path)) as second:
        manifest = _write(first, _index(10))
        assert manifest is not None
        assert first.has(manifest)
        (tmp_path / "writing-2").mkdir()
        second.remove()
        assert not first.has(manifest)
        assert _names(tmp_path) == ["writing-2"]
        assert _write(first, _index(20)) is not None


def test_removing_leaves_nothing(tmp_path: Path) -> None:
    """Neither snapshots nor what a killed writer left; the folder may not be there at all."""
    with closing(SnapshotFolder(tmp_path / "new")) as folder:
        folder.remove()
        _write(folder, _index(10))
        (tmp_path / "new" / "writing-9").mkdir()
        folder.remove()
        assert _names(tmp_path / "new") == []
        assert (folder.newest(), _read(folder)) == (None, None)


@contextmanager
def _small_files(size: int) -> Iterator[None]:
    """No file of this process may grow beyond this: what a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@_BOTH
@pytest.mark.parametrize("size", [100, 10_000])
def test_a_full_disk_costs_nothing(tmp_path: Path, settings: IndexSettings, size: int) -> None:
    """The snapshot before stays, nothing half is left, and writing works again afterwards."""
    index = _index(500, settings)
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(10, settings))
        with _small_files(size), pytest.raises(OSError, match="File too large"):
            _write(folder, index)
        assert _names(tmp_path) == ["snapshot-1"]
        assert _read(folder, settings) is not None
        assert _write(folder, index) is not None


_KILLED = """
import os, sys
from pathlib import Path
import numpy as np
from chassis.index import IndexSettings, VectorIndex
from chassis.index import snapshots

step, folder = int(sys.argv[1]), snapshots.SnapshotFolder(Path(sys.argv[2]))
index = VectorIndex(16, settings=IndexSettings(threads=1))
index.add(range(200), np.random.default_rng(5).normal(size=(200, 16)))
rows = np.empty(200, snapshots.ROWS)
rows["seq"], rows["xid"] = range(200), 1
steps = 0

def trace(event, arguments):
    global steps
    if event in ("open", "os.rename", "os.mkdir", "shutil.rmtree", "os.remove", "os.rmdir"):
        steps += 1
        if steps == step:
            os.kill(os.getpid(), 9)

whole = snapshots._Hashed.write

def part(self, data):
    global steps
    steps += 1
    if steps == step:
        whole(self, memoryview(data)[: len(data) // 2])
        os.kill(os.getpid(), 9)
    return whole(self, data)

snapshots._Hashed.write = part
sys.addaudithook(trace)
folder.write(index, rows, snapshots.Origin(model="m", version="1", epoch="e", mark=1))
print("done", steps)
"""


def test_a_writer_that_is_killed_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    """At every step, in the middle of a file too: the one before or the new one is there, and the next
    writer cleans up."""
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(50))
    for step in range(1, 100):
        run = subprocess.run(
            [sys.executable, "-c", _KILLED, str(step), str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        folder = SnapshotFolder(tmp_path)
        snapshot = _read(folder)
        assert snapshot is not None
        assert snapshot.manifest.count in (50, 200)
        if run.returncode == 0:
            break
    assert run.returncode == 0, run.stderr
    assert step > 8
    with closing(SnapshotFolder(tmp_path)) as folder:
        _write(folder, _index(60))
    assert len(_names(tmp_path)) == 1
