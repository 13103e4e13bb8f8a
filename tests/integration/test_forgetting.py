"""Forgetting on a real database: one transaction, the do-not-identify list, the audit, what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import asyncpg
import grpc
import pytest
import pytest_asyncio

from chassis.channels import open_channel
from chassis.images import image_hash
from chassis.postgres import Connection, connect
from gateway.catalogue.do_not_identify import DoNotIdentify
from gateway.catalogue.performer import ExternalId
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from marquee.gateway.v1 import status_pb2
from tests.fakes.database_line import open_line
from tests.fakes.enrolled_rows import add_body, add_face, add_tattoo
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import face_at
from tests.fakes.service_process import listening_port, open_process
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server"]

_DO_NOT_IDENTIFY = common_pb2.REJECTION_REASON_DO_NOT_IDENTIFY
_HASHES = [f"{number:064x}" for number in range(8)]


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    async with open_system(database) as system:
        system.face.seen = [face_at(300, 100, name="f")]
        yield system


@asynccontextmanager
async def _open(system: System) -> AsyncIterator[Connection]:
    async with connect(system.dsn) as connection:
        yield connection


async def _forget(system: System, performer_id: str, **fields: bool) -> pb.ForgetPerformerResponse:
    request = pb.ForgetPerformerRequest(id=performer_id, **fields)
    return await system.catalogue.ForgetPerformer(request, timeout=30)


async def _code(call: object) -> grpc.StatusCode:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]  # an awaitable call
    return caught.value.code()


async def _enroll(system: System, performer_id: str, image: bytes) -> pb.EnrollImagesResponse:
    request = pb.EnrollImagesRequest(key="k", performer_id=performer_id, image=image)
    [reply] = [reply async for reply in system.catalogue.EnrollImages(iter([request]), timeout=30)]
    return reply


async def test_ids_and_every_known_picture_are_listed(system: System) -> None:
    """Pictures of any signal and those that only the ledger knows; digests, nothing of whom."""
    anna = await system.performer("Anna", external_ids={"stashdb.org": "a1", "folder": "Anna"})
    async with _open(system) as connection:
        await add_face(connection, anna, image_hash=_HASHES[0])
        await add_tattoo(connection, anna, image_hash=_HASHES[1])
        await add_body(connection, anna, image_hash=_HASHES[2])
        await connection.execute(
            "INSERT INTO catalogue.images (performer_id, source, image_key, image_hash, state) "
            "VALUES ($1, 'folder', 'a.jpg', $2, 'rejected'), ($1, 'folder', 'b.jpg', '', 'failed')",
            anna,
            _HASHES[3],
        )
        await _forget(system, anna)
        listed = DoNotIdentify(connection)
        ids = [ExternalId("stashdb.org", "a1"), ExternalId("folder", "Anna"), ExternalId("folder", "Bea")]
        found = await listed.listed(ids, _HASHES)
        assert found.external_ids == set(ids[:2])
        assert found.image_hashes == set(_HASHES[:4])
        assert await listed.count() == (2, 4)
        rows = await connection.fetch("SELECT digest FROM catalogue.do_not_identify")
        assert not any("Anna" in row["digest"] or "stashdb" in row["digest"] for row in rows)


async def test_the_audit_says_how_much_and_not_whom(system: System) -> None:
    """Rows of every schema are counted; the id's digest proves the deletion to whoever has the id."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    async with _open(system) as connection:
        for model in ("m", "n"):
            await add_face(connection, anna, model=model)
        await add_body(connection, anna)
        reply = await _forget(system, anna)
        assert {one.signal: one.observations for one in reply.deleted} == {1: 1, 2: 0, 3: 1}
        [row] = await connection.fetch("SELECT * FROM catalogue.forget_audit")
        assert json.loads(row["deleted"]) == {"catalogue": 2, "face": 2, "body": 1}
        assert row["performer_digest"] == hashlib.sha256(anna.encode()).hexdigest()
        assert "Anna" not in str(row)


