"""Adults only: what is refused, and what counts as attested."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.age import (
    AgeNotAttested,
    UnderAge,
    adult_from,
    check_enrolled,
    check_image,
    check_performer,
    status_of,
)
from marquee.gateway.v1.catalogue_pb2 import (
    AGE_STATUS_ATTESTED,
    AGE_STATUS_UNKNOWN,
    AGE_STATUS_VERIFIED,
    AgeStatus,
)

_TODAY = date(2024, 6, 15)


@pytest.mark.parametrize(
    ("birth", "adult"),
    [
        (date(2000, 6, 15), date(2018, 6, 15)),
        (date(2004, 2, 29), date(2022, 3, 1)),
        (date(2003, 2, 28), date(2021, 2, 28)),
        (date(9999, 1, 1), date.max),
    ],
)
def test_the_eighteenth_birthday(birth: date, adult: date) -> None:
    """Born on 29 February: adult from 1 March, the later reading."""
    assert adult_from(birth) == adult


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_nobody_is_an_adult_before_eighteen_calendar_years(birth: date) -> None:
    """On the day before, the calendar shows less than eighteen full years."""
    eve = adult_from(birth) - timedelta(days=1)
    years = eve.year - birth.year - ((eve.month, eve.day) < (birth.month, birth.day))
    assert years < 18


@pytest.mark.parametrize(
    ("birth", "career", "is_refused"),
    [
        (date(2006, 6, 15), 0, False),  # eighteen today
        (date(2006, 6, 16), 0, True),  # tomorrow
        (None, 0, False),
        (None, 1990, False),
        (date(2000, 12, 31), 2018, False),  # may have begun on the birthday
        (date(2000, 1, 1), 2017, True),
    ],
)
def test_performers(birth: date | None, career: int, is_refused: bool) -> None:
    """Under 18 today, or a career that began in a year before turning 18, is refused."""
    if is_refused:
        with pytest.raises(UnderAge):
            check_performer(birth_date=birth, career_start_year=career, today=_TODAY)
    else:
        check_performer(birth_date=birth, career_start_year=career, today=_TODAY)


def _image(birth: date | None, image: date | None, *, is_attested: bool = False) -> None:
    check_image(birth_date=birth, is_attested=is_attested, image_date=image, today=_TODAY)


def test_an_image_from_before_the_eighteenth_birthday_is_refused() -> None:
    """The day itself is fine, the day before is not; 29 February counts as 1 March."""
    _image(date(2000, 6, 15), date(2018, 6, 15))
    _image(date(2004, 2, 29), date(2022, 3, 1))
    for birth, image in ((date(2000, 6, 15), date(2018, 6, 14)), (date(2004, 2, 29), date(2022, 2, 28))):
        with pytest.raises(UnderAge, match="eighteenth"):
            _image(birth, image, is_attested=True)


def test_an_image_without_a_date_depends_on_the_performer() -> None:
    """A known adult's undated image is accepted, a minor's never."""
    _image(date(2000, 1, 1), None)
    with pytest.raises(UnderAge):
        _image(date(2010, 1, 1), None, is_attested=True)


def test_without_a_birth_date_somebody_must_attest() -> None:
    """No birth date and no attestation: nothing can be enrolled."""
    _image(None, date(2020, 1, 1), is_attested=True)
    with pytest.raises(AgeNotAttested, match="adult_attested"):
        _image(None, date(2020, 1, 1))


@pytest.mark.parametrize(
    ("birth", "attested", "authorities", "status"),
    [
        (date(2000, 1, 1), False, [], AGE_STATUS_VERIFIED),
        (date(2000, 1, 1), True, ["stashdb.org"], AGE_STATUS_VERIFIED),
        (date(2010, 1, 1), True, ["stashdb.org"], AGE_STATUS_UNKNOWN),
        (None, True, [], AGE_STATUS_ATTESTED),
        (None, False, ["folder", "StashDB.org"], AGE_STATUS_ATTESTED),
        (None, False, ["folder"], AGE_STATUS_UNKNOWN),
        (None, False, [], AGE_STATUS_UNKNOWN),
    ],
)
def test_age_status(
    birth: date | None, attested: bool, authorities: list[str], status: AgeStatus.ValueType
) -> None:
    """A birth date verifies; the owner or an adults-only source attests; a folder attests nothing."""
    got = status_of(
        birth_date=birth,
        adult_attested=attested,
        authorities=authorities,
        adults_only_authorities=frozenset({"stashdb.org"}),
        today=_TODAY,
    )
    assert got == status


@pytest.mark.parametrize(("birth", "earliest"), [(None, date(1950, 1, 1)), (date(1990, 1, 1), None)])
def test_without_a_birth_date_or_a_dated_image_nothing_contradicts(
    birth: date | None, earliest: date | None
) -> None:
    """There is nothing to compare."""
    check_enrolled(birth_date=birth, earliest_image_date=earliest)


def test_an_enrolled_image_from_before_the_eighteenth_birthday_contradicts_the_birth_date() -> None:
    """The day before is refused, the birthday itself is not."""
    check_enrolled(birth_date=date(1990, 1, 1), earliest_image_date=date(2008, 1, 1))
    with pytest.raises(UnderAge, match="forget the performer"):
        check_enrolled(birth_date=date(1990, 1, 1), earliest_image_date=date(2007, 12, 31))
