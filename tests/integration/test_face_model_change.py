"""The face service changes its embedders: the old ones serve until the new ones describe enough."""

from __future__ import annotations

import asyncio
import base64
import json

import grpc
import pytest

from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from services.face.config import FaceSection
from tests.fakes.face_service import (
    FaceSystem,
    both_embedders,
    enrolment,
    migrate_face,
    open_face_system,
    template_of,
)
from tests.fakes.pictures import encode
from tests.fakes.portrait import portrait
from tests.fakes.waiting import until

pytestmark = both_embedders

_DLIB = ("dlib_resnet",)
_PAIR = ("mobilefacenet", "dlib_resnet")
_OLD = FaceSection(port=0, embedder=_DLIB)
_NEW = FaceSection(port=0, embedder=_PAIR)
_OTHER = FaceSection(port=0, embedder=("mobilefacenet",))
_PEOPLE = 4
_SOMEBODY = "0" * 8 + "-0000-4000-8000-" + "0" * 12


async def _uses(system: FaceSystem) -> dict[str, int]:
    """Embedders by name: what each is used for."""
    return {one.name: one.use for one in (await system.status()).models if one.dimension}


async def _has_switched(system: FaceSystem) -> bool:
    return (await _uses(system)).get("mobilefacenet") == common_pb2.MODEL_USE_SERVING


async def _enrolled(database: str) -> list[str]:
    """People enrolled while only the old embedder was in use; the image of each is named by its number."""
    await migrate_face(database)
    async with open_face_system(database, face=_OLD) as system:
        people = [await system.performer() for _ in range(_PEOPLE)]
        for number, person in enumerate(people):
            await system.enroll(person, enrolment(template_of(number, names=_DLIB), image=str(number)))
    return people


async def _describe(system: FaceSystem, person: str, number: int) -> None:
    """What a backfill does: the same observation again, described by all embedders."""
    await system.enroll(person, enrolment(template_of(number), image=str(number)))


async def test_the_old_embedder_serves_while_the_new_one_is_prepared(database: str) -> None:
    """The very same scores as before, though templates carry both; status says how far the change is."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_OLD) as system:
        before = await system.score(template_of(1, names=_DLIB), *people)
    async with open_face_system(database, face=_NEW) as system:
        after = await system.score(template_of(1), *people)
        status = await system.status()
        assert await _uses(system) == {
            "dlib_resnet": common_pb2.MODEL_USE_SERVING,
            "mobilefacenet": common_pb2.MODEL_USE_PREPARING,
        }
    assert {one: score.similarity for one, score in before.items()} == {
        one: score.similarity for one, score in after.items()
    }
    assert (status.model_change.observations, status.model_change.described) == (_PEOPLE, 0)
    assert status.model_change.switch_coverage == pytest.approx(0.95)
    assert status.is_ready


async def test_templates_carry_both_sets_the_serving_one_first(database: str) -> None:
    """So that what is enrolled meanwhile is described by the new embedders from the start."""
    await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        face = (await system.observe(encode(portrait(250)))).faces[0]
        assert [one.model for one in face.template.embeddings] == ["dlib_resnet", "mobilefacenet"]
        assert face.template.generation > 0
        person = await system.performer()
        await system.enroll(person, enrolment(face.template))
        await until(lambda: _described(system, 1))
        assert (await system.observe(encode(portrait(250)))).faces[0].candidates[0].performer_id == person


async def _described(system: FaceSystem, count: int) -> bool:
    return (await system.status()).model_change.described == count


async def test_what_waits_is_listed_in_pages(database: str) -> None:
    """Each observation once, whole as stored, until it is described; a filter restricts."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        first = await system.pending(page_size=3)
        rest = await system.pending(page_size=3, page_token=first.next_page_token)
        assert (first.total, len(first.observations), len(rest.observations)) == (_PEOPLE, 3, 1)
        assert rest.next_page_token == ""
        listed = [*first.observations, *rest.observations]
        assert {one.performer_id for one in listed} == set(people)
        assert {(one.box.width, one.source.uri, one.region) for one in listed} == {(30, "a.jpg", 0)}
        only = await system.pending(filter=common_pb2.PendingFilter(performer_id=people[2]))
        assert [one.performer_id for one in only.observations] == [people[2]]
        await _describe(system, people[2], 2)
        assert (await system.pending()).total == _PEOPLE - 1
        image = common_pb2.PendingFilter(image_hash=listed[0].source.image_hash)
        assert (await system.pending(filter=image)).total == (0 if listed[0].performer_id == people[2] else 1)