async def test_a_listed_id_is_refused_and_creates_nothing(system: System) -> None:
    """FAILED_PRECONDITION for a new performer with the id, and for one who would get it."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    bea = await system.performer("Bea")
    await _forget(system, anna)
    for performer in (
        pb.Performer(name="Anna", external_ids=[pb.ExternalId(authority="X", id="1")]),
        pb.Performer(id=bea, external_ids=[pb.ExternalId(authority="x", id="1")]),
    ):
        call = system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=performer))
        assert await _code(call) is grpc.StatusCode.FAILED_PRECONDITION
    everybody = await system.catalogue.ListPerformers(pb.ListPerformersRequest())
    assert [(one.name, len(one.external_ids)) for one in everybody.performers] == [("Bea", 0)]


async def test_a_listed_picture_is_refused_under_any_name(system: System) -> None:
    """Nobody looks at it, and the reply has a reason of its own."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    async with _open(system) as connection:
        await add_face(connection, anna, image_hash=image_hash(picture()))
    await _forget(system, anna)
    reply = await _enroll(system, bea, picture())
    assert (reply.is_accepted, reply.reason) == (False, _DO_NOT_IDENTIFY)
    assert "do-not-identify" in reply.detail
    assert not system.face.requests("Observe")
    assert (await _enroll(system, bea, picture(1))).is_accepted


async def test_a_picture_listed_while_it_is_looked_at_is_refused(system: System) -> None:
    """The list is asked again right before anything is stored."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    async with _open(system) as connection:
        await add_face(connection, anna, image_hash=image_hash(picture()))
    system.face.gates["Observe"] = asyncio.Event()
    enrolling = asyncio.create_task(_enroll(system, bea, picture()))
    await system.face.until(lambda: bool(system.face.requests("Observe")))
    await _forget(system, anna)
    system.face.gates["Observe"].set()
    assert (await enrolling).reason == _DO_NOT_IDENTIFY
    assert not system.face.requests("Enroll")


async def test_who_was_forgotten_by_mistake_may_return(system: System) -> None:
    """Nothing is put on the list; the audit is kept all the same."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    async with _open(system) as connection:
        await add_face(connection, anna, image_hash=image_hash(picture()))
        await _forget(system, anna, may_return=True)
        assert await DoNotIdentify(connection).count() == (0, 0)
        assert await connection.fetchval("SELECT count(*) FROM catalogue.forget_audit") == 1
    again = await system.performer("Anna", external_ids={"x": "1"})
    assert (await _enroll(system, again, picture())).is_accepted


async def test_the_owner_can_allow_again(system: System) -> None:
    """Ids and pictures are taken off one by one; the counts in status follow."""
    anna = await system.performer("Anna", external_ids={"x": "1", "y": "2"})
    async with _open(system) as connection:
        for hash_ in (image_hash(picture()), _HASHES[1]):
            await add_face(connection, anna, image_hash=hash_)
    await _forget(system, anna)

    async def counts() -> tuple[int, int]:
        status = await system.status.GetStatus(status_pb2.GetStatusRequest())
        return status.do_not_identify.external_ids, status.do_not_identify.images

    assert await counts() == (2, 2)
    request = pb.AllowAgainRequest(
        external_ids=[pb.ExternalId(authority="X", id="1"), pb.ExternalId(authority="z", id="9")],
        image_hashes=[image_hash(picture())],
    )
    reply = await system.catalogue.AllowAgain(request)
    assert (reply.external_ids, reply.images) == (1, 1)
    assert await counts() == (1, 1)
    again = await system.performer("Anna", external_ids={"x": "1"})
    assert (await _enroll(system, again, picture())).is_accepted
    for wrong in (pb.AllowAgainRequest(), pb.AllowAgainRequest(image_hashes=["A" * 64])):
        assert await _code(system.catalogue.AllowAgain(wrong)) is grpc.StatusCode.INVALID_ARGUMENT


