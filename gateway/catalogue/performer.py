"""A performer as the catalogue keeps it, what a change must look like, and how it is merged. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from chassis.errors import InvalidInput
from gateway.catalogue.breast_history import BreastRecord, check_history

__all__ = ["BODY_RATIOS", "ExternalId", "Performer", "check_ratios", "validated", "merged", "search_text"]

BODY_RATIOS = ("shoulder_hip_ratio", "leg_torso_ratio", "shoulder_torso_ratio", "arm_span_height_ratio")
"""Names of the ratios of body lengths that are kept."""

_T = TypeVar("_T")
_LONGEST_TEXT = 500
_LONGEST_URL = 2048
_MOST_ENTRIES = 200
_FIRST_YEAR = 1900
_LEAST_RATIO, _LARGEST_RATIO = 0.05, 20.0
_COUNTRY = re.compile(r"[A-Z]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class ExternalId:
    """Who gave the id (lower case), and the id there; unique together."""

    authority: str
    id: str


@dataclass(frozen=True, slots=True)
class Performer:
    """What is known of a performer. Empty, 0 and None mean unknown; in a change, unchanged.

    `id`: a UUID, empty only for a performer who is not stored yet. Years: 0 or 1900 to next year.
    `adult_attested`: never None once stored; in a change, False withdraws.
    `earliest_image_date`: of the dated images given to the signals; only enrolling changes it.
    `body_ratios`: by name, see BODY_RATIOS; measured ones win over those of a change.
    """

    id: str = ""
    name: str = ""
    aliases: tuple[str, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    birth_date: datetime.date | None = None
    career_start_year: int = 0
    career_end_year: int = 0
    adult_attested: bool | None = None
    gender: str = ""
    country: str = ""
    image_url: str = ""
    urls: tuple[str, ...] = ()
    earliest_image_date: datetime.date | None = None
    breast_history: tuple[BreastRecord, ...] = ()
    body_ratios: Mapping[str, float] = field(default_factory=dict)


def merged(stored: Performer, change: Performer) -> Performer:
    """`stored` with every field that `change` sets; lists are replaced whole.

    Except external ids where the change names no `id`: it was found by one of them, and a caller who knows
    only that one must not take the others away. They are added.
    """
    values: dict[str, Any] = {field.name: getattr(change, field.name) for field in fields(change)}
    given: dict[str, Any] = {name: value for name, value in values.items() if value or value is False}
    if not change.id:
        given["external_ids"] = tuple(dict.fromkeys((*stored.external_ids, *change.external_ids)))
    return replace(stored, **given)


def validated(performer: Performer, *, today: datetime.date) -> Performer:
    """The performer with trimmed text, ids in one form and no repetitions.

    Raises InvalidInput naming the field.
    """
    clean = replace(
        performer,
        name=_text("name", performer.name),
        aliases=_entries("aliases", [_text("aliases", one) for one in performer.aliases]),
        external_ids=_external_ids(performer.external_ids),
        gender=_text("gender", performer.gender),
        country=performer.country.strip(),
        image_url=_url("image_url", performer.image_url),
        urls=_entries("urls", [_url("urls", one) for one in performer.urls]),
        breast_history=tuple(map(_breast_record, performer.breast_history)),
    )
    if clean.country and not _COUNTRY.fullmatch(clean.country):
        raise InvalidInput("country: not two upper-case letters (ISO 3166-1)")
    _check_days(clean, today)
    check_history(clean.breast_history, today=today)
    check_ratios(clean.body_ratios)
    return clean


def search_text(performer: Performer) -> str:
    """Name and aliases without regard to case, one a line; what `ListPerformers` looks in."""
    return "\n".join(one.casefold() for one in (performer.name, *performer.aliases))


def _check_days(performer: Performer, today: datetime.date) -> None:
    birth = performer.birth_date
    if birth is not None and not _FIRST_YEAR <= birth.year <= today.year:
        raise InvalidInput(f"birth_date: not in {_FIRST_YEAR} to {today.year}")
    for name, year in (
        ("career_start_year", performer.career_start_year),
        ("career_end_year", performer.career_end_year),
    ):
        if year and not _FIRST_YEAR <= year <= today.year + 1:
            raise InvalidInput(f"{name}: not in {_FIRST_YEAR} to {today.year + 1}")
    if performer.career_end_year and performer.career_end_year < performer.career_start_year:
        raise InvalidInput("career_end_year: before career_start_year")


def check_ratios(ratios: Mapping[str, float]) -> None:
    """Raises InvalidInput for a ratio of another name, or one that no body has."""
    for name, ratio in ratios.items():
        if name not in BODY_RATIOS or not _LEAST_RATIO <= ratio <= _LARGEST_RATIO:
            raise InvalidInput(
                f"body_ratios: {_LEAST_RATIO:g} to {_LARGEST_RATIO:g}, of {', '.join(BODY_RATIOS)}"
            )


def _breast_record(one: BreastRecord) -> BreastRecord:
    return replace(
        one,
        size_category=_text("breast_history.size_category", one.size_category),
        source=_text("breast_history.source", one.source).casefold(),
    )


def _external_ids(ids: Sequence[ExternalId]) -> tuple[ExternalId, ...]:
    clean = []
    for one in ids:
        authority = _text("external_ids.authority", one.authority).casefold()
        external = ExternalId(authority, _text("external_ids.id", one.id))
        if not external.authority or not external.id:
            raise InvalidInput("external_ids: authority and id must not be empty")
        clean.append(external)
    return _entries("external_ids", clean)


def _entries(field: str, entries: Sequence[_T]) -> tuple[_T, ...]:
    """Without repetitions and empty entries, in order."""
    kept = tuple(dict.fromkeys(one for one in entries if one))
    if len(kept) > _MOST_ENTRIES:
        raise InvalidInput(f"{field}: more than {_MOST_ENTRIES} entries")
    return kept


def _text(field: str, text: str, *, longest: int = _LONGEST_TEXT) -> str:
    text = text.strip()
    if len(text) > longest:
        raise InvalidInput(f"{field}: longer than {longest} characters")
    if _CONTROL.search(text):
        raise InvalidInput(f"{field}: has control characters")
    return text


def _url(field: str, url: str) -> str:
    url = _text(field, url, longest=_LONGEST_URL)
    if url and not _URL.fullmatch(url):
        raise InvalidInput(f"{field}: not an http or https URL")
    return url
