"""Where several people stand, and what is told of each: needs the training packages."""

from __future__ import annotations

import numpy as np
import pytest

for _package in ("anny", "embreex", "scipy", "av", "resvg_py"):
    pytest.importorskip(_package, reason=f"{_package} is a training package: make train-venv")

from trainer.studio.company import Kind, arrange, frame, turned  # noqa: E402 - only where scipy is known to be
from trainer.studio.figure import Posed  # noqa: E402 - as above
from trainer.studio.group_picture import GroupOrder, take_group  # noqa: E402 - as above
from trainer.studio.seeds import Split  # noqa: E402 - as above

pytestmark = pytest.mark.filterwarnings("ignore")


def somebody(*, tall: float = 1.7, wide: float = 0.4) -> Posed:
    """A box of a person with the joints that matter; looks along -y."""
    corners = np.array([(x, y, z) for x in (-wide / 2, wide / 2) for y in (-0.15, 0.15) for z in (0, tall)])
    joints = {
        "head": np.array([0, 0, tall - 0.18]),
        "neck01": np.array([0, 0, tall - 0.3]),
        "spine03": np.array([0, 0, tall - 0.5]),
    }
    return Posed(corners.astype(np.float32), corners.astype(np.float32), joints, np.zeros((33, 3)))


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("seed", range(5))
def test_nobodys_flesh_is_in_anothers(kind: Kind, seed: int) -> None:
    """However people are together, their boxes do not meet, on the floor seen from above."""
    gathering = arrange(
        np.random.default_rng(seed), kind, [somebody(), somebody(tall=1.6), somebody(wide=0.9)]
    )
    spans = [(one.vertices[:, :2].min(axis=0), one.vertices[:, :2].max(axis=0)) for one in gathering.people]
    for number, (low, high) in enumerate(spans):
        for other_low, other_high in spans[number + 1 :]:
            assert ((high <= other_low) | (other_high <= low)).any()


def test_people_side_by_side_hide_nothing_and_overlapping_ones_do() -> None:
    """By the places of their trunks."""
    rng = np.random.default_rng(1)
    beside = arrange(rng, Kind.APART, [somebody(), somebody()]).people
    over = arrange(rng, Kind.OVERLAPPING, [somebody(wide=0.9), somebody(wide=0.9)]).people
    assert abs(beside[0].joints["head"][0] - beside[1].joints["head"][0]) >= 0.4
    assert abs(over[0].joints["head"][0] - over[1].joints["head"][0]) < 0.9
    assert abs(over[0].joints["head"][1] - over[1].joints["head"][1]) >= 0.3


@pytest.mark.parametrize(("kind", "edge"), [(Kind.HEADLESS, 0.0), (Kind.HEAD_ONLY, 1.0)])
def test_the_edge_cuts_the_first_person(kind: Kind, edge: float) -> None:
    """At the chin from above, or at the neck from below, and nobody else's head."""
    rng = np.random.default_rng(2)
    gathering = arrange(rng, kind, [somebody(), somebody(tall=1.6)])
    camera = frame(rng, gathering).camera
    first, second = (one.joints for one in gathering.people)
    spot = first["head"] - [0, 0, 0.05] if kind is Kind.HEADLESS else first["neck01"]
    pixels, _ = camera.project(np.stack([spot, second["head"]]))
    assert pixels[0, 1] == pytest.approx(edge * camera.height, abs=3)
    assert 0 < pixels[1, 1] < camera.height


def test_turned_people_stand_at_the_origin() -> None:
    """Their lowest point is on the floor and what looked at the camera looks away."""
    posed = somebody()
    back = turned(posed, 180)
    assert back.vertices[:, 2].min() == pytest.approx(0)
    assert back.normals[0, 1] == pytest.approx(-posed.normals[0, 1], abs=1e-6)


def test_a_picture_of_two_tells_who_is_where() -> None:
    """Everybody has pixels of their own, and the truth of a person is within the box that they fill."""
    encoded, truth, owners = take_group(GroupOrder(number=3, seed=5, split=Split.TEST), "x.jpg")
    assert truth.kind == "one turned away"
    assert len(encoded) > 1000
    for number, person in enumerate(truth.people):
        assert (owners == number).sum() == pytest.approx(person.body_pixels, rel=0.05)
        rows, columns = np.nonzero(owners == number)
        assert person.body_box is not None
        assert columns.min() == pytest.approx(person.body_box.x, abs=2)
        assert rows.min() == pytest.approx(person.body_box.y, abs=2)
