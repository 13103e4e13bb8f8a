"""Which generation of models a call works with: pure rules, whatever is in use."""

from __future__ import annotations

from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from chassis.postgres import Pool
from chassis.signal.generations import Generation, InUse
from tests.fakes.embedders import FakeKnown, FakeRow, followed_from

_FLAGS = st.tuples(st.booleans(), st.booleans())
_NAMES = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4, unique=True)


def _generation(number: int, names: list[str]) -> Generation[FakeRow, FakeKnown]:
    rows = tuple(map(FakeRow, names))
    nowhere = cast(Pool, None)
    return Generation(number, rows, followed_from(nowhere, [row.key for row in rows]))


@st.composite
def _in_use(draw: st.DrawFn) -> InUse[FakeRow, FakeKnown]:
    """A set that serves, perhaps one being prepared, and some that served before."""
    numbers = sorted(draw(st.sets(st.integers(1, 50), min_size=1, max_size=4)), reverse=True)
    first, *rest = [_generation(number, draw(_NAMES)) for number in numbers]
    is_changing, runs = draw(_FLAGS)
    if rest and is_changing:
        return InUse(rest[0], first, runs, tuple(rest[1:]))
    return InUse(first, retired=tuple(rest))


@given(_in_use(), st.sets(st.integers(0, 51)))
def test_templates_are_compared_by_the_newest_set_that_made_any(
    in_use: InUse[FakeRow, FakeKnown], made_in: set[int]
) -> None:
    """One set for all of a call; the one that serves where none of theirs is here."""
    chosen = in_use.of(made_in)
    here = {one.number for one in in_use.all} & made_in
    assert chosen in in_use.all
    assert chosen.number == (max(here) if here else in_use.serving.number)


@given(_in_use())
def test_what_one_set_observed_it_scores(in_use: InUse[FakeRow, FakeKnown]) -> None:
    """Whichever serves by then."""
    for one in in_use.all:
        assert in_use.of([one.number]) is one


@given(_in_use())
def test_every_embedder_is_there_once_those_that_serve_first(in_use: InUse[FakeRow, FakeKnown]) -> None:
    """Nothing is described twice, and the primary of those that serve is the first."""
    keys = [row.key for row in in_use.rows]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {key for one in in_use.all for key in one.keys}
    assert tuple(keys[: len(in_use.serving.rows)]) == in_use.serving.keys


@given(_in_use())
def test_only_what_runs_describes_besides(in_use: InUse[FakeRow, FakeKnown]) -> None:
    """An embedder being prepared that serves already is not run twice; one that fails not at all."""
    assert not {row.key for row in in_use.new_rows} & set(in_use.serving.keys)
    assert in_use.further == (in_use.new_rows if in_use.does_preparing_run else ())
