"""EnrollImages on real channels and a real database, with scripted signals."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable

import grpc
import pytest
import pytest_asyncio

from chassis.errors import InvalidImage, Unavailable
from chassis.images import image_hash
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import catalogue_pb2 as pb
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import body_at, face_at, tattoo_at

__all__ = ["database", "postgres_server"]

_FACE, _TATTOO, _BODY = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO, common_pb2.SIGNAL_BODY
_DUPLICATE = common_pb2.REJECTION_REASON_DUPLICATE_IMAGE
_LOW_QUALITY = common_pb2.REJECTION_REASON_LOW_QUALITY
_NOTHING = common_pb2.REJECTION_REASON_NOTHING_VISIBLE
_AMBIGUOUS = common_pb2.REJECTION_REASON_AMBIGUOUS_PERSON
_UNDER_AGE = common_pb2.REJECTION_REASON_UNDER_AGE
_NOT_ATTESTED = common_pb2.REJECTION_REASON_AGE_NOT_ATTESTED
_INVALID_IMAGE = common_pb2.REJECTION_REASON_INVALID_IMAGE
_UNKNOWN = common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER
_UNAVAILABLE = common_pb2.REJECTION_REASON_UNAVAILABLE
_LATE = common_pb2.REJECTION_REASON_DEADLINE_EXCEEDED
_INVALID_FIELD = common_pb2.REJECTION_REASON_INVALID_FIELD


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway whose signals see one person with everything in every image."""
    async with open_system(database) as system:
        _show_one_person(system)
        yield system


def _show_one_person(system: System) -> None:
    system.face.seen = [face_at(300, 100, name="f")]
    system.tattoo.seen = [tattoo_at(300, 250, name="t")]
    system.body.seen = [body_at(300, 100, name="b")]


def _show_two_people(system: System, image: bytes) -> None:
    """The performer on the right, with the smaller face, a tattoo each."""
    system.face.seen_in[image] = [
        face_at(200, 100, name="stranger"),
        face_at(500, 100, 80, name="performer"),
    ]
    system.body.seen_in[image] = [body_at(200, 100, name="b-s"), body_at(500, 100, 80, name="b-p")]
    system.tattoo.seen_in[image] = [tattoo_at(200, 250, name="t-s"), tattoo_at(500, 240, name="t-p")]


def _image(performer_id: str, number: int = 0, **fields: object) -> pb.EnrollImagesRequest:
    request = pb.EnrollImagesRequest(key=f"k{number}", performer_id=performer_id, image=picture(number))
    for name, value in fields.items():
        setattr(request, name, value)
    return request


async def _enroll(
    system: System, requests: Iterable[pb.EnrollImagesRequest]
) -> dict[str, pb.EnrollImagesResponse]:
    call = system.catalogue.EnrollImages(iter(requests), timeout=30)
    return {reply.key: reply async for reply in call}


async def _enroll_one(system: System, request: pb.EnrollImagesRequest) -> pb.EnrollImagesResponse:
    [reply] = (await _enroll(system, [request])).values()
    return reply


def _reasons(reply: pb.EnrollImagesResponse) -> dict[int, list[int]]:
    return {one.signal: [rejection.reason for rejection in one.rejected] for one in reply.signals}


def _accepted(reply: pb.EnrollImagesResponse) -> dict[int, int]:
    return {one.signal: one.accepted for one in reply.signals}


async def test_every_signal_learns_what_belongs_to_the_person(system: System) -> None:
    """Face, tattoo with its region and body are stored with hash, source and date; the reply comes after."""
    anna = await system.performer("Anna")
    request = _image(anna, uri="file:///anna/1.jpg", date="2015-05-01")
    reply = await _enroll_one(system, request)
    assert (reply.is_accepted, reply.reason, reply.detail) == (True, 0, "")
    assert reply.image_hash == image_hash(request.image)
    assert _accepted(reply) == {_FACE: 1, _TATTOO: 1, _BODY: 1}
    for fake in (system.face, system.tattoo, system.body):
        [(digest, observation)] = fake.enrolled[anna]
        assert digest == reply.image_hash
        assert (observation.source.uri, observation.source.date) == ("file:///anna/1.jpg", "2015-05-01")
    tattoo = system.tattoo.enrolled[anna][0][1]
    assert tattoo.region == common_pb2.BODY_REGION_CHEST
    assert tattoo.detection_confidence == pytest.approx(0.9)
    assert tattoo.template.embeddings[0].vector == b"t"
    assert [one.max_candidates for one in system.face.requests("Observe")] == [0]


