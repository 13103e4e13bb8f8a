"""What the owner sees and says of tattoos: listing, search, dates, regions, merging, splitting, deleting."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from chassis.geometry import Box
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2, tattoos_pb2, transfer_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
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
from tests.fakes.waiting import until

__all__ = ["database", "postgres_server", "system"]

_NOBODY = "00000000-0000-4000-8000-000000000000"
_LEFT, _RIGHT = common_pb2.BODY_REGION_LEFT_FOREARM, common_pb2.BODY_REGION_RIGHT_FOREARM
_UNKNOWN, _CHEST = common_pb2.BODY_REGION_UNKNOWN, common_pb2.BODY_REGION_CHEST


@pytest_asyncio.fixture(loop_scope="session")
async def replica(database: str, tmp_path: Path, system: TattooSystem) -> AsyncIterator[TattooSystem]:
    """A second service on the same database."""
    (tmp_path / "replica").mkdir()
    async with open_tattoo_system(database, plain_section(tmp_path / "replica")) as second:
        yield second


def _view(design: int, *, alike: float = 1.0) -> NDArray[np.float32]:
    """A view of a design; `alike`: its cosine to the plain one."""
    vector = np.zeros(LAYOUT_DIMENSION, np.float32)
    vector[design], vector[design + 20] = alike, np.sqrt(1 - alike**2)
    return vector


async def _list(system: TattooSystem, **wanted: Any) -> list[tattoos_pb2.PerformerTattoos]:
    request = pb.ListTattoosRequest(filter=tattoos_pb2.TattooFilter(**wanted))
    return list((await system.stub.ListTattoos(request)).performers)


async def _of(system: TattooSystem, performer: str) -> list[tattoos_pb2.Tattoo]:
    found = await _list(system, performer_id=performer)
    return list(found[0].tattoos) if found else []


async def _say(system: TattooSystem, performer: str, tattoo_id: str, **said: Any) -> Sequence[Any]:
    change = tattoos_pb2.TattooChange(**said)
    request = pb.UpdateTattooRequest(performer_id=performer, tattoo_id=tattoo_id, change=change)
    return (await system.stub.UpdateTattoo(request)).tattoos.tattoos


async def _texts(system: TattooSystem, *texts: tuple[str, str, str]) -> None:
    """Performer, location, description."""
    messages = [
        transfer_pb2.TattooText(
            performer_id=performer, location=location, description=words, source="stashdb.org"
        )
        for performer, location, words in texts
    ]
    await system.stub.ImportTexts(pb.ImportTextsRequest(texts=messages))


async def _known(system: TattooSystem, performer: str, design: int = 1) -> list[tuple[int, str, str]]:
    """What Score tells of each view of a performer: from memory."""
    known = (await system.score(template_of(design), performer))[performer].known
    return [(one.region, one.first_seen_date, one.removed_date) for one in known]


async def test_a_tattoo_is_listed_whole(system: TattooSystem) -> None:
    """Its place from the view that knows it, its first day from the earliest, all views by date."""
    performer = await system.performer()
    await system.enroll(
        performer,
        enrolment(template_of(_view(1)), region=_UNKNOWN, date="2020-05-05", image="b"),
        enrolment(template_of(_view(1, alike=0.9)), region=_LEFT, date="2021-01-01", image="c"),
        enrolment(template_of(_view(1, alike=0.8)), region=_LEFT, image="a"),
        enrolment(template_of(_view(2)), region=_CHEST),
    )
    chest, left = sorted(await _of(system, performer), key=lambda one: one.region, reverse=True)
    assert (chest.region, len(chest.views)) == (_CHEST, 1)
    assert (left.region, left.first_seen_date, left.removed_date) == (_LEFT, "2020-05-05", "")
    assert [view.source.date for view in left.views] == ["2020-05-05", "2021-01-01", ""]
    assert [view.region for view in left.views] == [_UNKNOWN, _LEFT, _LEFT]
    assert left.views[0].origin == "observed"
    assert left.confidence == pytest.approx(0.75)
    assert not left.is_confirmed


async def test_search_by_region_and_words(system: TattooSystem) -> None:
    """All words, or their beginnings, of one statement; its region's tattoos; tattoos or words suffice."""
    anna, bea, cleo = [await system.performer() for _ in range(3)]
    await system.enroll(
        anna, enrolment(template_of(1), region=_LEFT), enrolment(template_of(2), region=_CHEST)
    )
    await system.enroll(bea, enrolment(template_of(3), region=_LEFT))
    await _texts(
        system,
        (anna, "left forearm", "Big red DRAGONS"),
        (anna, "chest", "rose"),
        (cleo, "right forearm", "small dragon"),
    )

    async def found(**wanted: Any) -> dict[str, list[int]]:
        listed = await _list(system, **wanted)
        return {one.performer_id: [tattoo.region for tattoo in one.tattoos] for one in listed}

    assert await found(regions=[_LEFT]) == {anna: [_LEFT], bea: [_LEFT]}
    assert await found(words="dragon") == {anna: [_LEFT], cleo: []}
    assert await found(words="dragon red") == {anna: [_LEFT]}
    assert await found(words="dragon rose") == {}
    assert await found(words="agon") == {}
    assert await found(regions=[_LEFT], words="dragon") == {anna: [_LEFT]}
    assert await found(regions=[_LEFT, _RIGHT], words="dragon") == {anna: [_LEFT], cleo: []}
    assert await found(regions=[_RIGHT]) == {cleo: []}
    assert await found(performer_id=cleo, words="rose") == {}
    [listed] = await _list(system, performer_id=anna, words="rose")
    assert [(one.region, one.words, one.source) for one in listed.statements] == [
        (_CHEST, "chest: rose", "stashdb.org")
    ]


