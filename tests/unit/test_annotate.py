"""Drawing an identification: what is written, where, and that odd pictures do no harm."""

from dataclasses import replace

import numpy as np
import pytest

from chassis.geometry import Box
from client.annotate import STATUS_COLORS, annotate, label_lines
from client.values import (
    Candidate,
    Identification,
    Person,
    PersonStatus,
    Policy,
    ReportState,
    Sighting,
    Signal,
    SignalReport,
)
from tests.fakes.pictures import gradient

_REPORTS = {
    Signal.FACE: SignalReport(Signal.FACE, ReportState.OK, 20.0, 1.0, 1, ""),
    Signal.BODY: SignalReport(Signal.BODY, ReportState.UNAVAILABLE, 0.0, 0.0, 0, "not reachable"),
}


def _person(status: PersonStatus, box: Box, *, name: str = "Zoë Lee", with_face: bool = True) -> Person:
    seen = Sighting(Signal.FACE if with_face else Signal.BODY, box, 0.9, "")
    candidate = Candidate("id", name, (), (), 0.912, None, ())
    return Person(box, status, (candidate,), (seen,), 0.0, (), False, 0.6)


def _seen(*people: Person, unassigned: tuple[Sighting, ...] = ()) -> Identification:
    return Identification(64, 48, people, _REPORTS, Policy.WEIGHTED, unassigned, 30.0)


def _has_color(pixels: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool((pixels == np.array(color, np.uint8)).all(axis=-1).any())


def test_an_identified_person_has_name_score_and_signals() -> None:
    """The label says who, how sure, and by which signals."""
    assert label_lines(_person(PersonStatus.IDENTIFIED, Box(1, 1, 9, 9))) == ["Zoë Lee  0.91", "face"]


def test_an_unknown_person_is_never_given_a_name_as_title() -> None:
    """The nearest candidate is shown as the nearest, under the status."""
    lines = label_lines(_person(PersonStatus.UNKNOWN, Box(1, 1, 9, 9)))
    assert lines == ["unknown", "face", "nearest: Zoë Lee  0.91"]


@pytest.mark.parametrize(
    ("probability", "shown"), [(0.8999, "89%"), (0.9, "90%"), (0.9996, "99%"), (1.0, "100%")]
)
def test_a_probability_is_never_shown_as_more_than_it_is(probability: float, shown: str) -> None:
    """Just under what a name needs does not read as reached."""
    person = _person(PersonStatus.UNKNOWN, Box(1, 1, 9, 9))
    believed = replace(person, candidates=(replace(person.candidates[0], probability=probability),))
    assert label_lines(believed)[-1] == f"nearest: Zoë Lee  {shown}"


def test_a_body_alone_names_nobody() -> None:
    """With insufficient signals no candidate is written at all."""
    person = _person(PersonStatus.INSUFFICIENT_SIGNALS, Box(1, 1, 9, 9), with_face=False)
    assert label_lines(person) == ["insufficient signals", "body"]


@pytest.mark.parametrize("status", list(STATUS_COLORS))
def test_each_status_has_its_color(status: PersonStatus) -> None:
    """The box of a person is drawn in the status's color, and no other status's color appears."""
    grey = np.full((600, 800, 3), 90, np.uint8)
    drawn = annotate(grey, _seen(_person(status, Box(300, 200, 120, 120))))
    assert {each for each in STATUS_COLORS if _has_color(drawn, STATUS_COLORS[each])} == {status}


def test_a_small_picture_is_enlarged_and_gets_a_legend_below() -> None:
    """250 pixels become 640; the legend adds rows, the picture keeps its shape."""
    drawn = annotate(gradient(250, 250), _seen(_person(PersonStatus.IDENTIFIED, Box(80, 80, 90, 90))))
    assert drawn.shape[1] == 640
    assert drawn.shape[0] > 640


def test_the_input_is_left_alone() -> None:
    """Drawing works on a copy."""
    pixels = gradient(800, 600)
    before = pixels.copy()
    annotate(pixels, _seen(_person(PersonStatus.UNKNOWN, Box(10, 10, 50, 50))))
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 900), (900, 8), (64, 48)])
def test_odd_pictures_and_boxes_do_no_harm(width: int, height: int) -> None:
    """Tiny and narrow pictures, boxes across the edge, very long names: something is drawn, nothing fails."""
    people = (
        _person(PersonStatus.IDENTIFIED, Box(-20, -20, 60, 60), name="x" * 200),
        _person(PersonStatus.UNKNOWN, Box(width - 3, height - 3, 50, 50)),
        _person(PersonStatus.INSUFFICIENT_SIGNALS, Box(0, 0, 1, 1), with_face=False),
    )
    tattoo = Sighting(Signal.TATTOO, Box(0, 0, 5, 5), 0.5, "left forearm")
    drawn = annotate(gradient(width, height), _seen(*people, unassigned=(tattoo,)))
    assert drawn.dtype == np.uint8
    assert drawn.ndim == 3


def test_nobody_is_said_to_be_there() -> None:
    """A picture without people still gets its legend."""
    assert annotate(gradient(700, 500), _seen()).shape[0] > 500


def test_a_face_that_is_nobodys_is_no_tattoo() -> None:
    """A drawn face has a colour of its own, so that nobody takes it for a tattoo."""
    box, pixels = Box(10, 10, 20, 20), gradient(64, 48)
    drawn, tattoo = (
        annotate(pixels, _seen(unassigned=(Sighting(signal, box, 0.9, ""),)))
        for signal in (Signal.FACE, Signal.TATTOO)
    )
    assert not np.array_equal(drawn, tattoo)
    assert not np.array_equal(drawn, annotate(pixels, _seen()))
