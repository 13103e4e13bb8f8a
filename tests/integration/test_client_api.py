"""The client library against a gateway in memory on a real channel."""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInput, NotFound, Refused, Unavailable, Unsupported
from chassis.images import image_hash
from client.api import Marquee
from client.catalogue import AgeStatus, EnrollImage, Performer, PersonChoice, Rejection
from client.evaluation import EvaluationOptions, ProbeFile, identify_probes
from client.pending import PendingPage, PendingTotal, Reembedding, ReembedImage
from client.supervisor.parts import free_ports
from client.system import ModelChange
from client.values import ExternalId, Hint, HintKind, PersonStatus, Policy, ReportState, Signal
from marquee.common.v1 import common_pb2
from tests.fakes.gateway_server import BLACK, WHITE, Color, FakeGateway, fake_gateway
from tests.fakes.pictures import encode

_RED: Color = (200, 20, 20)


def _picture(color: Color, *, size: int = 8) -> bytes:
    return encode(np.full((size, size, 3), color, np.uint8))


@pytest.fixture
async def served() -> AsyncIterator[tuple[Marquee, FakeGateway]]:
    async with fake_gateway() as (fake, address), Marquee.connect(address) as marquee:
        yield marquee, fake


async def _ann(marquee: Marquee, **fields: object) -> Performer:
    wanted = {"name": "Ann", "external_ids": (ExternalId("folder", "ann"),), "adult_attested": True, **fields}
    return await marquee.upsert(Performer(**wanted))  # type: ignore[arg-type]  # fields vary by test


async def test_a_performer_comes_back_as_stored(served: tuple[Marquee, FakeGateway]) -> None:
    """Every field survives the wire, and the server adds id and age status."""
    marquee, _ = served
    sent = Performer(
        name="Zoë",
        aliases=("Z", "Zed"),
        external_ids=(ExternalId("stashdb.org", "1"), ExternalId("folder", "zoe")),
        birth_date=date(1990, 2, 28),
        career_start_year=2010,
        career_end_year=2020,
        adult_attested=True,
        gender="female",
        country="NL",
        image_url="file:///zoe.jpg",
        urls=("https://example.org/zoe",),
    )
    stored = await marquee.upsert(sent)
    assert stored.id
    assert stored.age_status is AgeStatus.VERIFIED
    found = await marquee.get(ExternalId("folder", "zoe"))
    assert found.performer == stored
    assert (await marquee.get(stored.id)).performer == stored


async def test_identification_is_a_value(served: tuple[Marquee, FakeGateway]) -> None:
    """People, candidates, evidence and reports arrive as frozen values, from bytes as from a file."""
    marquee, fake = served
    ann = await _ann(marquee)
    replies = [
        r async for r in marquee.enroll([EnrollImage(key="1", performer_id=ann.id, image=_picture(_RED))])
    ]
    assert [reply.is_new for reply in replies] == [True]
    studio = Hint("somebody", 3.0, HintKind.STUDIO)
    seen = await marquee.identify(
        _picture(_RED),
        signals=[Signal.FACE],
        policy=Policy.WEIGHTED,
        hints=[ann.id, studio],
        natural_probability=0.5,
    )
    (person,) = seen.people
    assert person.status is PersonStatus.IDENTIFIED
    assert person.identified is not None
    assert person.identified.performer_id == ann.id
    assert person.identified.external_ids == (ExternalId("folder", "ann"),)
    assert person.identified.evidence[0].signal is Signal.FACE
    assert person.identified.evidence[0].llr is None
    assert seen.reports[Signal.BODY].state is ReportState.UNAVAILABLE
    assert seen.reports[Signal.BODY].is_missing
    assert seen.policy is Policy.WEIGHTED
    request = fake.requests[-1]
    assert list(request.hinted_performer_ids) == [ann.id]
    assert [(one.performer_id, one.kind, one.factor) for one in request.hints] == [("somebody", 2, 3.0)]
    assert request.scene.natural_probability == 0.5


