"""Views of one tattoo belong together, and what was seen of a region is known of it."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from chassis.errors import InvalidInput, NotFound
from chassis.geometry import Box
from chassis.postgres import Pool, migrate, open_pool
from chassis.protos import to_proto_embedding
from gateway.catalogue.store import SCHEMA as CATALOGUE
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from services.tattoo.regions_store import Knowledge, RegionStatement, RegionStore
from services.tattoo.store import SCHEMA
from tests.fakes.database_line import open_line
from tests.fakes.postgres import database, postgres_server
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import (
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    own_embedder,
    plain_section,
    system,
    template_of,
)

__all__ = ["database", "postgres_server", "system"]

_NOBODY = "00000000-0000-4000-8000-000000000000"
_LEFT, _RIGHT = common_pb2.BODY_REGION_LEFT_FOREARM, common_pb2.BODY_REGION_RIGHT_FOREARM
_UNKNOWN = common_pb2.BODY_REGION_UNKNOWN
_CHEST = RegionStatement(
    region="chest", knowledge=Knowledge.KNOWN_CLEAR, source="stashdb.org", description="none on the chest"
)


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate_tattoo(database)
    async with open_pool(database) as opened:
        yield opened


def _view(design: int, *, alike: float = 1.0) -> NDArray[np.float32]:
    """A view of a design; `alike`: its cosine to the plain one."""
    vector = np.zeros(LAYOUT_DIMENSION, np.float32)
    vector[design], vector[design + 20] = alike, np.sqrt(1 - alike**2)
    return vector


async def _tattoos(system: TattooSystem, performer_id: str) -> list[str]:
    """The tattoo of each row, oldest first."""
    return [str(row["tattoo_id"]) for row in await system.rows.of(performer_id)]


async def _attributes(system: TattooSystem, performer_id: str) -> pb.TattooAttributes:
    [attributes] = (await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer_id]))).performers
    return attributes


async def test_views_of_one_tattoo_share_an_id(system: TattooSystem) -> None:
    """Of three photographs two show the same; Lookup and Score tell how many views there are."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(_view(1))), enrolment(template_of(_view(2))))
    await system.enroll(performer, enrolment(template_of(_view(1, alike=0.8))))
    first, second, third = await _tattoos(system, performer)
    assert first == third != second
    known = (await system.score(template_of(1), performer))[performer].known
    assert [one.views for one in known] == [2, 1, 2]
    assert len({one.view_id for one in known}) == 3
    assert list((await _attributes(system, performer)).tattoos) == list(known)


async def test_views_of_one_request_are_grouped_like_those_of_several(system: TattooSystem) -> None:
    """The same three views, one after the other or together."""
    offered = [enrolment(template_of(_view(1, alike=alike))) for alike in (1.0, 0.8, 0.7)]
    together, apart = await system.performer(), await system.performer()
    await system.enroll(together, *offered)
    for view in offered:
        await system.enroll(apart, view)
    for performer in (together, apart):
        assert len(set(await _tattoos(system, performer))) == 1


async def test_regions_and_neighbours_keep_tattoos_apart(system: TattooSystem) -> None:
    """The same design on the other arm, or twice in one picture, is another tattoo; unknown places agree."""
    performer = await system.performer()
    plain = template_of(_view(3))
    await system.enroll(
        performer,
        enrolment(plain, region=_LEFT, image="a"),
        enrolment(plain, region=_RIGHT),
        enrolment(plain, region=_UNKNOWN),
        enrolment(plain, region=_LEFT, image="a", box=Box(50, 60, 70, 80)),
    )
    rows = await system.rows.of(performer)
    ids = [row["tattoo_id"] for row in rows if row["body_region"] != "unknown"]
    assert len(set(ids)) == 3
    assert len({row["tattoo_id"] for row in rows}) == 3


async def test_another_performer_has_tattoos_of_their_own(system: TattooSystem) -> None:
    """However alike: an id never joins two people."""
    ids = []
    for _ in range(2):
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(_view(4))))
        ids += await _tattoos(system, performer)
    assert ids[0] != ids[1]