@pytest.mark.parametrize("words", ["dragon's & (", "ÉTOILE", "' | :*", "a:b"])
async def test_words_are_only_words(system: TattooSystem, words: str) -> None:
    """What has a meaning in a query language has none here."""
    performer = await system.performer()
    await _texts(system, (performer, "chest", f"nothing but {words}"))
    if any(letter.isalnum() for letter in words):
        assert [one.performer_id for one in await _list(system, words=words)] == [performer]
    else:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await _list(system, words=words)
        assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_that_nothing_is_there_is_no_tattoo(system: TattooSystem) -> None:
    """It is told of the performer who is asked for, and found by no region."""
    performer = await system.performer()
    await _texts(system, (performer, "none", ""))
    assert not await _list(system, regions=[_LEFT])
    [listed] = await _list(system, performer_id=performer)
    assert all(one.is_clear for one in listed.statements)


async def test_pages_are_by_performer(system: TattooSystem) -> None:
    """Each performer once, whatever the size of a page."""
    performers = [await system.performer() for _ in range(5)]
    for number, performer in enumerate(performers):
        await system.enroll(performer, enrolment(template_of(number), region=_LEFT))
        await _texts(system, (performer, "left forearm", "star"))
    for words in ("", "star"):
        wanted = tattoos_pb2.TattooFilter(regions=[_LEFT], words=words)
        seen, token = [], ""
        while True:
            request = pb.ListTattoosRequest(filter=wanted, page_size=2, page_token=token)
            reply = await system.stub.ListTattoos(request)
            seen += [one.performer_id for one in reply.performers]
            token = reply.next_page_token
            if not token:
                break
        assert seen == sorted(performers)


