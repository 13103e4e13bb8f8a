"""A copy of a picture teaches nothing new of a performer's tattoos."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest

from chassis.geometry import Box
from chassis.images import RGBImage
from marquee.common.v1 import common_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from tests.fakes.ink import tattooed
from tests.fakes.picture_copies import encoded_again, framed
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.tattoo_service import (
    TattooSystem,
    migrate_tattoo,
    open_tattoo_system,
    plain_section,
    seen,
    system,
)

__all__ = ["database", "postgres_server", "system"]

_DUPLICATE = common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
_LEFT, _RIGHT = Box(40, 90, 240, 240), Box(360, 120, 200, 200)
_PICTURE = tattooed(("ring", _LEFT), ("left", _RIGHT))
_COPIES = {
    "recompressed": encoded_again(_PICTURE, quality=40),
    "a thumbnail": encoded_again(_PICTURE, quality=70, scale=0.5),
    "in bars": framed(encoded_again(_PICTURE, quality=80), above=60),
}


async def _offered(system: TattooSystem, picture: RGBImage, image: str) -> list[pb.TattooEnrolment]:
    """What the gateway would send on of a picture, the left tattoo first.

    The detector that needs no training takes black bars for ink, too.
    """
    found = [one for one in (await system.observe(picture)).tattoos if one.box.width < picture.shape[1] / 2]
    return [seen(one, image=image) for one in sorted(found, key=lambda one: one.box.x)]


async def _enroll(
    system: TattooSystem, performer: str, picture: RGBImage, image: str
) -> list[tuple[common_pb2.RejectionReason.ValueType, str]]:
    offered = await _offered(system, picture, image)
    return [(one.reason, one.detail) for one in await system.enroll(performer, *offered)]


@pytest.mark.parametrize("copy", _COPIES.values(), ids=_COPIES)
async def test_a_copy_is_a_duplicate(system: TattooSystem, copy: RGBImage) -> None:
    """Both tattoos of it, with the reason in words; for another performer it is a picture like any other."""
    performer, other = await system.performer(), await system.performer()
    assert [reason for reason, _ in await _enroll(system, performer, _PICTURE, "original")] == [0, 0]
    answers = await _enroll(system, performer, copy, "copy")
    assert [reason for reason, _ in answers] == [_DUPLICATE, _DUPLICATE]
    assert all("copy" in detail for _, detail in answers)
    assert await system.rows.count(performer) == 2
    assert [reason for reason, _ in await _enroll(system, other, copy, "copy")] == [0, 0]


async def test_another_picture_of_the_tattoo_is_none(system: TattooSystem) -> None:
    """The same design, elsewhere in the picture."""
    performer = await system.performer()
    await _enroll(system, performer, _PICTURE, "original")
    elsewhere = tattooed(("ring", Box(120, 40, 240, 240)), ("left", Box(400, 240, 200, 200)))
    assert [reason for reason, _ in await _enroll(system, performer, elsewhere, "other")] == [0, 0]
    assert await system.rows.count(performer) == 4


async def test_a_tattoo_that_was_not_found_in_the_original_is_new(system: TattooSystem) -> None:
    """Of a copy only what is known is a duplicate."""
    performer = await system.performer()
    first, _ = await _offered(system, _PICTURE, "original")
    await system.enroll(performer, first)
    answers = await _enroll(system, performer, _COPIES["recompressed"], "copy")
    assert [reason for reason, _ in answers] == [_DUPLICATE, 0]
    assert await system.rows.count(performer) == 2


async def test_copies_of_one_request_are_enrolled_once(system: TattooSystem) -> None:
    """The first of them."""
    performer = await system.performer()
    offered = [
        (await _offered(system, picture, name))[0] for name, picture in {"o": _PICTURE, **_COPIES}.items()
    ]
    outcomes = await system.enroll(performer, *offered)
    assert [one.is_accepted for one in outcomes] == [True, False, False, False]


async def test_rows_from_before_know_the_same_bytes_only(system: TattooSystem) -> None:
    """Without a fingerprint a copy is another picture; the picture itself is not."""
    performer = await system.performer()
    await _enroll(system, performer, _PICTURE, "original")
    await system.rows.execute("UPDATE tattoo.performer_tattoos SET fingerprint = NULL")
    same = await _enroll(system, performer, _PICTURE, "original")
    assert [reason for reason, _ in same] == [_DUPLICATE, _DUPLICATE]
    copies = await _enroll(system, performer, _COPIES["recompressed"], "copy")
    assert [reason for reason, _ in copies] == [0, 0]


async def test_a_deleted_view_does_not_come_back_by_a_copy(system: TattooSystem) -> None:
    """The owner deleted it from the original; the other tattoo of the copy is a plain duplicate."""
    performer = await system.performer()
    await _enroll(system, performer, _PICTURE, "original")
    left = min(await system.rows.of(performer), key=lambda row: row["box"][0])
    deleting = pb.DeleteTattooViewsRequest(performer_id=performer, view_ids=[str(left["id"])])
    await system.stub.DeleteTattooViews(deleting)
    (first, deleted), (second, copied) = await _enroll(system, performer, _COPIES["a thumbnail"], "copy")
    assert (first, second) == (_DUPLICATE, _DUPLICATE)
    assert "deleted" in deleted
    assert "copy" in copied
    assert await system.rows.count(performer) == 1


async def test_what_is_exported_and_imported_is_still_known(system: TattooSystem) -> None:
    """The fingerprints come back with the rows."""
    performer = await system.performer()
    await _enroll(system, performer, _PICTURE, "original")
    rows = list((await system.stub.ExportVectors(pb.ExportVectorsRequest())).rows)
    await system.rows.execute("DELETE FROM tattoo.performer_tattoos")
    taken = await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=rows))
    assert taken.stored == 2
    copies = await _enroll(system, performer, _COPIES["in bars"], "copy")
    assert [reason for reason, _ in copies] == [_DUPLICATE, _DUPLICATE]


async def test_a_fingerprint_that_is_none_is_refused(system: TattooSystem) -> None:
    """Of a template the whole request, of an imported row the row alone."""
    performer = await system.performer()
    good, bad = await _offered(system, _PICTURE, "original")
    await system.enroll(performer, good)
    bad.template.fingerprint = b"nonsense"
    request = pb.EnrollRequest(performer_id=performer, observations=[bad])
    assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.INVALID_ARGUMENT
    [row] = (await system.stub.ExportVectors(pb.ExportVectorsRequest())).rows
    row.fingerprint = b"nonsense"
    [refused] = (await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=[row]))).rejected
    assert refused.detail.startswith("fingerprint")


async def test_copies_that_two_services_get_at_once_are_one(database: str, tmp_path: Path) -> None:
    """Whoever comes first is enrolled; the other sees it."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with (
        open_tattoo_system(database, section) as first,
        open_tattoo_system(database, section) as second,
    ):
        performer = await first.performer()
        offered = [
            (await _offered(first, picture, name))[0] for name, picture in {"o": _PICTURE, **_COPIES}.items()
        ]
        services = (first, second, first, second)
        answers = await asyncio.gather(
            *(service.enroll(performer, one) for service, one in zip(services, offered, strict=True))
        )
        assert sum(outcome.is_accepted for [outcome] in answers) == 1
        assert await first.rows.count(performer) == 1
