"""How long after a commit a large index finds a new vector, and no longer finds a deleted one."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bench.index.builds import Build, VoyagerLibrary
from bench.index.data import FaceLike
from chassis.config import IndexSection
from chassis.postgres import EmbeddedPostgres, Pool, SchemaSource, migrate, open_pool
from chassis.signal.follow_watch import FollowWatch
from chassis.signal.followed import Followed
from chassis.signal.following import Following
from client.supervisor.stack import throw_away_folder
from services.face.ensemble import Ensemble
from services.face.library import FaceLibrary, FaceRow
from services.face.store import FEED, FaceStore
from services.face.table import BUILT_IN_ROWS

__all__ = ["Freshness", "measure_freshness"]

_SOURCES = (SchemaSource("catalogue", "gateway"), SchemaSource("face", "services.face"))
_LOOK_SECONDS = 0.001
_PATIENCE_SECONDS = 60.0

_PERFORMER = "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')"
_VECTOR = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
VALUES ($1, 'bench', '1', $2, 0.9, '{1,2,3,4}', $3) RETURNING seq
"""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds from the end of a commit, in a process that only follows."""

    commits: int
    found_p50: float
    found_p99: float
    gone_p50: float
    gone_p99: float


def measure_freshness(build: Build, data: FaceLike, *, commits: int) -> Freshness:
    """Commit new vectors one by one, then delete them one by one, beside an index that has many."""
    return asyncio.run(_measure(build, data, commits))


async def _measure(build: Build, data: FaceLike, commits: int) -> Freshness:
    async with _following(build, data) as (pool, followed):
        performer = str(uuid.uuid4())
        await pool.execute(_PERFORMER, performer)
        vectors = data.probes(np.arange(commits))
        seqs, found, gone = [], [], []
        for number, vector in enumerate(vectors):
            seq = int(await pool.fetchval(_VECTOR, performer, vector.tobytes(), f"{number:064x}"))
            seqs.append(seq)
            found.append(await _until(followed, seq, is_known=True))
        for seq in seqs:
            await pool.execute("DELETE FROM face.vectors WHERE seq = $1", seq)
            gone.append(await _until(followed, seq, is_known=False))
    quantiles = [float(np.percentile(times, at)) for times in (found, gone) for at in (50, 99)]
    return Freshness(commits, *quantiles)


@asynccontextmanager
async def _following(
    build: Build, data: FaceLike
) -> AsyncIterator[tuple[Pool, Followed[FaceRow, FaceLibrary]]]:
    """A database without rows, and what follows it with an index of many others."""
    row = replace(BUILT_IN_ROWS["mobilefacenet"], name="bench", version="1", dimension=data.dimension)
    with throw_away_folder() as folder:
        async with EmbeddedPostgres(folder / "database") as server:
            await migrate(server.dsn, _SOURCES)
            async with open_pool(server.dsn) as pool:
                await pool.execute("SELECT setval('face.vectors_seq_seq', $1)", build.count + 1)
                store = FaceStore(pool, most_searched=20)
                store.use([row])
                following = Following.of_table(IndexSection(), pool, FEED)
                new = partial(FaceLibrary, Ensemble((row,)))
                followed = following.followed(store, new, [row.key])
                await followed.start()
                index = VoyagerLibrary().load(build.path, data.dimension, build.count, build.count)
                followed.known.adopt(row.key, index, _owned(data, build.count), [])
                async with FollowWatch(pool, FEED.channel, lambda: [followed]).watching():
                    yield pool, followed


def _owned(data: FaceLike, count: int) -> dict[str, list[int]]:
    owned: dict[str, list[int]] = {}
    for seq, owner in enumerate(data.owners(count).tolist()):
        owned.setdefault(f"{owner:08x}-0000-4000-8000-{owner:012x}", []).append(seq)
    return owned


async def _until(followed: Followed[FaceRow, FaceLibrary], seq: int, *, is_known: bool) -> float:
    started = time.perf_counter()
    while (seq in followed.known) != is_known:
        if time.perf_counter() - started > _PATIENCE_SECONDS:
            raise TimeoutError("the index does not follow")
        await asyncio.sleep(_LOOK_SECONDS)
    return time.perf_counter() - started
