"""ListImages and ReembedImages on real channels and a real database, with scripted signals."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable

import grpc
import pytest
import pytest_asyncio

from chassis.errors import DeadlineExceeded, InvalidImage, NotFound, Overloaded, Unavailable
from chassis.images import image_hash
from marquee.common.v1 import common_pb2
from marquee.gateway.v1 import backfill_pb2 as pb
from marquee.gateway.v1 import catalogue_pb2
from tests.fakes.gateway_system import System, open_system, picture
from tests.fakes.postgres import database, postgres_server
from tests.fakes.scenes import body_at, face_at, tattoo_at

__all__ = ["database", "postgres_server"]

_FACE, _TATTOO = common_pb2.SIGNAL_FACE, common_pb2.SIGNAL_TATTOO


@pytest_asyncio.fixture(loop_scope="session")
async def system(database: str) -> AsyncIterator[System]:
    """A gateway whose signals see one person with a face, two tattoos and a body in every image."""
    async with open_system(database) as system:
        _show_one_person(system)
        yield system


def _show_one_person(system: System) -> None:
    system.face.seen = [face_at(300, 100, name="f")]
    system.tattoo.seen = [tattoo_at(300, 250, name="t1"), tattoo_at(300, 380, name="t2")]
    system.body.seen = [body_at(300, 100, name="b")]


async def _enrolled(
    system: System, images: int = 1, *, name: str = "Anna", date: str = "", adult_attested: bool = False
) -> str:
    """A performer with images 0, 1, ... enrolled; returns the id."""
    birth_date = "" if adult_attested else "1990-01-01"
    performer_id = await system.performer(name, birth_date=birth_date, adult_attested=adult_attested)
    requests = [
        catalogue_pb2.EnrollImagesRequest(
            key=str(number),
            performer_id=performer_id,
            image=picture(number),
            uri=f"/{name}/{number}.png",
            date=date,
        )
        for number in range(images)
    ]
    replies = [one async for one in system.catalogue.EnrollImages(iter(requests), timeout=30)]
    assert all(reply.is_accepted for reply in replies)
    for fake in (system.face, system.tattoo, system.body):
        fake.calls.clear()
    return performer_id


def _start_change(system: System, *, switch_coverage: float = 1.0) -> None:
    system.face.start_change(switch_coverage=switch_coverage)
    system.tattoo.start_change(switch_coverage=switch_coverage)


async def _pages(system: System, size: int) -> list[pb.ListImagesResponse]:
    pages: list[pb.ListImagesResponse] = []
    token = ""
    while token or not pages:
        page = await system.backfill.ListImages(pb.ListImagesRequest(page_size=size, page_token=token))
        pages.append(page)
        token = page.next_page_token
    return pages


def _image(performer_id: str, number: int = 0, **fields: object) -> pb.ReembedImagesRequest:
    request = pb.ReembedImagesRequest(key=f"k{number}", performer_id=performer_id, image=picture(number))
    for name, value in fields.items():
        setattr(request, name, value)
    return request


async def _reembed(
    system: System, requests: Iterable[pb.ReembedImagesRequest]
) -> dict[str, pb.ReembedImagesResponse]:
    call = system.backfill.ReembedImages(iter(requests), timeout=30)
    return {reply.key: reply async for reply in call}


async def _reembed_one(system: System, request: pb.ReembedImagesRequest) -> pb.ReembedImagesResponse:
    [reply] = (await _reembed(system, [request])).values()
    return reply


def _counts(reply: pb.ReembedImagesResponse) -> dict[int, tuple[int, int]]:
    """Signal -> described and missed."""
    return {one.signal: (one.described, one.missed) for one in reply.signals}


# --- ListImages ---


async def test_nothing_waits_while_no_models_change(system: System) -> None:
    """One empty page, and no signal is asked for a list."""
    await _enrolled(system)
    [page] = await _pages(system, 10)
    assert page == pb.ListImagesResponse()
    assert system.face.requests("ListPending") == []


async def test_images_are_listed_with_their_source_and_counts(system: System) -> None:
    """Faces first, then tattoos: each image once for each signal, its tattoos counted together."""
    anna = await _enrolled(system, 2, date="2015-05-01")
    _start_change(system, switch_coverage=0.75)
    listed = [image for page in await _pages(system, 10) for image in page.images]
    assert [image.signal for image in listed] == [_FACE, _FACE, _TATTOO, _TATTOO]
    assert sorted((image.signal, image.source.uri, image.observations) for image in listed) == [
        (_FACE, "/Anna/0.png", 1),
        (_FACE, "/Anna/1.png", 1),
        (_TATTOO, "/Anna/0.png", 2),
        (_TATTOO, "/Anna/1.png", 2),
    ]
    assert {(image.performer_id, image.source.date) for image in listed} == {(anna, "2015-05-01")}
    assert {image.source.image_hash for image in listed} == {image_hash(picture(n)) for n in range(2)}
    first = (await _pages(system, 10))[0]
    assert [(one.signal, one.pending) for one in first.totals] == [(_FACE, 2), (_TATTOO, 4)]
    assert [(one.change.observations, one.change.switch_coverage) for one in first.totals] == [
        (2, 0.75),
        (4, 0.75),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_small_pages_list_every_image_once(system: System, size: int) -> None:
    """Wherever a page ends, also between two tattoos of one image, no image is lost, doubled or cut."""
    await _enrolled(system, 4)
    await _enrolled(system, 3, name="Bea")
    _start_change(system)
    pages = await _pages(system, size)
    listed = [(one.signal, one.performer_id, one.source.uri) for page in pages for one in page.images]
    assert len(listed) == len(set(listed)) == 14
    assert {(one.signal, one.observations) for page in pages for one in page.images} == {
        (_FACE, 1),
        (_TATTOO, 2),
    }
    assert all(0 < len(page.images) <= size for page in pages[:-1])


async def test_pages_go_on_while_images_are_described(system: System) -> None:
    """Who describes each page before asking for the next one meets every image."""
    await _enrolled(system, 5)
    _start_change(system)
    seen, token = set(), ""
    while True:
        page = await system.backfill.ListImages(pb.ListImagesRequest(page_size=2, page_token=token))
        for image in page.images:
            number = int(image.source.uri.removeprefix("/Anna/").removesuffix(".png"))
            seen.add(number)
            await _reembed_one(system, _image(image.performer_id, number))
        token = page.next_page_token
        if not token:
            break
    assert seen == set(range(5))
    assert [page.totals for page in await _pages(system, 10)] == [[]]


async def test_a_signal_that_is_away_is_named(system: System) -> None:
    """The other's images are listed; when none can be asked there is no answer."""
    await _enrolled(system)
    _start_change(system)
    system.face.errors["GetStatus"] = Unavailable("gone")
    [page] = await _pages(system, 10)
    assert list(page.unavailable) == [_FACE]
    assert [one.signal for one in page.images] == [_TATTOO]
    await system.served["tattoo"].kill()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _pages(system, 10)
    assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
    assert raised.value.details() == "no signal answered: face, tattoo"


