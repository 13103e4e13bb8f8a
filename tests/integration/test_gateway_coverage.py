"""Coverage against the target and by source, on a real database with scripted signals."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest_asyncio

from chassis.errors import Unavailable
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.scenes import body_at, face_at, template_of

__all__ = ["database", "postgres_server"]

_FACE, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_BODY


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway that wants two faces, one of them good, and one body of everybody."""
    async with open_system(database, target_faces=2, target_good_faces=1, target_bodies=1) as system:
        system.face.seen = [face_at(300, 100, name="f")]
        system.body.seen = [body_at(300, 100, name="b")]
        yield system


def _remember_faces(system: System, performer_id: str, *qualities: float) -> None:
    """Faces of these qualities, enrolled long ago."""

    class _Face:
        def __init__(self, quality: float) -> None:
            self.template = template_of(_FACE, "f", quality=quality)

    faces = [(f"{number:064x}", _Face(quality)) for number, quality in enumerate(qualities)]
    system.face.enrolled[performer_id] += faces


async def _enroll(system: System, performer_id: str, number: int, uri: str) -> None:
    request = pb.EnrollImagesRequest(key="k", performer_id=performer_id, image=picture(number), uri=uri)
    assert [one.key async for one in system.catalogue.EnrollImages(iter([request]), timeout=30)] == ["k"]


async def _list(system: System, **fields: object) -> list[pb.PerformerCoverage]:
    """All pages."""
    found: list[pb.PerformerCoverage] = []
    token = ""
    while True:
        request = pb.ListCoverageRequest(page_token=token, **fields)  # type: ignore[arg-type]  # the test's
        reply = await system.catalogue.ListCoverage(request)
        found += reply.performers
        token = reply.next_page_token
        if not token:
            return found


async def _names(system: System, **fields: object) -> list[str]:
    return [one.performer.name for one in await _list(system, **fields)]


async def test_who_is_below_the_target(system: System) -> None:
    """Counted over everybody, listed by name, with faces by quality and what is wanted."""
    anna, bea, _ = [await system.performer(name) for name in ("Anna", "Bea", "Cleo")]
    _remember_faces(system, anna, 0.9, 0.81, 0.79, 0.41, 0.39)
    _remember_faces(system, bea, 0.5, 0.5)
    for performer_id in (anna, bea):
        system.body.remember(performer_id)
    totals = await system.catalogue.GetCoverage(pb.GetCoverageRequest(page_size=1))
    assert totals.below_target == 2
    assert totals.target == pb.CoverageTarget(faces=2, good_faces=1, bodies=1)
    assert (totals.faces.good, totals.faces.usable, totals.faces.weak) == (2, 4, 1)
    [first] = totals.page
    assert (first.faces.good, first.faces.usable, first.faces.weak) == (2, 2, 1)
    assert round(first.faces.best_quality, 3) == 0.9
    assert first.is_below_target is False
    assert await _names(system, only_below_target=True) == ["Bea", "Cleo"]
    assert await _names(system, only_below_target=True, page_size=1) == ["Bea", "Cleo"]
    assert await _names(system, only_without_faces=True) == ["Cleo"]
    assert await _names(system, performer_ids=[bea, anna]) == ["Anna", "Bea"]


async def test_faces_that_are_set_aside_are_counted_apart(system: System) -> None:
    """They are not searched, so they bring nobody nearer to the target; the owner sees that they exist."""
    anna = await system.performer("Anna")
    _remember_faces(system, anna, 0.9)
    system.face.set_aside[anna] = (3, 1)
    system.body.remember(anna)
    totals = await system.catalogue.GetCoverage(pb.GetCoverageRequest(page_size=1))
    assert (totals.faces.reserve, totals.faces.quarantined) == (3, 1)
    [first] = totals.page
    assert (first.faces.good, first.faces.reserve, first.faces.quarantined) == (1, 3, 1)
    assert first.is_below_target is True


async def test_who_has_no_faces_from_a_source(system: System) -> None:
    """A picture without a face is none; hosts of the source count; so does what waits there."""
    anna, bea, cleo = [await system.performer(name) for name in ("Anna", "Bea", "Cleo")]
    await _enroll(system, anna, 1, "https://cdn.stashdb.org/1")
    await _enroll(system, cleo, 3, "/cleo/1.jpg")
    system.face.seen = []
    await _enroll(system, bea, 2, "https://cdn.stashdb.org/2")
    assert await _names(system, without_faces_from="StashDB.org") == ["Bea", "Cleo"]
    assert await _names(system, without_faces_from="folder") == ["Anna", "Bea"]
    waiting = pb.ImageReport(performer_id=cleo, uri="https://cdn.stashdb.org/3")
    await system.catalogue.RecordImages(pb.RecordImagesRequest(images=[waiting]))
    assert await _names(system, only_with_open_images=True) == ["Cleo"]
    assert await _names(system, only_with_open_images=True, open_images_from="folder") == []
    assert await _names(system, without_faces_from="stashdb.org", only_with_open_images=True) == ["Cleo"]


