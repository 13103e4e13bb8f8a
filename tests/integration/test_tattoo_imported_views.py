"""Views that come from another installation are grouped after the import, whoever is killed in between."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import asyncpg
import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.channels import open_channel
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2, transfer_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from marquee.tattoo.v1 import tattoo_pb2_grpc
from services.tattoo.table import built_in_embedder
from tests.fakes.postgres import database, postgres_server
from tests.fakes.service_process import listening_port, open_process
from tests.fakes.service_rows import ServiceRows
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import (
    MODEL,
    VERSION,
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    own_embedder,
    plain_section,
    system,
    template_of,
)
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server", "system"]

_LEFT = common_pb2.BODY_REGION_LEFT_FOREARM


def _view(design: int, *, alike: float = 1.0, dimension: int = LAYOUT_DIMENSION) -> NDArray[np.float32]:
    """A view of a design; `alike`: its cosine to the plain one."""
    vector = np.zeros(dimension, np.float32)
    vector[design], vector[design + 20] = alike, np.sqrt(1 - alike**2)
    return vector


def _row(
    performer_id: str,
    vector: NDArray[np.float32],
    *,
    image: str = "",
    model: str = MODEL,
    version: str = VERSION,
    tattoo_id: str = "",
) -> transfer_pb2.VectorRow:
    """As another installation gives it."""
    offered = enrolment(template_of(vector), image=image, region=_LEFT)
    return transfer_pb2.VectorRow(
        performer_id=performer_id,
        embedding=to_proto_embedding(model, version, vector),
        quality=0.9,
        box=offered.box,
        source=offered.source,
        region=_LEFT,
        detection_confidence=0.75,
        tattoo_id=tattoo_id,
    )


async def _import(stub: tattoo_pb2_grpc.TattooServiceAsyncStub, *rows: transfer_pb2.VectorRow) -> None:
    taken = await stub.ImportVectors(pb.ImportVectorsRequest(rows=rows), timeout=60)
    assert taken.stored == len(rows)


async def _tattoos(rows: ServiceRows, performer_id: str) -> list[str]:
    """The tattoo of each row, by image."""
    query = (
        "SELECT tattoo_id FROM tattoo.performer_tattoos WHERE performer_id = $1 ORDER BY image_hash, model"
    )
    return [str(row["tattoo_id"]) for row in await rows.execute(query, performer_id)]


async def _waiting(rows: ServiceRows) -> int:
    [row] = await rows.execute("SELECT count(*) AS found FROM tattoo.unarranged")
    return int(row["found"])


async def _until_nobody_waits(rows: ServiceRows) -> None:
    async def is_done() -> bool:
        return await _waiting(rows) == 0

    await until(is_done)


@asynccontextmanager
async def _held_up(rows: ServiceRows) -> AsyncIterator[None]:
    """Whoever groups views stops in the middle of a performer for the time of the block."""
    connection = await asyncpg.connect(rows.dsn)
    try:
        await connection.execute(_HOLD_UP)
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(1)")
        await connection.close()


async def _until_held_up(rows: ServiceRows) -> None:
    async def is_held_up() -> bool:
        query = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        return len(await rows.execute(query)) > 0

    await until(is_held_up)


_HOLD_UP = """
CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1);
    RETURN OLD;
END
$$;
CREATE TRIGGER held_up BEFORE DELETE ON tattoo.unarranged FOR EACH ROW EXECUTE FUNCTION hold_up();
SELECT pg_advisory_lock(1);
"""


async def test_imported_views_of_one_tattoo_share_an_id(system: TattooSystem) -> None:
    """Without any enrolment; views of another design stay apart, and Score tells how many views there are."""
    performer = await system.performer()
    views = [_view(1), _view(1, alike=0.9), _view(1, alike=0.8), _view(2)]
    await _import(system.stub, *(_row(performer, view) for view in views))
    await _until_nobody_waits(system.rows)
    assert len(set(await _tattoos(system.rows, performer))) == 2

    async def is_told() -> bool:
        known = (await system.score(template_of(1), performer))[performer].known
        return sorted(one.views for one in known) == [1, 3, 3, 3]

    await until(is_told)


async def test_imported_views_join_those_that_are_there(system: TattooSystem) -> None:
    """The id of the enrolled tattoo stays, whatever id the import has; another performer's stay apart."""
    here, elsewhere = await system.performer(), await system.performer()
    await system.enroll(here, enrolment(template_of(_view(1))), enrolment(template_of(_view(1, alike=0.95))))
    before = set(await _tattoos(system.rows, here))
    other_id = str(uuid.uuid4())
    await _import(
        system.stub,
        _row(here, _view(1, alike=0.9), tattoo_id=other_id),
        _row(elsewhere, _view(1, alike=0.9), tattoo_id=other_id),
    )
    await _until_nobody_waits(system.rows)
    assert set(await _tattoos(system.rows, here)) == before
    assert await _tattoos(system.rows, elsewhere) == [other_id]


async def test_all_rows_of_an_imported_view_move_together(database: str, tmp_path: Path) -> None:
    """However many embedders describe it, and in whichever request they come."""
    await migrate_tattoo(database)
    both = plain_section(tmp_path, own_embedder(tmp_path), own_embedder(tmp_path, name="second"))
    async with open_tattoo_system(database, both) as system:
        performer = await system.performer()
        for model in ("second", MODEL):
            rows = [
                _row(performer, _view(1, alike=alike), image=image, model=model)
                for image, alike in (("a", 1.0), ("b", 0.9))
            ]
            await _import(system.stub, *rows)
        await _until_nobody_waits(system.rows)
        found = await _tattoos(system.rows, performer)
    assert len(found) == 4
    assert len(set(found)) == 1