async def test_sending_an_image_again_is_no_error(system: System) -> None:
    """What is there already is a duplicate, and the image counts as accepted."""
    anna = await system.performer("Anna")
    await _enroll_one(system, _image(anna))
    reply = await _enroll_one(system, _image(anna))
    assert reply.is_accepted
    assert _accepted(reply) == {_FACE: 0, _TATTOO: 0, _BODY: 0}
    assert _reasons(reply) == {_FACE: [_DUPLICATE], _TATTOO: [_DUPLICATE], _BODY: [_DUPLICATE]}
    assert len(system.face.enrolled[anna]) == 1


async def test_one_reply_for_each_image_in_any_order(system: System) -> None:
    """Many images of many performers: each key once, and never more at work than the bound."""
    ids = [await system.performer(f"P{number}") for number in range(3)]
    replies = await _enroll(system, [_image(ids[number % 3], number) for number in range(20)])
    assert len(replies) == 20
    assert all(reply.is_accepted for reply in replies.values())
    assert [len(system.face.enrolled[one]) for one in ids] == [7, 7, 6]
    assert 1 <= system.face.most_running <= 4


async def test_no_more_images_are_read_than_the_bound(database: str) -> None:
    """While two images are stuck, the third is not even looked at."""
    async with open_system(database, images_in_flight=2) as system:
        _show_one_person(system)
        anna = await system.performer("Anna")
        system.body.gates["Observe"] = asyncio.Event()
        enrolling = asyncio.ensure_future(_enroll(system, [_image(anna, number) for number in range(6)]))
        await system.body.until(lambda: system.body.running == 2)
        await asyncio.sleep(0.1)
        assert len(system.face.requests("Observe")) == 2
        system.body.gates["Observe"].set()
        assert len(await enrolling) == 6
        assert system.face.most_running <= 2


async def test_a_bad_image_is_answered_and_the_stream_goes_on(system: System) -> None:
    """Each bad image gets its reason; the good ones between them are enrolled."""
    anna = await system.performer("Anna")
    bad = {
        "empty": (_image(anna, image=b""), _INVALID_IMAGE),
        "no image": (_image(anna, image=b"hello"), _INVALID_IMAGE),
        "truncated": (_image(anna, image=picture()[:-9]), _INVALID_IMAGE),
        "date": (_image(anna, date="1st of May"), _INVALID_FIELD),
        "uri": (_image(anna, uri="x" * 5000), _INVALID_FIELD),
        "choice": (_image(anna, person_choice=7), _INVALID_FIELD),
        "id": (_image("Anna"), _INVALID_FIELD),
        "nobody": (_image(str(uuid.uuid4())), _UNKNOWN),
    }
    requests = []
    for number, (key, (request, _)) in enumerate(bad.items(), start=1):
        request.key = key
        requests += [request, _image(anna, number)]
    replies = await _enroll(system, requests)
    assert {key: replies[key].reason for key in bad} == {key: reason for key, (_, reason) in bad.items()}
    assert all(replies[key].detail and not replies[key].is_accepted for key in bad)
    assert all(replies[f"k{number}"].is_accepted for number in range(1, len(bad) + 1))
    unnamed = await _enroll_one(system, _image(anna, key=""))
    assert (unnamed.reason, "key" in unnamed.detail) == (_INVALID_FIELD, True)