async def test_forgetting_twice_is_not_found(system: System) -> None:
    """One of two at the same moment forgets; the audit has one entry."""
    anna = await system.performer("Anna")
    results = await asyncio.gather(*(_forget(system, anna) for _ in range(4)), return_exceptions=True)
    codes = [one.code() for one in results if isinstance(one, grpc.aio.AioRpcError)]
    assert codes == [grpc.StatusCode.NOT_FOUND] * 3
    async with _open(system) as connection:
        assert await connection.fetchval("SELECT count(*) FROM catalogue.forget_audit") == 1


async def test_what_is_being_stored_at_that_moment_is_forgotten_too(system: System) -> None:
    """A row that commits just before is deleted, counted and listed; one that comes after finds nobody."""
    anna = await system.performer("Anna")
    async with _open(system) as storing, _open(system) as later:
        transaction = storing.transaction()
        await transaction.start()
        await add_face(storing, anna, image_hash=_HASHES[5])
        forgetting = asyncio.create_task(_forget(system, anna))
        await _until_waiting(later)
        late = asyncio.create_task(add_face(later, anna, image_hash=_HASHES[6]))
        await transaction.commit()
        reply = await forgetting
        assert [one.observations for one in reply.deleted] == [1, 0, 0]
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await late
        assert (await DoNotIdentify(later).listed(image_hashes=_HASHES)).image_hashes == {_HASHES[5]}
        assert await later.fetchval("SELECT count(*) FROM face.vectors") == 0


async def test_a_performer_created_again_while_being_forgotten_is_refused(system: System) -> None:
    """An upsert that saw nobody with the id, because of a forgetting that has just ended, is refused."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    performer = pb.Performer(name="Anna", external_ids=[pb.ExternalId(authority="x", id="1")])
    request = pb.UpsertPerformerRequest(performer=performer)
    upserts = [asyncio.create_task(_result(system.catalogue.UpsertPerformer(request))) for _ in range(5)]
    await _forget(system, anna)
    upserts += [asyncio.create_task(_result(system.catalogue.UpsertPerformer(request)))]
    codes = [await one for one in upserts]
    assert codes[-1] is grpc.StatusCode.FAILED_PRECONDITION
    assert set(codes) <= {
        grpc.StatusCode.OK,  # before it was forgotten
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
    everybody = await system.catalogue.ListPerformers(pb.ListPerformersRequest())
    assert everybody.total == 0


async def test_a_database_that_goes_away_in_the_middle_leaves_everything(database: str) -> None:
    """UNAVAILABLE, nothing deleted, nothing listed; the same call succeeds afterwards."""
    async with open_line(database) as line, open_system(line.dsn) as system, connect(database) as connection:
        anna = await system.performer("Anna", external_ids={"x": "1"})
        await add_face(connection, anna)
        # Whoever holds the audit lets the transaction get nearly to its end.
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("LOCK TABLE catalogue.forget_audit IN EXCLUSIVE MODE")
        forgetting = asyncio.create_task(_code(_forget(system, anna)))
        await _until_waiting(connection)
        await line.cut()
        assert await forgetting is grpc.StatusCode.UNAVAILABLE
        await transaction.rollback()
        await line.mend()
        assert await connection.fetchval("SELECT count(*) FROM face.vectors") == 1
        assert await DoNotIdentify(connection).count() == (0, 0)
        assert not system.face.forgotten
        await _forget(system, anna)
        assert await connection.fetchval("SELECT count(*) FROM face.vectors") == 0
        assert await DoNotIdentify(connection).count() == (1, 1)


async def test_the_list_outlives_the_gateway(database: str) -> None:
    """What one process listed the next one refuses."""
    async with open_system(database) as system, _open(system) as connection:
        anna = await system.performer("Anna", external_ids={"x": "1"})
        await add_face(connection, anna, image_hash=image_hash(picture()))
        await _forget(system, anna)
    async with open_system(database) as system:
        performer = pb.Performer(name="Anna", external_ids=[pb.ExternalId(authority="x", id="1")])
        request = pb.UpsertPerformerRequest(performer=performer)
        assert await _result(system.catalogue.UpsertPerformer(request)) is grpc.StatusCode.FAILED_PRECONDITION
        bea = await system.performer("Bea")
        assert (await _enroll(system, bea, picture())).reason == _DO_NOT_IDENTIFY


@asynccontextmanager
async def _gateway_process(system: System) -> AsyncIterator[tuple[asyncio.subprocess.Process, System]]:
    """Another gateway on the same database and signals, as a process that can be killed."""
    addresses = {
        f"MARQUEE_GATEWAY_{name.upper()}_ADDRESS": one.address for name, one in system.served.items()
    }
    settings = {"MARQUEE_DATABASE_DSN": system.dsn, "MARQUEE_GATEWAY_PORT": "0", **addresses}
    async with AsyncExitStack() as stack:
        process = await stack.enter_async_context(open_process("gateway", **settings))
        address = f"127.0.0.1:{await listening_port(process)}"
        channel = await stack.enter_async_context(open_channel(address))
        yield process, replace(system, channel=channel)


async def test_a_gateway_killed_before_the_commit_leaves_everything(system: System) -> None:
    """Its transaction ends with it; another gateway forgets the performer as if nothing had been."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    async with _open(system) as connection:
        await add_face(connection, anna)
        async with _gateway_process(system) as (process, other):
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute("LOCK TABLE catalogue.forget_audit IN EXCLUSIVE MODE")
            forgetting = asyncio.create_task(_code(_forget(other, anna)))
            await _until_waiting(connection)
            process.kill()
            assert await forgetting is grpc.StatusCode.UNAVAILABLE
            await transaction.rollback()
        assert await connection.fetchval("SELECT count(*) FROM face.vectors") == 1
        assert await DoNotIdentify(connection).count() == (0, 0)
        reply = await _forget(system, anna)
        assert [one.observations for one in reply.deleted] == [1, 0, 0]
        assert await DoNotIdentify(connection).count() == (1, 1)
        assert await connection.fetchval("SELECT count(*) FROM catalogue.forget_audit") == 1