async def test_a_signal_that_goes_away_between_pages_is_named(system: System) -> None:
    """Its images are left out from there on, and the list goes on with the other signal's."""
    await _enrolled(system, 3)
    _start_change(system)
    first = await system.backfill.ListImages(pb.ListImagesRequest(page_size=1))
    system.face.errors["ListPending"] = Unavailable("gone")
    second = await system.backfill.ListImages(
        pb.ListImagesRequest(page_size=1, page_token=first.next_page_token)
    )
    assert list(second.unavailable) == [_FACE]
    assert [one.signal for one in second.images] == [_TATTOO]


@pytest.mark.parametrize(
    "token", ["x", "W10=", "bnVsbA==", "WyJib2R5IiwiIiwiIiwiIl0=", "WyJmYWNlIiwieCIsIiIsIiJd"]
)
async def test_a_wrong_token_is_the_callers_error(system: System, token: str) -> None:
    """Garbage, another shape, a signal without such a list, and a token the signal does not know."""
    await _enrolled(system)
    _start_change(system)
    with pytest.raises(grpc.aio.AioRpcError, match="page_token: not a token of this server") as raised:
        await system.backfill.ListImages(pb.ListImagesRequest(page_token=token))
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_page_has_a_bound(system: System) -> None:
    """More than a thousand images are not listed at once."""
    with pytest.raises(grpc.aio.AioRpcError, match="page_size: more than 1000"):
        await system.backfill.ListImages(pb.ListImagesRequest(page_size=1001))


# --- ReembedImages ---