def _token(*parts: object) -> str:
    """A page token made up by somebody else."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "request_",
    [
        pb.ListPendingRequest(page_token="garbage"),
        pb.ListPendingRequest(page_token="WzEsMl0="),
        pb.ListPendingRequest(page_token=_token("1", "a" * 64, 1)),
        pb.ListPendingRequest(page_token=_token(_SOMEBODY, "\0", 1)),
        pb.ListPendingRequest(page_token=_token(_SOMEBODY, "a" * 64, 2**63)),
        pb.ListPendingRequest(page_token=_token(_SOMEBODY, "a" * 64, "1")),
        pb.ListPendingRequest(page_token=base64.urlsafe_b64encode(b"[" * 100_000).decode()),
        pb.ListPendingRequest(page_size=1001),
        pb.ListPendingRequest(filter=common_pb2.PendingFilter(performer_id="nobody")),
        pb.ListPendingRequest(filter=common_pb2.PendingFilter(image_hash="ABC")),
    ],
    ids=[
        *("token", "other token", "nobody's token", "no hash", "no row", "a word", "deep token"),
        *("page size", "performer", "hash"),
    ],
)
async def test_a_malformed_question_is_refused(database: str, request_: pb.ListPendingRequest) -> None:
    """INVALID_ARGUMENT, naming the field."""
    await migrate_face(database)
    async with open_face_system(database, face=_OLD) as system:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await system.stub.ListPending(request_, timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_the_switch_comes_with_the_coverage(database: str) -> None:
    """Not before; then the new set serves and scores as if it had always been there."""
    people = await _enrolled(database)
    section = _OTHER.model_copy(update={"switch_coverage": 0.75})
    async with open_face_system(database, face=section) as system:
        for number in (0, 1):
            await _describe(system, people[number], number)
        await until(lambda: _described(system, 2))
        assert not await _has_switched(system)
        await _describe(system, people[2], 2)
        await until(lambda: _has_switched(system))
        scores = await system.score(template_of(1), *people)
        # The last one is not described by the new set: nobody finds it until it is, and it is still listed.
        assert set(scores) == set(people[:3])
        assert (await system.status()).model_change.described == 3
        assert [one.performer_id for one in (await system.pending()).observations] == [people[3]]
        await _describe(system, people[3], 3)
        await until(lambda: _is_complete(system))
        assert set(await system.score(template_of(1), *people)) == set(people)
    async with open_face_system(database, face=_OTHER) as system:
        again = await system.score(template_of(1), *people)
        assert {one: again[one].similarity for one in scores} == {
            one: score.similarity for one, score in scores.items()
        }


async def _is_complete(system: FaceSystem) -> bool:
    return not (await system.status()).HasField("model_change")


async def test_a_change_goes_on_after_another_start(database: str) -> None:
    """What was described stays described; the rest is listed."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        await _describe(system, people[0], 0)
    async with open_face_system(database, face=_NEW) as system:
        assert await _described(system, 1)
        for number in range(1, _PEOPLE):
            await _describe(system, people[number], number)
        await until(lambda: _has_switched(system))


