"""Which enrolled faces are searched, decided in the database, whoever enrols and however often."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence

import asyncpg
import grpc
import numpy as np
import pytest
import pytest_asyncio

from chassis.channels import open_channel
from marquee.common.v1 import common_pb2, counts_pb2
from marquee.face.v1 import face_pb2 as pb
from marquee.face.v1 import face_pb2_grpc
from services.face.config import FaceSection
from tests.fakes.face_service import (
    FaceSystem,
    both_embedders,
    enrolment,
    migrate_face,
    open_face_system,
    template_of,
)
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.service_process import listening_port, open_process
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server"]

_ACTIVE, _RESERVE, _QUARANTINED = pb.FACE_STATE_ACTIVE, pb.FACE_STATE_RESERVE, pb.FACE_STATE_QUARANTINED
_INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[FaceSystem]:
    """A service that searches at most three faces of a performer, with nobody enrolled."""
    await migrate_face(database)
    async with open_face_system(database, face=FaceSection(port=0, max_faces_per_performer=3)) as system:
        yield system


def _face(name: str, person: int = 1, *, quality: float = 0.9, alike: float = 0.92) -> pb.FaceEnrolment:
    """A face in the picture `name`; `alike`: cosine of two pictures of one person."""
    noise = float(np.sqrt(1 / alike - 1))
    look = int(hashlib.sha256(name.encode()).hexdigest()[:6], 16)
    return enrolment(template_of(person, quality=quality, noise=noise, look=look), image=name)


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


async def _listed(system: FaceSystem, performer_id: str = "", **options: object) -> list[pb.EnrolledFace]:
    request = pb.ListFacesRequest(performer_id=performer_id, **options)  # type: ignore[arg-type]  # of several types
    return list((await system.stub.ListFaces(request, timeout=10)).faces)


async def _states(system: FaceSystem, performer_id: str) -> dict[str, tuple[int, str]]:
    """State and reason by image."""
    return {one.source.image_hash: (one.state, one.reason) for one in await _listed(system, performer_id)}


async def _attributes(system: FaceSystem, performer_id: str) -> pb.FaceAttributes:
    [attributes] = (await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer_id]))).performers
    return attributes


async def _rows(dsn: str, performer_id: str) -> list[tuple[str, str, str]]:
    """Image, model and state of each row."""
    connection = await asyncpg.connect(dsn)
    try:
        query = "SELECT image_hash, model, state FROM face.vectors WHERE performer_id = $1 ORDER BY 1, 2"
        return [tuple(row) for row in await connection.fetch(query, performer_id)]
    finally:
        await connection.close()


async def test_a_near_duplicate_is_kept_in_reserve(system: FaceSystem) -> None:
    """It is said so, with the better picture's hash, each time it is offered; Lookup counts it apart."""
    performer = await system.performer()
    best, copy = _face("best", alike=0.995), _face("copy", alike=0.995, quality=0.5)
    accepted, duplicate = await system.enroll(performer, best, copy)
    [again] = await system.enroll(performer, copy)
    assert accepted.is_accepted
    assert duplicate.reason == again.reason == common_pb2.REJECTION_REASON_NEAR_DUPLICATE
    assert not duplicate.is_accepted
    assert _hash("best")[:12] in duplicate.detail
    attributes = await _attributes(system, performer)
    assert (attributes.faces, attributes.reserve_faces, attributes.quarantined_faces) == (1, 1, 0)
    assert attributes.best_quality == pytest.approx(0.9)


async def test_a_better_copy_takes_over(system: FaceSystem) -> None:
    """What was searched goes into reserve, and comes back when the better one is gone."""
    performer = await system.performer()
    await system.enroll(performer, _face("worse", alike=0.995, quality=0.5))
    [outcome] = await system.enroll(performer, _face("better", alike=0.995, quality=0.9))
    assert outcome.is_accepted
    states = await _states(system, performer)
    assert (states[_hash("worse")][0], states[_hash("better")][0]) == (_RESERVE, _ACTIVE)
    await system.execute("DELETE FROM face.vectors WHERE image_hash = $1", _hash("better"))
    await system.enroll(performer, _face("another"))
    assert (await _states(system, performer))[_hash("worse")][0] == _ACTIVE