async def test_an_image_is_described_again(system: System) -> None:
    """Every signal that waits gets its observations with the stored box, source and region.

    Nothing is searched, and the body is not even asked to look.
    """
    anna = await _enrolled(system, date="2015-05-01")
    stored = [observation for _, observation in system.tattoo.enrolled[anna]]
    _start_change(system)
    system.face.seen = [face_at(303, 100, name="f2")]
    system.tattoo.seen = [tattoo_at(300, 381, name="new t2"), tattoo_at(301, 250, name="new t1")]
    reply = await _reembed_one(system, _image(anna))
    assert (reply.key, reply.image_hash, reply.detail) == ("k0", image_hash(picture()), "")
    assert _counts(reply) == {_FACE: (1, 0), _TATTOO: (2, 0)}
    assert [one.detail for one in reply.signals] == ["", ""]
    assert [one for _, one in system.tattoo.described] != stored
    for (_, offered), known in zip(system.tattoo.described, stored, strict=True):
        assert (offered.box, offered.region, offered.source) == (known.box, known.region, known.source)
    assert [one.template.embeddings[0].vector for _, one in system.tattoo.described] == [b"new t1", b"new t2"]
    assert [one.template.embeddings[0].vector for _, one in system.face.described] == [b"f2"]
    assert [one.max_candidates for one in system.face.requests("Observe")] == [0]
    assert system.body.calls == []


async def test_nothing_else_in_the_picture_is_learned(system: System) -> None:
    """A bystander, and a tattoo that was not enrolled, are seen and left alone."""
    anna = await _enrolled(system)
    _start_change(system)
    system.face.seen = [face_at(100, 100, 200, name="stranger"), face_at(300, 100, name="f")]
    system.tattoo.seen.append(tattoo_at(100, 250, name="stranger's"))
    assert _counts(await _reembed_one(system, _image(anna))) == {_FACE: (1, 0), _TATTOO: (2, 0)}
    [request] = system.face.requests("Enroll")
    assert [one.template.embeddings[0].vector for one in request.observations] == [b"f"]
    assert len(system.tattoo.enrolled[anna]) == 2


async def test_what_is_not_seen_at_its_place_is_missed(system: System) -> None:
    """It stays pending, with words; what is seen beside it is described."""
    anna = await _enrolled(system)
    _start_change(system)
    system.face.seen = [face_at(400, 100)]
    system.tattoo.seen = [tattoo_at(300, 250, name="t1")]
    reply = await _reembed_one(system, _image(anna))
    assert _counts(reply) == {_FACE: (0, 1), _TATTOO: (1, 1)}
    assert [one.detail for one in reply.signals] == [
        "1 of 1 not seen at its place any more",
        "1 of 2 not seen at its place any more",
    ]
    assert not any(one.is_temporary for one in reply.signals)
    assert system.face.requests("Enroll") == []
    assert [(one.pending, one.signal) for one in (await _pages(system, 5))[0].totals] == [
        (1, _FACE),
        (1, _TATTOO),
    ]


async def test_only_signals_with_something_pending_look(system: System) -> None:
    """A change of one signal costs the others nothing."""
    anna = await _enrolled(system)
    system.face.start_change()
    assert _counts(await _reembed_one(system, _image(anna))) == {_FACE: (1, 0)}
    assert [verb for verb, _ in system.tattoo.calls] == ["ListPending"]


async def test_sending_an_image_again_is_no_error(system: System) -> None:
    """Nothing waits any more: no signals, no detail; and nobody looks a second time."""
    anna = await _enrolled(system, 2)
    _start_change(system)
    await _reembed_one(system, _image(anna))
    again = await _reembed_one(system, _image(anna))
    assert (list(again.signals), again.detail) == ([], "")
    assert len(system.face.requests("Observe")) == 1
    assert len(system.face.change.waiting) == 1


async def test_other_bytes_than_those_enrolled_describe_nothing(system: System) -> None:
    """The hash decides: a retouched picture, or another performer's, waits for nobody."""
    anna = await _enrolled(system)
    bea = await system.performer("Bea")
    _start_change(system)
    replies = await _reembed(system, [_image(anna, 7), _image(bea, 0)])
    assert [list(reply.signals) for reply in replies.values()] == [[], []]
    assert system.face.requests("Observe") == []


async def test_one_reply_for_each_image_and_never_more_at_work_than_the_bound(database: str) -> None:
    """Many images: each key once, and no more read than are worked on."""
    async with open_system(database, images_in_flight=2) as system:
        _show_one_person(system)
        anna = await _enrolled(system, 6)
        _start_change(system)
        system.face.gates["Observe"] = asyncio.Event()
        working = asyncio.ensure_future(_reembed(system, [_image(anna, number) for number in range(6)]))
        await system.face.until(lambda: system.face.running == 2)
        await asyncio.sleep(0.1)
        assert len(system.face.requests("ListPending")) == 2
        system.face.gates["Observe"].set()
        replies = await working
        assert {key: _counts(reply)[_FACE] for key, reply in replies.items()} == {
            f"k{number}": (1, 0) for number in range(6)
        }
        assert system.face.most_running <= 2