async def test_errors_are_ours_with_the_servers_words(served: tuple[Marquee, FakeGateway]) -> None:
    """A gRPC code becomes the error of chassis.errors that the server meant."""
    marquee, _ = served
    with pytest.raises(InvalidInput, match="image is empty"):
        await marquee.identify(b"")
    with pytest.raises(NotFound, match="no such performer"):
        await marquee.forget("nobody")
    with pytest.raises(Refused, match="under 18"):
        await _ann(marquee, birth_date=date.today())
    with pytest.raises(Unsupported, match="later version"):
        await marquee.identify(_picture(_RED), policy=Policy.BAYESIAN)


async def test_a_missing_file_is_the_callers_error(
    served: tuple[Marquee, FakeGateway], tmp_path: Path
) -> None:
    """Reading the file fails before anything is sent, and the error names it."""
    with pytest.raises(InvalidInput, match=r"gone\.jpg"):
        await served[0].identify(tmp_path / "gone.jpg")


async def test_an_oversized_probe_is_an_error_of_its_own(
    served: tuple[Marquee, FakeGateway], tmp_path: Path
) -> None:
    """An evaluation goes on: a file of 41 MB is judged as nobody found, with its size, and is not sent."""
    marquee, fake = served
    (tmp_path / "good.png").write_bytes(_picture(_RED))
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(41 * 2**20)
    files = [ProbeFile(tmp_path / name, "ann", None) for name in ("huge.jpg", "good.png")]
    huge, good = await identify_probes(marquee, files, EvaluationOptions())
    assert "is 41 MB; at most 32 MB" in huge.error
    assert (huge.person, good.error) == (None, "")
    assert len(fake.requests) == 1


async def test_nobody_there_is_unavailable() -> None:
    """Connecting never fails; the first call says that nobody answers."""
    (port,) = free_ports(1)
    async with Marquee.connect(f"127.0.0.1:{port}") as marquee:
        with pytest.raises(Unavailable):
            await marquee.status()


async def test_every_image_has_its_reply(served: tuple[Marquee, FakeGateway]) -> None:
    """Accepted, already there, nothing visible, ambiguous: each under its key, with its reason."""
    marquee, _ = served
    ann = await _ann(marquee)

    async def images() -> AsyncIterator[EnrollImage]:
        for key, color in (("crowd", WHITE), ("nobody", BLACK), ("ann", _RED), ("again", _RED)):
            yield EnrollImage(key=key, performer_id=ann.id, image=_picture(color))
        yield EnrollImage(key="broken", performer_id=ann.id, image=b"no picture")
        portrait = _picture(WHITE, size=9)
        yield EnrollImage(
            key="portrait", performer_id=ann.id, image=portrait, choice=PersonChoice.LARGEST_FACE
        )

    replies = {reply.key: reply async for reply in marquee.enroll(images())}
    assert replies["crowd"].reason is Rejection.AMBIGUOUS_PERSON
    assert replies["nobody"].reason is Rejection.NOTHING_VISIBLE
    assert replies["broken"].reason is Rejection.INVALID_IMAGE
    assert replies["ann"].is_new
    assert replies["again"].is_accepted
    assert not replies["again"].is_new
    assert replies["portrait"].is_new


async def test_what_the_source_of_images_raises_is_raised(served: tuple[Marquee, FakeGateway]) -> None:
    """An error while images are read is not swallowed by the stream; earlier images are enrolled."""
    marquee, fake = served
    ann = await _ann(marquee)

    def images() -> Iterator[EnrollImage]:
        yield EnrollImage(key="1", performer_id=ann.id, image=_picture(_RED))
        raise ZeroDivisionError("while reading")

    replies = marquee.enroll(images())
    assert (await anext(replies)).is_new
    with pytest.raises(ZeroDivisionError, match="while reading"):
        await anext(replies)
    assert len(fake.enrolled[ann.id].colors) == 1


