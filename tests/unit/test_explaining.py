"""Explanations on the terminal."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from rich.console import Console

from client.explaining import are_competing, explanation, kinds_of, verdict_text
from client.values import Candidate, Contribution, ContributionKind, Identification
from tests.fakes.explained import explained, explained_person, telling, three_people

_Kind = ContributionKind
_PRIOR = (_Kind.PRIOR, 1 / 600, "one of 1,400")


def _printed(seen: Identification, *, candidates: int = 5) -> list[str]:
    """Lines with runs of spaces made one."""
    console = Console(width=160)
    with console.capture() as captured:
        console.print(explanation("party.jpg", seen, candidates=candidates))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def _candidates(*probabilities: float) -> list[Candidate]:
    return [Candidate("", "", (), (), each, each, ()) for each in probabilities]


def test_a_row_has_odds_by_kind_their_product_and_the_probability() -> None:
    """Only kinds that occur are columns; nobody enrolled is the last row."""
    ann = telling("Ann Lee", _PRIOR, (_Kind.FACE, 9_000, "face, quality 0.91"))
    ben = telling("Ben", _PRIOR, (_Kind.TATTOO_ABSENT, 1 / 8, "left forearm in view, no tattoo"))
    lines = _printed(explained(explained_person(ann, ben)))
    header = lines.index("performer prior face tattoo absent together probability")
    assert lines[header + 2 : header + 5] == [
        "Ann Lee 1 : 600 9,000 : 1 15 : 1 93.7%",
        "Ben 1 : 600 1 : 8.0 1 : 4,800 0.0%",
        "nobody enrolled 1 : 1 6.2%",
    ]


def test_several_contributions_of_one_kind_are_one_number() -> None:
    """They multiply; below, each has its words."""
    absent = [(_Kind.TATTOO_ABSENT, 1 / 4, f"{where} in view, no tattoo") for where in ("neck", "chest")]
    lines = _printed(explained(explained_person(telling("Ann", _PRIOR, *absent))))
    assert "Ann 1 : 600 1 : 16 1 : 9,600 0.0%" in lines
    assert lines[-2:] == ["tattoo absent neck in view, no tattoo", "tattoo absent chest in view, no tattoo"]


def test_words_are_of_the_first_candidate() -> None:
    """In the order of the columns; odds where the server has no words."""
    ann = telling("Ann", (_Kind.FACE, 9_000, ""), _PRIOR)
    lines = _printed(explained(explained_person(ann, telling("Ben", _PRIOR))))
    assert lines[-3:] == ["Ann", "prior one of 1,400", "face 9,000 : 1"]


def test_look_alikes_are_told_and_both_explained() -> None:
    """Two faces as alike: whose the person is, is open."""
    look_alikes = three_people().people[1]
    lines = _printed(explained(look_alikes))
    assert any("margin 0.09, look-alikes compete, not calibrated for this library" in line for line in lines)
    assert lines.count("Ottilie Brandt") == lines.count("Mathilde Brandt") == 1


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.5, 0.45), True),
        ((0.3, 0.25), True),
        ((0.9, 0.05), False),
        ((0.2, 0.15), False),
        ((0.6, 0.3), False),
        ((0.55,), False),
        ((), False),
    ],
)
def test_who_competes(probabilities: tuple[float, ...], expected: bool) -> None:
    """Two who are close, and likely together."""
    assert are_competing(_candidates(*probabilities)) is expected


def test_those_who_are_not_shown_have_a_row_where_they_matter() -> None:
    """So that the column sums to 1."""
    person = three_people().people[1]
    rows = _printed(explained(person), candidates=1)
    others = sum(each.score for each in person.candidates[1:])
    assert f"others enrolled {others:.1%}" in rows
    assert not any(line.startswith("others enrolled") for line in _printed(explained(person)))


def test_nobody_and_no_candidate_are_told() -> None:
    """In a line each; nobody enrolled still has the row."""
    assert _printed(explained())[-1] == "nobody is visible"
    lines = _printed(explained(explained_person(is_identified=False)))
    assert "nobody enrolled 100.0%" in lines
    assert lines[-1] == "no candidate; seen: face"


def test_a_server_that_tells_no_contributions() -> None:
    """Probabilities without columns, and a word about it."""
    person = explained_person(telling("Ann", _PRIOR))
    silent = replace(person, candidates=tuple(replace(each, contributions=()) for each in person.candidates))
    lines = _printed(explained(silent))
    assert "performer probability" in lines
    assert "the server does not tell what the probabilities are made of" in lines


def test_names_are_not_markup() -> None:
    """Brackets stay brackets."""
    assert any(
        "[bold]Ann[/]" in line
        for line in _printed(explained(explained_person(telling("[bold]Ann[/]", _PRIOR))))
    )


def test_scene_years_have_a_line() -> None:
    """Below the headline."""
    assert _printed(three_people())[1] == "made in 2016 to 2019, 95%"


def test_what_is_impossible_is_said_so() -> None:
    """Not as `1 : inf`."""
    person = explained_person(telling("Ann", _PRIOR))
    [ann] = person.candidates
    never = (*ann.contributions, Contribution(_Kind.CAREER, -math.inf, "not an adult at the time"))
    lines = _printed(explained(replace(person, candidates=(replace(ann, contributions=never),))))
    assert any(line.startswith("Ann 1 : 600 impossible impossible") for line in lines)


def test_kinds_and_verdict_of_little() -> None:
    """Nothing without contributions; no margin under the weighted policy."""
    person = replace(explained_person(), margin=None, unknown_probability=None, is_uncalibrated=False)
    assert kinds_of(_candidates(0.5)) == []
    assert verdict_text(person) == ""


def test_a_narrow_terminal_loses_neither_names_nor_probabilities() -> None:
    """Cells are folded."""
    console = Console(width=80)
    with console.capture() as captured:
        console.print(explanation("party.jpg", explained(three_people().people[0])))
    printed = captured.get()
    names = "".join(line[:9].strip() for line in printed.splitlines())
    assert "VeraMarloweOttilieBrandt" in names
    assert all(share in printed for share in ("99.9%", "0.1%"))
    assert "…" not in printed