async def test_bad_images_are_answered_and_the_stream_goes_on(system: System) -> None:
    """Each has its reason in words; the good one between them is described."""
    anna = await _enrolled(system)
    _start_change(system)
    replies = await _reembed(
        system,
        [
            _image(anna, key="empty", image=b""),
            _image(anna, key="text", image=b"hello"),
            _image(anna, key="cut", image=picture()[:-9]),
            _image("Anna", key="id"),
            _image(anna, key="good"),
            _image(str(uuid.uuid4()), key="nobody"),
        ],
    )
    details = {key: reply.detail for key, reply in replies.items()}
    assert all(details[key] for key in ("empty", "text", "cut", "id"))
    assert (details["good"], details["nobody"]) == ("", "")
    assert _counts(replies["good"]) == {_FACE: (1, 0), _TATTOO: (2, 0)}
    assert not replies["nobody"].signals
    assert "key" in (await _reembed_one(system, _image(anna, key=""))).detail


async def test_an_image_that_no_signal_can_decode_is_refused_whole(system: System) -> None:
    """The header was fine, the content is not; everything stays pending."""
    anna = await _enrolled(system)
    _start_change(system)
    for fake in (system.face, system.tattoo):
        fake.errors["Observe"] = InvalidImage("image is damaged")
    reply = await _reembed_one(system, _image(anna))
    assert (list(reply.signals), reply.detail) == ([], "image is damaged")
    assert len(system.face.change.waiting) == 1


@pytest.mark.parametrize("error", [Unavailable("at /secret"), DeadlineExceeded("x"), Overloaded("full")])
@pytest.mark.parametrize("verb", ["ListPending", "Observe", "Enroll"])
async def test_a_signal_that_fails_is_an_answer(system: System, verb: str, error: Exception) -> None:
    """Wherever it fails: the other is described, this one can be tried again, and then is."""
    anna = await _enrolled(system)
    _start_change(system)
    system.tattoo.errors[verb] = error
    reply = await _reembed_one(system, _image(anna))
    face, tattoo = reply.signals
    assert (face.described, face.is_temporary) == (1, False)
    assert (tattoo.signal, tattoo.described, tattoo.is_temporary) == (_TATTOO, 0, True)
    assert tattoo.detail.startswith("tattoo ")
    assert "secret" not in str(reply)
    del system.tattoo.errors[verb]
    assert _counts(await _reembed_one(system, _image(anna))) == {_TATTOO: (2, 0)}


async def test_a_new_model_that_does_not_run_describes_nothing(system: System) -> None:
    """The signal has all vectors that were offered, and waits for the new model's all the same."""
    anna = await _enrolled(system)
    _start_change(system)
    system.tattoo.change.is_model_away = True
    reply = await _reembed_one(system, _image(anna))
    assert _counts(reply) == {_FACE: (1, 0), _TATTOO: (0, 2)}
    assert reply.signals[1].detail == "2 of 2 not described by the new models, which may not run"


async def test_what_somebody_else_describes_meanwhile_is_described(system: System) -> None:
    """Two clients send the same image: both are told that nothing waits any more."""
    anna = await _enrolled(system)
    _start_change(system)
    system.face.gates["Enroll"] = asyncio.Event()
    both = [asyncio.ensure_future(_reembed_one(system, _image(anna))) for _ in range(2)]
    await system.face.until(lambda: system.face.running == 2)
    system.face.gates["Enroll"].set()
    for reply in await asyncio.gather(*both):
        assert _counts(reply)[_FACE] == (1, 0)
    assert len(system.face.described) == 1


async def test_a_refusal_of_the_signal_is_told(system: System) -> None:
    """What the service refuses is missed, with its words, and no further try is asked for."""
    anna = await _enrolled(system)
    _start_change(system)
    system.face.refuse = (common_pb2.REJECTION_REASON_LOW_QUALITY, "quality 0.05 is under 0.10")
    face = (await _reembed_one(system, _image(anna))).signals[0]
    assert (face.described, face.missed, face.is_temporary) == (0, 1, False)
    assert face.detail == "quality 0.05 is under 0.10"


async def test_a_dead_signal_is_an_answer(system: System) -> None:
    """A process that is gone costs only its own observations."""
    anna = await _enrolled(system)
    _start_change(system)
    await system.served["face"].kill()
    face, tattoo = (await _reembed_one(system, _image(anna))).signals
    assert (face.described, face.is_temporary) == (0, True)
    assert tattoo.described == 2


