"""What the tattoo service learns and forgets, whatever its callers and its database do meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from pathlib import Path

import grpc
import numpy as np
import pytest

from chassis.geometry import Box
from marquee.common.v1 import common_pb2, counts_pb2
from marquee.tattoo.v1 import tattoo_pb2 as pb
from tests.fakes.database_line import open_line
from tests.fakes.ink import tattooed
from tests.fakes.postgres import database, postgres_server
from tests.fakes.rpc import code_of
from tests.fakes.tattoo_models import LAYOUT_DIMENSION
from tests.fakes.tattoo_service import (
    TattooSystem,
    enrolment,
    migrate_tattoo,
    open_tattoo_system,
    plain_section,
    seen,
    system,
    template_of,
)

__all__ = ["database", "postgres_server", "system"]

_NOBODY = "00000000-0000-4000-8000-000000000000"
_LARGE = Box(60, 90, 240, 240)


async def test_several_tattoos_of_one_picture_are_enrolled_together(system: TattooSystem) -> None:
    """Each is a row of its own with all that is known of it; Score and Lookup tell the same."""
    performer, other = await system.performer(), await system.performer()
    outcomes = await system.enroll(
        performer,
        enrolment(
            template_of(1),
            image="a",
            date="2021-05-06",
            region=common_pb2.BODY_REGION_NECK,
        ),
        enrolment(template_of(2), image="a", box=Box(50, 60, 70, 80), region=common_pb2.BODY_REGION_UNKNOWN),
    )
    assert [one.is_accepted for one in outcomes] == [True, True]
    scores = await system.score(template_of(1), performer, _NOBODY, other)
    assert list(scores) == [performer]
    neck, unknown = scores[performer].known
    assert (neck.region, neck.first_seen_date, neck.removed_date) == (
        common_pb2.BODY_REGION_NECK,
        "2021-05-06",
        "",
    )
    assert neck.confidence == pytest.approx(0.75)
    assert (unknown.region, unknown.first_seen_date) == (common_pb2.BODY_REGION_UNKNOWN, "")
    request = pb.LookupRequest(performer_ids=[_NOBODY, other, performer])
    [attributes] = (await system.stub.Lookup(request)).performers
    assert attributes.performer_id == performer
    assert list(attributes.tattoos) == [neck, unknown]
    everybody = counts_pb2.PerformerRange(through="ffffffff-ffff-ffff-ffff-ffffffffffff")
    count = pb.CountObservationsRequest(performers=everybody)
    counts = (await system.stub.CountObservations(count)).counts
    assert (counts.performer_ids, list(counts.observations)) == (uuid.UUID(performer).bytes, [2])


async def test_the_rows_are_as_integrations_know_them(system: TattooSystem) -> None:
    """Names and values of performer_tattoos that others read."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(3), image="a", date="2021-05-06"))
    [row] = await system.rows.of(performer)
    assert row["body_region"] == "left_forearm"
    assert row["embedding"] == np.eye(LAYOUT_DIMENSION, dtype="<f4")[3].tobytes()
    assert row["image_hash"] == hashlib.sha256(b"a").hexdigest()
    assert row["image_url"] == "a.jpg"
    assert row["first_seen_date"].isoformat() == "2021-05-06"
    assert row["removed_date"] is None
    assert list(row["box"]) == [1, 2, 30, 40]
    indexes = await system.rows.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'tattoo'")
    assert "idx_tattoos_performer" in {one["indexname"] for one in indexes}


async def test_a_tattoo_that_is_gone_is_told_with_its_day(database: str, tmp_path: Path) -> None:
    """What the owner noted in the table is what Lookup says, and Score after the next start."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with open_tattoo_system(database, section) as system:
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(1), date="2019-01-01"))
        await system.rows.execute("UPDATE tattoo.performer_tattoos SET removed_date = '2022-02-02'")
        lookup = await system.stub.Lookup(pb.LookupRequest(performer_ids=[performer]))
        assert lookup.performers[0].tattoos[0].removed_date == "2022-02-02"
    async with open_tattoo_system(database, section) as system:
        [known] = (await system.score(template_of(1), performer))[performer].known
        assert (known.first_seen_date, known.removed_date) == ("2019-01-01", "2022-02-02")


async def test_enrolling_again_changes_nothing(system: TattooSystem) -> None:
    """The same tattoo of the same image is a duplicate for the same performer only, also within a request."""
    performer, other = await system.performer(), await system.performer()
    view = enrolment(template_of(1), image="one picture")
    beside = enrolment(template_of(2), image="one picture", box=Box(100, 100, 20, 20))
    outcomes = [*await system.enroll(performer, view, view, beside), *await system.enroll(performer, view)]
    [elsewhere] = await system.enroll(other, view)
    assert [one.is_accepted for one in outcomes] == [True, False, True, False]
    assert elsewhere.is_accepted
    assert {outcomes[1].reason, outcomes[3].reason} == {common_pb2.REJECTION_REASON_DUPLICATE_IMAGE}
    assert await system.known(performer) == await system.rows.count(performer) == 2


async def test_a_bad_view_is_not_enrolled(system: TattooSystem) -> None:
    """Quality under the floor teaches nothing; the others of the request do, and outcomes keep the order."""
    performer = await system.performer()
    bad, good = template_of(1, quality=0.1), template_of(2)
    outcomes = await system.enroll(performer, enrolment(bad), enrolment(good), enrolment(bad))
    low = common_pb2.REJECTION_REASON_LOW_QUALITY
    assert [one.reason for one in outcomes] == [low, 0, low]
    assert [one.index for one in outcomes] == [0, 1, 2]
    assert "0.10" in outcomes[0].detail
    assert await system.rows.count(performer) == 1


async def test_nobody_can_be_enrolled_as_nobody(system: TattooSystem) -> None:
    """An id that the catalogue does not know is NOT_FOUND, whatever the quality."""
    for quality in (0.9, 0.1):
        observation = enrolment(template_of(1, quality=quality))
        request = pb.EnrollRequest(performer_id=_NOBODY, observations=[observation])
        assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_a_forgotten_performer_is_gone(system: TattooSystem) -> None:
    """From the index and from the database; forgetting again is no error; enrolling anew is possible."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1)), enrolment(template_of(2)))
    request = pb.ForgetRequest(performer_id=performer)
    assert [(await system.stub.Forget(request)).observations for _ in range(2)] == [2, 0]
    assert await system.score(template_of(1), performer) == {}
    [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
    assert not tattoo.candidates
    assert await system.rows.count(performer) == 0
    [outcome] = await system.enroll(performer, enrolment(template_of(1)))
    assert outcome.is_accepted
    assert await system.known(performer) == 1


async def test_a_performer_deleted_from_the_catalogue_stays_away(system: TattooSystem) -> None:
    """Rows go with the performer; Forget clears the index; nothing can be enrolled any more."""
    performer = await system.performer()
    await system.enroll(performer, enrolment(template_of(1)))
    await system.rows.delete(performer)
    assert await system.rows.count(performer) == 0
    assert (await system.stub.Forget(pb.ForgetRequest(performer_id=performer))).observations == 0
    assert await system.score(template_of(1), performer) == {}
    request = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(1))])
    assert await code_of(system.stub.Enroll(request)) is grpc.StatusCode.NOT_FOUND


