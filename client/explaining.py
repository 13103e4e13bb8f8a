"""What the probabilities of an answer are made of, as tables and words for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from client.odds import odds_text
from client.rendering import headline, score_text, status_text
from client.scene_years import scene_years_text
from client.values import Candidate, Contribution, ContributionKind, Identification, Person

__all__ = ["explanation", "verdict_text", "kinds_of", "are_competing"]

_LITTLE = 0.2
"""A lead in probability from which on two candidates do not compete any more."""
_MUCH = 0.5
"""What two candidates must have together to compete."""
_LEAST_REST = 0.0005
"""Probability of those who are not shown from which on they get a row."""


def explanation(title: str, seen: Identification, *, candidates: int = 5) -> RenderableType:
    """What was seen in one picture and, for each person, what each of at most `candidates` owes to what.

    Columns are kinds of contributions, as odds against nobody enrolled; together they multiply.
    """
    years = scene_years_text(seen.scene_years)
    parts: list[RenderableType] = [headline(title, seen)]
    if years:
        parts.append(Text(years))
    if not seen.people:
        parts.append(Text("nobody is visible", style="dim"))
    for number, person in enumerate(seen.people, start=1):
        parts += _person(number, person, person.candidates[:candidates])
    return Group(*parts)


def verdict_text(person: Person) -> str:
    """`margin 0.12, look-alikes compete, not calibrated for this library`; "" under the weighted policy."""
    told = [] if person.margin is None else [f"margin {person.margin:.2f}"]
    if are_competing(person.candidates):
        told.append("look-alikes compete")
    if person.is_uncalibrated:
        told.append("not calibrated for this library")
    return ", ".join(told)


def are_competing(candidates: Sequence[Candidate]) -> bool:
    """Whether it is one of the first two, more likely than not, and it is open which."""
    first, second = ([each.probability or 0.0 for each in candidates[:2]] + [0.0, 0.0])[:2]
    return first + second >= _MUCH and first - second < _LITTLE


def kinds_of(candidates: Iterable[Candidate]) -> list[ContributionKind]:
    """The kinds that occur, in the order of their definition."""
    found = {each.kind for candidate in candidates for each in candidate.contributions}
    return [kind for kind in ContributionKind if kind in found]


# --- one person ---


def _person(number: int, person: Person, shown: Sequence[Candidate]) -> Iterable[RenderableType]:
    yield Text("")
    yield Text.assemble((f"person {number}: ", "bold"), status_text(person), f"  {verdict_text(person)}")
    if shown or person.unknown_probability is not None:
        yield _table(person, shown)
    if not shown:
        yield Text(f"no candidate; seen: {' + '.join(sorted(person.signals)) or 'nothing'}", style="dim")
    elif not kinds_of(shown):
        yield Text("the server does not tell what the probabilities are made of", style="dim")
    for candidate in shown[: 2 if are_competing(shown) else 1]:
        yield from _words(candidate)


def _table(person: Person, shown: Sequence[Candidate]) -> Table:
    kinds = kinds_of(shown)
    table = Table(box=box.SIMPLE_HEAD, collapse_padding=True)
    table.add_column("performer", overflow="fold")
    for kind in kinds:
        table.add_column(kind.value, justify="right", overflow="fold")
    # What matters most is not what a narrow terminal breaks.
    for title in (*(["together"] if kinds else []), "probability"):
        table.add_column(title, justify="right", no_wrap=True)
    for place, candidate in enumerate(shown):
        cells = [_cell(candidate.contributions, kind) for kind in kinds]
        together = [odds_text(_sum(candidate.contributions))] if kinds and candidate.contributions else [""]
        row = (escape(candidate.name), *cells, *(together if kinds else []), score_text(candidate))
        table.add_row(*row, style="bold" if place == 0 else "")
    blanks = [""] * len(kinds)
    for name, odds, probability in _others(person, shown):
        row = (name, *blanks, *([odds] if kinds else []), f"{probability:.1%}")
        table.add_row(*row, style="dim")
    return table


def _others(person: Person, shown: Sequence[Candidate]) -> Iterable[tuple[str, str, float]]:
    """Rows of those who have no contributions: nobody enrolled, and everybody else as far as they matter."""
    if person.unknown_probability is None:
        return
    rest = 1 - person.unknown_probability - sum(each.probability or 0.0 for each in shown)
    if rest >= _LEAST_REST:
        yield "others enrolled", "", rest
    yield "nobody enrolled", odds_text(0.0), person.unknown_probability


def _cell(contributions: Iterable[Contribution], kind: ContributionKind) -> str:
    """Odds of all contributions of one kind; "" for none."""
    of_kind = [each for each in contributions if each.kind is kind]
    return odds_text(_sum(of_kind)) if of_kind else ""


def _sum(contributions: Iterable[Contribution]) -> float:
    return sum(each.log_ratio for each in contributions)


def _words(candidate: Candidate) -> Iterable[Text]:
    """Each contribution of one candidate in the server's words, in the order of the columns."""
    if not candidate.contributions:
        return
    yield Text(candidate.name, style="bold")
    order = list(ContributionKind)
    for each in sorted(candidate.contributions, key=lambda each: order.index(each.kind)):
        told = each.summary or odds_text(each.log_ratio)
        yield Text.assemble((f"  {each.kind.value:<14}", "dim"), told)
