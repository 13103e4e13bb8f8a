"""Indexes in files: written aside, verified before Voyager sees them, replaced and removed as a whole."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

import numpy as np
import pydantic
from numpy.typing import NDArray

from chassis.errors import InvalidInput, StoreError
from chassis.index import IndexSettings, Space, VectorIndex

__all__ = ["FileFacts", "Manifest", "Origin", "Snapshot", "SnapshotFolder", "ROWS", "is_snapshot_folder"]

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

ROWS = np.dtype([("seq", "<i8"), ("xid", "<u8")])
"""A row of a snapshot: its number, and the transaction that wrote it."""

_GRAPH, _ORIGINALS, _ROWS, _MANIFEST = "graph.voy", "originals.f32", "rows.npy", "manifest.json"
_NAME = re.compile(r"snapshot-(\d{1,18})")
_ASIDE = "writing-"
_PRIVATE = 0o700
# Voyager writes a million small pieces.
_BUFFER = 2**20


class _Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class Origin(_Frozen):
    """Where the vectors of an index come from."""

    model: str
    version: str
    epoch: str
    """Which life of which database: numbers of rows mean nothing in another one."""
    mark: int
    """Every transaction below this id is in the index."""


class FileFacts(_Frozen):
    """What a file must be."""

    sha256: str
    size: int
    """Bytes."""


class Manifest(_Frozen):
    """What lies beside it in the folder; written last."""

    generation: int
    """Counts up with each snapshot of an index."""
    origin: Origin
    count: int
    """Live vectors."""
    dimension: int
    space: Space
    is_compact: bool
    created_at: datetime
    files: Mapping[str, FileFacts]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An index from files, and the rows it has."""

    manifest: Manifest
    index: VectorIndex
    rows: NDArray[np.void]
    """Of dtype `ROWS`, by seq."""


