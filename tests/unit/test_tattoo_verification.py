"""What agreeing key points make of similarities, and which views are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Unavailable
from chassis.work import WorkPool
from services.tattoo.enrolled import EnrolledTattoos
from services.tattoo.key_points import FIRST_BYTES, KeyPoints, find_key_points, to_bytes
from services.tattoo.template import Template
from services.tattoo.verification import Ranking, VerifyCandidates, verified
from tests.fakes.drawings import drawing, turned
from tests.fakes.tattoos import LEFT, RIGHT, UP, embedder_row, row

POINT = embedder_row("a").operating_point
COSINE = st.floats(-1, 1)
COUNT = st.one_of(st.just(0), st.integers(10, 128))
KEY = ("a", "1")


def test_agreeing_points_are_worth_a_part_of_the_way_to_one() -> None:
    """Twenty are worth half of it; without any nothing changes."""
    assert verified({"p": 0.5, "q": 0.2}, {}, POINT) == {"p": 0.5, "q": 0.2}
    assert verified({"p": 0.5}, {"p": 20}, POINT)["p"] == pytest.approx(0.75)


def test_a_look_alike_loses_to_what_agrees() -> None:
    """A higher cosine is doubted above the impostors' 99th percentile, and only there."""
    counted = verified({"p": 0.5, "alike": 0.9, "other": 0.1}, {"p": 20}, POINT)
    assert counted["alike"] == pytest.approx(0.9 - (0.9 - POINT.impostor_p99) / 2)
    assert counted["p"] > counted["alike"]
    assert counted["other"] == 0.1


@given(COSINE, COSINE, COUNT, COUNT)
def test_more_points_and_more_similarity_never_count_less(
    one: float, other: float, few: int, many: int
) -> None:
    """Within -1..1, and rising with both."""
    few, many = sorted((few, many))
    low, high = sorted((one, other))
    counted = [verified({"p": s}, {"p": n}, POINT)["p"] for s, n in ((low, few), (low, many), (high, many))]
    assert counted == sorted(counted)
    assert -1 <= counted[0] <= counted[2] <= 1


@given(st.lists(st.tuples(COSINE, COUNT), min_size=2, max_size=5))
def test_whoever_agrees_most_gains_and_nobody_else_overtakes(views: list[tuple[float, int]]) -> None:
    """Nobody is below the lower of their similarity and the impostors' percentile."""
    similarities = {str(number): one for number, (one, _) in enumerate(views)}
    agreeing = {str(number): count for number, (_, count) in enumerate(views)}
    counted = verified(similarities, agreeing, POINT)
    first = max(agreeing, key=lambda one: agreeing[one])
    assert counted[first] >= similarities[first] - 1e-9
    for one, similarity in similarities.items():
        assert min(similarity, POINT.impostor_p99) - 1e-9 <= counted[one] <= 1 + 1e-9


@dataclass
class Kept:
    """Key points by row, and which rows were asked for."""

    points: Mapping[int, KeyPoints]
    asked: list[set[int]] = field(default_factory=list)
    screened: list[set[int]] = field(default_factory=list)
    is_away: bool = False
    has_no_starts: bool = False

    async def of_rows(self, seqs: Collection[int]) -> Mapping[int, KeyPoints]:
        self.asked.append(set(seqs))
        if self.is_away:
            raise Unavailable("the database is away")
        return {seq: self.points[seq] for seq in seqs if seq in self.points}

    async def starts_of_rows(self, seqs: Collection[int]) -> Mapping[int, bytes]:
        self.screened.append(set(seqs))
        if self.is_away or self.has_no_starts:
            raise Unavailable("the database is away")
        return {seq: to_bytes(self.points[seq])[:FIRST_BYTES] for seq in seqs if seq in self.points}


def gallery() -> EnrolledTattoos:
    """`p` in two views, the second one less alike LEFT; `q` and `r`."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(1, "p", LEFT), row(2, "p", LEFT + UP), row(3, "q", UP), row(4, "r", RIGHT)])
    return enrolled


def ranking(*performer_ids: str, points: KeyPoints | None, quality: float = 0.9) -> Ranking:
    return Ranking(Template({KEY: LEFT}, quality, points), performer_ids)


async def test_the_most_alike_views_are_compared() -> None:
    """As many as wanted, several of one performer among them; the best of a performer's counts."""
    probe = find_key_points(turned(drawing(1)))
    kept = Kept({1: find_key_points(drawing(2)), 2: find_key_points(drawing(1))})
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(kept, pool, candidates=2)
        [found] = await verify(gallery(), [ranking("p", "q", "r", points=probe)])
    assert kept.asked == [{1, 2}]
    assert found["p"] > 20
    assert set(found) == {"p"}


