"""Graphs of growing size, kept in the user's cache; an interrupted build is continued."""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import platformdirs
from numpy.typing import NDArray
from rich.progress import Progress

from bench.index.data import PORTION, FaceLike
from chassis.index import IndexSettings, VectorIndex

__all__ = ["Build", "Library", "VoyagerLibrary", "HnswLibrary", "CACHE", "build"]

CACHE = platformdirs.user_cache_path("marquee") / "bench" / "index"
_CHECKPOINT_EVERY = 100_000


class Library(ABC):
    """A kind of index that can be built, saved and loaded."""

    name: str

    @abstractmethod
    def new(self, dimension: int, capacity: int) -> Any:
        """An empty index."""

    @abstractmethod
    def add(self, index: Any, start: int, vectors: NDArray[np.float32]) -> None:
        """Add vectors under the ids from `start` on."""

    @abstractmethod
    def save(self, index: Any, path: Path) -> None:
        """Write the index."""

    @abstractmethod
    def load(self, path: Path, dimension: int, count: int, capacity: int) -> Any:
        """Read an index of the ids 0 to count - 1."""


class VoyagerLibrary(Library):
    """The index as shipped."""

    def __init__(self, *, is_compact: bool = False, threads: int = 0) -> None:
        self.name = "voyager-compact" if is_compact else "voyager"
        settings = IndexSettings(is_compact=is_compact)
        self.settings = IndexSettings(is_compact=is_compact, threads=threads or settings.threads)

    def new(self, dimension: int, capacity: int) -> VectorIndex:
        return VectorIndex(dimension, settings=self.settings, capacity=capacity)

    def add(self, index: VectorIndex, start: int, vectors: NDArray[np.float32]) -> None:
        index.add(np.arange(start, start + len(vectors)), vectors)

    def save(self, index: VectorIndex, path: Path) -> None:
        if not index.is_compact:
            with _replacing(path) as graph:
                index.save(graph)
            return
        originals = originals_of(path)  # the index may have the one that is there now mapped
        with _replacing(path) as graph, _replacing(originals) as file:
            ids = index.save(graph, file)
        index.map_originals(originals, ids)

    def load(self, path: Path, dimension: int, count: int, capacity: int) -> VectorIndex:
        originals = originals_of(path) if self.settings.is_compact else None
        ids = np.arange(count)
        return VectorIndex.load(path, ids, dimension, originals=originals, settings=self.settings)


class HnswLibrary(Library):
    """hnswlib with the same parameters; it has wheels for few systems, so it is no dependency."""

    name = "hnswlib"

    def __init__(self, *, threads: int = 0) -> None:
        self._threads = threads or os.cpu_count() or 1

    def new(self, dimension: int, capacity: int) -> Any:
        settings, index = IndexSettings(), self._index(dimension)
        index.init_index(capacity, ef_construction=settings.ef_construction, M=settings.m)
        return index

    def add(self, index: Any, start: int, vectors: NDArray[np.float32]) -> None:
        index.add_items(vectors, np.arange(start, start + len(vectors)), num_threads=self._threads)

    def save(self, index: Any, path: Path) -> None:
        index.save_index(str(path))

    def load(self, path: Path, dimension: int, count: int, capacity: int) -> Any:
        index = self._index(dimension)
        index.load_index(str(path), max_elements=max(capacity, count))
        return index

    def _index(self, dimension: int) -> Any:
        import hnswlib  # type: ignore[import-untyped,import-not-found,unused-ignore]  # where it is installed

        return hnswlib.Index("cosine", dimension)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of the one that is there at the end of the block."""
    aside = path.with_name(f"{path.name}.writing")
    with aside.open("wb") as file:
        yield file
    aside.replace(path)


def originals_of(path: Path) -> Path:
    """Where the originals of a compact index lie."""
    return path.with_suffix(".f32")


@dataclass(frozen=True, slots=True)
class Build:
    """One index of the first `count` vectors of a set."""

    path: Path
    count: int
    wall_seconds: float
    cpu_seconds: float
    """Over all threads, for all vectors up to this count."""


def build(library: Library, data: FaceLike, sizes: Sequence[int], *, folder: Path = CACHE) -> list[Build]:
    """The builds of these sizes, ascending; one index that grows, continued where it was interrupted."""
    folder = folder / f"{data.name}-{data.latent}-{data.noise}-{data.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    done = {size: _read(folder / f"{library.name}-{size}.json") for size in sizes}
    if any(one is None for one in done.values()):
        _grow(library, data, sizes, folder)
    found = [_read(folder / f"{library.name}-{size}.json") for size in sizes]
    return [one for one in found if one is not None]


def _grow(library: Library, data: FaceLike, sizes: Sequence[int], folder: Path) -> None:
    last, owners = max(sizes), data.owners(max(sizes))
    start, wall, cpu, index = _resumed(library, data, sizes, folder)
    with Progress() as progress:
        task = progress.add_task(f"{library.name}, {data.name}", total=last, completed=start)
        while start < last:
            number, end = start // PORTION, min(last, start - start % PORTION + PORTION)
            end = min([end, *(size for size in sizes if start < size)])
            offset = number * PORTION
            vectors = data.portion(number, owners[offset : offset + PORTION])[start - offset : end - offset]
            before = time.perf_counter(), time.process_time()
            library.add(index, start, vectors)
            wall, cpu = wall + time.perf_counter() - before[0], cpu + time.process_time() - before[1]
            start = end
            progress.update(task, completed=start)
            if start in sizes:
                _write(library, index, folder / f"{library.name}-{start}", start, wall, cpu)
            elif start % _CHECKPOINT_EVERY == 0:
                _write(library, index, folder / f"{library.name}-partial", start, wall, cpu)
    for path in folder.glob(f"{library.name}-partial*"):
        path.unlink()


def _resumed(
    library: Library, data: FaceLike, sizes: Sequence[int], folder: Path
) -> tuple[int, float, float, Any]:
    names = [f"{library.name}-{size}.json" for size in sizes] + [f"{library.name}-partial.json"]
    found = [one for name in names if (one := _read(folder / name)) is not None and one.count < max(sizes)]
    if not found:
        return 0, 0.0, 0.0, library.new(data.dimension, max(sizes))
    latest = max(found, key=lambda one: one.count)
    index = library.load(latest.path, data.dimension, latest.count, max(sizes))
    return latest.count, latest.wall_seconds, latest.cpu_seconds, index


def _write(library: Library, index: Any, stem: Path, count: int, wall: float, cpu: float) -> None:
    """The facts come last: without them a file is not there."""
    facts, path = stem.with_suffix(".json"), stem.with_suffix(".index")
    facts.unlink(missing_ok=True)
    library.save(index, path)
    facts.write_text(json.dumps({"count": count, "wall_seconds": wall, "cpu_seconds": cpu}))


def _read(facts: Path) -> Build | None:
    if not facts.exists():
        return None
    return Build(path=facts.with_suffix(".index"), **json.loads(facts.read_text()))
