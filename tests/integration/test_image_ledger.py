"""What became of every image: recorded once, however often it is told, on a real database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest
import pytest_asyncio

from chassis.errors import Unavailable
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.scenes import body_at, face_at

__all__ = ["database", "postgres_server"]

_FACE, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_BODY
_URL = "https://cdn.example.org/1.jpg"


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway whose signals see one person with a face and a body."""
    async with open_system(database) as system:
        system.face.seen = [face_at(300, 100, name="f")]
        system.body.seen = [body_at(300, 100, name="b")]
        yield system


async def _enroll(
    system: System, performer_id: str, number: int = 0, *, uri: str = "", source: str = "", date: str = ""
) -> pb.EnrollImagesResponse:
    request = pb.EnrollImagesRequest(
        key="k", performer_id=performer_id, image=picture(number), uri=uri, source=source, date=date
    )
    [reply] = [one async for one in system.catalogue.EnrollImages(iter([request]), timeout=30)]
    return reply


async def _record(system: System, *images: pb.ImageReport) -> int:
    return (await system.catalogue.RecordImages(pb.RecordImagesRequest(images=images))).recorded


async def _images(system: System, performer_id: str, **fields: object) -> list[pb.ImageRecord]:
    request = pb.ListPerformerImagesRequest(performer_id=performer_id, **fields)  # type: ignore[arg-type]  # the test's
    return list((await system.catalogue.ListPerformerImages(request)).images)


def _told(images: list[pb.ImageRecord]) -> list[tuple[str, str, int, str, bool]]:
    return [(one.source, one.uri, one.state, one.reason, one.is_open) for one in images]


async def test_an_accepted_image_is_recorded_once(system: System) -> None:
    """With hash, date and the signals that have it; sending it again changes nothing."""
    anna = await system.performer("Anna")
    for _ in range(3):
        reply = await _enroll(system, anna, uri=_URL, date="2015-05-01")
        assert reply.is_accepted
    [image] = await _images(system, anna)
    assert (image.source, image.uri, image.date) == ("cdn.example.org", _URL, "2015-05-01")
    assert (image.state, image.reason, image.is_open) == (pb.IMAGE_STATE_ACCEPTED, "", False)
    assert image.image_hash == reply.image_hash
    assert list(image.signals) == [_BODY, _FACE]


@pytest.mark.parametrize(
    ("uri", "named", "source"),
    [
        ("/pictures/1.jpg", "", "folder"),
        ("file:///pictures/1.jpg", "", "folder"),
        ("C:\\pictures\\1.jpg", "", "folder"),
        ("HTTPS://CDN.Example.org:8443/1.jpg", "", "cdn.example.org"),
        ("https://[::1/1.jpg", "", "unknown"),
        ("data:image/png;base64,", "", "unknown"),
        ("", "", "unknown"),
        (_URL, " StashDB.org ", "stashdb.org"),
    ],
)
async def test_the_source_is_named_or_derived(system: System, uri: str, named: str, source: str) -> None:
    """The host of a URL, `folder` for paths, `unknown` for nothing; what the caller says comes first."""
    anna = await system.performer("Anna")
    await _enroll(system, anna, uri=uri, source=named)
    assert [one.source for one in await _images(system, anna)] == [source]


async def test_a_refused_image_says_why(system: System) -> None:
    """The contract's reason as a word; another try with another end replaces it."""
    anna = await system.performer("Anna")
    system.face.seen, system.body.seen = [], []
    await _enroll(system, anna, uri=_URL)
    rejected = pb.IMAGE_STATE_REJECTED
    assert _told(await _images(system, anna)) == [
        ("cdn.example.org", _URL, rejected, "nothing_visible", False)
    ]
    system.face.seen = [face_at(300, 100, name="f")]
    await _enroll(system, anna, uri=_URL)
    assert [one.state for one in await _images(system, anna)] == [pb.IMAGE_STATE_ACCEPTED]


async def test_who_does_not_answer_refuses_nothing_for_good(system: System) -> None:
    """A signal that is away leaves the image open, and what was accepted before accepted."""
    anna = await system.performer("Anna")
    await _enroll(system, anna, uri="/1.jpg")
    system.face.errors["Observe"] = Unavailable("restarting")
    assert not (await _enroll(system, anna, uri="/1.jpg")).is_accepted
    await _enroll(system, anna, 2, uri="/2.jpg")
    accepted, rejected = pb.IMAGE_STATE_ACCEPTED, pb.IMAGE_STATE_REJECTED
    assert _told(await _images(system, anna)) == [
        ("folder", "/1.jpg", accepted, "", False),
        ("folder", "/2.jpg", rejected, "unavailable", True),
    ]
    system.face.errors.clear()
    await _enroll(system, anna, 2, uri="/2.jpg")
    assert [one.state for one in await _images(system, anna)] == [accepted, accepted]


