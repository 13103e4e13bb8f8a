"""What follows from what sources say of a performer's tattoos."""

from __future__ import annotations

from services.tattoo.texts import TattooText, claims_of

_ANN, _BEN = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def _text(location: str, *, performer: str = _ANN, source: str = "stashdb.org", what: str = "") -> TattooText:
    return TattooText(performer, location, what, source)


def test_each_region_of_a_text_is_known_tattooed() -> None:
    """In the source's words."""
    claims = claims_of([_text("right thigh/hip", what="snake")])
    assert [(one.region, one.knowledge, one.description) for one in claims] == [
        ("right_hip", "known_tattooed", "right thigh/hip: snake"),
        ("right_thigh", "known_tattooed", "right thigh/hip: snake"),
    ]


def test_no_tattoos_makes_every_region_clear() -> None:
    claims = claims_of([_text("none")])
    assert {one.knowledge for one in claims} == {"known_clear"}
    assert len(claims) == 25
    assert {"left_forearm", "head", "ribs_or_side"} <= {one.region for one in claims}
    assert not {"unknown", "other"} & {one.region for one in claims}


def test_a_source_that_contradicts_itself_says_no_region_is_clear() -> None:
    """One of the two is outdated."""
    claims = claims_of([_text("none"), _text("neck")])
    assert [(one.region, one.knowledge) for one in claims] == [("neck", "known_tattooed")]


def test_performers_and_sources_are_apart() -> None:
    """What is said of one, or by one, says nothing of or by another."""
    claims = claims_of([_text("none"), _text("neck", performer=_BEN), _text("neck", source="fansdb.cc")])
    tattooed = {(one.performer_id, one.source) for one in claims if one.knowledge == "known_tattooed"}
    assert tattooed == {(_BEN, "stashdb.org"), (_ANN, "fansdb.cc")}
    assert {(one.performer_id, one.source) for one in claims if one.knowledge == "known_clear"} == {
        (_ANN, "stashdb.org")
    }


def test_the_same_words_twice_are_one_claim() -> None:
    assert len(claims_of([_text("neck"), _text("neck")])) == 1