async def test_dates_and_region_are_the_owners(system: TattooSystem, replica: TattooSystem) -> None:
    """Told by every process at once or soon, for every view, also one that is enrolled later; taken back."""
    performer = await system.performer()
    await system.enroll(
        performer, *(enrolment(template_of(_view(1, alike=one)), date="2020-02-02") for one in (1.0, 0.9))
    )
    [tattoo] = await _of(system, performer)
    said = {"first_seen_date": "2019-01-01", "removed_date": "2022-03-04", "region": _RIGHT}
    [changed] = await _say(system, performer, tattoo.tattoo_id, **said)
    assert (changed.region, changed.first_seen_date, changed.removed_date) == (
        _RIGHT,
        "2019-01-01",
        "2022-03-04",
    )
    assert changed.is_confirmed
    expected = [(_RIGHT, "2019-01-01", "2022-03-04")] * 2
    assert await _known(system, performer) == expected
    await until(lambda: _is(replica, performer, expected))
    await replica.enroll(performer, enrolment(template_of(_view(1, alike=0.8)), region=_UNKNOWN))
    assert await _known(replica, performer) == [(_RIGHT, "2019-01-01", "2022-03-04")] * 3
    await _say(system, performer, tattoo.tattoo_id, first_seen_date="", removed_date="")
    assert await _known(system, performer) == [(_RIGHT, "2020-02-02", "")] * 3
    await until(lambda: _is(replica, performer, [(_RIGHT, "2020-02-02", "")] * 3))


async def _is(system: TattooSystem, performer: str, expected: object) -> bool:
    return await _known(system, performer) == expected


async def test_what_is_known_of_regions_follows(system: TattooSystem) -> None:
    """A tattoo that is moved leaves nothing behind; one that is gone ends its region's knowledge."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1), region=_LEFT, date="2020-01-01"))
    [tattoo] = await _of(system, performer)
    await _say(system, performer, tattoo.tattoo_id, region=_RIGHT, removed_date="2022-01-01")
    [listed] = await _list(system, performer_id=performer)
    [statement] = listed.statements
    assert (statement.region, statement.source, statement.since_date, statement.until_date) == (
        _RIGHT,
        "observed",
        "2020-01-01",
        "2021-12-31",
    )


async def test_merged_tattoos_stay_one(system: TattooSystem, replica: TattooSystem) -> None:
    """The first one's id and region; later views of either design join; nothing parts them again."""
    performer = await system.performer()
    await system.enroll(
        performer,
        enrolment(template_of(_view(1)), region=_LEFT, image="one"),
        enrolment(template_of(_view(2)), region=_RIGHT, image="one", box=Box(50, 60, 70, 80)),
    )
    left, right = sorted(await _of(system, performer), key=lambda one: one.region)
    request = pb.MergeTattoosRequest(performer_id=performer, tattoo_ids=[left.tattoo_id, right.tattoo_id])
    merged = (await system.stub.MergeTattoos(request)).tattoos.tattoos
    assert [(one.tattoo_id, one.region, len(one.views)) for one in merged] == [(left.tattoo_id, _LEFT, 2)]
    await until(lambda: _is(replica, performer, [(_LEFT, "", "")] * 2))
    await replica.enroll(performer, enrolment(template_of(_view(2)), region=_UNKNOWN))
    [tattoo] = await _of(system, performer)
    assert (tattoo.tattoo_id, len(tattoo.views)) == (left.tattoo_id, 3)


async def test_split_tattoos_stay_apart(system: TattooSystem) -> None:
    """However alike; a new view of the same joins one of them, and the rest stays."""
    performer = await system.performer()
    await system.enroll(performer, *(enrolment(template_of(_view(1, alike=one))) for one in (1.0, 0.9, 0.8)))
    [tattoo] = await _of(system, performer)
    view = tattoo.views[0].view_id
    request = pb.SplitTattooRequest(performer_id=performer, tattoo_id=tattoo.tattoo_id, view_ids=[view])
    reply = await system.stub.SplitTattoo(request)
    sizes = {one.tattoo_id: len(one.views) for one in reply.tattoos.tattoos}
    assert sizes == {tattoo.tattoo_id: 2, reply.tattoo_id: 1}
    await system.enroll(performer, enrolment(template_of(_view(1, alike=0.95))))
    sizes = {one.tattoo_id: len(one.views) for one in await _of(system, performer)}
    assert sum(sizes.values()) == 4
    assert len(sizes) == 2