async def test_a_source_that_fails_for_everybody_is_seen(system: System) -> None:
    """Seen, downloaded, accepted, rejected and failed by reason; one that brought nothing says so."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    reports = [
        pb.ImageReport(performer_id=one, source="dead.example", uri=f"https://a/{one}", failure=failure)
        for one, failure in ((anna, "not_found"), (bea, "timeout"))
    ]
    reports.append(pb.ImageReport(performer_id=bea, source="new.example", uri="https://b/1"))
    await system.catalogue.RecordImages(pb.RecordImagesRequest(images=reports))
    await _enroll(system, anna, 1, "/anna/1.jpg")
    system.face.seen, system.body.seen = [], []
    await _enroll(system, anna, 2, "/anna/2.jpg")
    system.face.errors["Observe"] = Unavailable("restarting")
    await _enroll(system, anna, 3, "/anna/3.jpg")
    reply = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    dead, folder, new = reply.sources
    failed, rejected = pb.IMAGE_STATE_FAILED, pb.IMAGE_STATE_REJECTED
    assert (dead.source, dead.seen, dead.downloaded, dead.failed, dead.open) == ("dead.example", 2, 0, 2, 1)
    assert {(one.state, one.reason): one.images for one in dead.reasons} == {
        (failed, "not_found"): 1,
        (failed, "timeout"): 1,
    }
    assert (folder.source, folder.seen, folder.downloaded, folder.accepted, folder.rejected, folder.open) == (
        ("folder", 3, 3, 1, 2, 1)
    )
    assert folder.with_face == 1
    assert {(one.state, one.reason): one.images for one in folder.reasons} == {
        (rejected, "nothing_visible"): 1,
        (rejected, "unavailable"): 1,
    }
    assert (new.source, new.known, new.open) == ("new.example", 1, 1)
    assert [one.has_brought_nothing for one in reply.sources] == [True, False, True]
    [of_anna, of_bea] = await _list(system)
    assert [one.source for one in of_anna.sources] == ["dead.example", "folder"]
    assert [(one.source, one.seen) for one in of_bea.sources] == [("dead.example", 1), ("new.example", 1)]


async def test_a_signal_that_is_away_is_no_low_number(system: System) -> None:
    """Below the target: unknown, unset; asked for by it: UNAVAILABLE, not half a list."""
    anna = await system.performer("Anna")
    _remember_faces(system, anna, 0.9, 0.9)
    await system.served["body"].kill()
    totals = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert not totals.HasField("below_target")
    reply = await system.catalogue.ListCoverage(pb.ListCoverageRequest())
    assert list(reply.unavailable) == [_BODY]
    assert not reply.performers[0].HasField("is_below_target")
    assert reply.performers[0].faces.good == 2
    asked = pb.ListCoverageRequest(only_below_target=True)
    assert await code_of(system.catalogue.ListCoverage(asked)) is grpc.StatusCode.UNAVAILABLE
    assert await _names(system, only_without_faces=True) == []
    await system.served["face"].kill()
    asked = pb.ListCoverageRequest(only_without_faces=True)
    assert await code_of(system.catalogue.ListCoverage(asked)) is grpc.StatusCode.UNAVAILABLE
    totals = await system.catalogue.GetCoverage(pb.GetCoverageRequest())
    assert not totals.HasField("faces")


async def test_few_among_many_are_found(system: System) -> None:
    """More performers than one batch: every wanted one comes exactly once, in order, on full pages."""
    connection = await asyncpg.connect(system.dsn)
    await connection.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) "
        "SELECT gen_random_uuid(), n, n, n FROM (SELECT 'p' || lpad(i::text, 5, '0') AS n "
        "FROM generate_series(1, 2500) AS i) AS names"
    )
    rows = await connection.fetch("SELECT id::text, name FROM catalogue.performers ORDER BY name")
    await connection.close()
    wanted = [row["name"] for row in rows[::100]]
    for row in rows:
        if row["name"] not in wanted:
            system.face.remember(row["id"])
    assert await _names(system, only_without_faces=True, page_size=10) == wanted
    assert await _names(system, page_size=1000) == [row["name"] for row in rows]
    first = await system.catalogue.ListCoverage(pb.ListCoverageRequest(only_without_faces=True, page_size=10))
    assert len(first.performers) == 10


async def test_malformed_calls_are_refused(system: System) -> None:
    """INVALID_ARGUMENT."""
    for request in (
        pb.ListCoverageRequest(page_size=1001),
        pb.ListCoverageRequest(page_token="x"),
        pb.ListCoverageRequest(without_faces_from="x" * 201),
        pb.ListCoverageRequest(performer_ids=["x"]),
    ):
        assert await code_of(system.catalogue.ListCoverage(request)) is grpc.StatusCode.INVALID_ARGUMENT