async def test_an_image_that_no_signal_can_decode_is_invalid(system: System) -> None:
    """The header was fine, the content is not."""
    anna = await system.performer("Anna")
    for fake in (system.face, system.tattoo, system.body):
        fake.errors["Observe"] = InvalidImage("image is damaged")
    reply = await _enroll_one(system, _image(anna))
    assert (reply.reason, reply.detail) == (_INVALID_IMAGE, "image is damaged")
    assert not system.tattoo.enrolled


async def test_minors_and_unattested_people_are_refused_before_anybody_looks(system: System) -> None:
    """An image from before the eighteenth birthday, or of somebody nobody attests, reaches no signal."""
    anna = await system.performer("Anna", birth_date="2000-06-15")
    bea = await system.performer("Bea", birth_date="", external_ids={"folder": "Bea"})
    young = await _enroll_one(system, _image(anna, date="2018-06-14"))
    nobody = await _enroll_one(system, _image(bea))
    assert (young.reason, nobody.reason) == (_UNDER_AGE, _NOT_ATTESTED)
    assert system.face.calls == []
    assert (await _enroll_one(system, _image(anna, date="2018-06-15"))).is_accepted
    cleo = await system.performer("Cleo", birth_date="", external_ids={"stashdb.org": "c"})
    assert (await _enroll_one(system, _image(cleo))).is_accepted


async def test_a_signal_that_alone_refuses_an_image_is_unavailable(system: System) -> None:
    """The others learn; an image that the body refuses is theirs all the same."""
    anna = await system.performer("Anna")
    system.body.errors["Observe"] = InvalidImage("a text of the body process")
    reply = await _enroll_one(system, _image(anna))
    assert _accepted(reply)[_FACE] == 1
    assert _reasons(reply)[_BODY] == [_UNAVAILABLE]
    assert "text" not in str(reply)


async def _set_birth_date(system: System, performer_id: str, day: str) -> tuple[grpc.StatusCode, str]:
    change = pb.Performer(id=performer_id, birth_date=day)
    try:
        await system.catalogue.UpsertPerformer(pb.UpsertPerformerRequest(performer=change))
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def test_a_birth_date_that_makes_an_enrolled_image_one_of_a_minor_is_refused(system: System) -> None:
    """The earliest date of all images counts, whatever their order; an adult's birth date is accepted."""
    anna = await system.performer("Anna", birth_date="", adult_attested=True)
    for number, day in enumerate(["2012-01-01", "2005-06-15", "2020-01-01", ""]):
        assert (await _enroll_one(system, _image(anna, number, date=day))).is_accepted
    code, detail = await _set_birth_date(system, anna, "1987-06-16")
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "forget the performer or correct the date" in detail
    stored = await system.catalogue.GetPerformer(pb.GetPerformerRequest(id=anna))
    assert stored.performer.birth_date == ""
    assert await _set_birth_date(system, anna, "1987-06-15") == (grpc.StatusCode.OK, "")
    # A correction is held against the rule as well.
    code, _ = await _set_birth_date(system, anna, "1990-01-01")
    assert code is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_birth_date_set_while_an_image_is_looked_at_counts(system: System) -> None:
    """The image was admissible when it came and is not when it would be stored: nothing is."""
    anna = await system.performer("Anna", birth_date="", adult_attested=True)
    system.body.gates["Observe"] = asyncio.Event()
    enrolling = asyncio.ensure_future(_enroll_one(system, _image(anna, date="2005-06-15")))
    await system.body.until(lambda: system.body.running == 1)
    assert await _set_birth_date(system, anna, "1990-01-01") == (grpc.StatusCode.OK, "")
    system.body.gates["Observe"].set()
    assert (await enrolling).reason == _UNDER_AGE
    assert not system.face.enrolled


async def test_the_date_is_kept_before_anything_is_stored(system: System) -> None:
    """While a signal is still storing, the birth date is refused already: a crash here leaves no gap."""
    anna = await system.performer("Anna", birth_date="", adult_attested=True)
    system.face.gates["Enroll"] = asyncio.Event()
    enrolling = asyncio.ensure_future(_enroll_one(system, _image(anna, date="2005-06-15")))
    await system.face.until(lambda: system.face.running == 1 and bool(system.face.requests("Enroll")))
    code, _ = await _set_birth_date(system, anna, "1990-01-01")
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    system.face.gates["Enroll"].set()
    assert (await enrolling).is_accepted


