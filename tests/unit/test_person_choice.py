"""Which person of an image is the performer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.association import PersonInstance
from gateway.enrolment.person_choice import AGREEMENT_MARGIN, agreeing_person, plain_choice
from gateway.people import PersonView
from marquee.gateway.v1.catalogue_pb2 import (
    PERSON_CHOICE_LARGEST_FACE,
    PERSON_CHOICE_ONLY_OR_AGREEING,
    PERSON_CHOICE_UNSPECIFIED,
)
from tests.fakes.scenes import body_at, face_at

_WITH_FACE = PersonView(PersonInstance(face_at(0, 0), None, ()), (), (), 0.0)
_WITHOUT_FACE = PersonView(PersonInstance(None, body_at(0, 0), ()), (), (), 0.0)


@pytest.mark.parametrize(
    "choice", [PERSON_CHOICE_UNSPECIFIED, PERSON_CHOICE_ONLY_OR_AGREEING, PERSON_CHOICE_LARGEST_FACE]
)
def test_the_only_person_is_the_performer(choice: int) -> None:
    """However the choice is set, and with or without a face."""
    assert plain_choice([_WITH_FACE], choice) == 0  # type: ignore[arg-type]  # an enum's number
    assert plain_choice([_WITHOUT_FACE], choice) == 0  # type: ignore[arg-type]  # an enum's number


def test_among_several_people_only_a_portrait_is_plain() -> None:
    """LARGEST_FACE takes the first person with a face; otherwise faces must be compared."""
    two = [_WITH_FACE, _WITHOUT_FACE]
    assert plain_choice(two, PERSON_CHOICE_LARGEST_FACE) == 0
    assert plain_choice(two, PERSON_CHOICE_ONLY_OR_AGREEING) is None
    assert plain_choice(two, PERSON_CHOICE_UNSPECIFIED) is None
    assert plain_choice([_WITHOUT_FACE, _WITHOUT_FACE], PERSON_CHOICE_LARGEST_FACE) is None


@pytest.mark.parametrize(
    ("confidences", "threshold", "picked"),
    [
        ({}, 0.5, None),
        ({0: 0.9}, 0.5, 0),
        ({0: 0.5}, 0.5, 0),
        ({0: 0.49}, 0.5, None),
        ({0: 0.2, 1: 0.9}, 0.5, 1),
        ({0: 0.6, 1: 0.9}, 0.5, None),  # two agree: twins, a mirror, a collage
        ({0: 0.45, 1: 0.5}, 0.5, None),  # one agrees, but hardly more than the other
        ({0: 1.0, 1: 1.0}, 0.5, None),
        ({0: 1.0}, 0.0, None),  # a model without a threshold agrees with nobody
    ],
)
def test_the_agreeing_face(confidences: dict[int, float], threshold: float, picked: int | None) -> None:
    """Exactly one face reaches the threshold and leads clearly, or nobody is picked."""
    assert agreeing_person(confidences, threshold=threshold) == picked


@given(st.dictionaries(st.integers(0, 5), st.floats(0, 1)), st.floats(0, 1))
def test_who_is_picked_always_leads(confidences: dict[int, float], threshold: float) -> None:
    """The picked person is at the threshold, and all others are below it and far behind."""
    picked = agreeing_person(confidences, threshold=threshold)
    if picked is not None:
        others = [value for person, value in confidences.items() if person != picked]
        assert confidences[picked] >= threshold > 0
        assert all(one < threshold and confidences[picked] - one >= AGREEMENT_MARGIN for one in others)
