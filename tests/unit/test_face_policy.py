"""Which of a performer's faces are searched: near-duplicates, strangers, the best and most different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.signal.enrolment import Rejection
from services.face.policy import (
    Decision,
    FaceState,
    JudgedFace,
    Verdict,
    decide,
    near_duplicate_similarity,
)
from services.face.table import BUILT_IN_ROWS
from tests.fakes.judged_faces import POINT, hash_of, judged

_MOST = 3
_faces = st.lists(
    st.builds(
        lambda name, person, quality, alike: judged(str(name), person=person, quality=quality, alike=alike),
        st.integers(0, 10_000),
        st.integers(0, 2),
        st.sampled_from([0.2, 0.5, 0.5, 0.9]),
        st.sampled_from([0.6, 0.8, 0.99]),
    ),
    max_size=24,
    unique_by=lambda face: face.image_hash,
)


def _decided(*faces: JudgedFace, most: int = 20) -> Decision:
    return decide(faces, POINT, most=most)


def _of(decision: Decision, name: str) -> Verdict:
    return decision.verdicts[hash_of(name)]


def _active(decision: Decision) -> set[str]:
    return {one for one, verdict in decision.verdicts.items() if verdict.state is FaceState.ACTIVE}


def _kept(faces: Sequence[JudgedFace], *, most: int) -> list[JudgedFace]:
    """What the database has after these were enrolled."""
    verdicts = decide(faces, POINT, most=most).verdicts
    return [face for face in faces if face.image_hash in verdicts]


def test_of_nearly_the_same_faces_the_best_is_searched() -> None:
    """The others are in reserve, and say of which picture they are nearly the same."""
    faces = [
        judged(name, quality=quality, alike=0.99) for name, quality in (("a", 0.5), ("b", 0.9), ("c", 0.7))
    ]
    decision = _decided(*faces)
    assert _active(decision) == {hash_of("b")}
    for name in ("a", "c"):
        verdict = _of(decision, name)
        assert (verdict.state, verdict.cause) == (FaceState.RESERVE, Rejection.NEAR_DUPLICATE)
        assert hash_of("b")[:12] in verdict.reason


def test_a_face_that_differs_is_no_duplicate() -> None:
    """Two ordinary pictures of one person are both searched, with nothing to say."""
    decision = _decided(judged("a"), judged("b"))
    assert [_of(decision, name) for name in "ab"] == [Verdict(FaceState.ACTIVE)] * 2


@pytest.mark.parametrize(("name", "least"), [("mobilefacenet", 0.955), ("dlib_resnet", 0.992)])
def test_each_embedder_has_its_own_measure_of_nearly_the_same(name: str, least: float) -> None:
    """Pictures of one person reach 0.96 with dlib's embedder, which is nearly the same with another."""
    assert near_duplicate_similarity(BUILT_IN_ROWS[name].operating_point) == pytest.approx(least, abs=5e-4)


def test_a_stranger_among_three_is_quarantined() -> None:
    """Two faces agree, the third does not: it is somebody else, however good."""
    decision = _decided(judged("a"), judged("b"), judged("x", person=1, quality=1.0))
    verdict = _of(decision, "x")
    assert (verdict.state, verdict.cause) == (FaceState.QUARANTINED, Rejection.OUTLIER)
    assert "somebody else" in verdict.reason
    assert _active(decision) == {hash_of("a"), hash_of("b")}


def test_of_two_faces_neither_is_a_stranger() -> None:
    """Nobody can say which of two is right: both are searched, and both say that there is a doubt."""
    decision = _decided(judged("a"), judged("x", person=1))
    assert len(_active(decision)) == 2
    assert all("different people" in verdict.reason for verdict in decision.verdicts.values())


@pytest.mark.parametrize("people", [(0, 0, 1, 1), (0, 0, 1, 2), (0, 1, 2)])
def test_without_a_majority_nothing_is_decided(people: tuple[int, ...]) -> None:
    """Two groups of the same size, or too many groups: all are searched, and say that there is a doubt."""
    faces = [judged(f"face {number}", person=person) for number, person in enumerate(people)]
    decision = _decided(*faces)
    assert len(_active(decision)) == len(faces)
    assert all("none has the majority" in verdict.reason for verdict in decision.verdicts.values())


def test_copies_of_a_stranger_have_no_majority() -> None:
    """One picture of somebody else, saved four times, is one voice; its copies are quarantined with it."""
    copies = [judged(f"x{number}", person=1, alike=0.995) for number in range(4)]
    decision = _decided(judged("a"), judged("b"), *copies)
    assert _active(decision) == {hash_of("a"), hash_of("b")}
    assert all(_of(decision, f"x{number}").state is FaceState.QUARANTINED for number in range(4))


def test_a_face_comes_back_when_later_ones_show_that_it_was_right() -> None:
    """The first two were of somebody else: with three of the performer the majority is another one."""
    wrong = [judged("x", person=1), judged("y", person=1)]
    before = _decided(judged("a"), *wrong)
    assert _of(before, "a").state is FaceState.QUARANTINED
    after = _decided(judged("a"), *wrong, judged("b"), judged("c"))
    assert _active(after) == {hash_of("a"), hash_of("b"), hash_of("c")}