async def test_of_several_people_the_agreeing_one_is_learned(system: System) -> None:
    """Only the performer's own face, tattoo and body are stored; the bystander's are not."""
    anna = await system.performer("Anna")
    group = picture(1)
    _show_two_people(system, group)
    system.face.known[anna]["performer"] = 0.9
    system.face.known[anna]["stranger"] = 0.2
    reply = await _enroll_one(system, _image(anna, 1))
    assert _accepted(reply) == {_FACE: 1, _TATTOO: 1, _BODY: 1}
    names = [
        fake.enrolled[anna][0][1].template.embeddings[0].vector
        for fake in (system.face, system.tattoo, system.body)
    ]
    assert names == [b"performer", b"t-p", b"b-p"]


@pytest.mark.parametrize("confidences", [{}, {"performer": 0.4}, {"performer": 0.9, "stranger": 0.8}])
async def test_without_one_clear_agreement_nothing_is_learned(
    system: System, confidences: dict[str, float]
) -> None:
    """Nothing enrolled, nobody alike, or two alike: AMBIGUOUS_PERSON."""
    anna = await system.performer("Anna")
    _show_two_people(system, picture(1))
    if confidences:
        system.face.known[anna] = {"performer": 0.0, "stranger": 0.0, **confidences}
    reply = await _enroll_one(system, _image(anna, 1))
    assert (reply.is_accepted, reply.reason) == (False, _AMBIGUOUS)
    assert not any(fake.requests("Enroll") for fake in (system.face, system.tattoo, system.body))


async def test_a_portrait_is_of_the_largest_face(system: System) -> None:
    """When the owner says so, the person with the largest face is learned without comparing."""
    anna = await system.performer("Anna")
    _show_two_people(system, picture(1))
    reply = await _enroll_one(system, _image(anna, 1, person_choice=pb.PERSON_CHOICE_LARGEST_FACE))
    assert reply.is_accepted
    assert system.face.enrolled[anna][0][1].template.embeddings[0].vector == b"stranger"
    assert system.face.requests("Score") == []


async def test_a_group_waits_for_the_portraits_sent_before_it(system: System) -> None:
    """The group picture is compared only after the earlier, slower portrait is committed."""
    anna = await system.performer("Anna")
    system.face.seen_in[picture(0)] = [face_at(300, 100, name="performer")]
    _show_two_people(system, picture(1))
    system.face.gates["Enroll"] = asyncio.Event()
    enrolling = asyncio.ensure_future(_enroll(system, [_image(anna, 0), _image(anna, 1)]))
    await system.face.until(lambda: bool(system.face.requests("Enroll")))
    await asyncio.sleep(0.1)
    assert system.face.requests("Score") == []
    system.face.gates["Enroll"].set()
    replies = await enrolling
    assert replies["k1"].is_accepted
    assert [one.template.embeddings[0].vector for _, one in system.face.enrolled[anna]] == [b"performer"] * 2


async def test_nobody_in_the_picture(system: System) -> None:
    """Nothing seen by anybody: NOTHING_VISIBLE."""
    anna = await system.performer("Anna")
    for fake in (system.face, system.tattoo, system.body):
        fake.seen_in[picture()] = []
    assert (await _enroll_one(system, _image(anna))).reason == _NOTHING


async def test_a_close_up_of_a_tattoo_teaches_the_tattoo(system: System) -> None:
    """Without face and body there is one person; the region is unknown."""
    anna = await system.performer("Anna")
    system.face.seen, system.body.seen = [], []
    reply = await _enroll_one(system, _image(anna))
    assert _accepted(reply) == {_FACE: 0, _TATTOO: 1, _BODY: 0}
    assert _reasons(reply) == {_FACE: [_NOTHING], _TATTOO: [], _BODY: [_NOTHING]}
    assert system.tattoo.enrolled[anna][0][1].region == common_pb2.BODY_REGION_UNKNOWN


