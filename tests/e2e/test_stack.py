"""The whole system on real photographs: enrol, identify, forget, and what happens when parts die."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from chassis.errors import DeadlineExceeded, InvalidInput, NotFound, Refused, Unavailable
from chassis.images import cv2, decode
from client.api import Marquee
from client.catalogue import EnrollImage, EnrollReply, Performer, PersonChoice, Rejection
from client.supervisor.stack import Stack
from client.values import ExternalId, Identification, PersonStatus, Policy, ReportState, Signal
from tests.e2e.conftest import Photographs
from tests.fakes.pictures import encode, gradient, png


async def _enroll(
    marquee: Marquee,
    name: str,
    *images: bytes,
    choice: PersonChoice = PersonChoice.LARGEST_FACE,
    **facts: Any,
) -> tuple[Performer, list[EnrollReply]]:
    described = {"adult_attested": True, "external_ids": (ExternalId("test", name),), **facts}
    performer = await marquee.upsert(Performer(name=name, **described))
    offered = [
        EnrollImage(key=str(number), performer_id=performer.id, image=image, choice=choice)
        for number, image in enumerate(images)
    ]
    return performer, [reply async for reply in marquee.enroll(offered)]


def _name(seen: Identification) -> str | None:
    """Whom the person with the largest face is identified as."""
    first = seen.people[0].identified if seen.people else None
    return first.name if first else None


async def _until(done: Callable[[], Awaitable[bool]], *, seconds: float = 60.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await done():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
async def gallery(stack: Stack, photographs: Photographs) -> dict[str, Performer]:
    """Two people, enrolled with one photograph each."""
    async with Marquee.connect(stack.address, timeout=60.0) as marquee:
        obama, first = await _enroll(marquee, "Barack Obama", photographs["obama2.jpg"])
        collins, second = await _enroll(marquee, "Eileen Collins", photographs["astronaut.png"])
    assert [reply.is_accepted for reply in (*first, *second)] == [True, True], (first, second)
    return {"obama": obama, "collins": collins}


async def test_another_photograph_is_identified(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """Name, ids and evidence of the right performer come first, and every signal reports."""
    seen = await marquee.identify(photographs["obama.jpg"])
    best = seen.people[0].identified
    assert best is not None
    assert best.performer_id == gallery["obama"].id
    assert best.external_ids == (ExternalId("test", "Barack Obama"),)
    assert any(evidence.signal is Signal.FACE and evidence.is_proposed for evidence in best.evidence)
    assert set(seen.reports) == {Signal.FACE, Signal.TATTOO, Signal.BODY}
    assert not any(report.is_missing for report in seen.reports.values())


@pytest.mark.parametrize("name", ["obama_partial_face.jpg", "obama_partial_face2.jpg"])
async def test_half_a_face_is_enough(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs, name: str
) -> None:
    """A face cut by the picture's edge is found and ranks the right performer first."""
    seen = await marquee.identify(photographs[name])
    assert seen.people[0].best is not None
    assert seen.people[0].best.performer_id == gallery["obama"].id