async def test_lists_are_fetched_page_by_page(served: tuple[Marquee, FakeGateway]) -> None:
    """All performers come, in order, however small the pages."""
    marquee, _ = served
    for name in ("cleo", "Ann", "ben"):
        await _ann(marquee, name=name, external_ids=(ExternalId("folder", name),))
    assert [each.name async for each in marquee.performers(page_size=2)] == ["Ann", "ben", "cleo"]
    covered = [each.performer.name async for each in marquee.performer_coverage(page_size=2)]
    assert covered == ["Ann", "ben", "cleo"]


async def test_forgetting_says_what_is_gone(served: tuple[Marquee, FakeGateway]) -> None:
    """Rows by signal, and who did not confirm; afterwards there is no such performer."""
    marquee, _ = served
    ann = await _ann(marquee)
    image = EnrollImage(key="1", performer_id=ann.id, image=_picture(_RED))
    assert [reply.key async for reply in marquee.enroll([image])] == ["1"]
    gone = await marquee.forget(ann.id)
    assert gone.deleted == {Signal.FACE: 1}
    assert gone.unconfirmed == (Signal.BODY,)
    with pytest.raises(NotFound):
        await marquee.get(ann.id)


async def _enrolled(marquee: Marquee, count: int) -> Performer:
    ann = await _ann(marquee)
    images = [
        EnrollImage(key=str(n), performer_id=ann.id, image=_picture(_RED, size=8 + n), uri=f"/{n}.png")
        for n in range(count)
    ]
    assert all([reply.is_new async for reply in marquee.enroll(images)])
    return ann


async def test_what_waits_is_listed_page_by_page(served: tuple[Marquee, FakeGateway]) -> None:
    """Every picture comes, however small the pages, with source and counts; totals are on every page."""
    marquee, fake = served
    ann = await _enrolled(marquee, 3)
    assert [page async for page in marquee.pending()] == [PendingPage((), {}, ())]
    fake.change_models(switch_coverage=0.95)
    fake.backfill.unavailable.append(common_pb2.SIGNAL_TATTOO)
    pages = [page async for page in marquee.pending(page_size=2)]
    assert [len(page.images) for page in pages] == [2, 1]
    assert [image.uri for page in pages for image in page.images] == ["/0.png", "/1.png", "/2.png"]
    first = pages[0].images[0]
    assert (first.performer_id, first.signal, first.observations) == (ann.id, Signal.FACE, 1)
    assert first.image_hash == image_hash(_picture(_RED))
    total = pages[0].totals[Signal.FACE]
    assert total == PendingTotal(3, ModelChange(3, 0, 0.95, ""))
    assert (total.change.pending, total.change.coverage) == (3, 0.0)
    assert pages[0].unavailable == (Signal.TATTOO,)


async def test_pictures_are_described_again(served: tuple[Marquee, FakeGateway]) -> None:
    """One reply for each, with what every signal says; what the caller's pictures raise comes after them."""
    marquee, fake = served
    ann = await _enrolled(marquee, 2)
    fake.change_models()
    fake.backfill.unseen.add(image_hash(_picture(_RED)))

    def images() -> Iterator[ReembedImage]:
        for number in range(2):
            yield ReembedImage(key=str(number), performer_id=ann.id, image=_picture(_RED, size=8 + number))
        raise ZeroDivisionError("while reading")

    replies = marquee.reembed(images())
    missed, described = await anext(replies), await anext(replies)
    assert missed.signals == {Signal.FACE: Reembedding(0, 1, "not seen at its place any more", False)}
    assert described.signals == {Signal.FACE: Reembedding(1, 0, "", False)}
    assert not described.is_temporary
    with pytest.raises(ZeroDivisionError, match="while reading"):
        await anext(replies)


async def test_status_names_who_is_missing(served: tuple[Marquee, FakeGateway]) -> None:
    """A signal that the gateway cannot reach is there with its reason."""
    seen = await served[0].status()
    assert seen.gateway.is_ready
    assert seen.signals[Signal.FACE].is_ready
    assert seen.signals[Signal.BODY].reason == "nobody answers"
    assert not seen.is_complete