async def test_a_deleted_view_is_gone_and_stays_away(system: TattooSystem, replica: TattooSystem) -> None:
    """From every process; the same image brings it back neither by enrolment nor by an import."""
    performer = await system.performer()
    wrong = enrolment(template_of(1), region=_LEFT, image="a")
    await system.enroll(
        performer, wrong, enrolment(template_of(2), region=_CHEST, image="a", box=Box(9, 99, 9, 9))
    )
    rows = list((await system.stub.ExportVectors(pb.ExportVectorsRequest())).rows)
    [view] = [one.views[0] for one in await _of(system, performer) if one.region == _LEFT]
    request = pb.DeleteTattooViewsRequest(performer_id=performer, view_ids=[view.view_id])
    [left] = (await system.stub.DeleteTattooViews(request)).tattoos.tattoos
    assert left.region == _CHEST
    await until(lambda: _is(replica, performer, [(_CHEST, "", "")]))
    wrong.box.x += 1
    [outcome] = await replica.enroll(performer, wrong)
    assert (outcome.reason, outcome.is_accepted) == (common_pb2.REJECTION_REASON_DUPLICATE_IMAGE, False)
    assert "deleted" in outcome.detail
    await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=rows))
    [listed] = await _list(system, performer_id=performer)
    assert [one.region for one in listed.tattoos] == [_CHEST]
    assert [one.region for one in listed.statements] == [_CHEST]


async def test_what_the_owner_said_is_exported_and_imported(database: str, system: TattooSystem) -> None:
    """Views that are confirmed, first days and removals come back as they were."""
    performer = await system.performer()
    await system.enroll(
        performer, enrolment(template_of(_view(1))), enrolment(template_of(_view(1, alike=0.9)))
    )
    [tattoo] = await _of(system, performer)
    await _say(system, performer, tattoo.tattoo_id, first_seen_date="2019-01-01", removed_date="2021-01-01")
    before = await _of(system, performer)
    rows = list((await system.stub.ExportVectors(pb.ExportVectorsRequest())).rows)
    await system.rows.execute("DELETE FROM tattoo.performer_tattoos")
    await system.stub.ImportVectors(pb.ImportVectorsRequest(rows=rows))
    after = await _of(system, performer)
    assert [(one.tattoo_id, one.first_seen_date, one.removed_date, one.is_confirmed) for one in after] == [
        (one.tattoo_id, "2019-01-01", "2021-01-01", True) for one in before
    ]


async def test_nearly_the_same_box_is_the_same_view(system: TattooSystem) -> None:
    """Another detector draws it a little differently; the image is enrolled once all the same."""
    performer = await system.performer()
    first = enrolment(template_of(1), image="a", box=Box(10, 10, 100, 100))
    again = enrolment(template_of(1), image="a", box=Box(14, 12, 98, 104))
    beside = enrolment(template_of(1), image="a", box=Box(80, 10, 100, 100))
    await system.enroll(performer, first)
    outcomes = await system.enroll(performer, again, beside)
    assert [one.is_accepted for one in outcomes] == [False, True]
    assert outcomes[0].reason == common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
    assert await system.rows.count(performer) == 2


async def test_all_embedders_rows_follow_the_owner(database: str, tmp_path: Path) -> None:
    """A view is one, however many embedders describe it: split, told and deleted as one."""
    await migrate_tattoo(database)
    both = plain_section(tmp_path, own_embedder(tmp_path), own_embedder(tmp_path, name="second"))

    def described(alike: float) -> pb.TattooEnrolment:
        template = template_of(_view(1, alike=alike))
        template.embeddings.append(to_proto_embedding("second", "1", _view(1, alike=alike)))
        return enrolment(template)

    async with open_tattoo_system(database, both) as system:
        performer = await system.performer()
        await system.enroll(performer, described(1.0), described(0.9))
        [tattoo] = await _of(system, performer)
        assert len(tattoo.views) == 2
        view = tattoo.views[0].view_id
        request = pb.SplitTattooRequest(performer_id=performer, tattoo_id=tattoo.tattoo_id, view_ids=[view])
        new = (await system.stub.SplitTattoo(request)).tattoo_id
        rows = await system.rows.of(performer)
        assert sorted(str(row["tattoo_id"]) for row in rows) == sorted([tattoo.tattoo_id, new] * 2)
        await system.stub.DeleteTattooViews(
            pb.DeleteTattooViewsRequest(performer_id=performer, view_ids=[view])
        )
        assert await system.rows.count(performer) == 2


