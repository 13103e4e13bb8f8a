"""The story of enrolling and forgetting that every signal shares."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from chassis.changes import Changes
from chassis.errors import Unavailable
from chassis.signal.enrolment import Enrolment, Outcome, Rejection, Stored


@dataclass(frozen=True)
class _View:
    name: str
    quality: float = 1.0


@dataclass
class _Rows:
    """Rows in the order they were committed; a view is what its name says."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False

    async def insert(self, performer_id: str, views: Sequence[_View]) -> list[Stored]:
        await asyncio.sleep(0)
        self._check()
        return [self._insert((performer_id, view.name)) for view in views]

    async def forget(self, performer_id: str) -> int:
        await asyncio.sleep(0)
        self._check()
        before = len(self.rows)
        self.rows = [row for row in self.rows if row[0] != performer_id]
        return before - len(self.rows)

    async def discard(self, performer_id: str, image_hash: str) -> int:
        await asyncio.sleep(0)
        self._check()
        before = len(self.rows)
        self.rows = [row for row in self.rows if row != (performer_id, image_hash)]
        return before - len(self.rows)

    def _insert(self, row: tuple[str, str]) -> Stored:
        is_new = row not in self.rows
        if is_new:
            self.rows.append(row)
        return Stored(is_new)

    def _check(self) -> None:
        if self.is_away:
            raise Unavailable("the database is not there now")


@dataclass
class _Memory:
    """What this process knows: the rows as of when it caught up last."""

    store: _Rows
    rows: set[tuple[str, str]] = field(default_factory=set)

    async def look(self) -> None:
        await asyncio.sleep(0)
        self.rows = set(self.store.rows)


def _enrolment(rows: _Rows, memory: _Memory) -> Enrolment[_View]:
    return Enrolment(rows, memory.look, Changes(), least_quality=0.5)


async def test_outcomes_are_in_the_order_of_the_views() -> None:
    """Accepted, too bad, there already: each in its place, and only the good ones are stored and found."""
    memory = _Memory(rows := _Rows())
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
    memory = _Memory(rows := _Rows(is_away=True))
    with pytest.raises(Unavailable):
        await _enrolment(rows, memory).enroll("p", [_View("a")])
    assert memory.rows == set()


async def test_what_was_committed_but_not_added_is_added_by_a_repetition() -> None:
    """A process that died in between, or a caller who tries again: the duplicate is found afterwards."""
    memory = _Memory(rows := _Rows([("p", "a")]))
    [outcome] = await _enrolment(rows, memory).enroll("p", [_View("a")])
    assert outcome.rejection is Rejection.DUPLICATE_IMAGE
    assert memory.rows == {("p", "a")}


async def test_forgetting_needs_the_database() -> None:
    """The caller learns that nothing was forgotten; a repetition deletes the rows, and nobody finds them."""
    memory = _Memory(rows := _Rows([("p", "a"), ("q", "b")]))
    await memory.look()
    enrolment = _enrolment(rows, memory)
    rows.is_away = True
    with pytest.raises(Unavailable):
        await enrolment.forget("p")
    assert memory.rows == {("p", "a"), ("q", "b")}
    rows.is_away = False
    assert await enrolment.forget("p") == 1
    assert rows.rows == [("q", "b")]
    assert memory.rows == {("q", "b")}


async def test_forgetting_waits_for_an_enrolment_under_way() -> None:
    """Started after it, forgetting wins: nothing that was enrolled before comes back."""
    memory = _Memory(rows := _Rows())
    enrolment = _enrolment(rows, memory)
    _, deleted = await asyncio.gather(enrolment.enroll("p", [_View("a")]), enrolment.forget("p"))
    assert deleted == 1
    assert (rows.rows, memory.rows) == ([], set())


async def test_what_is_discarded_is_found_no_more() -> None:
    """One image of one performer; again it deletes nothing, and without the database it is said."""
    memory = _Memory(rows := _Rows())
    enrolment = _enrolment(rows, memory)
    await enrolment.enroll("p", [_View("a"), _View("b")])
    await enrolment.enroll("q", [_View("a")])
    assert [await enrolment.discard("p", "a"), await enrolment.discard("p", "a")] == [1, 0]
    assert memory.rows == {("p", "b"), ("q", "a")}
    rows.is_away = True
    with pytest.raises(Unavailable):
        await enrolment.discard("p", "b")