async def test_a_stranger_is_quarantined_and_listed_with_the_reason(system: FaceSystem) -> None:
    """Kept, told at once, counted apart, shown to the owner; nobody else's are listed with it."""
    performer, other = await system.performer(), await system.performer()
    await system.enroll(other, _face("x", 2))
    outcomes = await system.enroll(performer, _face("a"), _face("b"), _face("stranger", 2, quality=1.0))
    assert [one.reason for one in outcomes] == [0, 0, common_pb2.REJECTION_REASON_OUTLIER]
    assert "somebody else" in outcomes[2].detail
    attributes = await _attributes(system, performer)
    assert (attributes.faces, attributes.quarantined_faces) == (2, 1)
    [listed] = await _listed(system, states=[_QUARANTINED])
    assert (listed.performer_id, listed.state, listed.reason) == (performer, _QUARANTINED, outcomes[2].detail)
    assert (listed.source.image_hash, listed.source.uri) == (_hash("stranger"), "a.jpg")
    assert listed.quality == 1
    assert listed.box.width == 30


async def test_a_face_that_the_owner_accepts_stays_accepted(system: FaceSystem) -> None:
    """It is searched at once, and whatever comes later; also by an embedder that describes it later."""
    performer = await system.performer()
    await system.enroll(performer, _face("a"), _face("b"), _face("stranger", 2))
    request = pb.AcceptFaceRequest(performer_id=performer, image_hash=_hash("stranger"))
    assert (await system.stub.AcceptFace(request)).state == pb.FACE_STATE_ACTIVE
    assert (await system.stub.AcceptFace(request)).state == pb.FACE_STATE_ACTIVE
    await until(lambda: _is_alike(system, performer, _face("stranger", 2)))
    await system.enroll(performer, _face("c"), _face("second stranger", 3))
    states = await _states(system, performer)
    assert states[_hash("stranger")] == (pb.FACE_STATE_ACTIVE, "")
    assert states[_hash("second stranger")][0] == _QUARANTINED
    for wrong in (_hash("nothing"), "x"):
        request = pb.AcceptFaceRequest(performer_id=performer, image_hash=wrong)
        expected = grpc.StatusCode.NOT_FOUND if len(wrong) == 64 else grpc.StatusCode.INVALID_ARGUMENT
        assert await code_of(system.stub.AcceptFace(request)) is expected


async def test_a_discarded_face_is_gone_and_the_others_are_judged_anew(system: FaceSystem) -> None:
    """Two of one person and one of another: without one of the two nobody has the majority."""
    performer = await system.performer()
    await system.enroll(performer, _face("a"), _face("b"), _face("stranger", 2))
    request = pb.DiscardImageRequest(performer_id=performer, image_hash=_hash("a"))
    assert (await system.stub.DiscardImage(request)).observations == 1
    assert (await system.stub.DiscardImage(request)).observations == 0
    states = await _states(system, performer)
    assert {name: state for name, (state, _) in states.items()} == {
        _hash("b"): pb.FACE_STATE_ACTIVE,
        _hash("stranger"): pb.FACE_STATE_ACTIVE,
    }
    nobody = pb.DiscardImageRequest(performer_id=str(uuid.uuid4()), image_hash=_hash("a"))
    assert await code_of(system.stub.DiscardImage(nobody)) is grpc.StatusCode.NOT_FOUND


async def test_many_are_counted_as_lookup_counts_them(system: FaceSystem) -> None:
    """In the order of ids, within the range; also who has nothing that is searched, not who has nothing."""
    performers = [await system.performer() for _ in range(4)]
    performers.sort()
    await system.enroll(performers[0], _face("a"), _face("b"), _face("stranger", 2, quality=1.0))
    await system.enroll(performers[2], _face("c", quality=0.35))
    await system.enroll(performers[3], _face("d"))
    await system.execute("UPDATE face.vectors SET version = 'of old' WHERE performer_id = $1", performers[2])
    reply = await _counted(system, through=performers[2])
    assert reply.counts.performer_ids == b"".join(uuid.UUID(performers[one]).bytes for one in (0, 2))
    assert list(reply.counts.observations) == [2, 0]
    assert (list(reply.good_faces), list(reply.weak_faces)) == ([2, 0], [0, 0])
    assert (list(reply.quarantined_faces), list(reply.unsearchable_faces)) == ([1, 0], [0, 1])
    later = await _counted(system, after=performers[2], through=performers[3])
    assert list(later.counts.observations) == [1]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _counted(system, through="nobody")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def _counted(system: FaceSystem, **fields: str) -> pb.CountObservationsResponse:
    request = pb.CountObservationsRequest(performers=counts_pb2.PerformerRange(**fields))
    return await system.stub.CountObservations(request, timeout=10)