async def test_the_order_of_enrolment_makes_no_other_tattoos(system: TattooSystem) -> None:
    """The same twelve views in five orders and portions: the same are together."""
    chance = random.Random(7)
    views = [
        enrolment(template_of(_view(design, alike=alike)), region=region, image=f"{design} {alike}")
        for design, region in ((1, _LEFT), (2, _UNKNOWN), (3, _CHEST))
        for alike in (1.0, 0.85, 0.6, 0.45)
    ]
    partitions = set()
    for portion in (12, 1, 5, 3, 2):
        performer = await system.performer()
        chance.shuffle(views)
        for start in range(0, len(views), portion):
            await system.enroll(performer, *views[start : start + portion])
        tattoos = await _of(system, performer)
        partitions.add(frozenset(frozenset(view.source.image_hash for view in one.views) for one in tattoos))
    assert len(partitions) == 1


_Call = Callable[[TattooSystem, str, str], Any]
_WRONG: list[tuple[grpc.StatusCode, _Call]] = [
    (grpc.StatusCode.NOT_FOUND, lambda s, p, t: _say(s, p, _NOBODY, removed_date="2020-01-01")),
    (grpc.StatusCode.NOT_FOUND, lambda s, p, t: _say(s, _NOBODY, t, removed_date="2020-01-01")),
    (grpc.StatusCode.INVALID_ARGUMENT, lambda s, p, t: _say(s, p, t)),
    (grpc.StatusCode.INVALID_ARGUMENT, lambda s, p, t: _say(s, p, t, removed_date="soon")),
    (grpc.StatusCode.INVALID_ARGUMENT, lambda s, p, t: _say(s, p, t, removed_date="2019-12-31")),
    (grpc.StatusCode.INVALID_ARGUMENT, lambda s, p, t: _list(s, words="x" * 201)),
    (grpc.StatusCode.INVALID_ARGUMENT, lambda s, p, t: _list(s, performer_id="x")),
    (
        grpc.StatusCode.INVALID_ARGUMENT,
        lambda s, p, t: s.stub.MergeTattoos(pb.MergeTattoosRequest(performer_id=p, tattoo_ids=[t, t])),
    ),
    (
        grpc.StatusCode.NOT_FOUND,
        lambda s, p, t: s.stub.MergeTattoos(pb.MergeTattoosRequest(performer_id=p, tattoo_ids=[t, _NOBODY])),
    ),
    (
        grpc.StatusCode.NOT_FOUND,
        lambda s, p, t: s.stub.SplitTattoo(
            pb.SplitTattooRequest(performer_id=p, tattoo_id=t, view_ids=[_NOBODY])
        ),
    ),
    (
        grpc.StatusCode.NOT_FOUND,
        lambda s, p, t: s.stub.DeleteTattooViews(
            pb.DeleteTattooViewsRequest(performer_id=p, view_ids=[_NOBODY])
        ),
    ),
]


@pytest.mark.parametrize(("code", "call"), _WRONG)
async def test_what_cannot_be_is_refused(system: TattooSystem, code: grpc.StatusCode, call: _Call) -> None:
    """And changes nothing."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1), date="2020-01-01"))
    before = await _of(system, performer)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call(system, performer, before[0].tattoo_id)
    assert failure.value.code() is code
    assert await _of(system, performer) == before


async def test_the_last_view_is_not_split_off(system: TattooSystem) -> None:
    """A tattoo without views would be none."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1)))
    [tattoo] = await _of(system, performer)
    request = pb.SplitTattooRequest(
        performer_id=performer, tattoo_id=tattoo.tattoo_id, view_ids=[tattoo.views[0].view_id]
    )
    with pytest.raises(grpc.aio.AioRpcError, match="nothing left") as failure:
        await system.stub.SplitTattoo(request)
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT
