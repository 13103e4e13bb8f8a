"""performers.body_ratios follows the measurements, in the same transaction, whoever writes them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from marquee.body.v1 import body_pb2 as pb
from tests.fakes.body_service import BodySystem, enrolment, migrate_body, open_body_system, template_of
from tests.fakes.postgres import database, postgres_server

__all__ = ["database", "postgres_server"]

_IMPORTED = {"shoulder_hip_ratio": 1.5, "leg_torso_ratio": 1.4}
_KINDS = {
    "shoulder_hip_ratio": pb.RATIO_KIND_SHOULDER_HIP,
    "leg_torso_ratio": pb.RATIO_KIND_LEG_TORSO,
    "shoulder_torso_ratio": pb.RATIO_KIND_SHOULDER_TORSO,
}


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[BodySystem]:
    """A service with nobody enrolled."""
    await migrate_body(database)
    async with open_body_system(database) as system:
        yield system


async def _stored(system: BodySystem, performer_id: str) -> dict[str, float]:
    connection = await asyncpg.connect(system.dsn)
    try:
        query = "SELECT body_ratios FROM catalogue.performers WHERE id = $1"
        return dict(json.loads(await connection.fetchval(query, performer_id)))
    finally:
        await connection.close()


async def _combined(system: BodySystem, performer_id: str) -> object:
    """What the service itself says of all measurements, to compare with."""
    lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer_id]))
    known = {ratio.kind: ratio.value for ratio in lookup.performers[0].ratios}
    return pytest.approx({name: known[kind] for name, kind in _KINDS.items() if kind in known}, abs=1e-4)


async def test_ratios_are_those_of_all_measurements(system: BodySystem) -> None:
    """After one photograph, and after another one that says something else."""
    performer = await system.performer()
    assert await _stored(system, performer) == {}
    await system.enroll(performer, enrolment(template_of(1.0)))
    first = await _stored(system, performer)
    assert first == await _combined(system, performer)
    assert set(first) == set(_KINDS)
    await system.enroll(performer, enrolment(template_of(-1.0)))
    second = await _stored(system, performer)
    assert second == await _combined(system, performer)
    assert second["leg_torso_ratio"] < first["leg_torso_ratio"]


async def test_imported_ratios_stay_until_something_is_measured(system: BodySystem) -> None:
    """Neither a bad view nor forgetting nothing touches them; a measurement replaces them."""
    performer = await system.performer()
    write = "UPDATE catalogue.performers SET body_ratios = $2 WHERE id = $1"
    await system.execute(write, performer, json.dumps(_IMPORTED))
    await system.enroll(performer, enrolment(template_of(1.0, quality=0.01)))
    await system.stub.Forget(pb.ForgetRequest(performer_id=performer))
    assert await _stored(system, performer) == _IMPORTED
    await system.enroll(performer, enrolment(template_of(1.0)))
    assert await _stored(system, performer) == await _combined(system, performer)


async def test_forgotten_measurements_leave_no_ratios(system: BodySystem) -> None:
    """What was derived goes with what it was derived from."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1.0)))
    await system.stub.Forget(pb.ForgetRequest(performer_id=performer))
    assert await _stored(system, performer) == {}


async def test_a_discarded_measurement_counts_no_more(system: BodySystem) -> None:
    """The ratios are those of the others; of the last one nothing is left."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1.0), image="a"))
    first = await _stored(system, performer)
    await system.enroll(performer, enrolment(template_of(-1.0), image="b"))
    assert await _stored(system, performer) != first
    assert [await _discard(system, performer, name) for name in ("b", "b")] == [1, 0]
    assert await _stored(system, performer) == first
    await _discard(system, performer, "a")
    assert await _stored(system, performer) == {}


async def _discard(system: BodySystem, performer_id: str, image: str) -> int:
    image_hash = hashlib.sha256(image.encode()).hexdigest()
    request = pb.DiscardImageRequest(performer_id=performer_id, image_hash=image_hash)
    return (await system.stub.DiscardImage(request)).observations


async def test_two_services_at_once_leave_the_ratios_of_all(system: BodySystem) -> None:
    """Each has its own connections; whoever comes last counts what the other has written."""
    performer = await system.performer()
    async with open_body_system(system.dsn) as other:
        await asyncio.gather(
            *(
                one.enroll(performer, enrolment(template_of(float(number))))
                for number in range(-4, 5)
                for one in (system, other)
            )
        )
    assert await system.rows(performer) == 18
    assert await _stored(system, performer) == await _combined(system, performer)