async def test_all_embedders_rows_of_a_view_share_the_tattoo(database: str, tmp_path: Path) -> None:
    """Also those that come later, when the view is described again by another embedder."""
    await migrate_tattoo(database)
    both = plain_section(tmp_path, own_embedder(tmp_path), own_embedder(tmp_path, name="second"))
    one_template, both_templates = template_of(_view(1)), template_of(_view(1))
    both_templates.embeddings.append(to_proto_embedding("second", "1", _view(1)))
    async with open_tattoo_system(database, both) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(one_template, image="a"))
        await system.enroll(performer, enrolment(both_templates, image="b"))
        await system.enroll(performer, enrolment(both_templates, image="a"))
        rows = await system.rows.of(performer)
    assert sorted(row["model"] for row in rows) == ["layout", "layout", "second", "second"]
    assert len({row["tattoo_id"] for row in rows}) == 1


async def test_enrolling_again_groups_nothing_anew(system: TattooSystem) -> None:
    """An enrolment that is repeated leaves every row as it was."""
    performer = await system.performer()
    views = [enrolment(template_of(_view(design)), image=f"{design}") for design in (1, 2, 1)]
    await system.enroll(performer, *views)
    before = await system.rows.of(performer)
    await system.enroll(performer, *views)
    assert await system.rows.of(performer) == before


async def test_two_services_at_once_make_one_tattoo(database: str, tmp_path: Path) -> None:
    """Each sees what the other has committed: twenty views of one design are one tattoo."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with (
        open_tattoo_system(database, section) as first,
        open_tattoo_system(database, section) as second,
    ):
        performer = await first.performer()
        views = [enrolment(template_of(_view(1, alike=0.9 + number / 200))) for number in range(20)]
        await asyncio.gather(
            *((first if number % 2 else second).enroll(performer, view) for number, view in enumerate(views))
        )
        assert len(await _tattoos(first, performer)) == 20
        assert len(set(await _tattoos(first, performer))) == 1


async def test_what_was_seen_of_a_region_is_known_of_it(system: TattooSystem) -> None:
    """Once for each region, from the earliest day; nothing of an unknown place. Forgetting takes it back."""
    performer = await system.performer()
    await system.enroll(
        performer,
        enrolment(template_of(1), region=_LEFT, date="2022-02-02"),
        enrolment(template_of(2), region=_LEFT, date="2020-01-01"),
        enrolment(template_of(3), region=_LEFT),
        enrolment(template_of(4), region=_UNKNOWN, date="2019-01-01"),
    )
    expected = pb.KnownRegion(
        region=_LEFT,
        knowledge=pb.REGION_KNOWLEDGE_KNOWN_TATTOOED,
        source="observed",
        since_date="2020-01-01",
    )
    assert list((await _attributes(system, performer)).regions) == [expected]
    assert list((await system.score(template_of(1), performer))[performer].regions) == [expected]
    await system.stub.Forget(pb.ForgetRequest(performer_id=performer))
    assert not (await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))).performers


async def test_what_others_say_is_told_beside_it(system: TattooSystem) -> None:
    """Also of a performer of whom no tattoo was seen."""
    performer = await system.performer()
    async with open_pool(system.rows.dsn) as pool:
        await RegionStore(pool).upsert(performer, _CHEST)
    [region] = (await _attributes(system, performer)).regions
    assert (region.region, region.knowledge) == (
        common_pb2.BODY_REGION_CHEST,
        pb.REGION_KNOWLEDGE_KNOWN_CLEAR,
    )
    assert (region.source, region.description) == ("stashdb.org", "none on the chest")
    await system.enroll(performer, enrolment(template_of(1), region=_LEFT))
    scored = (await system.score(template_of(1), performer))[performer]
    assert [one.region for one in scored.regions] == [common_pb2.BODY_REGION_CHEST, _LEFT]


async def test_without_the_database_scores_say_nothing_of_regions(database: str, tmp_path: Path) -> None:
    """NO_DATA, which is neutral; the tattoos themselves are in memory."""
    await migrate_tattoo(database)
    async with (
        open_line(database) as line,
        open_tattoo_system(database, plain_section(tmp_path), reached_by=line.dsn) as system,
    ):
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(1), region=_LEFT))
        await line.cut()
        score = (await system.score(template_of(1), performer))[performer]
    assert len(score.known) == 1
    assert not score.regions


async def _performer(pool: Pool) -> str:
    query = """
    INSERT INTO catalogue.performers (id, name, sort_name, search_text)
    VALUES (gen_random_uuid(), 'A', 'a', 'a') RETURNING id::text
    """
    return str(await pool.fetchval(query))


async def test_a_source_corrects_itself(pool: Pool) -> None:
    """The same source, region and words: the new statement replaces the old one; others stay beside it."""
    store, performer = RegionStore(pool), await _performer(pool)
    rose = RegionStatement(
        region="chest", knowledge=Knowledge.KNOWN_TATTOOED, source="stashdb.org", description="rose"
    )
    ended = RegionStatement(
        region="chest",
        knowledge=Knowledge.KNOWN_TATTOOED,
        source="stashdb.org",
        description="rose",
        until=datetime.date(2021, 1, 1),
    )
    for statement in (rose, _CHEST, ended):
        await store.upsert(performer, statement)
    assert await store.of_performers([performer, _NOBODY]) == {performer: [_CHEST, ended]}


async def test_nothing_seen_makes_nothing_clear(pool: Pool) -> None:
    """Not visible is not absent: an observation cannot say that a region is clear."""
    statement = RegionStatement(region="chest", knowledge=Knowledge.KNOWN_CLEAR, source="observed")
    with pytest.raises(InvalidInput, match="clear"):
        await RegionStore(pool).upsert(await _performer(pool), statement)


async def test_nobody_has_no_regions(pool: Pool) -> None:
    """An id that the catalogue does not know is NotFound."""
    with pytest.raises(NotFound):
        await RegionStore(pool).upsert(_NOBODY, _CHEST)


async def test_views_from_before_say_what_is_known_of_regions(database: str) -> None:
    """A database that was filled before regions were known learns them by the migration."""
    await migrate(database, [CATALOGUE, SCHEMA])
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(_FROM_BEFORE)
        await connection.execute((files("services.tattoo") / "migrations" / _LEARNING).read_text())
        rows = await connection.fetch("SELECT body_region, since FROM tattoo.region_knowledge")
    finally:
        await connection.close()
    assert [tuple(row) for row in rows] == [("chest", datetime.date(2020, 1, 1))]


_LEARNING = "0004_observed_regions.sql"
# As it was when the migration had not run.
_FROM_BEFORE = """
INSERT INTO catalogue.performers (id, name, sort_name, search_text)
VALUES ('00000000-0000-4000-8000-000000000001', 'A', 'a', 'a');
INSERT INTO tattoo.performer_tattoos
    (performer_id, model, version, body_region, embedding, image_url, image_hash, box, confidence, quality,
     first_seen_date)