async def test_who_may_not_be_enrolled_any_more_is_refused(system: System) -> None:
    """Attestation withdrawn since: nobody looks, nothing is described, and the reply says why."""
    anna = await _enrolled(system, adult_attested=True)
    _start_change(system)
    change = catalogue_pb2.Performer(id=anna, adult_attested=False)
    await system.catalogue.UpsertPerformer(catalogue_pb2.UpsertPerformerRequest(performer=change))
    reply = await _reembed_one(system, _image(anna))
    assert "adult" in reply.detail
    assert not reply.signals
    assert system.face.requests("Observe") == []


async def test_attestation_withdrawn_while_an_image_is_looked_at_counts(system: System) -> None:
    """It was admissible when it came and is not when it would be stored: nothing is."""
    anna = await _enrolled(system, adult_attested=True)
    _start_change(system)
    system.face.gates["Observe"] = asyncio.Event()
    working = asyncio.ensure_future(_reembed_one(system, _image(anna)))
    await system.face.until(lambda: system.face.running == 1 and bool(system.face.requests("Observe")))
    change = catalogue_pb2.Performer(id=anna, adult_attested=False)
    await system.catalogue.UpsertPerformer(catalogue_pb2.UpsertPerformerRequest(performer=change))
    system.face.gates["Observe"].set()
    assert "adult" in (await working).detail
    assert system.face.requests("Enroll") == []


async def test_the_stored_date_of_the_image_counts(system: System) -> None:
    """An image that was dated before the eighteenth birthday by a signal's row is refused."""
    anna = await _enrolled(system, date="2010-01-01")
    _start_change(system)
    for waiting in system.face.change.waiting.values():
        waiting.source.date = "2007-12-31"
    assert "eighteenth birthday" in (await _reembed_one(system, _image(anna))).detail


async def test_a_forgotten_performer_has_nothing_to_describe(system: System) -> None:
    """Before the image comes, and in the middle of it."""
    anna = await _enrolled(system, 2)
    _start_change(system)
    system.face.gates["Enroll"] = asyncio.Event()
    working = asyncio.ensure_future(_reembed_one(system, _image(anna)))
    await system.face.until(lambda: bool(system.face.requests("Enroll")))
    await system.catalogue.ForgetPerformer(catalogue_pb2.ForgetPerformerRequest(id=anna))
    for fake in (system.face, system.tattoo):
        fake.errors["Enroll"] = NotFound("no such performer")
    system.face.gates["Enroll"].set()
    for reply in (await working, await _reembed_one(system, _image(anna, 1))):
        assert (list(reply.signals), reply.detail) == ([], "")


async def test_a_client_that_leaves_cancels_what_runs_and_keeps_what_is_committed(system: System) -> None:
    """The next stream describes the rest."""
    anna = await _enrolled(system, 4)
    _start_change(system)

    async def requests() -> AsyncIterator[pb.ReembedImagesRequest]:
        yield _image(anna, 0)
        await first_reply.wait()
        system.face.gates["Observe"] = asyncio.Event()
        for number in range(1, 4):
            yield _image(anna, number)
        await asyncio.Event().wait()

    first_reply = asyncio.Event()
    call = system.backfill.ReembedImages(requests(), timeout=30)
    assert isinstance(await call.read(), pb.ReembedImagesResponse)
    first_reply.set()
    await system.face.until(lambda: system.face.running == 3)
    call.cancel()
    await system.face.until(lambda: system.face.running == 0)
    assert len(system.face.change.waiting) == 3
    del system.face.gates["Observe"]
    await _reembed(system, [_image(anna, number) for number in range(4)])
    assert not system.face.change.waiting


async def test_a_stream_ends_with_its_deadline(system: System) -> None:
    """An image under way is answered as late, or not at all; nothing of it is described."""
    anna = await _enrolled(system)
    system.face.start_change()
    system.face.gates["Observe"] = asyncio.Event()
    call = system.backfill.ReembedImages(iter([_image(anna)]), timeout=0.5)
    try:
        assert [one.is_temporary async for reply in call for one in reply.signals] == [True]
    except grpc.aio.AioRpcError as exc:
        assert exc.code() is grpc.StatusCode.DEADLINE_EXCEEDED  # noqa: PT017  either end is right
    await system.face.until(lambda: system.face.cancelled == 1)
    assert len(system.face.change.waiting) == 1


async def test_an_empty_stream_ends_well(system: System) -> None:
    """No images, no replies, no error."""
    assert await _reembed(system, []) == {}
