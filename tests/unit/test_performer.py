"""What a performer's record must look like, how changes are merged, and how pages are marked."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import InvalidInput
from gateway.catalogue.paging import START, Position, decode, encode
from gateway.catalogue.performer import ExternalId, Performer, merged, search_text, validated

_TODAY = date(2024, 6, 15)
_ANNA = Performer(
    id="00000000-0000-0000-0000-000000000001",
    name="Anna",
    aliases=("Ann",),
    external_ids=(ExternalId("stashdb.org", "a1"),),
    birth_date=date(1990, 1, 1),
    adult_attested=True,
    country="DE",
    urls=("https://example.org",),
)


def test_a_change_replaces_what_it_sets_and_leaves_the_rest() -> None:
    """Empty, 0 and None are not set; a list that is given replaces the stored list whole."""
    change = Performer(name="Anna B", aliases=("A", "B"), career_start_year=2010)
    assert merged(_ANNA, change) == replace(_ANNA, name="Anna B", aliases=("A", "B"), career_start_year=2010)
    assert merged(_ANNA, Performer()) == _ANNA


def test_an_attestation_can_be_withdrawn() -> None:
    """False is a value and replaces True; None leaves either."""
    withdrawn = merged(_ANNA, Performer(adult_attested=False))
    assert withdrawn == replace(_ANNA, adult_attested=False)
    assert merged(withdrawn, Performer(name="Anna")) == withdrawn


def test_external_ids_are_replaced_by_id_and_added_otherwise() -> None:
    """Who names the performer by id decides on all ids; who found it by one of them only adds."""
    folder = ExternalId("folder", "Anna")
    by_id = Performer(id=_ANNA.id, external_ids=(folder,))
    assert merged(_ANNA, by_id).external_ids == (folder,)
    found = Performer(external_ids=(folder, *_ANNA.external_ids))
    assert merged(_ANNA, found).external_ids == (*_ANNA.external_ids, folder)


def test_text_is_trimmed_and_repetitions_vanish() -> None:
    """One spelling of an authority, no empty aliases, no id twice."""
    performer = validated(
        Performer(
            name="  Anna ",
            aliases=("Ann", " Ann ", ""),
            external_ids=(ExternalId("StashDB.org", " a1 "), ExternalId("stashdb.org", "a1")),
        ),
        today=_TODAY,
    )
    assert performer.name == "Anna"
    assert performer.aliases == ("Ann",)
    assert performer.external_ids == (ExternalId("stashdb.org", "a1"),)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (Performer(name="x" * 501), "name"),
        (Performer(name="a\0b"), "name"),
        (Performer(aliases=("a\nb",)), "aliases"),
        (Performer(aliases=tuple(map(str, range(201)))), "aliases"),
        (Performer(external_ids=(ExternalId("", "1"),)), "external_ids"),
        (Performer(external_ids=(ExternalId("folder", " "),)), "external_ids"),
        (Performer(country="Germany"), "country"),
        (Performer(country="de"), "country"),
        (Performer(image_url="javascript:alert(1)"), "image_url"),
        (Performer(urls=("https://ok.org", "ftp://no.org")), "urls"),
        (Performer(birth_date=date(1899, 12, 31)), "birth_date"),
        (Performer(birth_date=date(2025, 1, 1)), "birth_date"),
        (Performer(career_start_year=1800), "career_start_year"),
        (Performer(career_end_year=2026), "career_end_year"),
        (Performer(career_start_year=2010, career_end_year=2009), "career_end_year"),
    ],
)
def test_malformed_fields_are_named(change: Performer, field: str) -> None:
    """The error begins with the field."""
    with pytest.raises(InvalidInput, match=f"^{field}"):
        validated(change, today=_TODAY)


def test_a_good_record_passes_unchanged() -> None:
    """Nothing is lost on the way."""
    assert validated(_ANNA, today=_TODAY) == _ANNA


def test_search_text_knows_names_without_regard_to_case() -> None:
    """Case-folded, so that it does not depend on the database's locale."""
    assert search_text(Performer(name="Straße", aliases=("ÉLODIE",))) == "strasse\nélodie"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), st.uuids())
def test_page_tokens_come_back_as_they_went(name: str, performer_id: object) -> None:
    """Any name survives; no token means the beginning."""
    position = Position(name, str(performer_id))
    assert decode(encode(position)) == position
    assert decode("") == START


@pytest.mark.parametrize(
    "token",
    [
        "!",
        "aGVsbG8=",
        "é",
        base64.urlsafe_b64encode(b"[1, 2]").decode(),
        base64.urlsafe_b64encode(b'["a"]').decode(),
        base64.urlsafe_b64encode(b'{"a": "b", "c": "d"}').decode(),
        base64.urlsafe_b64encode(json.dumps(["a", "not a uuid"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["a\0", START.performer_id]).encode()).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_foreign_page_token_is_refused(token: str) -> None:
    """What this server did not make is the caller's fault."""
    with pytest.raises(InvalidInput, match="page_token"):
        decode(token)
