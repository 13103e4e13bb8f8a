"""The story of enrolling and forgetting that every signal shares."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest

from chassis.changes import Changes
from chassis.errors import Unavailable
from chassis.signal.enrolment import Enrolment, Outcome, Rejection, Stored, load


@dataclass(frozen=True)
class _View:
    name: str
    quality: float = 1.0


@dataclass
class _Rows:
    """Rows in the order they were committed; a view is what its name says."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    async def insert(self, performer_id: str, views: Sequence[_View]) -> list[Stored[tuple[str, str]]]:
        await asyncio.sleep(0)
        self._check()
        return [self._insert((performer_id, view.name)) for view in views]

    async def forget(self, performer_id: str) -> int:
        await asyncio.sleep(0)
        self._check()
        before = len(self.rows)
        self.rows = [row for row in self.rows if row[0] != performer_id]
        return before - len(self.rows)

    def _insert(self, row: tuple[str, str]) -> Stored[tuple[str, str]]:
        is_new = row not in self.rows
        if is_new:
            self.rows.append(row)
        return Stored((row,), is_new)

    def _check(self) -> None:
        if self.is_away:
            raise Unavailable("the database is not there now")


@dataclass
class _Memory:
    rows: set[tuple[str, str]] = field(default_factory=set)

    def add(self, rows: Sequence[tuple[str, str]]) -> None:
        self.rows |= set(rows)

    def forget(self, performer_id: str) -> int:
        gone = {row for row in self.rows if row[0] == performer_id}
        self.rows -= gone
        return len(gone)


def _enrolment(rows: _Rows, memory: _Memory) -> Enrolment[_View, tuple[str, str]]:
    return Enrolment(rows, memory, Changes(), least_quality=0.5)


async def test_outcomes_are_in_the_order_of_the_views() -> None:
    """Accepted, too bad, there already: each in its place, and only the good ones are stored and found."""
    rows, memory = _Rows(), _Memory()
    views = [_View("a"), _View("b", 0.49), _View("a"), _View("c", 0.5)]
    outcomes = await _enrolment(rows, memory).enroll("p", views)
    assert [one.rejection for one in outcomes] == [
        None,
        Rejection.LOW_QUALITY,
        Rejection.DUPLICATE_IMAGE,
        None,
    ]
    assert outcomes[0] == Outcome()
    assert "0.49 is under 0.50" in outcomes[1].detail
    assert rows.rows == [("p", "a"), ("p", "c")]
    assert memory.rows == {("p", "a"), ("p", "c")}


async def test_what_is_not_committed_cannot_be_found() -> None:
    """The database is away: the caller learns it and memory has nothing."""
    rows, memory = _Rows(is_away=True), _Memory()
    with pytest.raises(Unavailable):
        await _enrolment(rows, memory).enroll("p", [_View("a")])
    assert memory.rows == set()


async def test_what_was_committed_but_not_added_is_added_by_a_repetition() -> None:
    """A process that died in between, or a caller who tries again: the duplicate is found afterwards."""
    rows, memory = _Rows([("p", "a")]), _Memory()
    [outcome] = await _enrolment(rows, memory).enroll("p", [_View("a")])
    assert outcome.rejection is Rejection.DUPLICATE_IMAGE
    assert memory.rows == {("p", "a")}


async def test_forgetting_makes_unknown_even_without_the_database() -> None:
    """Memory first; the caller learns that rows are left, and a repetition deletes them."""
    rows, memory = _Rows([("p", "a"), ("q", "b")]), _Memory({("p", "a"), ("q", "b")})
    enrolment = _enrolment(rows, memory)
    rows.is_away = True
    with pytest.raises(Unavailable):
        await enrolment.forget("p")
    assert memory.rows == {("q", "b")}
    rows.is_away = False
    assert await enrolment.forget("p") == 1
    assert rows.rows == [("q", "b")]


async def test_forgetting_waits_for_an_enrolment_under_way() -> None:
    """Started after it, forgetting wins: nothing that was enrolled before comes back."""
    rows, memory = _Rows(), _Memory()
    enrolment = _enrolment(rows, memory)
    _, deleted = await asyncio.gather(enrolment.enroll("p", [_View("a")]), enrolment.forget("p"))
    assert deleted == 1
    assert (rows.rows, memory.rows) == ([], set())


async def test_all_rows_are_loaded_in_batches() -> None:
    """Every batch gets into memory, and the reading of the database is closed."""
    memory, closed = _Memory(), []

    async def batches() -> AsyncGenerator[list[tuple[str, str]], None]:
        try:
            yield [("p", "a")]
            yield [("p", "b"), ("q", "c")]
        finally:
            closed.append(True)

    await load(batches(), memory)
    assert memory.rows == {("p", "a"), ("p", "b"), ("q", "c")}
    assert closed