def in_a_crowd() -> tuple[EnrolledTattoos, Kept]:
    """Of six performers the least alike one wears what the probe shows, and one has no key points."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(seq, f"p{seq}", LEFT + (seq / 10) * UP) for seq in range(1, 7)])
    points = {seq: find_key_points(drawing(seq)) for seq in (1, 2, 3, 5)}
    return enrolled, Kept({**points, 6: find_key_points(drawing(9))})


@pytest.mark.parametrize("performer_ids", [None, tuple(f"p{seq}" for seq in range(1, 7))])
async def test_a_view_that_is_less_alike_is_found_by_its_first_points(
    performer_ids: tuple[str, ...] | None,
) -> None:
    """All are looked over, two are compared: the one whose points pair is among them, asked for or not."""
    enrolled, kept = in_a_crowd()
    probe = Ranking(Template({KEY: LEFT}, 0.9, find_key_points(turned(drawing(9)))), performer_ids)
    async with WorkPool(1, 8) as pool:
        [found] = await VerifyCandidates(kept, pool, candidates=2, screened=6)(enrolled, [probe])
        [unscreened] = await VerifyCandidates(kept, pool, candidates=2)(enrolled, [probe])
    assert found["p6"] > 20
    assert set(found) == {"p6"}
    assert unscreened == {}
    assert kept.screened == [{1, 2, 3, 4, 5, 6}]
    assert [len(seqs) for seqs in kept.asked] == [2, 2]


async def test_templates_of_a_call_share_what_is_screened() -> None:
    """Six views for two: three each, in one statement; never fewer than are compared."""
    enrolled, kept = in_a_crowd()
    template = Template({KEY: LEFT}, 0.9, find_key_points(drawing(1)))
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(kept, pool, candidates=2, screened=6)
        first, second = await verify(enrolled, [Ranking(template), Ranking(template)])
        third, *_ = await verify(enrolled, [Ranking(template)] * 4)
    assert kept.screened == [{1, 2, 3}]
    assert first == second == third
    assert set(first) == {"p1"}


async def test_where_first_points_cannot_be_read_the_most_alike_are_compared() -> None:
    """As without screening."""
    enrolled, kept = in_a_crowd()
    kept.has_no_starts = True
    probe = Ranking(Template({KEY: LEFT}, 0.9, find_key_points(drawing(2))))
    async with WorkPool(1, 8) as pool:
        [found] = await VerifyCandidates(kept, pool, candidates=2, screened=6)(enrolled, [probe])
    assert set(found) == {"p2"}
    assert kept.asked == [{1, 2}]


async def test_all_templates_are_read_for_at_once() -> None:
    """One statement; a template without key points is none to read for."""
    points = find_key_points(drawing(1))
    kept = Kept({3: points})
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(kept, pool, candidates=1)
        rankings = [
            ranking("q", points=points),
            ranking("q", points=None),
            ranking("r", points=points, quality=0.1),
            ranking(points=points),
        ]
        first, second, third, fourth = await verify(gallery(), rankings)
    assert kept.asked == [{3, 4}]
    assert first == {"q": len(points)} or first["q"] > 20
    assert second == third == fourth == {}


async def test_of_very_many_templates_the_best_are_verified() -> None:
    """The work of one call is bounded: 64, by quality, and each answer is at its place."""
    points = find_key_points(drawing(1))
    rankings = [ranking("q", points=points, quality=number / 100) for number in range(70)]
    async with WorkPool(1, 8) as pool:
        found = await VerifyCandidates(Kept({3: points}), pool, candidates=1)(gallery(), rankings)
    assert [bool(one) for one in found] == [False] * 6 + [True] * 64


@pytest.mark.parametrize("is_away", [True, False])
async def test_without_stored_points_nothing_is_said(is_away: bool) -> None:
    """The database is away, or has none: neutral."""
    kept = Kept({}, is_away=is_away)
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(kept, pool, candidates=5)
        assert await verify(gallery(), [ranking("p", points=find_key_points(drawing(1)))]) == [{}]
    assert kept.asked


async def test_nobody_is_asked_when_it_is_off() -> None:
    """0 candidates."""
    kept = Kept({})
    async with WorkPool(1, 8) as pool:
        verify = VerifyCandidates(kept, pool, candidates=0)
        assert await verify(gallery(), [ranking("p", points=find_key_points(drawing(1)))]) == [{}]
    assert not kept.asked
