"""Time to write a snapshot, and time and memory of an index that a fresh process reads from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from bench.index.builds import Build, VoyagerLibrary
from chassis.index.snapshots import ROWS, Origin, SnapshotFolder

__all__ = ["Loading", "measure_loading"]

_ORIGIN = Origin(model="bench", version="1", epoch="bench", mark=1)
# The gallery as a service has it: vectors with their owners, two to eight a performer.
_SCRIPT = """
import json, sys, time
from pathlib import Path
from bench.index.data import FaceLike
from chassis.gallery import Gallery
from chassis.index import IndexSettings, Space
from chassis.index.snapshots import SnapshotFolder

def memory():
    lines = Path("/proc/self/status").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")}

folder, dimension, is_compact = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "compact"
settings = IndexSettings(is_compact=is_compact)
owners = FaceLike("owners", 1, 0.0).owners(int(sys.argv[4])).tolist()
owned = {}
for seq, owner in enumerate(owners):
    owned.setdefault(f"{owner:08x}-0000-4000-8000-{owner:012x}", []).append(seq)
del owners
gallery = Gallery(dimension, settings=settings)
before, start = memory(), time.perf_counter()
snapshot = SnapshotFolder(folder).read(dimension, Space.COSINE, settings)
read = time.perf_counter() - start
gallery.adopt(snapshot.index, owned)
adopted = time.perf_counter() - start
del snapshot, owned
after = memory()
print(json.dumps({
    "read_seconds": read,
    "adopted_seconds": adopted,
    "anonymous_bytes": after["RssAnon"] - before["RssAnon"],
    "mapped_bytes": after["RssFile"] - before["RssFile"],
}))
"""


@dataclass(frozen=True, slots=True)
class Loading:
    """Of one index."""

    write_seconds: float
    """SHA-256 of all files included, until they are on disk."""
    read_seconds: float
    """SHA-256 of all files, and reading the graph."""
    adopted_seconds: float
    """With every vector's owner known as well."""
    anonymous_bytes: int
    """A vector, resident and not backed by a file: graph, owners, everything."""
    mapped_bytes: int
    """A vector, of mapped files that happen to be resident; the system may drop them."""


def measure_loading(library: VoyagerLibrary, build: Build, dimension: int) -> Loading:
    """Write a snapshot of a build, and read it in a process of its own."""
    path = build.path.with_suffix(".snapshot")
    with closing(SnapshotFolder(path)) as folder:
        folder.remove()
        index = library.load(build.path, dimension, build.count, build.count)
        rows = np.empty(build.count, ROWS)
        rows["seq"], rows["xid"] = np.arange(build.count), 1
        started = time.perf_counter()
        folder.write(index, rows, _ORIGIN)
        written = time.perf_counter() - started
        del index
    kind = "compact" if library.settings.is_compact else "full"
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(path), str(dimension), kind, str(build.count)],
        capture_output=True,
        text=True,
        check=True,
        timeout=900,
    )
    shutil.rmtree(path)
    figures = json.loads(run.stdout)
    return Loading(
        write_seconds=written,
        read_seconds=figures["read_seconds"],
        adopted_seconds=figures["adopted_seconds"],
        anonymous_bytes=round(figures["anonymous_bytes"] / build.count),
        mapped_bytes=round(figures["mapped_bytes"] / build.count),
    )
