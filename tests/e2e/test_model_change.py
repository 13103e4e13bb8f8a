"""Another set of models on the real system: prepared while the old one serves, then switched to."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chassis.models import ModelStore
from client.api import Marquee
from client.backfill_results import ImageResult
from client.backfilling import describe_again, plan_backfill
from client.supervisor.stack import StackOptions, running_stack, throw_away_folder
from client.system import ModelUse, ServiceState
from client.values import Signal
from services.tattoo.table import EMBEDDER, built_in_embedder
from tests.e2e.conftest import Photographs
from tests.fakes.command_shell import Done, ended, start_command
from tests.fakes.pictures import encode
from tests.fakes.tattoo_pictures import tattooed_skin

_GALLERY = {
    "Barack_Obama/1.jpg": "obama2.jpg",
    "Barack_Obama/2.jpg": "obama3.jpg",
    "Eileen_Collins/1.png": "astronaut.png",
    "Joe_Biden/1.jpg": "biden.jpg",
}
_OLD = {"MARQUEE_FACE_EMBEDDER": "dlib_resnet"}
_BOTH = {
    "MARQUEE_FACE_EMBEDDER": "mobilefacenet,dlib_resnet",
    # One at a time, so that who stops after the first has not had all of them done.
    "MARQUEE_GATEWAY_IMAGES_IN_FLIGHT": "1",
}


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder of this test's own: the shared system keeps its models."""
    with throw_away_folder() as folder:
        yield folder


@pytest.fixture
def gallery(tmp_path: Path, photographs: Photographs) -> Path:
    for name, photograph in _GALLERY.items():
        file = tmp_path / "gallery" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(photographs[photograph])
    return tmp_path / "gallery"


@asynccontextmanager
async def _system(data: Path, environment: dict[str, str]) -> AsyncIterator[Marquee]:
    options = StackOptions(always_embedded=True, environment=environment)
    async with running_stack(data, options) as stack, Marquee.connect(stack.address, timeout=60) as marquee:
        yield marquee


async def _command(marquee: Marquee, *arguments: str | Path) -> Done:
    return await ended(await start_command(*arguments, "--server", marquee.address))


async def _backfill(marquee: Marquee, report: Path) -> tuple[Done, Any]:
    done = await _command(marquee, "backfill", "--reembed", "--json", report)
    return done, json.loads(await asyncio.to_thread(report.read_text))


async def _face(marquee: Marquee) -> ServiceState:
    return (await marquee.status()).signals[Signal.FACE]


def _uses(state: ServiceState) -> dict[str, ModelUse]:
    return {model.name: model.use for model in state.models if model.dimension}


async def _name(marquee: Marquee, image: bytes) -> str | None:
    """Whom the person with the largest face is identified as."""
    found = (await marquee.identify(image)).people[0].identified
    return found.name if found else None


async def _describe_one(marquee: Marquee) -> None:
    """Describe the pictures that wait, and be stopped after the first."""
    first: asyncio.Future[ImageResult] = asyncio.get_running_loop().create_future()

    def on_result(result: ImageResult) -> None:
        if not first.done():
            first.set_result(result)

    plan = await plan_backfill(marquee)
    working = asyncio.create_task(describe_again(marquee, plan.images, on_result=on_result))
    result = await asyncio.wait_for(first, 120)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert result.is_done, result


async def _described(marquee: Marquee) -> int:
    """How many observations the new model describes, once there are any: they are counted now and then."""
    async with asyncio.timeout(60):
        while True:
            change = (await _face(marquee)).model_change
            assert change is not None
            if change.described:
                return change.described
            await asyncio.sleep(0.2)


