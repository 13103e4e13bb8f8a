"""A number decides a picture, and nothing of one split is seen in another."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.studio.designs import pick_design, split_of_design
from trainer.studio.lights import pick_rig, rig_of
from trainer.studio.orders import Orders
from trainer.studio.performers import performer_names
from trainer.studio.seeds import Split, generator, split_of

NO_ICONS = ("motif", "text", "sleeve", "band")
"""Kinds of designs that need no drawings of others, which tests do not fetch."""


def test_the_same_names_give_the_same_choices() -> None:
    """And other names give others."""
    first, again, other = (generator("picture", 1, number).random(4) for number in (7, 7, 8))
    assert first == pytest.approx(again)
    assert not np.allclose(first, other)


def test_names_cannot_run_into_each_other() -> None:
    """("ab", "c") is not ("a", "bc")."""
    assert generator("ab", "c").random() != generator("a", "bc").random()


def test_splits_share_no_performer() -> None:
    """A performer belongs to exactly one split."""
    names = {split: set(performer_names(split, seed=1, count=60)) for split in Split}
    assert not names[Split.TRAIN] & names[Split.TEST]
    assert not names[Split.TRAIN] & names[Split.VALIDATION]
    assert not names[Split.VALIDATION] & names[Split.TEST]


def test_most_things_are_for_training() -> None:
    """About 80, 8 and 12 of a hundred."""
    splits = [split_of("icon", f"drawing-{number}") for number in range(4000)]
    assert splits.count(Split.TRAIN) / 4000 == pytest.approx(0.8, abs=0.03)
    assert splits.count(Split.TEST) / 4000 == pytest.approx(0.12, abs=0.03)


@pytest.mark.parametrize("split", list(Split))
def test_designs_and_lights_come_from_the_split(split: Split) -> None:
    """What is picked for a split is owned by it."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        assert split_of_design(pick_design(rng, split, kinds=NO_ICONS)) is split
        assert split_of("rig", pick_rig(rng, split)) is split


def test_a_rig_of_lights_is_always_the_same() -> None:
    """Only the way it is turned depends on the camera."""
    first, again = rig_of("rig-5", yaw=0.0), rig_of("rig-5", yaw=0.0)
    assert first.glow == pytest.approx(again.glow)
    assert len(first.lamps) == len(again.lamps)


def test_an_order_does_not_depend_on_how_many_there_are() -> None:
    """A data set can be made longer: its first pictures stay."""
    few = Orders(mode="scenes", split=Split.TEST, seed=4, pictures=10)
    many = Orders(mode="scenes", split=Split.TEST, seed=4, pictures=40)
    assert [few.order(number) for number in range(10)] == [many.order(number) for number in range(10)]


def test_performers_are_of_the_split() -> None:
    """Every picture of a split shows somebody who belongs to it."""
    orders = Orders(mode="scenes", split=Split.VALIDATION, seed=4, pictures=30)
    assert {split_of("performer", orders.order(number).performer_id) for number in range(30)} == {
        Split.VALIDATION
    }