async def test_strangers_are_unknown(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """Of six people who are not enrolled nobody is named, and most of their faces are seen."""
    seen = await marquee.identify(photographs["t1.jpg"])
    assert not [person for person in seen.people if person.status is PersonStatus.IDENTIFIED]
    assert sum(person.status is PersonStatus.UNKNOWN for person in seen.people) >= 5


async def test_only_the_signals_asked_for_are_used(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """The others say that they were not asked, and give no evidence."""
    seen = await marquee.identify(photographs["obama.jpg"], signals=[Signal.FACE], policy=Policy.WEIGHTED)
    assert _name(seen) == "Barack Obama"
    assert seen.reports[Signal.BODY].state is ReportState.NOT_REQUESTED
    assert {e.signal for candidate in seen.people[0].candidates for e in candidate.evidence} == {Signal.FACE}


async def test_enrolling_again_changes_nothing(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """The same image is accepted as already there, and the performer stays the same."""
    before = await marquee.get(gallery["obama"].id)
    performer, (reply,) = await _enroll(marquee, "Barack Obama", photographs["obama2.jpg"])
    assert performer.id == gallery["obama"].id
    assert reply.is_accepted
    assert not reply.is_new
    assert (await marquee.get(performer.id)).coverage == before.coverage


async def test_a_forgotten_performer_is_not_found_again(marquee: Marquee, photographs: Photographs) -> None:
    """Identified before; after forgetting neither named nor a candidate, and the id is gone."""
    biden, (reply,) = await _enroll(marquee, "Joe Biden", photographs["biden.jpg"])
    assert reply.is_accepted
    assert _name(await marquee.identify(photographs["biden.jpg"])) == "Joe Biden"
    gone = await marquee.forget(biden.id)
    assert gone.deleted[Signal.FACE] == 1
    assert gone.unconfirmed == ()
    seen = await marquee.identify(photographs["biden.jpg"], hints=[biden.id])
    assert biden.id not in [c.performer_id for person in seen.people for c in person.candidates]
    with pytest.raises(NotFound):
        await marquee.get(biden.id)
    with pytest.raises(NotFound):
        await marquee.forget(biden.id)


async def test_a_forgotten_performer_cannot_be_enrolled(marquee: Marquee, photographs: Photographs) -> None:
    """The id of somebody forgotten is refused for each image; it does not come back to life."""
    performer, _ = await _enroll(marquee, "Somebody")
    await marquee.forget(performer.id)
    image = EnrollImage(key="1", performer_id=performer.id, image=photographs["biden.jpg"])
    (reply,) = [reply async for reply in marquee.enroll([image])]
    assert reply.reason is Rejection.UNKNOWN_PERFORMER


async def test_the_under_aged_are_refused(marquee: Marquee, photographs: Photographs) -> None:
    """A birth date under 18 years ago; an image from before the eighteenth birthday; nobody's word."""
    with pytest.raises(Refused):
        await _enroll(marquee, "Young", birth_date=date.today() - timedelta(days=17 * 365))
    performer, _ = await _enroll(marquee, "Adult", birth_date=date(1990, 1, 1))
    image = EnrollImage(
        key="1", performer_id=performer.id, image=photographs["biden.jpg"], date=date(2007, 12, 31)
    )
    (reply,) = [reply async for reply in marquee.enroll([image])]
    assert reply.reason is Rejection.UNDER_AGE
    _, (reply,) = await _enroll(marquee, "Unsaid", photographs["biden.jpg"], adult_attested=False)
    assert reply.reason is Rejection.AGE_NOT_ATTESTED


_HUGE = png(20_000, 20_000, b"\0" * 1000)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no picture at all", id="text"),
        pytest.param(encode(gradient(400, 300), ".jpg")[:2000], id="truncated"),
        pytest.param(_HUGE, id="20000x20000"),
    ],
)
async def test_what_is_no_picture_is_refused(marquee: Marquee, image: bytes) -> None:
    """Identify says so as the caller's fault, enrolment as the image's reason; the system goes on."""
    with pytest.raises(InvalidInput):
        await marquee.identify(image)
    _, (reply,) = await _enroll(marquee, "Nobody", image)
    assert reply.reason is Rejection.INVALID_IMAGE


async def test_a_picture_of_nobody_has_no_people(marquee: Marquee) -> None:
    """No face is not an error."""
    seen = await marquee.identify(encode(gradient(640, 480)))
    assert seen.people == ()
    assert seen.reports[Signal.FACE].state is ReportState.NOTHING_VISIBLE


async def test_fifty_faces_are_answered(
    marquee: Marquee, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """A crowd of fifty is one answer with most of them in it; nobody is named twice in one picture."""
    face = decode(photographs["astronaut.png"])[0:220, 110:330]
    crowd = np.tile(np.asarray(cv2.resize(face, (180, 180)), np.uint8), (5, 10, 1))
    picture = encode(crowd, ".jpg")
    seen = await marquee.identify(picture, policy=Policy.WEIGHTED)
    assert len(seen.people) >= 30
    assert _name(seen) == "Eileen Collins"
    believed = await marquee.identify(picture)
    assert len(believed.people) == len(seen.people)
    assert sum(person.identified is not None for person in believed.people) <= 1


async def test_a_wrong_id_is_the_callers_error(marquee: Marquee) -> None:
    """Malformed ids and unknown ones are told apart."""
    with pytest.raises(InvalidInput):
        await marquee.forget("not a uuid")
    with pytest.raises(NotFound):
        await marquee.forget("00000000-0000-4000-8000-000000000000")


async def test_a_killed_signal_costs_its_evidence_and_comes_back(
    marquee: Marquee, stack: Stack, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """Killed while requests run, the body service is named as unavailable; restarted, it is used again."""
    body = stack.processes["body"]
    killed = body.pid
    assert killed is not None
    asked = [asyncio.create_task(marquee.identify(photographs["obama.jpg"])) for _ in range(3)]
    await asyncio.sleep(0.05)
    os.kill(killed, signal.SIGKILL)
    await body.wait()
    degraded = await marquee.identify(photographs["obama.jpg"])
    assert degraded.reports[Signal.BODY].state is ReportState.UNAVAILABLE
    for answer in (degraded, *await asyncio.gather(*asked)):
        assert _name(answer) == "Barack Obama"

    async def is_back() -> bool:
        seen = await marquee.identify(photographs["obama.jpg"])
        return not seen.reports[Signal.BODY].is_missing

    await _until(is_back)
    assert body.pid not in (None, killed)


async def test_a_killed_face_service_finds_everybody_again(
    marquee: Marquee, stack: Stack, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """Its index is read from the database at the new start: nothing enrolled is lost."""
    face = stack.processes["face"]
    assert face.pid is not None
    os.kill(face.pid, signal.SIGKILL)
    await face.wait()
    seen = await marquee.identify(photographs["obama.jpg"])
    assert seen.reports[Signal.FACE].state is ReportState.UNAVAILABLE
    assert _name(seen) is None

    async def is_found() -> bool:
        return _name(await marquee.identify(photographs["obama.jpg"])) == "Barack Obama"

    await _until(is_found)


async def test_a_killed_database_comes_back_with_everything(
    marquee: Marquee, stack: Stack, gallery: dict[str, Performer], photographs: Photographs
) -> None:
    """While it is away calls fail as unavailable or go without; afterwards nothing is lost."""
    database = stack.database
    assert database is not None
    killed, restarts = database.pid, database.restarts
    assert killed is not None
    before = await marquee.coverage()
    os.kill(killed, signal.SIGKILL)

    async def is_whole_again() -> bool:
        if database.restarts == restarts:
            return False  # the old one is still dying
        try:
            return _name(await marquee.identify(photographs["obama.jpg"])) == "Barack Obama"
        except (Unavailable, DeadlineExceeded):
            return False

    await _until(is_whole_again)
    assert database.restarts == restarts + 1
    assert database.pid not in (None, killed)
    assert await marquee.coverage() == before
    _, (reply,) = await _enroll(marquee, "Eileen Collins", photographs["astronaut.png"])
    assert reply.is_accepted


async def test_everybody_says_how_they_are(marquee: Marquee, gallery: dict[str, Performer]) -> None:
    """Ready, with models and counts; the face service knows the two enrolled people at least."""

    async def is_complete() -> bool:
        return (await marquee.status()).is_complete

    await _until(is_complete)
    seen = await marquee.status()
    assert seen.signals[Signal.FACE].performers >= 2
    assert seen.signals[Signal.FACE].models
    assert seen.signals[Signal.FACE].resident_bytes > 0