async def test_importing_again_has_nobody_wait(system: TattooSystem) -> None:
    """Nothing came, so nothing is to be grouped."""
    performer = await system.performer()
    row = _row(performer, _view(1), image="a")
    await _import(system.stub, row)
    await _until_nobody_waits(system.rows)
    async with _held_up(system.rows):
        again = await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=[row]), timeout=60)
        assert (again.stored, again.known) == (0, 1)
        assert await _waiting(system.rows) == 0


async def test_more_performers_than_a_portion_are_all_grouped(system: TattooSystem) -> None:
    """Three hundred with two views each."""
    performers = [str(uuid.uuid4()) for _ in range(300)]
    await system.rows.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) "
        "SELECT unnest($1::uuid[]), 'A', 'a', 'a'",
        performers,
    )
    await _import(
        system.stub, *(_row(one, _view(1, alike=alike)) for one in performers for alike in (1.0, 0.9))
    )
    await _until_nobody_waits(system.rows)
    [row] = await system.rows.execute(
        "SELECT count(*) AS views, count(DISTINCT tattoo_id) AS tattoos FROM tattoo.performer_tattoos"
    )
    assert (row["views"], row["tattoos"]) == (600, 300)


async def test_an_enrolment_does_not_wait_for_the_import_of_others(system: TattooSystem) -> None:
    """Grouping is held up at one performer: another one is enrolled, and both are grouped in the end."""
    imported, enrolled = await system.performer(), await system.performer()
    async with _held_up(system.rows):
        await _import(system.stub, _row(imported, _view(1)), _row(imported, _view(1, alike=0.9)))
        await _until_held_up(system.rows)
        views = [enrolment(template_of(_view(1, alike=alike)), region=_LEFT) for alike in (1.0, 0.9)]
        outcomes = await system.enroll(enrolled, *views)
        assert all(one.is_accepted for one in outcomes)
        assert len(set(await _tattoos(system.rows, enrolled))) == 1
        assert len(set(await _tattoos(system.rows, imported))) == 2
    await _until_nobody_waits(system.rows)
    assert len(set(await _tattoos(system.rows, imported))) == 1


async def test_an_enrolment_groups_what_waits(system: TattooSystem) -> None:
    """It leaves nothing to do for the performer."""
    performer = await system.performer()
    await _import(system.stub, _row(performer, _view(1)))
    await system.enroll(performer, enrolment(template_of(_view(1, alike=0.9)), region=_LEFT))
    assert len(set(await _tattoos(system.rows, performer))) == 1
    assert await _waiting(system.rows) == 0


@pytest.mark.timeout(180)
async def test_a_service_that_is_killed_in_between_leaves_it_to_the_next(database: str) -> None:
    """The import is committed, grouping under way when the process is killed; the next start finishes it."""
    await migrate_tattoo(database)
    rows = ServiceRows(database, "tattoo.performer_tattoos")
    performers = [await rows.performer() for _ in range(3)]
    model = built_in_embedder()
    views = [
        _row(one, _view(1, alike=alike, dimension=model.dimension), model=model.name, version=model.version)
        for one in performers
        for alike in (1.0, 0.97, 0.95)
    ]
    settings = {"MARQUEE_DATABASE_DSN": database, "MARQUEE_TATTOO_PORT": "0"}
    async with (
        _held_up(rows),
        open_process("services.tattoo", **settings) as process,
        open_channel(f"127.0.0.1:{await listening_port(process)}") as channel,
    ):
        await _import(tattoo_pb2_grpc.TattooServiceStub(channel), *views)
        await _until_held_up(rows)
        process.kill()
        await process.wait()
    assert await _waiting(rows) == 3
    assert [len(set(await _tattoos(rows, one))) for one in performers] == [3, 3, 3]
    async with open_process("services.tattoo", **settings) as process:
        await listening_port(process)
        await _until_nobody_waits(rows)
    assert [len(set(await _tattoos(rows, one))) for one in performers] == [1, 1, 1]


async def test_what_was_imported_by_an_older_version_waits(system: TattooSystem) -> None:
    """The migration has whoever has imported views wait, and nobody else."""
    imported, enrolled = await system.performer(), await system.performer()
    await system.enroll(enrolled, enrolment(template_of(1)))
    await _import(system.stub, _row(imported, _view(1)), _row(imported, _view(1, alike=0.9)))
    await _until_nobody_waits(system.rows)
    await system.rows.execute("UPDATE tattoo.performer_tattoos SET tattoo_id = gen_random_uuid()")
    before = await _tattoos(system.rows, enrolled)
    migration = (files("services.tattoo") / "migrations" / _LEARNING).read_text()
    connection = await asyncpg.connect(system.rows.dsn)
    await connection.execute(f"DROP TABLE tattoo.unarranged; {migration}")
    await connection.close()
    await _until_nobody_waits(system.rows)
    assert len(set(await _tattoos(system.rows, imported))) == 1
    assert await _tattoos(system.rows, enrolled) == before


_LEARNING = "0010_unarranged.sql"