async def test_a_change_can_be_called_off(database: str) -> None:
    """Wanting the old embedder again ends it; nothing is lost."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        await _describe(system, people[0], 0)
    async with open_face_system(database, face=_OLD) as system:
        assert await _uses(system) == {"dlib_resnet": common_pb2.MODEL_USE_SERVING}
        assert set(await system.score(template_of(1, names=_DLIB), *people)) == set(people)


async def test_fewer_embedders_serve_at_once(database: str) -> None:
    """Everything is described by them already."""
    await migrate_face(database)
    async with open_face_system(database, face=_NEW) as system:
        person = await system.performer()
        await system.enroll(person, enrolment(template_of(1)))
    async with open_face_system(database, face=_OLD) as system:
        assert await _uses(system) == {"dlib_resnet": common_pb2.MODEL_USE_SERVING}
        assert set(await system.score(template_of(1), person)) == {person}


async def test_two_processes_switch_together(database: str) -> None:
    """Each reads what the other enrolled before it lets the new set serve."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as one, open_face_system(database, face=_NEW) as other:
        for number, person in enumerate(people):
            await _describe(one if number % 2 else other, person, number)
        await until(lambda: _has_switched(one))
        await until(lambda: _has_switched(other))
        for system in (one, other):
            assert set(await system.score(template_of(1), *people)) == set(people)


async def test_a_call_that_began_with_the_old_set_ends_with_it(database: str) -> None:
    """Observe before the switch, Score after it: one scale, never two."""
    people = await _enrolled(database)
    section = _NEW.model_copy(update={"switch_coverage": 1.0})
    async with open_face_system(database, face=section) as system:
        observed = (await system.observe(encode(portrait(250)))).faces[0].template
        template = template_of(1)
        template.generation = observed.generation
        before = await system.score(template, *people)
        for number, person in enumerate(people):
            await _describe(system, person, number)
        await until(lambda: _has_switched(system))
        assert await system.score(template, *people) == before
        template.generation = 0
        assert await system.score(template, *people) != before


async def test_calls_during_the_switch_never_fail(database: str) -> None:
    """Scores go on; each is wholly that of one set."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        old = (await system.score(template_of(1), *people))[people[1]].similarity
        seen: set[float] = set()

        async def ask() -> None:
            while not await _has_switched(system):
                seen.add((await system.score(template_of(1), *people))[people[1]].similarity)

        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(ask())
            for number, person in enumerate(people):
                await _describe(system, person, number)
        new = (await system.score(template_of(1), *people))[people[1]].similarity
    assert seen <= {old, new}


async def test_identifying_during_the_switch_never_mixes_two_sets(database: str) -> None:
    """Observe, then Score: whenever the switch comes, the scores are those of the set that observed."""
    people = await _enrolled(database)
    picture = encode(portrait(250))
    seen: dict[int, set[float]] = {}

    async def identify(system: FaceSystem) -> None:
        template = (await system.observe(picture)).faces[0].template
        scores = await system.score(template, *people)
        assert set(scores) == set(people)
        seen.setdefault(template.generation, set()).add(scores[people[1]].similarity)

    async def identify_until_switched(system: FaceSystem) -> None:
        while not await _has_switched(system):
            await identify(system)

    async with open_face_system(database, face=_OTHER) as system:
        await identify(system)
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(identify_until_switched(system))
            for number, person in enumerate(people):
                await _describe(system, person, number)
        await identify(system)
    assert len(seen) == 2
    assert all(len(similarities) == 1 for similarities in seen.values())


async def test_a_face_observed_before_the_switch_can_be_enrolled_after_it(database: str) -> None:
    """Where only the old embedder described it: it is stored, and waits to be described again."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_OTHER) as system:
        for number, person in enumerate(people):
            await _describe(system, person, number)
        await until(lambda: _has_switched(system))
        [outcome] = await system.enroll(people[0], enrolment(template_of(7, names=_DLIB)))
        assert outcome.is_accepted
        assert (await system.pending(page_size=1)).total == 1


async def test_a_forgotten_performer_is_in_neither_set(database: str) -> None:
    """Forgetting during a change reaches the set that is being prepared, too."""
    people = await _enrolled(database)
    async with open_face_system(database, face=_NEW) as system:
        for number, person in enumerate(people[:3]):
            await _describe(system, person, number)
        await system.stub.Forget(pb.ForgetRequest(performer_id=people[0]), timeout=10)
        await system.execute("DELETE FROM catalogue.performers WHERE id = $1", people[0])
        await _describe(system, people[3], 3)
        await until(lambda: _has_switched(system))
        assert set(await system.score(template_of(0), *people)) == set(people[1:])
