"""Adults only:

the one place that says who and what may be enrolled. Days in, decisions out; no clock here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from chassis.errors import Refused
from marquee.gateway.v1.catalogue_pb2 import (
    AGE_STATUS_ATTESTED,
    AGE_STATUS_UNKNOWN,
    AGE_STATUS_VERIFIED,
    AgeStatus,
)

__all__ = [
    "ADULT_AGE",
    "UnderAge",
    "AgeNotAttested",
    "adult_from",
    "check_performer",
    "check_image",
    "check_enrolled",
    "check_history",
    "check_tattoo",
    "status_of",
]

ADULT_AGE = 18
"""Years."""


class UnderAge(Refused):
    """Nobody's fault: the performer is, or in the image was, under 18."""


class AgeNotAttested(Refused):
    """Nobody's fault: nothing says that the performer is an adult."""


def adult_from(birth_date: datetime.date) -> datetime.date:
    """The eighteenth birthday; for somebody born on 29 February, 1 March: the later of the two readings."""
    if birth_date.year > datetime.MAXYEAR - ADULT_AGE:
        return datetime.date.max
    try:
        return birth_date.replace(year=birth_date.year + ADULT_AGE)
    except ValueError:
        return datetime.date(birth_date.year + ADULT_AGE, 3, 1)


def check_performer(
    *, birth_date: datetime.date | None, career_start_year: int, today: datetime.date
) -> None:
    """Raise UnderAge for a performer who is under 18 today, or whose career began in a year before turning
    18.

    `career_start_year`: 0 when unknown. Without a birth date there is nothing to check.
    """
    if birth_date is None:
        return
    adult = adult_from(birth_date)
    if today < adult:
        raise UnderAge("birth_date: the performer is under 18")
    if career_start_year and career_start_year < adult.year:
        raise UnderAge("career_start_year: before the year of the performer's eighteenth birthday")


def check_image(
    *,
    birth_date: datetime.date | None,
    is_attested: bool,
    image_date: datetime.date | None,
    today: datetime.date,
) -> None:
    """Raise UnderAge or AgeNotAttested unless an image of the performer may be enrolled.

    image_date: None when unknown; then the performer's age today decides.
    is_attested: whether the owner, or a source whose policy is adults only, says that the performer is an
    adult.
    """
    if birth_date is None:
        if not is_attested:
            raise AgeNotAttested(
                "no birth date is known and nobody attests that the performer is an adult: "
                "set birth_date or adult_attested"
            )
        return
    check_performer(birth_date=birth_date, career_start_year=0, today=today)
    if image_date is not None and image_date < adult_from(birth_date):
        raise UnderAge("the image is dated before the performer's eighteenth birthday")


def check_enrolled(*, birth_date: datetime.date | None, earliest_image_date: datetime.date | None) -> None:
    """Raise UnderAge when an image that may be enrolled is dated before the eighteenth birthday.

    earliest_image_date: of the images given to the signals so far; None when none was dated.
    """
    if birth_date is None or earliest_image_date is None:
        return
    if earliest_image_date < adult_from(birth_date):
        raise UnderAge(
            "birth_date: an enrolled image is dated before the eighteenth birthday: "
            "forget the performer or correct the date"
        )


def check_history(*, birth_date: datetime.date | None, days: Iterable[datetime.date]) -> None:
    """Raise UnderAge when metadata describes the body of a minor: a day before the eighteenth birthday."""
    if birth_date is not None and any(day < adult_from(birth_date) for day in days):
        raise UnderAge("breast_history: a day before the performer's eighteenth birthday")


def check_tattoo(*, birth_date: datetime.date | None, first_seen: datetime.date | None) -> None:
    """Raise UnderAge for a tattoo that is said to have been there before the eighteenth birthday."""
    if birth_date is not None and first_seen is not None and first_seen < adult_from(birth_date):
        raise UnderAge("first_seen_date: before the performer's eighteenth birthday")


def status_of(
    *,
    birth_date: datetime.date | None,
    adult_attested: bool,
    authorities: Iterable[str],
    adults_only_authorities: frozenset[str],
    today: datetime.date,
) -> AgeStatus.ValueType:
    """What birth date, attestation and sources say together; arguments as in `is_attested`."""
    if birth_date is not None:
        return AGE_STATUS_VERIFIED if adult_from(birth_date) <= today else AGE_STATUS_UNKNOWN
    attested = is_attested(
        adult_attested=adult_attested,
        authorities=authorities,
        adults_only_authorities=adults_only_authorities,
    )
    return AGE_STATUS_ATTESTED if attested else AGE_STATUS_UNKNOWN


def is_attested(
    *, adult_attested: bool, authorities: Iterable[str], adults_only_authorities: frozenset[str]
) -> bool:
    """Whether the owner says that the performer is an adult, or an id of a source whose policy is adults
    only does.

    `authorities`: those of the performer's external ids, in any case.
    """
    return adult_attested or not adults_only_authorities.isdisjoint(
        authority.casefold() for authority in authorities
    )
