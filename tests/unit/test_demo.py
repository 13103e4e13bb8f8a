"""The demonstration judges itself honestly."""

from datetime import date

from chassis.geometry import Box
from chassis.images import inspect
from client.demo.mannequins import BIRTH_DATE, MANNEQUINS, TATTOO_PROBES, read_render
from client.demo.pictures import PERFORMERS, PROBES
from client.demo.story import judge
from client.values import Candidate, Identification, Person, PersonStatus, Policy

_OBAMA = next(probe for probe in PROBES if probe.expected == "Barack Obama")
_STRANGERS = next(probe for probe in PROBES if probe.expected is None)


def _seen(*people: tuple[PersonStatus, str]) -> Identification:
    drawn = tuple(
        Person(
            Box(0, 0, 1, 1), status, (Candidate(name, name, (), (), 0.9, None, ()),), (), 0, (), False, 0.6
        )
        for status, name in people
    )
    return Identification(10, 10, drawn, {}, Policy.WEIGHTED, (), 1.0)


def test_only_a_name_with_enough_score_is_right() -> None:
    """Being the nearest is not being identified, and another's name is wrong."""
    assert judge(_OBAMA, _seen((PersonStatus.IDENTIFIED, "Barack Obama"))).is_right
    assert not judge(_OBAMA, _seen((PersonStatus.UNKNOWN, "Barack Obama"))).is_right
    assert not judge(_OBAMA, _seen((PersonStatus.IDENTIFIED, "Joe Biden"))).is_right
    assert not judge(_OBAMA, _seen()).is_right


def test_a_stranger_must_be_seen_and_not_named() -> None:
    """One name among strangers is wrong; seeing nobody at all is not right either."""
    unknown = (PersonStatus.UNKNOWN, "Joe Biden")
    assert judge(_STRANGERS, _seen(unknown, unknown)).is_right
    assert not judge(_STRANGERS, _seen(unknown, (PersonStatus.IDENTIFIED, "Joe Biden"))).is_right
    assert not judge(_STRANGERS, _seen()).is_right


def test_everybody_is_an_adult_and_expected_people_are_enrolled() -> None:
    """The demonstration keeps the rules it shows, and its annotated pictures do not overwrite each other."""
    assert all(performer.birth_date < date(2000, 1, 1) for performer in PERFORMERS)
    assert {probe.expected for probe in PROBES} - {None} <= {performer.name for performer in PERFORMERS}
    assert len({probe.file_name for probe in PROBES}) == len(PROBES)


def test_mannequins_are_shown_in_pictures_that_are_there() -> None:
    """Adults, each picture used once, small; who is expected is enrolled, and somebody is a stranger."""
    views = [view for one in MANNEQUINS for view in one.views] + [probe.view for probe in TATTOO_PROBES]
    assert date(2000, 1, 1) > BIRTH_DATE
    assert len(set(views)) == len(views)
    assert sum(len(read_render(view)) for view in views) < 400_000
    assert all(inspect(read_render(view)).width > 0 for view in views)
    expected = {probe.expected for probe in TATTOO_PROBES}
    assert expected == {None} | {one.name for one in MANNEQUINS}
    assert len({probe.file_name for probe in (*PROBES, *TATTOO_PROBES)}) == len(PROBES) + len(TATTOO_PROBES)