async def test_a_quarantined_face_comes_back_when_later_ones_agree_with_it(system: FaceSystem) -> None:
    """The first pictures were of somebody else; the performer's own become the majority."""
    performer = await system.performer()
    await system.enroll(performer, _face("wrong 1", 2), _face("wrong 2", 2), _face("own 1"))
    assert (await _states(system, performer))[_hash("own 1")][0] == _QUARANTINED
    await system.enroll(performer, _face("own 2"), _face("own 3"))
    states = await _states(system, performer)
    assert {name: states[_hash(name)][0] for name in ("own 1", "own 2", "own 3", "wrong 1", "wrong 2")} == {
        "own 1": _ACTIVE,
        "own 2": _ACTIVE,
        "own 3": _ACTIVE,
        "wrong 1": _QUARANTINED,
        "wrong 2": _QUARANTINED,
    }


async def test_what_is_set_aside_is_not_searched_and_what_comes_back_is(system: FaceSystem) -> None:
    """At once in the process that enrolled, and soon in another one on the same database."""
    performer = await system.performer()
    stranger, own = _face("wrong 1", 2), _face("own 1")
    async with open_face_system(system.dsn) as other:
        await system.enroll(performer, stranger, _face("wrong 2", 2), own)
        assert await _similarity(system, performer, stranger) > 0.99
        assert await _similarity(system, performer, own) < 0.5
        await until(lambda: _is_alike(other, performer, stranger))
        await system.enroll(performer, _face("own 2"), _face("own 3"))
        assert await _similarity(system, performer, stranger) < 0.5
        assert await _similarity(system, performer, own) > 0.99
        assert (await system.score(own.template, performer))[performer].faces == 3
        await until(lambda: _is_alike(other, performer, own))
        await until(lambda: _is_unlike(other, performer, stranger))


async def _similarity(system: FaceSystem, performer_id: str, face: pb.FaceEnrolment) -> float:
    scores = await system.score(face.template, performer_id)
    return scores[performer_id].similarity if scores else -1.0


async def _is_alike(system: FaceSystem, performer_id: str, face: pb.FaceEnrolment) -> bool:
    return await _similarity(system, performer_id, face) > 0.99


async def _is_unlike(system: FaceSystem, performer_id: str, face: pb.FaceEnrolment) -> bool:
    return await _similarity(system, performer_id, face) < 0.5


async def test_two_groups_of_one_size_are_all_searched_and_it_is_said(system: FaceSystem) -> None:
    """Nobody can say who is the performer: nothing is set aside, and the owner can see the doubt."""
    performer = await system.performer()
    outcomes = await system.enroll(performer, _face("a"), _face("x", 2))
    assert all(one.is_accepted for one in outcomes)
    assert all("none has the majority" in reason for _, reason in (await _states(system, performer)).values())


async def test_no_more_are_searched_than_configured_and_no_more_kept_than_five_times_that(
    system: FaceSystem,
) -> None:
    """Three are searched and fifteen kept of eighteen; what is not kept says so each time."""
    performer = await system.performer()
    faces = [_face(f"{number}", quality=0.2 + number / 30) for number in range(18)]
    outcomes = await system.enroll(performer, *faces)
    surplus = common_pb2.REJECTION_REASON_SURPLUS
    assert sum(one.is_accepted for one in outcomes) == 3
    assert {one.reason for one in outcomes if not one.is_accepted} == {surplus}
    assert outcomes[17].is_accepted  # the best
    attributes = await _attributes(system, performer)
    assert (attributes.faces, attributes.reserve_faces) == (3, 12)
    kept = await _states(system, performer)
    assert {_hash("0"), _hash("1"), _hash("2")}.isdisjoint(kept)
    [again] = await system.enroll(performer, faces[0])
    assert (again.is_accepted, again.reason) == (False, surplus)
    assert "better quality" in again.detail
    assert await _states(system, performer) == kept


async def test_the_order_of_arrival_does_not_matter(system: FaceSystem) -> None:
    """One by one, backwards, and all at once: the same faces in the same states for the same reasons."""
    faces = [
        *(_face(f"{number}", quality=0.3 + number / 20) for number in range(6)),
        _face("copy 1", alike=0.995),
        _face("copy 2", alike=0.995),
        _face("stranger", 2, quality=1.0),
    ]
    ends = []
    for portions in ([[one] for one in faces], [[one] for one in reversed(faces)], [faces]):
        performer = await system.performer()
        for portion in portions:
            await system.enroll(performer, *portion)
        ends.append(await _states(system, performer))
    assert ends[0] == ends[1] == ends[2]
    assert {state for state, _ in ends[0].values()} == {_ACTIVE, _RESERVE, _QUARANTINED}


@both_embedders
async def test_every_embedders_vectors_of_a_face_share_its_state(system: FaceSystem) -> None:
    """Also one that comes later, when the face is described again, and when a face changes its state."""
    performer = await system.performer()
    stranger = _face("stranger", 2)
    await system.enroll(performer, _face("a"), _face("b"))
    only_primary = pb.FaceEnrolment()
    only_primary.CopyFrom(stranger)
    del only_primary.template.embeddings[1:]
    await system.enroll(performer, only_primary)
    [outcome] = await system.enroll(performer, stranger)
    assert outcome.reason == common_pb2.REJECTION_REASON_OUTLIER
    rows = await _rows(system.dsn, performer)
    assert [state for image, _, state in rows if image == _hash("stranger")] == ["quarantined"] * 2
    await system.enroll(performer, _face("c", 2), _face("d", 2))
    rows = await _rows(system.dsn, performer)
    assert len({(image, state) for image, _, state in rows}) == 5
    assert [state for image, _, state in rows if image == _hash("a")] == ["quarantined"] * 2


@both_embedders
async def test_what_the_primary_embedder_does_not_describe_is_not_judged(system: FaceSystem) -> None:
    """It neither counts nor is set aside, until it is described."""
    performer = await system.performer()
    unknown = _face("unknown", 2)
    del unknown.template.embeddings[:1]
    await system.enroll(performer, unknown, *(_face(f"{number}") for number in range(4)))
    attributes = await _attributes(system, performer)
    assert (attributes.faces, attributes.reserve_faces) == (4, 1)
    [outcome] = await system.enroll(performer, _face("unknown", 2))
    assert outcome.reason == common_pb2.REJECTION_REASON_OUTLIER
    assert {state for image, _, state in await _rows(system.dsn, performer) if image == _hash("unknown")} == {
        "quarantined"
    }


async def test_forgetting_leaves_nothing_of_what_was_set_aside(system: FaceSystem) -> None:
    """Rows in every state go, and are counted."""
    performer = await system.performer()
    faces = [_face("a"), _face("b"), _face("x", 2), _face("copy", alike=0.995), _face("copied", alike=0.995)]
    await system.enroll(performer, *faces)
    response = await system.stub.Forget(pb.ForgetRequest(performer_id=performer))
    assert response.observations == 5
    assert await _rows(system.dsn, performer) == []


async def test_after_a_restart_only_what_is_active_is_searched(database: str) -> None:
    """A process that loads the database compares with the faces that are searched, and no others."""
    await migrate_face(database)
    section = FaceSection(port=0, max_faces_per_performer=3)
    async with open_face_system(database, face=section) as system:
        performer = await system.performer()
        faces = [_face(f"{number}") for number in range(6)]
        await system.enroll(performer, *faces, _face("stranger", 2))
    async with open_face_system(database, face=section) as system:
        assert (await system.score(template_of(1), performer))[performer].faces == 3
        status = await system.status()
        assert status.observations == 3
        similar = (await system.score(template_of(2), performer))[performer].similarity
        assert similar < 0.5  # the stranger's own picture is not compared with


async def test_a_smaller_limit_holds_from_the_next_enrolment_on(database: str) -> None:
    """Read at the start; what is more goes into reserve when something of the performer is enrolled again."""
    await migrate_face(database)
    async with open_face_system(database, face=FaceSection(port=0)) as system:
        performer = await system.performer()
        await system.enroll(performer, *(_face(f"{number}") for number in range(5)))
        assert (await _attributes(system, performer)).faces == 5
    async with open_face_system(database, face=FaceSection(port=0, max_faces_per_performer=2)) as system:
        await system.enroll(performer, _face("0"))
        attributes = await _attributes(system, performer)
    assert (attributes.faces, attributes.reserve_faces) == (2, 3)