async def test_a_gateway_killed_after_the_commit_has_forgotten(system: System) -> None:
    """While it tells the signals, all is done in the database: rows, list, audit; replicas follow that."""
    anna = await system.performer("Anna", external_ids={"x": "1"})
    async with _open(system) as connection:
        seq = await add_face(connection, anna)
        async with _gateway_process(system) as (process, other):
            system.face.gates["Forget"] = asyncio.Event()
            forgetting = asyncio.create_task(_code(_forget(other, anna)))
            await system.face.until(lambda: bool(system.face.requests("Forget")))
            process.kill()
            assert await forgetting is grpc.StatusCode.UNAVAILABLE
        system.face.gates["Forget"].set()
        assert await _code(_forget(system, anna)) is grpc.StatusCode.NOT_FOUND
        assert await connection.fetchval("SELECT count(*) FROM catalogue.forget_audit") == 1
        assert [row["row_seq"] for row in await connection.fetch("SELECT row_seq FROM face.withdrawals")] == [
            seq
        ]
        again = pb.Performer(name="Anna", external_ids=[pb.ExternalId(authority="x", id="1")])
        call = system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=again))
        assert await _code(call) is grpc.StatusCode.FAILED_PRECONDITION


async def _result(call: object) -> grpc.StatusCode:
    try:
        await call  # type: ignore[misc]  # an awaitable call
    except grpc.aio.AioRpcError as exc:
        return exc.code()
    return grpc.StatusCode.OK


async def _until_waiting(connection: Connection) -> None:
    """Until somebody waits for a lock."""

    async def is_waiting() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(is_waiting)
