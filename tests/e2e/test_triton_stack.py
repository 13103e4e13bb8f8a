"""`marquee up --triton`: the whole system on a Triton of its own, and what happens when that dies."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.errors import ConfigError, MarqueeError, Unavailable
from client.api import Marquee
from client.catalogue import EnrollImage, Performer, PersonChoice
from client.supervisor.stack import Stack, StackOptions, running_stack, throw_away_folder
from client.triton_stand_in.watch import stubs_of
from client.values import Identification
from tests.e2e.conftest import Photographs
from tests.fakes.triton import stand_in
from tests.fakes.waiting import until

_SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder that PostgreSQL's user can enter."""
    with throw_away_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
async def served(folder: Path) -> AsyncIterator[Stack]:
    """Everything, with the models in Triton."""
    stand_in()
    options = StackOptions(always_embedded=True, is_published=True, with_triton=True)
    async with running_stack(folder, options) as stack:
        assert stack.triton is not None
        yield stack
    assert _regions(stack) == []
    assert stack.triton.has_ended


@pytest.fixture
async def client(served: Stack) -> AsyncIterator[Marquee]:
    """A client of the system."""
    async with Marquee.connect(served.address, timeout=60.0) as marquee:
        yield marquee


@pytest.fixture(scope="module")
async def enrolled(served: Stack, photographs: Photographs) -> str:
    """One person, enrolled with one photograph."""
    async with Marquee.connect(served.address, timeout=60.0) as marquee:
        performer = await marquee.upsert(Performer(name="Barack Obama", adult_attested=True))
        image = EnrollImage(
            key="1",
            performer_id=performer.id,
            image=photographs["obama2.jpg"],
            choice=PersonChoice.LARGEST_FACE,
        )
        (reply,) = [reply async for reply in marquee.enroll([image])]
    assert reply.is_accepted, reply
    return performer.id


def _regions(stack: Stack) -> list[Path]:
    """Shared memory of this process's Triton servers."""
    return list(_SHARED_MEMORY.glob(f"marquee-triton-{os.getpid()}-*"))


def _first(seen: Identification) -> str | None:
    best = seen.people[0].identified if seen.people else None
    return best.performer_id if best else None


async def test_a_photograph_is_identified(client: Marquee, enrolled: str, photographs: Photographs) -> None:
    """By models that run in Triton: every signal answers and its models are ready."""
    seen = await client.identify(photographs["obama.jpg"])
    assert _first(seen) == enrolled
    assert not any(report.is_missing for report in seen.reports.values())
    assert (await client.status()).is_complete


async def test_the_same_scores_as_in_process(
    client: Marquee, stack: Stack, enrolled: str, photographs: Photographs
) -> None:
    """What is seen of a picture does not depend on who runs the models."""
    async with Marquee.connect(stack.address, timeout=60.0) as local:
        for name in ("obama.jpg", "obama3.jpg"):
            here, there = await local.identify(photographs[name]), await client.identify(photographs[name])
            assert len(here.people) == len(there.people)
            for one, other in zip(here.people, there.people, strict=True):
                assert [each.signal for each in one.sightings] == [each.signal for each in other.sightings]
                for seen, again in zip(one.sightings, other.sightings, strict=True):
                    assert again.quality == pytest.approx(seen.quality, abs=1e-3)
                    assert again.box.x == pytest.approx(seen.box.x, abs=0.1)


async def test_triton_is_killed_and_started_again(
    served: Stack, client: Marquee, enrolled: str, photographs: Photographs
) -> None:
    """Meanwhile the services say that they are not ready; afterwards they answer again by themselves."""
    assert served.triton is not None
    before = served.triton.pid
    served.triton.kill()
    await until(lambda: _is_complete(client, wanted=False))
    reasons = {state.reason for state in (await client.status()).signals.values()}
    assert any("Triton" in reason for reason in reasons)
    await until(lambda: _is_complete(client, wanted=True))
    assert served.triton.pid != before
    assert _first(await client.identify(photographs["obama.jpg"])) == enrolled


async def test_a_dead_model_process_is_noticed(
    served: Stack, client: Marquee, enrolled: str, photographs: Photographs
) -> None:
    """Triton would go on calling its model ready while every call fails: it is started again."""
    assert served.triton is not None
    before = served.triton.pid
    assert before is not None
    os.kill(stubs_of(before)[0], signal.SIGKILL)

    async def is_another() -> bool:
        return served.triton is not None and served.triton.pid not in (None, before)

    async def is_identified() -> bool:
        # Services look at their models every few seconds, so they may be called ready while Triton starts.
        try:
            return _first(await client.identify(photographs["obama.jpg"])) == enrolled
        except Unavailable:
            return False

    await until(is_another)
    await until(is_identified)


async def test_two_tritons_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that name one, and --triton, contradict each other."""
    monkeypatch.setenv("MARQUEE_INFERENCE_TRITON_URL", "127.0.0.1:8001")
    with throw_away_folder() as folder, pytest.raises(ConfigError, match=r"inference\.triton_url"):
        async with running_stack(folder, StackOptions(always_embedded=True, with_triton=True)):
            raise AssertionError


async def _is_complete(client: Marquee, *, wanted: bool) -> bool:
    try:
        return (await client.status()).is_complete is wanted
    except MarqueeError:
        return False