async def test_a_database_that_is_away_refuses_for_now(system: System) -> None:
    """What could not be recorded is told as UNAVAILABLE; sent again it is a duplicate, and recorded."""
    anna = await system.performer("Anna")
    connection = await asyncpg.connect(system.dsn)
    await connection.execute("ALTER TABLE catalogue.images RENAME TO away")
    reply = await _enroll(system, anna, uri=_URL)
    assert (reply.is_accepted, reply.reason) == (False, common_pb2.REJECTION_REASON_UNAVAILABLE)
    assert len(system.face.enrolled[anna]) == 1
    await connection.execute("ALTER TABLE catalogue.away RENAME TO images")
    await connection.close()
    assert (await _enroll(system, anna, uri=_URL)).is_accepted
    assert [one.state for one in await _images(system, anna)] == [pb.IMAGE_STATE_ACCEPTED]


async def test_known_images_wait_and_failed_ones_say_why(system: System) -> None:
    """Naming is idempotent; a failure that passes stays open, another does not; success ends it."""
    anna = await system.performer("Anna")

    def report(name: str, failure: str = "") -> pb.ImageReport:
        uri = f"https://cdn.example.org/{name}"
        return pb.ImageReport(performer_id=anna, source="stashdb.org", uri=uri, failure=failure, detail="d")

    for _ in range(2):
        assert await _record(system, report("a"), report("b"), report("c")) == 3
        await _record(system, report("b", "not_found"), report("c", "timeout"))
    known, failed = pb.IMAGE_STATE_KNOWN, pb.IMAGE_STATE_FAILED
    assert [(one.uri[-1], one.state, one.reason, one.is_open) for one in await _images(system, anna)] == [
        ("a", known, "", True),
        ("b", failed, "not_found", False),
        ("c", failed, "timeout", True),
    ]
    assert [one.uri[-1] for one in await _images(system, anna, only_open=True)] == ["a", "c"]
    await _enroll(system, anna, uri="https://cdn.example.org/c", source="stashdb.org")
    await _record(system, report("c", "not_found"))
    assert [one.uri[-1] for one in await _images(system, anna, only_open=True)] == ["a"]
    assert [one.state for one in await _images(system, anna)][-1] == pb.IMAGE_STATE_ACCEPTED


async def test_a_portrait_given_with_the_performer_is_known(system: System) -> None:
    """image_url waits to be read; whoever names it later as its source has the one row."""
    performer = pb.Performer(name="Anna", birth_date="1990-01-01", image_url=_URL)
    reply = await system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=performer))
    anna = reply.performer.id
    assert _told(await _images(system, anna)) == [("cdn.example.org", _URL, pb.IMAGE_STATE_KNOWN, "", True)]
    await _record(system, pb.ImageReport(performer_id=anna, source="stashdb.org", uri=_URL))
    assert [one.source for one in await _images(system, anna)] == ["stashdb.org"]
    await _enroll(system, anna, uri=_URL)
    [image] = await _images(system, anna)
    assert (image.source, image.state) == ("stashdb.org", pb.IMAGE_STATE_ACCEPTED)
    again = pb.Performer(id=anna, image_url=_URL)
    await system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=again))
    assert [one.state for one in await _images(system, anna)] == [pb.IMAGE_STATE_ACCEPTED]


async def test_two_sources_of_one_image_each_have_it_and_it_is_read_once(system: System) -> None:
    """Both count it; what became of it under one name is known under the other."""
    anna = await system.performer("Anna")
    for source in ("stashdb.org", "fansdb.cc"):
        await _record(system, pb.ImageReport(performer_id=anna, source=source, uri=_URL))
    await _enroll(system, anna, uri=_URL, source="fansdb.cc")
    assert [(one.source, one.is_open) for one in await _images(system, anna)] == [
        ("fansdb.cc", False),
        ("stashdb.org", False),
    ]
    assert await _images(system, anna, only_open=True) == []


async def test_a_source_speaks_of_its_hosts(system: System) -> None:
    """`example.org` has what is at cdn.example.org, and not what is at badexample.org."""
    anna = await system.performer("Anna")
    for host in ("example.org", "cdn.example.org", "badexample.org"):
        await _record(system, pb.ImageReport(performer_id=anna, uri=f"https://{host}/1.jpg"))
    found = await _images(system, anna, source="Example.org")
    assert [one.source for one in found] == ["cdn.example.org", "example.org"]


async def test_images_come_page_by_page(system: System) -> None:
    """Every image once, in one order, however small the pages; a URL too long for an index is kept whole."""
    anna = await system.performer("Anna")
    uris = [f"https://example.org/{number}" for number in range(5)] + ["https://example.org/" + "x" * 4000]
    await _record(system, *(pb.ImageReport(performer_id=anna, uri=uri) for uri in uris))
    seen, token = [], ""
    while True:
        request = pb.ListPerformerImagesRequest(performer_id=anna, page_size=2, page_token=token)
        reply = await system.catalogue.ListPerformerImages(request)
        seen += [one.uri for one in reply.images]
        token = reply.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(uris)


async def test_many_who_record_the_same_end_with_one_row(system: System) -> None:
    """Nobody waits in a circle, nothing is counted twice."""
    anna = await system.performer("Anna")
    reports = [
        pb.ImageReport(performer_id=anna, source=source, uri=f"https://example.org/{number}")
        for number in range(40)
        for source in ("stashdb.org", "")
    ]
    await asyncio.gather(*(_record(system, *reports[::step]) for step in (1, -1, 1, -1, 1, -1)))
    # What came first without a name may be filed under the host as well as under its source.
    connection = await asyncpg.connect(system.dsn)
    count = await connection.fetchval("SELECT count(DISTINCT image_key) FROM catalogue.images")
    await connection.close()
    assert count == 40
    assert len(await _images(system, anna, source="stashdb.org", page_size=1000)) == 40


async def test_nobody_has_no_images(system: System) -> None:
    """Reports of the forgotten are passed over, and what is sent of them; listing says so."""
    anna, bea = await system.performer("Anna"), await system.performer("Bea")
    await _enroll(system, anna, uri=_URL)
    await system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna))
    reports = [pb.ImageReport(performer_id=one, uri=_URL) for one in (anna, bea)]
    assert await _record(system, *reports) == 1
    reply = await _enroll(system, anna, uri=_URL)
    assert reply.reason == common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER
    request = pb.ListPerformerImagesRequest(performer_id=anna)
    assert await code_of(system.catalogue.ListPerformerImages(request)) is grpc.StatusCode.NOT_FOUND
    connection = await asyncpg.connect(system.dsn)
    rows = await connection.fetch("SELECT performer_id::text FROM catalogue.images")
    await connection.close()
    assert [row[0] for row in rows] == [bea]


@pytest.mark.parametrize(
    "fields",
    [
        {"uri": ""},
        {"uri": "x" * 4097},
        {"uri": _URL, "performer_id": "x"},
        {"uri": _URL, "date": "1.1.2020"},
        {"uri": _URL, "source": "x" * 201},
        {"uri": _URL, "source": "a\nb"},
        {"uri": _URL, "failure": "Not Found"},
    ],
)
async def test_malformed_reports_are_refused(system: System, fields: dict[str, str]) -> None:
    """INVALID_ARGUMENT, and nothing of the call is recorded."""
    anna = await system.performer("Anna")
    good = pb.ImageReport(performer_id=anna, uri=_URL)
    bad = pb.ImageReport(**{"performer_id": anna, **fields})
    call = system.catalogue.RecordImages(pb.RecordImagesRequest(images=[good, bad]))
    assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT
    assert await _images(system, anna) == []


async def test_malformed_calls_are_refused(system: System) -> None:
    """No images, too many, a token of somebody else; a source that is no name refuses its image only."""
    anna = await system.performer("Anna")
    catalogue, list_images = system.catalogue, pb.ListPerformerImagesRequest
    many = [pb.ImageReport(performer_id=anna, uri=_URL)] * 1001
    for call in (
        catalogue.RecordImages(pb.RecordImagesRequest()),
        catalogue.RecordImages(pb.RecordImagesRequest(images=many)),
        catalogue.ListPerformerImages(list_images(performer_id=anna, page_token="x")),
        catalogue.ListPerformerImages(list_images(performer_id=anna, page_size=1001)),
        catalogue.ListPerformerImages(list_images(performer_id=str(uuid.uuid4())[:-1])),
    ):
        assert await code_of(call) is grpc.StatusCode.INVALID_ARGUMENT
    reply = await _enroll(system, anna, source="x" * 300)
    assert reply.reason == common_pb2.REJECTION_REASON_INVALID_FIELD
    assert "source" in reply.detail
    assert system.face.enrolled[anna] == []


async def test_a_url_that_no_database_can_hold_is_recorded_all_the_same(system: System) -> None:
    """NUL in a path is replaced, not refused."""
    anna = await system.performer("Anna")
    await _record(system, pb.ImageReport(performer_id=anna, uri="https://example.org/a\0b"))
    assert [one.uri for one in await _images(system, anna)] == ["https://example.org/a\ufffdb"]