async def test_forgetting_while_enrolling_ends_consistent(system: TattooSystem) -> None:
    """However enrolments and forgetting interleave, the index has exactly what the database has."""
    performer = await system.performer()
    for _ in range(5):
        await asyncio.gather(
            *(system.enroll(performer, enrolment(template_of(1))) for _ in range(6)),
            system.stub.Forget(pb.ForgetRequest(performer_id=performer)),
            *(system.enroll(performer, enrolment(template_of(1))) for _ in range(6)),
        )
        assert await system.known(performer) == await system.rows.count(performer)


async def test_callers_who_leave_tear_nothing_apart(system: TattooSystem) -> None:
    """Cancelled at any moment, an enrolment is in the database and the index, or in neither."""
    performer = await system.performer()
    for delay in np.linspace(0, 0.02, 12):
        request = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(1))])
        call = system.stub.Enroll(request)
        await asyncio.sleep(delay)
        call.cancel()
    # Changes of one performer take turns: when this one is done, those that came before it are.
    await system.enroll(performer, enrolment(template_of(1)))
    assert await system.known(performer) == await system.rows.count(performer) > 0


async def test_a_restart_loses_nothing(database: str, tmp_path: Path) -> None:
    """Another process on the same database gives the same scores and candidates."""
    await migrate_tattoo(database)
    section, answers, candidates = plain_section(tmp_path), [], []
    async with open_tattoo_system(database, section) as system:
        performer = await system.performer()
        [tattoo] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
        await system.enroll(performer, seen(tattoo), enrolment(template_of(1)))
    for _ in range(2):
        async with open_tattoo_system(database, section) as system:
            answers.append((await system.score(tattoo.template, performer))[performer])
            [again] = (await system.observe(tattooed(("ring", _LARGE)))).tattoos
            candidates.append(list(again.candidates))
    assert answers[0] == answers[1]
    assert len(answers[0].known) == 2
    assert candidates[0] == candidates[1]
    assert candidates[0][0].performer_id == performer


async def test_without_the_database_tattoos_are_still_recognised(database: str, tmp_path: Path) -> None:
    """Observe and Score go on, facts included; Enroll and Lookup are UNAVAILABLE, and come back alone."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with (
        open_line(database) as line,
        open_tattoo_system(database, section, reached_by=line.dsn) as system,
    ):
        performer = await system.performer()
        await system.enroll(performer, enrolment(template_of(1), date="2020-02-02"))
        await line.cut()
        enroll = pb.EnrollRequest(performer_id=performer, observations=[enrolment(template_of(2))])
        lookup = pb.LookupRequest(performer_ids=[performer])
        assert await code_of(system.stub.Enroll(enroll)) is grpc.StatusCode.UNAVAILABLE
        assert await code_of(system.stub.Lookup(lookup)) is grpc.StatusCode.UNAVAILABLE
        [known] = (await system.score(template_of(1), performer))[performer].known
        assert known.first_seen_date == "2020-02-02"
        assert (await system.observe(tattooed(("ring", _LARGE)))).tattoos[0].candidates
        assert (await system.stub.GetStatus(pb.GetStatusRequest())).status.is_ready
        await line.mend()
        [outcome] = await system.enroll(performer, *enroll.observations)
        assert outcome.is_accepted
        assert len((await system.stub.Lookup(lookup)).performers[0].tattoos) == 2


async def test_forgetting_without_the_database_is_said_and_repeated(database: str, tmp_path: Path) -> None:
    """Nothing is forgotten by halves: the caller learns that it was not done, and tries again."""
    await migrate_tattoo(database)
    section = plain_section(tmp_path)
    async with (
        open_line(database) as line,
        open_tattoo_system(database, section, reached_by=line.dsn) as system,
    ):
        performer = await system.performer()
        view = enrolment(template_of(1), image="a")
        await system.enroll(performer, view)
        await line.cut()
        request = pb.ForgetRequest(performer_id=performer)
        assert await code_of(system.stub.Forget(request)) is grpc.StatusCode.UNAVAILABLE
        assert performer in await system.score(template_of(1), performer)
        await line.mend()
        assert (await system.stub.Forget(request)).observations == 1
        assert await system.score(template_of(1), performer) == {}
