"""What waits to be described again, in pages: each observation once, in an order that stays."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chassis.errors import InvalidInput
from chassis.postgres import Pool, open_pool
from chassis.signal.model_sets import ModelRecord, ModelSet, Sets
from chassis.signal.pending import Pending, PendingStore, parse_pending
from marquee.common.v1 import common_pb2
from services.face.store import OBSERVATIONS
from tests.fakes.embedders import enroll
from tests.fakes.face_service import migrate_face

_SETS = Sets(
    ModelSet(1, (ModelRecord("old", "1", {}),)),
    ModelSet(2, (ModelRecord("new", "1", {}), ModelRecord("old", "1", {}))),
)


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate_face(database)
    async with open_pool(database) as pool:
        yield pool


async def _walk(
    store: PendingStore, *, size: int, only: common_pb2.PendingFilter | None = None
) -> AsyncIterator[list[Pending]]:
    """Page after page."""
    token = ""
    while True:
        page = await store.page(_SETS, parse_pending(only or common_pb2.PendingFilter(), size, token))
        yield list(page.observations)
        token = page.next_token
        if not token:
            return


def _images(pages: list[list[Pending]]) -> list[tuple[str, str]]:
    return [(one.performer_id, one.image_hash) for page in pages for one in page]


async def _several(pool: Pool, people: int, images: int) -> list[str]:
    """People with some images each, described by the old embedder only."""
    performers = [await enroll(pool, "old", image="0") for _ in range(people)]
    for performer, image in itertools.product(performers, range(1, images)):
        await enroll(pool, "old", performer_id=performer, image=str(image))
    return performers


@pytest.mark.parametrize("size", [1, 4, 5, 100])
async def test_pages_have_each_observation_once(pool: Pool, size: int) -> None:
    """By performer and image, whatever the size; what both embedders describe is not among them."""
    people = await _several(pool, 3, 4)
    await enroll(pool, "old", "new")
    pages = [page async for page in _walk(PendingStore(pool, OBSERVATIONS), size=size)]
    found = _images(pages)
    assert len(found) == len(set(found)) == 12
    assert found == sorted(found)
    assert {performer for performer, _ in found} == set(people)
    assert all(len(page) == size for page in pages[:-1])


async def test_what_is_described_meanwhile_moves_nothing(pool: Pool) -> None:
    """Describing page by page, as a backfill does, meets every observation."""
    await _several(pool, 3, 3)
    store, met = PendingStore(pool, OBSERVATIONS), 0
    async for page in _walk(store, size=2):
        for one in page:
            met += 1
            await pool.execute(_DESCRIBE, one.performer_id, one.image_hash)
    assert met == 9
    assert (await store.page(_SETS, parse_pending(common_pb2.PendingFilter(), 2, ""))).total == 0


async def test_a_filter_restricts_pages_and_total(pool: Pool) -> None:
    """By performer and image; a position of somebody else is none of theirs."""
    people = sorted(await _several(pool, 2, 3))
    store = PendingStore(pool, OBSERVATIONS)
    only = common_pb2.PendingFilter(performer_id=people[0])
    pages = [page async for page in _walk(store, size=2, only=only)]
    assert [performer for performer, _ in _images(pages)] == [people[0]] * 3
    image = common_pb2.PendingFilter(image_hash=pages[0][0].image_hash)
    page = await store.page(_SETS, parse_pending(image, 10, ""))
    assert (page.total, [one.performer_id for one in page.observations]) == (2, people)
    everybody = await store.page(_SETS, parse_pending(common_pb2.PendingFilter(), 5, ""))
    page = await store.page(_SETS, parse_pending(only, 10, everybody.next_token))
    assert (page.total, page.observations) == (3, ())


async def test_a_count_that_takes_long_is_used_for_a_while(pool: Pool) -> None:
    """Twenty times as long as it took; one that takes no time is always made."""
    await _several(pool, 1, 3)
    seconds = itertools.count()
    slow = PendingStore(pool, OBSERVATIONS, clock=lambda: float(next(seconds)))
    query = parse_pending(common_pb2.PendingFilter(), 10, "")
    assert (await slow.page(_SETS, query)).total == 3
    await enroll(pool, "old")
    assert (await slow.page(_SETS, query)).total == 3
    assert (await PendingStore(pool, OBSERVATIONS).page(_SETS, query)).total == 4
    for _ in range(20):
        next(seconds)
    assert (await slow.page(_SETS, query)).total == 4


def test_a_token_of_another_service_is_refused() -> None:
    """INVALID_ARGUMENT for what is no position, whatever it decodes to."""
    for token in ("garbage", "WzEsMl0=", "bnVsbA==", "e30=", "é", "A" * 301):
        with pytest.raises(InvalidInput, match="page_token"):
            parse_pending(common_pb2.PendingFilter(), 10, token)


_DESCRIBE = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
SELECT performer_id, 'new', version, vector, quality, box, image_hash
FROM face.vectors WHERE performer_id = $1 AND image_hash = $2 AND model = 'old'
"""
