"""Quarantined faces through a real gateway and database, and the command that reviews them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest_asyncio

from chassis.postgres import connect
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2
from marquee.gateway.v1 import review_pb2, review_pb2_grpc
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.enrolled_rows import add_body, add_tattoo
from tests.fakes.gateway_system import System, open_system
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of

__all__ = ["database", "postgres_server"]

_FIRST, _SECOND = "a" * 64, "b" * 64
_NOBODY = "00000000-0000-4000-8000-000000000000"


def _face(performer_id: str, image_hash: str) -> face_pb2.EnrolledFace:
    return face_pb2.EnrolledFace(
        performer_id=performer_id,
        state=face_pb2.FACE_STATE_QUARANTINED,
        reason="seems to be somebody else",
        quality=0.7,
        box=common_pb2.Box(x=1, y=2, width=30, height=40),
        source=common_pb2.ImageSource(image_hash=image_hash, uri=f"/{image_hash[0]}.jpg", date="2020-01-02"),
    )


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """Two faces of Anna and one of Bea are quarantined; with Anna's first one came a tattoo and a body."""
    async with open_system(database) as system:
        anna, bea = [await system.performer(name, external_ids={"folder": name}) for name in ("Anna", "Bea")]
        system.face.quarantined = [_face(anna, _FIRST), _face(anna, _SECOND), _face(bea, _FIRST)]
        async with connect(database) as connection:
            await add_tattoo(connection, anna)
            await add_body(connection, anna)
            await add_tattoo(connection, bea, image_hash=_SECOND)
        for signal in (system.face, system.tattoo, system.body):
            signal.enrolled[anna].append((_FIRST, None))
        yield system


async def _marquee(system: System, folder: Path, *options: str) -> Done:
    server = ("--server", f"127.0.0.1:{system.server.port}")
    return await ended(await start_command("quarantine", *options, *server, MARQUEE_DATA=str(folder)))


async def test_they_are_listed_with_what_came_with_them(system: System, tmp_path: Path) -> None:
    """Reason, date, source; tattoos and bodies of the same performer and picture, nobody else's."""
    done = await _marquee(system, tmp_path, "list", "folder:Anna", "--json")
    assert done.code == 0, done.err
    first, second = json.loads(done.out)
    assert (first["name"], first["reason"], first["quality"]) == ("Anna", "seems to be somebody else", 0.7)
    assert (first["image_hash"], first["uri"], first["date"]) == (_FIRST, "/a.jpg", "2020-01-02")
    assert [(one["tattoos"], one["bodies"]) for one in (first, second)] == [(1, 1), (0, 0)]
    everybody = json.loads((await _marquee(system, tmp_path, "list", "--json")).out)
    assert [(one["name"], one["tattoos"]) for one in everybody] == [("Anna", 1), ("Anna", 0), ("Bea", 0)]
    table = await _marquee(system, tmp_path, "list")
    assert "Bea" in table.out
    system.face.quarantined = []
    assert "no face is quarantined" in (await _marquee(system, tmp_path, "list")).out


async def test_the_owner_accepts_a_face(system: System, tmp_path: Path) -> None:
    """By the first digits of its picture; the face service is told of exactly this one."""
    done = await _marquee(system, tmp_path, "accept", "folder:Anna", "bbbbbbbb")
    assert done.code == 0, done.err
    assert "/b.jpg: is searched now" in done.out
    [request] = system.face.requests("AcceptFace")
    assert (request.performer_id, request.image_hash) == (system.face.quarantined[1].performer_id, _SECOND)
    for wrong in ("cccccccc", "bbb"):
        done = await _marquee(system, tmp_path, "accept", "folder:Anna", wrong)
        assert done.code == 1
        assert "names no quarantined face" in done.err


async def test_the_owner_discards_a_picture(system: System, tmp_path: Path) -> None:
    """Face, tattoos and body of the performer from it; a signal that is away is named, by exit code 3."""
    done = await _marquee(system, tmp_path, "discard", "folder:Anna", _FIRST, "--yes")
    assert done.code == 0, done.err
    assert "deleted 1 face, 1 tattoo, 1 body" in done.out
    assert [len(one.requests("DiscardImage")) for one in (system.face, system.tattoo, system.body)] == [
        1,
        1,
        1,
    ]
    await system.served["tattoo"].kill()
    done = await _marquee(system, tmp_path, "discard", "folder:Anna", _FIRST, "--yes")
    assert done.code == 3
    assert "tattoo did not answer" in done.err


async def test_nothing_is_discarded_without_a_yes(system: System, tmp_path: Path) -> None:
    """Somebody who only presses Return keeps everything."""
    done = await _marquee(system, tmp_path, "discard", "folder:Anna", _FIRST)
    assert done.code == 1
    assert system.face.requests("DiscardImage") == []


async def test_malformed_calls_are_refused(system: System) -> None:
    """Each names its field; without the face signal there is no list."""
    review = review_pb2_grpc.ReviewServiceStub(system.channel)
    for call in (
        review.ListQuarantined(review_pb2.ListQuarantinedRequest(performer_id="x")),
        review.ListQuarantined(review_pb2.ListQuarantinedRequest(page_size=1001)),
        review.AcceptFace(review_pb2.AcceptFaceRequest(performer_id=_NOBODY, image_hash="x")),
        review.DiscardImage(review_pb2.DiscardImageRequest(performer_id="x", image_hash=_FIRST)),
    ):
        assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT
    await system.served["face"].kill()
    unavailable = review.ListQuarantined(review_pb2.ListQuarantinedRequest())
    assert await code_of(unavailable) is grpc.StatusCode.UNAVAILABLE
