"""Whole pictures: needs the training packages."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from services.body.region_names import Region
from trainer.studio.atlas import load_atlas
from trainer.studio.orders import Orders
from trainer.studio.performers import TattooPlan
from trainer.studio.seeds import Split

for _package in ("anny", "embreex", "scipy", "av", "resvg_py"):
    pytest.importorskip(_package, reason=f"{_package} is a training package: make train-venv")

from trainer.studio.picture import take  # noqa: E402 - only where its packages are known to be

pytestmark = pytest.mark.filterwarnings("ignore")


def plan(region: Region, face: int) -> TattooPlan:
    return TattooPlan(
        tattoo_id="t", design_id="motif/train/4", region=region, face=face, size=0.09, turn=0.0,
        strength=0.95, softness=0.0004, fading=0.0,
    )  # fmt: skip


def orders(pictures: int = 24) -> Orders:
    return Orders(mode="scenes", split=Split.TRAIN, seed=12, pictures=pictures)


def in_the_middle(region: Region) -> int:
    """The triangle nearest the middle of a region."""
    atlas = load_atlas()
    faces = atlas.faces_of(region)
    middles = atlas.vertices[atlas.faces[faces]].mean(axis=1)
    return int(faces[np.argmin(np.linalg.norm(middles - middles.mean(axis=0), axis=1))])


def test_a_number_is_a_picture() -> None:
    """The same bytes and the same truth whenever it is taken."""
    order = replace(orders().order(0), tattoos=(plan(Region.CHEST, in_the_middle(Region.CHEST)),))
    assert take(order, "x.jpg") == take(order, "x.jpg")


@pytest.mark.parametrize("region", [Region.LEFT_FOREARM, Region.RIGHT_LOWER_LEG, Region.UPPER_BACK])
def test_truth_names_the_region_and_finds_the_ink(region: Region) -> None:
    """Close to a tattoo, its region is told, and its box is darker than the skin around it."""
    found = 0
    for number in range(0, 16, 8):
        tattoo = plan(region, in_the_middle(region))
        encoded, truth = take(
            replace(orders().order(number), tattoos=(tattoo,), subject=0, shot="close"), "x.jpg"
        )
        seen = truth.tattoos[0]
        assert seen.region == region.name
        assert sum(seen.region_shares.values()) == pytest.approx(1, abs=1e-3)
        assert 0 <= seen.visible_fraction <= seen.facing_fraction + 1e-6
        if seen.box is None or seen.visible_fraction < 0.5:
            continue
        found += 1
        picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        assert picture.shape == (truth.height, truth.width)
        assert seen.box.x + seen.box.w <= truth.width
        assert seen.box.y + seen.box.h <= truth.height
        assert seen.pixels <= seen.box.w * seen.box.h
    assert found > 0


def test_no_tattoo_is_no_ink() -> None:
    """Who has no tattoo has no box, whatever they wear and whatever is laid over the picture."""
    _, truth = take(replace(orders().order(8), tattoos=()), "x.jpg")
    assert truth.tattoos == []
    assert truth.body_pixels > 0
    assert len(truth.key_points) == 33