SELECT '00000000-0000-4000-8000-000000000001', 'm', '1', region, '\\x00000000', '', repeat(digit, 64),
       '{1,2,3,4}', 0.5, 0.5, date::date
FROM (VALUES ('chest', 'a', '2020-01-01'), ('chest', 'b', '2021-01-01'), ('unknown', 'c', NULL))
     AS seen (region, digit, date);
"""


async def test_a_discarded_view_takes_what_was_seen_in_it_with_it(system: TattooSystem) -> None:
    """The region is known no more when no other view shows it; what a source says and other views stay."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1), image="a", region=_LEFT))
    await system.enroll(performer, enrolment(template_of(2), image="b", region=_RIGHT))
    async with open_pool(system.rows.dsn) as pool:
        regions = RegionStore(pool)
        await regions.upsert(performer, _CHEST)
        request = pb.DiscardImageRequest(performer_id=performer, image_hash=hashlib.sha256(b"a").hexdigest())
        assert (await system.stub.DiscardImage(request)).observations == 1
        assert (await system.stub.DiscardImage(request)).observations == 0
        known = (await regions.of_performers([performer]))[performer]
    assert [(one.region, one.source) for one in known] == [
        ("chest", "stashdb.org"),
        ("right_forearm", "observed"),
    ]
    scores = await system.score(template_of(1), performer)
    assert [one.region for one in scores[performer].known] == [_RIGHT]