async def test_another_model_takes_over_when_everything_is_described(
    data: Path, gallery: Path, photographs: Photographs, tmp_path: Path
) -> None:
    """People are identified before, while the new model is prepared, and after the switch.

    Describing goes on where it was stopped, and a source that is gone is named and holds up the switch.
    """
    probe, stranger = photographs["obama.jpg"], photographs["t1.jpg"]
    async with _system(data, _OLD) as marquee:
        done = await _command(marquee, "enroll", gallery, "--adults", "--largest-face")
        assert done.code == 0, done.out + done.err
        assert await _name(marquee, probe) == "Barack Obama"
        assert (await _face(marquee)).model_change is None
    async with _system(data, _BOTH) as marquee:
        face = await _face(marquee)
        assert face.model_change is not None
        assert (face.model_change.described, face.model_change.observations) == (0, 4)
        assert _uses(face) == {"dlib_resnet": ModelUse.SERVING, "mobilefacenet": ModelUse.PREPARING}
        assert await _name(marquee, probe) == "Barack Obama"

        await _describe_one(marquee)
        described = await _described(marquee)
        assert 1 <= described < 3

        source = (await plan_backfill(marquee)).images[-1].uri
        shutil.move(source, tmp_path / "away")
        done, report = await _backfill(marquee, tmp_path / "report.json")
        assert done.code == 3, done.out + done.err
        assert f"{source}: cannot be read (No such file or directory)" in done.out
        assert report["signals"]["face"]["outcomes"] == {"described": 3 - described, "gone": 1}
        assert report["signals"]["face"]["has_switched"] is False
        status = await _command(marquee, "status")
        assert "face: 3 of 4 described by mobilefacenet" in status.out
        assert await _name(marquee, probe) == "Barack Obama"

        shutil.move(tmp_path / "away", source)
        done, report = await _backfill(marquee, tmp_path / "report.json")
        assert done.code == 0, done.out + done.err
        assert report["signals"]["face"] == {
            "outcomes": {"described": 1},
            "has_switched": True,
            "change": None,
        }
        face = await _face(marquee)
        assert _uses(face) == {"dlib_resnet": ModelUse.SERVING, "mobilefacenet": ModelUse.SERVING}
        assert {model.vectors for model in face.models if model.dimension} == {4}
        assert (await marquee.coverage()).signals[Signal.FACE].observations == 4
        assert await _name(marquee, probe) == "Barack Obama"
        assert await _name(marquee, photographs["biden.jpg"]) == "Joe Biden"
        assert await _name(marquee, stranger) is None


# The built-in embedder's file under another name: all its vectors have to be made again.
_OWN_TATTOO_EMBEDDER = """
[tattoo]
embedder = ["own"]

[[tattoo.embedders]]
name = "own"
version = "1"
file = "{file}"
size = 224
dimension = 512
impostor_p99 = {impostor_p99}
genuine_median = {genuine_median}
identification_confidence = {identification_confidence}
"""


def _own_embedder(folder: Path) -> dict[str, str]:
    point = built_in_embedder().operating_point
    settings = _OWN_TATTOO_EMBEDDER.format(
        file=ModelStore().path(EMBEDDER),
        impostor_p99=point.impostor_p99,
        genuine_median=point.genuine_median,
        identification_confidence=point.identification_confidence,
    )
    file = folder / "marquee.toml"
    file.write_text(settings)
    return {"MARQUEE_CONFIG": str(file)}


async def test_tattoos_are_described_again(data: Path, tmp_path: Path) -> None:
    """Close-ups of a tattoo: found again at their place, and recognised by the new model after the switch."""
    (tmp_path / "gallery" / "figure").mkdir(parents=True)
    for view in range(4):
        (tmp_path / "gallery" / "figure" / f"{view}.png").write_bytes(encode(tattooed_skin("figure", view)))
    async with _system(data, {}) as marquee:
        done = await _command(marquee, "enroll", tmp_path / "gallery", "--adults")
        enrolled = (await marquee.coverage()).signals[Signal.TATTOO].observations
        assert enrolled >= 2, done.out
    async with _system(data, _own_embedder(tmp_path)) as marquee:
        state = (await marquee.status()).signals[Signal.TATTOO]
        assert _uses(state) == {EMBEDDER: ModelUse.SERVING, "own": ModelUse.PREPARING}
        done, report = await _backfill(marquee, tmp_path / "report.json")
        assert done.code == 0, done.out + done.err
        assert report["signals"] == {
            "tattoo": {"outcomes": {"described": enrolled}, "has_switched": True, "change": None}
        }
        state = (await marquee.status()).signals[Signal.TATTOO]
        assert _uses(state) == {"own": ModelUse.SERVING}
        assert (await marquee.coverage()).signals[Signal.TATTOO].observations == enrolled
        seen = await marquee.identify(encode(tattooed_skin("figure", 0)))
        assert seen.people[0].best is not None
        assert seen.people[0].best.name == "figure"
