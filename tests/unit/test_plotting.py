"""Drawing explanations: which colors, how large, and that odd answers do no harm."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import ConfigError
from chassis.geometry import Box
from chassis.images import RGBImage, decode
from client.plotting import KIND_COLORS, MOST_CANDIDATES, WIDTH, plot
from client.saving import save_explained
from client.values import Contribution, ContributionKind, Identification, Person
from tests.fakes.explained import explained, explained_person, telling, three_people

_Kind = ContributionKind
_PRIOR = (_Kind.PRIOR, 1 / 600, "")


def _plot(*people: Person) -> RGBImage:
    return plot(explained(*people), title="party.jpg")


def _pixels(drawn: RGBImage, kind: ContributionKind) -> int:
    """How many have just the color of this kind."""
    return int((drawn == np.array(KIND_COLORS[kind], np.uint8)).all(axis=-1).sum())


def test_each_kind_has_its_own_color() -> None:
    """All of them, all different."""
    assert set(KIND_COLORS) == set(ContributionKind)
    assert len(set(KIND_COLORS.values())) == len(KIND_COLORS)


def test_kinds_that_occur_are_drawn_and_no_others() -> None:
    """In bars and legend."""
    person = explained_person(telling("Ann", _PRIOR, (_Kind.FACE, 9_000, ""), (_Kind.CAREER, 1 / 3, "")))
    drawn = _plot(person)
    found = {kind for kind in ContributionKind if _pixels(drawn, kind) > 50}
    assert found == {_Kind.PRIOR, _Kind.FACE, _Kind.CAREER}


def test_a_stronger_contribution_is_wider() -> None:
    """In one bar, on one scale: ln 10,000 is twice as wide as ln 100."""
    person = explained_person(telling("Ann", (_Kind.FACE, 10_000, ""), (_Kind.TATTOO_ABSENT, 1 / 100, "")))
    drawn = _plot(person)
    wide, narrow = (_row_width(drawn, kind) for kind in (_Kind.FACE, _Kind.TATTOO_ABSENT))
    assert wide == pytest.approx(2 * narrow, abs=3)


def test_what_speaks_for_is_right_of_what_speaks_against() -> None:
    """They never share a column."""
    person = explained_person(telling("Ann", (_Kind.FACE, 10_000, ""), (_Kind.TATTOO_ABSENT, 1 / 100, "")))
    drawn = _plot(person)
    assert _columns(drawn, _Kind.TATTOO_ABSENT).max() < _columns(drawn, _Kind.FACE).min()


def test_a_panel_for_each_person_and_a_bar_for_each_candidate() -> None:
    """Of one width, and higher with each; at most five bars."""
    one, three = _plot(three_people().people[0]), plot(three_people(), title="party.jpg")
    assert one.shape[1] == three.shape[1] == WIDTH
    assert three.shape[0] > 2 * one.shape[0]
    heights = [
        _plot(explained_person(*(telling(f"{each}", _PRIOR) for each in range(count)))).shape[0]
        for count in (MOST_CANDIDATES - 1, MOST_CANDIDATES, MOST_CANDIDATES + 3)
    ]
    assert heights[0] < heights[1] == heights[2]


_ODD = explained_person(telling("x" * 300, *((kind, 3.0, "") for kind in ContributionKind)))


@pytest.mark.parametrize(
    "seen",
    [
        explained(),
        explained(explained_person(is_identified=False)),
        explained(_ODD, explained_person(telling("")), explained_person()),
        explained(replace(_ODD, box=Box(-50, -50, 5000, 5000), margin=None, unknown_probability=None)),
        explained(replace(_ODD, box=Box(700, 500, 10, 10))),
        replace(explained(_ODD), width=0, height=0),
        replace(explained(_ODD), width=8, height=9000),
    ],
    ids=["nobody", "no candidate", "odd names", "box across", "box outside", "no picture", "narrow"],
)
def test_odd_answers_do_no_harm(seen: Identification) -> None:
    """Something is drawn, nothing fails."""
    drawn = plot(seen, title="名前 " * 80)
    assert drawn.dtype == np.uint8
    assert drawn.shape[1:] == (WIDTH, 3)


@pytest.mark.parametrize("log_ratio", [math.inf, -math.inf, math.nan, 0.0, 1e9])
def test_odd_numbers_do_no_harm(log_ratio: float) -> None:
    """What is infinite ends at an edge, what is no number is not there."""
    [candidate] = explained_person(telling("Ann", _PRIOR)).candidates
    told = (*candidate.contributions, Contribution(_Kind.FACE, log_ratio, ""))
    assert _plot(replace(_ODD, candidates=(replace(candidate, contributions=told),))).shape[1] == WIDTH


def test_a_saved_plot_can_be_read_again(tmp_path: Path) -> None:
    """Just as it was drawn, in a folder that is made; nothing else is left there."""
    target = tmp_path / "new" / "party.jpg.explain.png"
    save_explained(three_people(), target, title="party.jpg")
    assert np.array_equal(decode(target.read_bytes()), plot(three_people(), title="party.jpg"))
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """ConfigError, as for annotated pictures."""
    (tmp_path / "file").write_text("no folder")
    target = tmp_path / "file" / "party.jpg.explain.png"
    with pytest.raises(ConfigError, match=r"party\.jpg\.explain\.png cannot be written"):
        save_explained(three_people(), target, title="party.jpg")


def _columns(drawn: RGBImage, kind: ContributionKind) -> np.ndarray:
    """Columns of this kind's color in the only bar: the legend has the color in fewer pixels of a column."""
    found = (drawn == np.array(KIND_COLORS[kind], np.uint8)).all(axis=-1).sum(axis=0)
    return np.flatnonzero(found > 16)


def _row_width(drawn: RGBImage, kind: ContributionKind) -> int:
    """Of the widest row of pixels in this color."""
    found = (drawn == np.array(KIND_COLORS[kind], np.uint8)).all(axis=-1).sum(axis=1)
    return int(found.max())
