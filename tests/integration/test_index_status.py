"""How an index is: in the status of a real service, and in the metrics."""

from __future__ import annotations

from pathlib import Path

from chassis.config import IndexSection
from chassis.postgres import open_pool
from chassis.signal.index_metrics import IndexCollector
from marquee.common.v1 import common_pb2
from tests.fakes.embedders import enroll, followed_from
from tests.fakes.face_service import FaceSystem, enrolment, migrate_face, open_face_system, template_of
from tests.fakes.waiting import until


async def _indexes(system: FaceSystem) -> list[common_pb2.IndexStatus]:
    return [model.index for model in (await system.status()).models if model.HasField("index")]


def _graphs(folder: Path) -> set[tuple[Path, int]]:
    """Files by name and time: a new one may have the name of one that went."""
    return {(path, path.stat().st_mtime_ns) for path in folder.rglob("graph.voy")}


async def test_status_tells_of_files_and_recall(database: str, tmp_path: Path) -> None:
    """Both come by themselves; what is forgotten is a tombstone, its file goes and a new one follows."""
    await migrate_face(database)
    settings = IndexSection(directory=tmp_path, recall_seconds=1, recall_warning=0.5)
    async with open_face_system(database, index=settings) as system:
        first, second = await system.performer(), await system.performer()
        for seed, performer in ((1, first), (2, first), (3, second)):
            await system.enroll(performer, enrolment(template_of(seed)))

        async def is_known() -> bool:
            return all(one.snapshot_generation and one.HasField("recall") for one in await _indexes(system))

        await until(is_known)
        indexes = await _indexes(system)
        assert [(one.recall.at_10, one.recall.sample, one.recall.is_low) for one in indexes] == [
            (1.0, 3, False)
        ] * len(indexes)
        assert all(one.snapshot_at.startswith("20") and not one.problem for one in indexes)
        before = _graphs(tmp_path)
        await system.execute("DELETE FROM catalogue.performers WHERE id = $1", second)

        async def is_gone() -> bool:
            return all(one.tombstones == 1 for one in await _indexes(system))

        async def is_replaced() -> bool:
            graphs = _graphs(tmp_path)
            return len(graphs) == len(before) and not graphs & before

        await until(is_gone)
        await until(is_replaced)
        await until(is_known)


async def test_metrics_tell_the_same(database: str) -> None:
    """One sample a model, even of one in two sets; how far behind is told without an index, too."""
    await migrate_face(database)
    async with open_pool(database) as pool:
        await enroll(pool, "old")
        followed = followed_from(pool, [("old", "1")])
        await followed.start()
        state = followed.state
        collector = IndexCollector(lambda: [followed, followed], clock=lambda: state.caught_up_at + 3)
        samples = [sample for family in collector.collect() for sample in family.samples]
    assert [(one.name, one.labels, one.value) for one in samples] == [
        ("marquee_index_seconds_behind", {"model": "old", "version": "1"}, 3.0)
    ]