async def test_a_body_that_could_not_be_measured_is_named(system: System) -> None:
    """Seen but without a template: LOW_QUALITY for the body, and the rest is learned."""
    anna = await system.performer("Anna")
    system.body.seen = [body_at(300, 100, is_measured=False)]
    reply = await _enroll_one(system, _image(anna))
    assert _reasons(reply)[_BODY] == [_LOW_QUALITY]
    assert (reply.is_accepted, reply.reason) == (True, 0)


async def test_a_tattoo_of_nobody_is_not_learned(system: System) -> None:
    """What the association leaves unassigned is not stored."""
    anna = await system.performer("Anna")
    system.tattoo.seen = [tattoo_at(600, 10, name="poster")]
    system.body.seen = [body_at(200, 100)]
    system.face.seen = [face_at(200, 100)]
    reply = await _enroll_one(system, _image(anna))
    assert _reasons(reply)[_TATTOO] == [_NOTHING]
    assert not system.tattoo.enrolled


async def test_a_dead_tattoo_signal_costs_the_tattoos_only(system: System) -> None:
    """Face and body are learned; the reply says that the tattoos should be tried again."""
    anna = await system.performer("Anna")
    await system.served["tattoo"].kill()
    reply = await _enroll_one(system, _image(anna))
    assert (reply.is_accepted, _accepted(reply)) == (True, {_FACE: 1, _TATTOO: 0, _BODY: 1})
    assert _reasons(reply)[_TATTOO] == [_UNAVAILABLE]


async def test_without_the_body_signal_no_tattoo_is_learned(system: System) -> None:
    """Somebody without a visible face may be there: whose tattoos these are cannot be told."""
    anna = await system.performer("Anna")
    await system.served["body"].kill()
    reply = await _enroll_one(system, _image(anna))
    assert _accepted(reply) == {_FACE: 1, _TATTOO: 0, _BODY: 0}
    assert _reasons(reply) == {_FACE: [], _TATTOO: [_UNAVAILABLE], _BODY: [_UNAVAILABLE]}
    system.face.seen = []
    tattoo_only = await _enroll_one(system, _image(anna, 1))
    assert (tattoo_only.is_accepted, tattoo_only.reason) == (False, _UNAVAILABLE)


async def test_without_the_face_signal_nothing_is_learned(database: str) -> None:
    """Faces tell people apart: dead or late, the image is to be sent again, and no address leaks."""
    async with open_system(database, observe_seconds=0.3) as system:
        _show_one_person(system)
        anna = await system.performer("Anna")
        system.face.gates["Observe"] = asyncio.Event()
        late = await _enroll_one(system, _image(anna))
        assert (late.reason, late.detail) == (_LATE, "face did not answer in time")
        await system.served["face"].kill()
        dead = await _enroll_one(system, _image(anna))
        assert (dead.reason, dead.detail) == (_UNAVAILABLE, "face could not be reached, or failed")
        assert not system.tattoo.enrolled


async def test_a_signal_that_fails_to_store_is_named(system: System) -> None:
    """The others' rows stay; sending the image again completes it."""
    anna = await system.performer("Anna")
    system.tattoo.errors["Enroll"] = Unavailable("disk full at /secret")
    reply = await _enroll_one(system, _image(anna))
    assert (reply.is_accepted, _reasons(reply)[_TATTOO]) == (True, [_UNAVAILABLE])
    assert "secret" not in str(reply)
    del system.tattoo.errors["Enroll"]
    again = await _enroll_one(system, _image(anna))
    assert _accepted(again) == {_FACE: 0, _TATTOO: 1, _BODY: 0}