class SnapshotFolder:
    """The snapshots of one index: the newest one counts.

    One process writes; others with the same folder may read. Every call blocks: use threads.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: IO[str] | None = None

    def __repr__(self) -> str:
        return f"<SnapshotFolder {self._path}, {len(self._found())} snapshots>"

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

    def newest(self) -> Manifest | None:
        """What the newest snapshot says; None without one. Raises StoreError for an unreadable one."""
        found = self._found()
        return self._manifest(found[-1]) if found else None

    def read(self, dimension: int, space: Space, settings: IndexSettings) -> Snapshot | None:
        """The newest snapshot, verified; None where there is none.

        Raises StoreError, saying why, for one that is damaged or of another kind of index.
        """
        found = self._found()
        if not found:
            return None
        folder, manifest = found[-1], self._manifest(found[-1])
        kind = (manifest.dimension, manifest.space, manifest.is_compact)
        if kind != (dimension, space, settings.is_compact):
            raise StoreError("the snapshot is of another kind of index")
        _verify(folder, manifest)
        originals = folder / _ORIGINALS if manifest.is_compact else None
        try:
            rows = np.load(folder / _ROWS, allow_pickle=False)
            if rows.dtype != ROWS or len(rows) != manifest.count:
                raise StoreError("the snapshot's rows are not as its manifest says")
            ids = np.ascontiguousarray(rows["seq"])
            index = VectorIndex.load(
                folder / _GRAPH, ids, dimension, space, originals=originals, settings=settings
            )
        except (InvalidInput, RuntimeError, ValueError, EOFError, OSError) as exc:
            raise StoreError(f"the snapshot cannot be read: {exc}") from exc
        return Snapshot(manifest, index, rows)

    def write(self, index: VectorIndex, rows: NDArray[np.void], origin: Origin) -> Manifest | None:
        """Write the index, of which `rows` (dtype `ROWS`) has every vector; older snapshots go afterwards.

        None, and nothing written, where another process writes here, or where the index changed meanwhile.
        Raises OSError for a full disk or a folder that cannot be written; what was there before stays.
        """
        if not self.may_write() or not np.array_equal(index.ids(), rows["seq"]):
            return None
        found = self._found()
        generation = _generation(found[-1]) + 1 if found else 1
        with _aside(self._path, generation) as folder:
            manifest = _write(folder, index, rows, origin, generation)
            if manifest is None:
                return None
            target = self._path / f"snapshot-{generation}"
            folder.rename(target)
        _sync(self._path)
        if index.is_compact:
            index.map_originals(target / _ORIGINALS, np.ascontiguousarray(rows["seq"]))
        for old in found:
            _delete(old)
        return manifest

    def has(self, manifest: Manifest) -> bool:
        """Whether this snapshot is still there: another process may have deleted it."""
        return (self._path / f"snapshot-{manifest.generation}").is_dir()

    def remove(self) -> None:
        """Delete every snapshot, whoever wrote it; and what an interrupted writer left, if none writes now.

        Raises OSError where that is not possible.
        """
        if not self._path.exists():
            return
        for folder in self._found():
            _delete(folder)
        if self.may_write():
            for folder in self._path.glob(f"{_ASIDE}*"):
                _delete(folder)
        _sync(self._path)

    def close(self) -> None:
        """Let other processes write."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def may_write(self) -> bool:
        """Whether this is the process that writes here; the first one is, for as long as it lives.

        Raises OSError for a folder that cannot be made, or cleared of what an interrupted writer left.
        """
        if self._lock is not None:
            return True
        self._path.mkdir(parents=True, exist_ok=True, mode=_PRIVATE)
        lock = (self._path / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return False
        try:
            for leftover in self._path.glob(f"{_ASIDE}*"):  # of a writer that was killed
                _delete(leftover)
        except OSError:
            lock.close()
            raise
        self._lock = lock
        return True

    def _found(self) -> list[Path]:
        """Complete snapshots, the newest last."""
        if not self._path.is_dir():
            return []
        return sorted((one for one in self._path.iterdir() if _NAME.fullmatch(one.name)), key=_generation)

    def _manifest(self, folder: Path) -> Manifest:
        try:
            return Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
        except (OSError, pydantic.ValidationError) as exc:
            raise StoreError("the snapshot's manifest cannot be read") from exc


def is_snapshot_folder(path: Path) -> bool:
    """Whether a folder holds snapshots, and nothing else."""
    if not (path / "lock").is_file():
        return False
    others = [one.name for one in path.iterdir() if one.name != "lock"]
    return all(_NAME.fullmatch(name) or name.startswith(_ASIDE) for name in others)


class _Hashed(io.RawIOBase):
    """A file that knows the SHA-256 of what was written to it, from its beginning to its end."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: ReadableBuffer) -> int:
        written = self._file.write(data) or 0
        self._digest.update(memoryview(data)[:written])
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True  # Voyager asks; it never does

    def seek(self, *_: int) -> int:
        raise OSError("a file that is being hashed is written from its beginning to its end")


def _write(
    folder: Path, index: VectorIndex, rows: NDArray[np.void], origin: Origin, generation: int
) -> Manifest | None:
    files: dict[str, FileFacts] = {}
    with _hashed(folder / _GRAPH, files) as graph:
        if index.is_compact:
            with _hashed(folder / _ORIGINALS, files) as originals:
                ids = index.save(graph, originals)
        else:
            ids = index.save(graph)
    if not np.array_equal(ids, rows["seq"]):
        return None
    with _hashed(folder / _ROWS, files) as file:
        np.save(file, rows)
    manifest = Manifest(
        generation=generation,
        origin=origin,
        count=len(rows),
        dimension=index.dimension,
        space=index.space,
        is_compact=index.is_compact,
        created_at=datetime.now(UTC),
        files=files,
    )
    with (folder / _MANIFEST).open("xb") as file:
        file.write(manifest.model_dump_json(indent=2).encode())
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return manifest


@contextmanager
def _hashed(path: Path, files: dict[str, FileFacts]) -> Iterator[BinaryIO]:
    """A file to write; at the end of the block it is on disk, and its facts are noted."""
    with path.open("xb", buffering=0) as file:
        hashed = _Hashed(file)
        buffered = io.BufferedWriter(hashed, _BUFFER)
        yield cast(BinaryIO, buffered)
        buffered.flush()
        os.fsync(file.fileno())
    files[path.name] = FileFacts(sha256=hashed.sha256, size=hashed.size)


@contextmanager
def _aside(parent: Path, generation: int) -> Iterator[Path]:
    """A folder to write in, which is gone at the end of the block unless it was renamed."""
    folder = parent / f"{_ASIDE}{generation}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=_PRIVATE)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _verify(folder: Path, manifest: Manifest) -> None:
    """Raises StoreError for a file that is not the one that was written."""
    wanted = {_GRAPH, _ROWS} | ({_ORIGINALS} if manifest.is_compact else set())
    if set(manifest.files) != wanted:
        raise StoreError("the snapshot's manifest names other files")
    for name, facts in manifest.files.items():
        try:
            if (folder / name).stat().st_size != facts.size or _sha256(folder / name) != facts.sha256:
                raise StoreError(f"the snapshot's file {name} was changed")
        except OSError as exc:
            raise StoreError(f"the snapshot's file {name} cannot be read") from exc


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _delete(folder: Path) -> None:
    """Delete a folder, even if another process does so at the same time."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)


def _generation(folder: Path) -> int:
    match = _NAME.fullmatch(folder.name)
    return int(match[1]) if match else 0


def _sync(folder: Path) -> None:
    """Put the folder's list of files on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