def test_a_better_copy_takes_over() -> None:
    """What was searched goes into reserve when nearly the same comes in better quality."""
    assert _active(_decided(judged("a", alike=0.99))) == {hash_of("a")}
    better = judged("b", quality=0.9, alike=0.99)
    assert _active(_decided(judged("a", alike=0.99), better)) == {hash_of("b")}


def test_faces_are_chosen_by_quality_and_difference() -> None:
    """After the best face one that shows something else, not a slightly better one that is much the same."""
    much_the_same = [judged(f"same {number}", quality=0.9 - number / 100, alike=0.93) for number in range(3)]
    different = judged("different", quality=0.8, alike=0.6)
    decision = _decided(*much_the_same, different, most=2)
    assert _active(decision) == {hash_of("same 0"), hash_of("different")}
    assert _of(decision, "same 1").cause is Rejection.SURPLUS


def test_of_equally_different_faces_the_better_ones_are_searched() -> None:
    """Two of four."""
    faces = [
        judged(name, quality=quality) for name, quality in zip("abcd", (0.3, 0.9, 0.4, 0.95), strict=True)
    ]
    assert _active(_decided(*faces, most=2)) == {hash_of("b"), hash_of("d")}


def test_a_stranger_takes_no_place() -> None:
    """Where two are searched, a stranger of the best quality is none of them."""
    faces = [judged(name) for name in "abc"]
    assert hash_of("x") not in _active(_decided(*faces, judged("x", person=1, quality=1.0), most=2))


def test_five_times_as_many_as_are_searched_are_kept() -> None:
    """The best by quality; the others are named, with the reason."""
    faces = [judged(f"face {number}", quality=number / 20) for number in range(12)]
    decision = _decided(*faces, most=2)
    assert set(decision.dropped) == {hash_of("face 0"), hash_of("face 1")}
    assert len(decision.verdicts) == 10
    assert all(one.cause is Rejection.SURPLUS and one.reason for one in decision.dropped.values())


def test_of_nothing_nothing_is_decided() -> None:
    assert _decided() == Decision({}, {})


@settings(deadline=None)
@given(_faces, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(faces: list[JudgedFace], random: Random) -> None:
    """Any order of the same faces gives the same decision, word for word."""
    shuffled = list(faces)
    random.shuffle(shuffled)
    assert decide(shuffled, POINT, most=_MOST) == decide(faces, POINT, most=_MOST)


@settings(deadline=None)
@given(_faces, st.integers(0, 24), st.integers(0, 24))
def test_an_interrupted_enrolment_ends_as_if_it_had_not_been(
    faces: list[JudgedFace], first: int, last: int
) -> None:
    """In portions, each decided on its own, in another order, some of it twice: the end is the same."""
    stored: dict[str, JudgedFace] = {}
    for portion in (faces[:first], faces[last:], faces):
        stored |= {face.image_hash: face for face in portion}
        stored = {face.image_hash: face for face in _kept(list(stored.values()), most=1)}
    assert decide(list(stored.values()), POINT, most=1).verdicts == decide(faces, POINT, most=1).verdicts


@settings(deadline=None)
@given(_faces, st.integers(1, 4))
def test_what_is_promised_holds_for_any_faces(faces: list[JudgedFace], most: int) -> None:
    """Limits are kept, somebody is searched, nobody searched is nearly another, and there is a reason."""
    decision = decide(faces, POINT, most=most)
    active = [face for face in faces if face.image_hash in _active(decision)]
    assert min(1, len(faces)) <= len(active) <= most
    assert len(decision.verdicts) == min(len(faces), 5 * most)
    assert set(decision.verdicts) | set(decision.dropped) == {face.image_hash for face in faces}
    least = near_duplicate_similarity(POINT)
    pairs = [(one, other) for one in active for other in active if one is not other]
    assert all(float(one.vector @ other.vector) < least + 1e-4 for one, other in pairs)
    for verdict in (*decision.verdicts.values(), *decision.dropped.values()):
        assert (verdict.cause is None) == (verdict.state is FaceState.ACTIVE)
        assert verdict.cause is None or verdict.reason


def test_what_the_owner_confirms_is_never_a_stranger() -> None:
    """Nor is what is nearly the same picture; other strangers stay quarantined."""
    own = [judged("a"), judged("b")]
    other = judged("stranger", person=2, quality=0.9)
    copy = replace(judged("copy", person=2, quality=0.5, alike=0.99), vector=other.vector)
    third = judged("third", person=3)
    assert _of(_decided(*own, judged("c"), other, copy, third), "copy").state is FaceState.QUARANTINED
    decision = _decided(*own, judged("c"), other, replace(copy, is_confirmed=True), third)
    assert _of(decision, "stranger").state is FaceState.ACTIVE
    assert _of(decision, "copy").state is FaceState.RESERVE
    assert _of(decision, "third").state is FaceState.QUARANTINED
    assert "3 faces that agree" in _of(decision, "third").reason
