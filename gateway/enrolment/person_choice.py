"""Which person of an image is the performer it is enrolled for. Pure; docs/enrolment.md has the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.people import PersonView
from marquee.gateway.v1.catalogue_pb2 import PERSON_CHOICE_LARGEST_FACE, PersonChoice

__all__ = ["plain_choice", "agreeing_person", "AGREEMENT_MARGIN"]

AGREEMENT_MARGIN = 0.1
"""By how much confidence the agreeing face must lead the next one."""


def plain_choice(people: Sequence[PersonView], choice: PersonChoice.ValueType) -> int | None:
    """Index of the person who is picked without comparing anybody; None when faces must decide.

    The only person; or, for LARGEST_FACE, the first, if any face is visible. `people` are in the answer's
    order, largest face first, and not empty.
    """
    if len(people) == 1:
        return 0
    is_portrait = choice == PERSON_CHOICE_LARGEST_FACE and people[0].person.face is not None
    return 0 if is_portrait else None


def agreeing_person(confidences: Mapping[int, float], *, threshold: float) -> int | None:
    """Index of the one person whose face agrees with the performer's enrolled faces; None when it is not
    clear.

    confidences: by person, 0..1; people without a face, or without anything to compare with, are missing.
    threshold: the face model's identification confidence, 0 when unknown. One person must reach it, nobody
        else may, and the lead must be at least AGREEMENT_MARGIN.
    """
    ranked = sorted(confidences.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or threshold <= 0 or ranked[0][1] < threshold:
        return None
    runner_up = ranked[1][1] if len(ranked) > 1 else 0.0
    is_clear = runner_up < threshold and ranked[0][1] - runner_up >= AGREEMENT_MARGIN
    return ranked[0][0] if is_clear else None