async def test_two_services_at_once_end_like_one(database: str) -> None:
    """Each with its own connections; they take turns, and the end is that of one enrolment of everything."""
    await migrate_face(database)
    faces = _many_faces()
    section = FaceSection(port=0, max_faces_per_performer=3)
    async with (
        open_face_system(database, face=section) as first,
        open_face_system(database, face=section) as second,
    ):
        both, one = await first.performer(), await first.performer()
        await asyncio.gather(
            *((first if number % 2 else second).enroll(both, face) for number, face in enumerate(faces))
        )
        await first.enroll(one, *faces)
        assert await _states(first, both) == await _states(first, one)


async def test_killed_and_repeated_an_enrolment_ends_like_one_that_was_not(database: str) -> None:
    """kill -9 in the middle, three times; then all of it again: nothing tells it from one in peace."""
    await migrate_face(database)
    faces = _many_faces()
    section = FaceSection(port=0, max_faces_per_performer=3)
    async with open_face_system(database, face=section) as quiet:
        killed, peaceful = await quiet.performer(), await quiet.performer()
        for delay in (0.02, 0.05, 0.1):
            await _enroll_and_kill(database, killed, faces, delay=delay)
        await quiet.enroll(killed, *faces)
        await quiet.enroll(peaceful, *faces)
        assert await _states(quiet, killed) == await _states(quiet, peaceful)
        rows = [await _rows(database, one) for one in (killed, peaceful)]
        assert rows[0] == rows[1]


def _many_faces() -> list[pb.FaceEnrolment]:
    return [
        *(_face(f"{number}", quality=0.3 + number / 40) for number in range(16)),
        *(_face(f"copy {number}", alike=0.995) for number in range(3)),
        *(_face(f"stranger {number}", 2, quality=0.95) for number in range(2)),
    ]


async def _enroll_and_kill(
    dsn: str, performer_id: str, faces: Sequence[pb.FaceEnrolment], *, delay: float
) -> None:
    """A process of its own is killed while faces are enrolled one by one."""
    settings = {
        "MARQUEE_DATABASE_DSN": dsn,
        "MARQUEE_FACE_PORT": "0",
        "MARQUEE_FACE_MAX_FACES_PER_PERFORMER": "3",
    }
    async with (
        open_process("services.face", **settings) as process,
        open_channel(f"127.0.0.1:{await listening_port(process)}") as channel,
    ):
        stub = face_pb2_grpc.FaceServiceStub(channel)
        requests = [pb.EnrollRequest(performer_id=performer_id, observations=[face]) for face in faces]
        calls = [asyncio.ensure_future(_ended(stub.Enroll(request))) for request in requests]
        await asyncio.sleep(delay)
        process.kill()
        await asyncio.gather(*calls)


async def _ended(call: grpc.aio.UnaryUnaryCall[pb.EnrollRequest, pb.EnrollResponse]) -> None:
    with contextlib.suppress(grpc.aio.AioRpcError):  # the process is gone
        await call


async def test_faces_are_listed_page_by_page(system: FaceSystem) -> None:
    """Everybody's, in order, each once, whatever the size of the page; of one performer, or of one state."""
    performers = [await system.performer() for _ in range(3)]
    for number, performer in enumerate(performers):
        await system.enroll(performer, *(_face(f"{number} {face}") for face in range(4)))
    found: list[pb.EnrolledFace] = []
    token = ""
    while True:
        request = pb.ListFacesRequest(page_size=5, page_token=token)
        response = await system.stub.ListFaces(request)
        found += response.faces
        token = response.next_page_token
        if not token:
            break
    keys = [(one.performer_id, one.source.image_hash) for one in found]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys)) == 12
    assert len(await _listed(system, performers[0])) == 4
    assert len(await _listed(system, states=[_RESERVE])) == 3
    assert len(await _listed(system, states=[_ACTIVE, _RESERVE])) == 12


async def test_malformed_listings_are_refused(system: FaceSystem) -> None:
    """Each names a field."""
    requests = [
        pb.ListFacesRequest(performer_id="x"),
        pb.ListFacesRequest(page_size=1001),
        pb.ListFacesRequest(page_token="x"),
        pb.ListFacesRequest(states=[pb.FACE_STATE_UNSPECIFIED]),
        pb.ListFacesRequest(states=[pb.FaceState.ValueType(99)]),
    ]
    assert [await code_of(system.stub.ListFaces(one)) for one in requests] == [_INVALID] * len(requests)
