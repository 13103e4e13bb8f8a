"""A data set that is interrupted goes on, and what is half written never counts."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from chassis.errors import Conflict
from trainer.studio.contact import write_contact_sheet
from trainer.studio.orders import Order
from trainer.studio.run import Take, gather, missing, read_truth, render
from trainer.studio.seeds import Split, generator
from trainer.studio.truth import SCHEMA, Box, CameraTruth, PictureTruth, TattooTruth

TATTOO = TattooTruth(
    tattoo_id="p/t0", design_id="motif/train/1", region="CHEST", region_shares={"CHEST": 1.0}, size=0.1,
    box=Box(x=4, y=5, w=10, h=8), pixels=50, polygon=[], visible_fraction=0.9, facing_fraction=0.9,
    inside_fraction=1.0, occlusion=0.0, area_share=0.1, view_angle=10.0, contrast=0.4,
)  # fmt: skip


def take(order: Order, path: str) -> tuple[bytes, PictureTruth]:
    """A picture that depends on its order alone, as quick as can be."""
    value = int(generator("fake", order.seed, order.number).integers(256))
    _, encoded = cv2.imencode(".jpg", np.full((24, 32, 3), value, np.uint8))
    truth = PictureTruth(
        schema_version=SCHEMA, number=order.number, picture=path, seed=order.seed, mode=order.mode,
        split=str(order.split), width=32, height=24, performer_id=order.performer_id, pose="standing",
        light_id="rig-1", garments=[], hair="bald, black",
        camera=CameraTruth(shot="full", yaw=0, pitch=0, distance=2, field=40), body_box=None, body_pixels=0,
        skin_pixels=0, region_pixels={}, key_points=[], body_ratios={}, tattoos=[TATTOO], overlays=[],
        development={},
    )  # fmt: skip
    return encoded.tobytes(), truth


class Stops:
    """Takes a few pictures and is then interrupted."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, order: Order, path: str) -> tuple[bytes, PictureTruth]:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return take(order, path)


def run(out: Path, taker: Take = take, *, pictures: int = 12, workers: int = 1, seed: int = 3) -> None:
    render(out, taker, mode="scenes", split=Split.TRAIN, seed=seed, pictures=pictures, workers=workers)


def content(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()
    }


def test_interrupted_and_started_again_it_is_the_same(tmp_path: Path) -> None:
    """Byte for byte what an uninterrupted run writes."""
    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "parts", Stops(after=5))
    assert len(missing(tmp_path / "parts", 12)) == 7
    run(tmp_path / "parts")
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_what_is_there_is_not_taken_again(tmp_path: Path) -> None:
    """A second run takes nothing."""
    run(tmp_path)
    run(tmp_path, Stops(after=0))
    assert [truth.number for truth in read_truth(tmp_path)] == list(range(12))


def test_a_picture_without_truth_is_taken_again(tmp_path: Path) -> None:
    """The truth is written last: without it a picture may be half there."""
    run(tmp_path)
    (tmp_path / "truth/000/000004.json").unlink()
    (tmp_path / "pictures/000/000004.jpg").write_bytes(b"half")
    assert missing(tmp_path, 12) == [4]
    run(tmp_path)
    assert (tmp_path / "pictures/000/000004.jpg").read_bytes() == take_bytes(tmp_path, 4)


def take_bytes(out: Path, number: int) -> bytes:
    """What the fake takes for a number that the data set has."""
    truth = next(one for one in read_truth(out) if one.number == number)
    value = int(generator("fake", truth.seed, number).integers(256))
    return bytes(cv2.imencode(".jpg", np.full((24, 32, 3), value, np.uint8))[1].tobytes())


def test_processes_write_what_one_would(tmp_path: Path) -> None:
    """Two workers, the same data set."""
    run(tmp_path / "one", pictures=20)
    run(tmp_path / "two", pictures=20, workers=2)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_another_data_set_is_not_mixed_in(tmp_path: Path) -> None:
    """A folder remembers its seed."""
    run(tmp_path)
    with pytest.raises(Conflict, match="another data set"):
        run(tmp_path, seed=4)


def test_truth_is_one_json_object_a_line(tmp_path: Path) -> None:
    """In the order of the numbers, and readable without us."""
    run(tmp_path)
    lines = (tmp_path / "truth.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(12))
    assert gather(tmp_path, 5) == 5


def test_a_contact_sheet_shows_the_pictures(tmp_path: Path) -> None:
    """As many as fit, from the one that is asked for."""
    run(tmp_path)
    shown = write_contact_sheet(tmp_path, tmp_path / "sheet.png", columns=4, rows=2, first=3, cell=48)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert shown == 8
    assert sheet is not None
    assert sheet.shape == (96, 192, 3)
