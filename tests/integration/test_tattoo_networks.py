"""The built-in tattoo networks with their committed weights, on drawings and, where they are, photographs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from chassis.errors import ModelError
from chassis.geometry import Box
from chassis.images import RGBImage, decode
from chassis.inference import Batch, Outputs
from chassis.inference.onnx import OnnxInference
from chassis.models import ModelStore
from chassis.work import WorkPool
from services.tattoo.crop import cut
from services.tattoo.detect import Detection
from services.tattoo.embed import TattooEmbedder
from services.tattoo.finder import TattooFinder
from services.tattoo.models import TATTOO_BOXES, TATTOO_DETECTOR, TATTOO_EMBEDDER
from services.tattoo.table import built_in_detector, built_in_embedder
from tests.fakes.tattoo_pictures import SPOT, clean_skin, tattooed_skin
from trainer.drawings.calibration import is_for_calibration

_DATA = Path("../shared/data")
_photographs = pytest.mark.skipif(not _DATA.is_dir(), reason="no photographs in ../shared/data")


class Networks:
    """Detector and embedder as the service runs them."""

    def __init__(self, finder: TattooFinder, embedder: TattooEmbedder) -> None:
        self.finder = finder
        self._embedder = embedder

    async def found(self, picture: RGBImage) -> list[Detection]:
        return await self.finder.find(picture)

    async def similarity(self, first: RGBImage, second: RGBImage) -> float:
        a, b = (vectors[built_in_embedder().key] for vectors in await self._embedder.embed([first, second]))
        return float(a @ b)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def networks() -> AsyncIterator[Networks]:
    """The built-in networks, built if they were not."""
    store = ModelStore()
    specs = (TATTOO_BOXES, TATTOO_DETECTOR, TATTOO_EMBEDDER)
    store.build(specs)
    paths = {spec.name: store.path(spec.name) for spec in specs}
    async with OnnxInference.open(paths) as inference, WorkPool(1, 64) as work:
        finder = TattooFinder(inference, work, built_in_detector(), most=16)
        yield Networks(finder, TattooEmbedder(inference, work, [built_in_embedder()]))


@pytest.mark.parametrize(("motif", "view"), [("rose", 1), ("rose", 2), ("figure", 1)])
async def test_a_drawn_tattoo_is_found_where_it_is(networks: Networks, motif: str, view: int) -> None:
    """One box about the ink on skin, with confidence above the threshold."""
    (tattoo,) = await networks.found(tattooed_skin(motif, view))
    half = SPOT.size / 2
    drawn = Box.from_corners(SPOT.x - half, SPOT.y - half, SPOT.x + half, SPOT.y + half)
    assert tattoo.box.iou(drawn) > 0.4
    assert tattoo.confidence >= built_in_detector().threshold


@pytest.mark.parametrize("view", range(6))
async def test_clean_skin_has_no_tattoo(networks: Networks, view: int) -> None:
    """Moles, hair, creases, spots and shadows are none."""
    assert await networks.found(clean_skin(view)) == []


async def test_a_tattoo_is_more_like_itself_than_like_another(networks: Networks) -> None:
    """Two views of one design agree more than two designs in the same light."""
    box = Box(SPOT.x - 110, SPOT.y - 110, 220, 220)
    rose, again, other = (
        cut(tattooed_skin(motif, view), box) for motif, view in (("rose", 1), ("rose", 2), ("figure", 1))
    )
    same, different = await networks.similarity(rose, again), await networks.similarity(rose, other)
    assert same > different + 0.1


async def test_a_tattoo_out_of_focus_is_still_itself(networks: Networks) -> None:
    """Blurred by 2% of its width it is far more like itself than like another one as blurred."""
    box = Box(SPOT.x - 110, SPOT.y - 110, 220, 220)
    rose, other = (cut(tattooed_skin(motif, 1), box) for motif in ("rose", "figure"))
    soft_rose, soft_other = (
        np.asarray(cv2.GaussianBlur(one, (0, 0), 4.4), np.uint8) for one in (rose, other)
    )
    assert await networks.similarity(rose, soft_rose) > await networks.similarity(rose, soft_other) + 0.1


async def test_a_mirrored_tattoo_is_still_itself(networks: Networks) -> None:
    """As in a selfie: far more like itself than like another one."""
    box = Box(SPOT.x - 110, SPOT.y - 110, 220, 220)
    rose, other = (cut(tattooed_skin(motif, 1), box) for motif in ("rose", "figure"))
    mirrored = np.ascontiguousarray(rose[:, ::-1])
    assert await networks.similarity(rose, mirrored) > await networks.similarity(other, mirrored) + 0.2


@_photographs
async def test_faces_seldom_have_a_tattoo(networks: Networks) -> None:
    """Of 100 photographs of faces at most one fires: a false tattoo would dilute a right answer."""
    faces = sorted((_DATA / "lfw" / "identities").glob("*/*_0001.jpg"))[::4][:100]
    fired = [path.name for path in faces if await networks.found(decode(path.read_bytes()))]
    assert len(faces) == 100
    assert len(fired) <= 1


@_photographs
async def test_most_photographed_tattoos_are_found(networks: Networks) -> None:
    """Of the half of BIVTatt that sets no number, most main tattoos are found, half of the box right."""
    found = []
    for path in sorted((_DATA / "bivtatt" / "images").iterdir()):
        if is_for_calibration(path.stem.split("_")[0]):
            continue
        boxes = (_DATA / "bivtatt" / "bounding_boxes" / f"{path.stem}.txt").read_text().splitlines()
        main = max(
            (Box.from_corners(*map(float, line.split())) for line in boxes if line.strip()),
            key=lambda box: box.area,
        )
        seen = await networks.found(decode(path.read_bytes()))
        found.append(max((one.box.iou(main) for one in seen), default=0.0) >= 0.5)
    assert np.mean(found) > 0.6


class _Strange:
    """Networks that give what they are told, by name."""

    def __init__(self, outputs: dict[str, Outputs]) -> None:
        self._outputs = outputs

    async def infer(self, model: str, batch: Batch) -> Outputs:
        return self._outputs[model]

    async def ready(self, models: object = None) -> None: ...

    async def add(self, key: str, file: object) -> None: ...

    async def remove(self, key: str) -> None: ...


_BOXES = {"boxes": np.zeros((1, 5, 3), np.float32)}
_HEAT = {"heatmap": np.zeros((1, 1, 20, 20), np.float32)}


@pytest.mark.parametrize(
    ("boxes", "heat", "named"),
    [
        ({}, _HEAT, "tattoo_boxes"),
        ({"boxes": np.full((1, 5, 3), np.nan, np.float32)}, _HEAT, "tattoo_boxes"),
        (_BOXES, {}, "tattoo_detector"),
        (_BOXES, {"heatmap": np.zeros((1, 1, 10, 10), np.float32)}, "tattoo_detector"),
    ],
)
async def test_a_network_that_gives_something_else_is_named(
    boxes: Outputs, heat: Outputs, named: str
) -> None:
    """Either of the two that look at a picture."""
    strange = _Strange({"tattoo_boxes": boxes, "tattoo_detector": heat})
    async with WorkPool(1, 8) as work:
        finder = TattooFinder(strange, work, built_in_detector(), most=16)
        with pytest.raises(ModelError, match=f"model {named}"):
            await finder.find(clean_skin(0))


async def test_networks_that_see_nothing_find_nothing() -> None:
    """Boxes without a size and a cold heat map."""
    async with WorkPool(1, 8) as work:
        strange = _Strange({"tattoo_boxes": _BOXES, "tattoo_detector": _HEAT})
        assert await TattooFinder(strange, work, built_in_detector(), most=16).find(clean_skin(0)) == []