async def test_a_performer_forgotten_in_the_middle_is_unknown(system: System) -> None:
    """Images after the deletion are refused, and so is one whose rows came too late."""
    anna = await system.performer("Anna")
    system.face.gates["Enroll"] = asyncio.Event()
    enrolling = asyncio.ensure_future(_enroll_one(system, _image(anna)))
    await system.face.until(lambda: bool(system.face.requests("Enroll")))
    await system.catalogue.ForgetPerformer(pb.ForgetPerformerRequest(id=anna))
    for fake in (system.face, system.tattoo, system.body):
        fake.gone.add(anna)
    system.face.gates["Enroll"].set()
    late = await enrolling
    assert (late.is_accepted, late.reason) == (False, _UNKNOWN)
    assert _reasons(late) == {_FACE: [_UNKNOWN], _TATTOO: [_UNKNOWN], _BODY: [_UNKNOWN]}
    assert (await _enroll_one(system, _image(anna, 1))).reason == _UNKNOWN


async def test_a_client_that_leaves_cancels_what_runs_and_keeps_what_is_committed(system: System) -> None:
    """Images under way are dropped, those answered stay, and the next stream works."""
    anna = await system.performer("Anna")

    async def requests() -> AsyncIterator[pb.EnrollImagesRequest]:
        yield _image(anna, 0)
        await first_reply.wait()
        system.face.gates["Observe"] = asyncio.Event()
        for number in range(1, 4):
            yield _image(anna, number)
        await asyncio.Event().wait()

    first_reply = asyncio.Event()
    call = system.catalogue.EnrollImages(requests(), timeout=30)
    reply = await call.read()
    assert isinstance(reply, pb.EnrollImagesResponse)
    assert reply.is_accepted
    first_reply.set()
    await system.face.until(lambda: system.face.running == 3)
    call.cancel()
    await system.face.until(lambda: system.face.running == 0)
    assert system.face.cancelled == 3
    assert len(system.face.enrolled[anna]) == 1
    del system.face.gates["Observe"]
    replies = await _enroll(system, [_image(anna, number) for number in range(4)])
    assert [_accepted(replies[f"k{number}"])[_FACE] for number in range(4)] == [0, 1, 1, 1]


async def test_tattoos_and_body_of_somebody_else_are_not_learned(system: System) -> None:
    """The face signal says that the face is another person's: nothing of the image is the performer's."""
    ann = await system.performer("Ann")
    outlier = common_pb2.REJECTION_REASON_OUTLIER
    system.face.refuse = (outlier, "seems to be somebody else")
    reply = await _enroll_one(system, _image(ann))
    assert (reply.is_accepted, reply.reason, reply.detail) == (False, outlier, "seems to be somebody else")
    assert _reasons(reply) == {_FACE: [outlier], _TATTOO: [outlier], _BODY: [outlier]}
    assert not system.tattoo.enrolled[ann]
    assert not system.body.enrolled[ann]


async def test_a_near_duplicate_costs_nothing(system: System) -> None:
    """The face is in reserve; the image is accepted, and tattoos and body of it are learned."""
    ann = await system.performer("Ann")
    system.face.refuse = (common_pb2.REJECTION_REASON_NEAR_DUPLICATE, "nearly the same")
    reply = await _enroll_one(system, _image(ann))
    assert reply.is_accepted
    assert _accepted(reply) == {_FACE: 0, _TATTOO: 1, _BODY: 1}


async def test_an_empty_stream_ends_well(system: System) -> None:
    """No images, no replies, no error."""
    assert await _enroll(system, []) == {}


async def test_a_stream_ends_with_its_deadline(system: System) -> None:
    """The caller's deadline counts for streams, too:

    an image under way is answered as late, or not at all.
    """
    anna = await system.performer("Anna")
    system.face.gates["Observe"] = asyncio.Event()
    call = system.catalogue.EnrollImages(iter([_image(anna)]), timeout=0.5)
    try:
        assert [reply.reason async for reply in call] == [_LATE]
    except grpc.aio.AioRpcError as exc:
        assert exc.code() is grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017  either end is right
    await system.face.until(lambda: system.face.cancelled == 1)
    assert not system.face.enrolled
