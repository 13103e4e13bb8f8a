"""The demonstration judges itself honestly."""

from datetime import date

from chassis.geometry import Box
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
