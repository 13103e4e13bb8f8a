"""A user's own YOLO export as the detector: real ONNX files of both output shapes, and malformed ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from chassis.config import load_config
from chassis.errors import ModelError
from chassis.images import RGBImage
from chassis.inference.onnx import OnnxInference
from chassis.work import WorkPool
from services.tattoo.config import TattooConfig
from services.tattoo.detect import Detection
from services.tattoo.finder import TattooFinder
from services.tattoo.serving import open_tattoo
from services.tattoo.table import DetectorRow
from tests.fakes.postgres import database, postgres_server
from tests.fakes.tattoo_service import migrate_tattoo, open_tattoo_system, plain_section
from tests.fakes.yolo_exports import Layout, SpokenBox, predictions, yolo_export

__all__ = ["database", "postgres_server"]

BOXES = (SpokenBox(320, 320, 200, 100, 0.9), SpokenBox(100, 300, 40, 60, 0.6), SpokenBox(5, 5, 9, 9, 0.9))
"""On a picture of 1280 x 720 the last one lies in the padding."""


def wide_picture(value: int = 200) -> RGBImage:
    return np.full((720, 1280, 3), value, np.uint8)


async def found(file: Path, picture: RGBImage) -> list[Detection]:
    row = DetectorRow(name="tattoo_detector", version="1", format="yolo", threshold=0.5, file=file)
    async with OnnxInference.open({row.name: file}) as inference, WorkPool(1, 8) as work:
        return await TattooFinder(inference, work, row, most=16).find(picture)


@pytest.mark.parametrize("layout", ["v5", "v8"])
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("batch", [1, "batch"])
async def test_an_export_finds_its_boxes(
    tmp_path: Path, layout: Layout, classes: int, batch: int | str
) -> None:
    """The layout is known by the shape; boxes come back in pixels of the picture."""
    file = yolo_export(tmp_path / "own.onnx", predictions(layout, BOXES, classes=classes), batch=batch)
    large, small = await found(file, wide_picture())
    assert (large.box.x, large.box.y, large.box.width, large.box.height) == (440, 260, 400, 200)
    assert (small.box.x, small.box.y, small.box.width, small.box.height) == (160, 260, 80, 120)
    assert (large.confidence, small.confidence) == pytest.approx((0.9, 0.6))


async def test_the_raw_grids_of_an_old_export_are_overlooked(tmp_path: Path) -> None:
    """YOLOv5 used to export them beside the boxes."""
    file = yolo_export(tmp_path / "own.onnx", predictions("v5", BOXES), further=True)
    assert len(await found(file, wide_picture())) == 2


async def test_an_export_sees_red_from_0_to_1(tmp_path: Path) -> None:
    """This one's boxes and scores are in proportion to the mean of red: full size on a red square."""
    file = yolo_export(tmp_path / "lit.onnx", predictions("v8", BOXES[:1]), lit=True)
    red = np.zeros((640, 640, 3), np.uint8)
    red[..., 0] = 255
    (tattoo,) = await found(file, red)
    assert tattoo.box.width == pytest.approx(200)
    assert await found(file, np.ascontiguousarray(red[..., ::-1])) == []


def _with(value: float) -> NDArray[np.float32]:
    return predictions("v8", [SpokenBox(320, 320, 50, 50, value)])


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.zeros((1, 25200, 5), np.float32), "at least one class: output0 1x25200x5"),
        (np.zeros((1, 4, 8400), np.float32), "at least one class: output0 1x4x8400"),
        (np.zeros((1, 8400, 5), np.float32), "output0 1x8400x5"),
        (np.zeros((1, 300, 6), np.float32), "output0 1x300x6"),
        (np.zeros((1, 8400), np.float32), "output0 1x8400"),
        (_with(np.nan), "not finite"),
        (_with(np.inf), "not finite"),
        (_with(7.5), "no probabilities"),
    ],
)
async def test_a_malformed_export_is_refused(
    tmp_path: Path, output: NDArray[np.float32], message: str
) -> None:
    """Each with an error that says what is wrong with the file."""
    with pytest.raises(ModelError, match=message):
        await found(yolo_export(tmp_path / "bad.onnx", output), wide_picture())


def config_file(folder: Path, detector: Path, *, dsn: str, lines: str = "") -> Path:
    own = plain_section(folder).embedders[0]
    file = folder / "marquee.toml"
    file.write_text(
        f"""
        [database]
        dsn = "{dsn}"
        [models]
        directory = "{folder / "models"}"
        [tattoo]
        port = 0
        metrics_port = "off"
        detector_file = "{detector}"
        {lines}
        embedder = ["{own.name}"]
        [[tattoo.embedders]]
        name = "{own.name}"
        version = "{own.version}"
        file = "{own.file}"
        size = {own.size}
        layout = "NHWC"
        mirror = false
        dimension = {own.dimension}
        impostor_p99 = 0.3
        genuine_median = 0.8
        """
    )
    return file


async def test_the_settings_take_an_export(database: str, tmp_path: Path) -> None:
    """A line in the configuration is enough: the service tells its boxes, and that it has no masks."""
    await migrate_tattoo(database)
    detector = yolo_export(tmp_path / "own.onnx", predictions("v5", BOXES))
    config = load_config(TattooConfig, path=config_file(tmp_path, detector, dsn=database), environ={})
    async with open_tattoo_system(database, config.tattoo) as system:
        tattoos = (await system.observe(wide_picture())).tattoos
    assert [(tattoo.box.width, tattoo.box.height) for tattoo in tattoos] == [(400, 200), (80, 120)]
    assert tattoos[0].detection_confidence == pytest.approx(0.9)
    assert not tattoos[0].mask.points


async def test_the_threshold_of_an_export_is_the_settings(database: str, tmp_path: Path) -> None:
    """0.5 unless `detection_threshold` says otherwise."""
    await migrate_tattoo(database)
    detector = yolo_export(tmp_path / "own.onnx", predictions("v8", BOXES))
    file = config_file(tmp_path, detector, dsn=database, lines="detection_threshold = 0.7")
    config = load_config(TattooConfig, path=file, environ={})
    async with open_tattoo_system(database, config.tattoo) as system:
        assert len((await system.observe(wide_picture())).tattoos) == 1


@pytest.mark.parametrize("format", ["yolo", "heatmap"])
async def test_a_file_of_another_format_is_refused_at_the_start(
    database: str, tmp_path: Path, format: str
) -> None:
    """A heat map where boxes are said, and the other way round: the start fails and names the detector."""
    await migrate_tattoo(database)
    heatmap = plain_section(tmp_path).detector_file
    boxes = yolo_export(tmp_path / "own.onnx", predictions("v8", BOXES))
    detector = heatmap if format == "yolo" else boxes
    assert detector is not None
    file = config_file(tmp_path, detector, dsn=database, lines=f'detector_format = "{format}"')
    config = load_config(TattooConfig, path=file, environ={})
    with pytest.raises(ModelError, match="tattoo_detector"):
        async with open_tattoo(config):
            pytest.fail("it must not start")
