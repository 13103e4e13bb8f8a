"""A gallery answers with performers as brute force over all their vectors does."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from chassis.errors import Conflict, InvalidInput, NotFound
from chassis.gallery import Gallery, GalleryRow, Match
from chassis.index import IndexSettings, Space, VectorIndex

DIMENSION = 6
VECTOR = (
    hnp.arrays(np.float32, DIMENSION, elements=st.floats(-10, 10, width=32))
    .map(lambda vector: np.round(vector, 2))
    .filter(np.any)
)
PERFORMER = st.sampled_from("abcdefghij")
ENROLLED = st.lists(st.tuples(PERFORMER, VECTOR), max_size=80)
ONE_THREAD = IndexSettings(threads=1)
Enrolled = list[tuple[str, NDArray[np.float32]]]


def gallery_of(enrolled: Enrolled, space: Space = Space.COSINE, dimension: int = DIMENSION) -> Gallery:
    """A gallery whose seqs count from 1."""
    gallery = Gallery(dimension, space, settings=ONE_THREAD)
    gallery.add([GalleryRow(seq, performer, vector) for seq, (performer, vector) in enumerate(enrolled, 1)])
    return gallery


def forget(gallery: Gallery, performer: str) -> int:
    """Withdraw all rows of a performer and return how many there were."""
    return len(gallery.withdraw(gallery.seqs_of(performer)))


def best_of(enrolled: Enrolled, probe: NDArray[np.float32], space: Space) -> dict[str, float]:
    """The oracle: each performer's best similarity by definition."""
    best: dict[str, float] = {}
    a = probe.astype(np.float64)
    for performer, vector in enrolled:
        b = vector.astype(np.float64)
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        similarity = float(cosine if space is Space.COSINE else -np.linalg.norm(a - b))
        best[performer] = max(similarity, best.get(performer, -np.inf))
    return best


def assert_ranking(matches: list[Match], best: Mapping[str, float], k: int) -> None:
    """The matches are the k best performers, each with their similarity, in order."""
    expected = sorted(best.values(), reverse=True)[:k]
    np.testing.assert_allclose([match.similarity for match in matches], expected, rtol=1e-5, atol=2e-3)
    for match in matches:
        assert match.similarity == pytest.approx(best[match.performer_id], rel=1e-5, abs=2e-3)
    assert len({match.performer_id for match in matches}) == len(matches)
    assert matches == sorted(matches, key=lambda match: (-match.similarity, match.performer_id))


def random_rows(performers: list[str], dimension: int, *, seed: int = 0) -> Enrolled:
    """A random vector for each name in the list, which may repeat."""
    vectors = np.random.default_rng(seed).normal(size=(len(performers), dimension)).astype(np.float32)
    return list(zip(performers, vectors, strict=True))


@given(enrolled=ENROLLED, probe=VECTOR, k=st.integers(1, 12), space=st.sampled_from(list(Space)))
@settings(max_examples=80, deadline=None)
def test_search_agrees_with_brute_force(
    enrolled: Enrolled, probe: NDArray[np.float32], k: int, space: Space
) -> None:
    """For any gallery and probe the k best performers come in order, each with their best similarity."""
    gallery = gallery_of(enrolled, space)
    assert_ranking(gallery.search(probe, k), best_of(enrolled, probe, space), k)


@given(enrolled=ENROLLED, probe=VECTOR, asked=st.lists(PERFORMER), space=st.sampled_from(list(Space)))
@settings(max_examples=60, deadline=None)
def test_similarities_are_exact_for_known_performers(
    enrolled: Enrolled, probe: NDArray[np.float32], asked: list[str], space: Space
) -> None:
    """Whoever is asked about and enrolled gets the best similarity; who is not enrolled is left out."""
    similarities = gallery_of(enrolled, space).similarities(probe, asked)
    best = best_of(enrolled, probe, space)
    expected = {performer: best[performer] for performer in asked if performer in best}
    assert similarities == pytest.approx(expected, rel=1e-5, abs=2e-3)


@given(enrolled=ENROLLED, probe=VECTOR, asked=st.lists(PERFORMER))
@settings(max_examples=50, deadline=None)
def test_the_closest_row_is_the_most_similar_one(
    enrolled: Enrolled, probe: NDArray[np.float32], asked: list[str]
) -> None:
    """Of each performer asked about, and of nobody else."""
    gallery = gallery_of(enrolled)
    closest, similarities = gallery.closest(probe, asked), gallery.similarities(probe, asked)
    assert closest.keys() == similarities.keys()
    for performer, one in closest.items():
        assert gallery.owner_of(one.id) == performer
        assert one.similarity == pytest.approx(similarities[performer])
        [(first, _)] = gallery.most_alike(probe, [performer], 1)
        assert first == one.id


@given(enrolled=ENROLLED, probe=VECTOR)
@settings(max_examples=50, deadline=None)
def test_the_nearest_rows_are_those_of_everybody(enrolled: Enrolled, probe: NDArray[np.float32]) -> None:
    """The same as the most alike of all performers, whoever has them; of a few, the first ones."""
    gallery = gallery_of(enrolled)
    everything = gallery.nearest(probe, len(enrolled) + 1)
    assert sorted(everything) == sorted((seq, gallery.owner_of(seq)) for seq in gallery.seqs())
    best = max(gallery.similarities(probe, gallery.performers).values(), default=0.0)
    for _, performer in gallery.nearest(probe, 1):
        told = gallery.closest(probe, [performer])[performer].similarity
        assert told == pytest.approx(best, abs=1e-5)


@given(enrolled=ENROLLED, probe=VECTOR, forgotten=st.lists(PERFORMER, unique=True), compacted=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_forgotten_performer_is_gone_at_once(
    enrolled: Enrolled, probe: NDArray[np.float32], forgotten: list[str], compacted: bool
) -> None:
    """After forget no search, score, count or compaction knows the performer; the others are untouched."""
    gallery = gallery_of(enrolled)
    for performer in forgotten:
        assert forget(gallery, performer) == sum(name == performer for name, _ in enrolled)
        assert forget(gallery, performer) == 0
    if compacted:
        gallery.compact(max_tombstone_share=0)
    left = [(performer, vector) for performer, vector in enrolled if performer not in forgotten]
    best = best_of(left, probe, Space.COSINE)
    assert len(gallery) == len(left)
    assert gallery.performers == best.keys()
    assert_ranking(gallery.search(probe, 12), best, 12)
    assert gallery.similarities(probe, "abcdefghij").keys() == best.keys()


def test_one_performer_with_many_vectors_does_not_crowd_out_the_others() -> None:
    """A thousand vectors beside the probe are one performer; the next ones are still found."""
    rng = np.random.default_rng(0)
    probe = rng.normal(size=16).astype(np.float32)
    crowd = [("star", vector) for vector in (probe + rng.normal(size=(1000, 16)) * 0.05).astype(np.float32)]
    others = random_rows([f"other {number}" for number in range(30)], 16, seed=1)
    enrolled = crowd + others
    matches = gallery_of(enrolled, dimension=16).search(probe, 5)
    assert matches[0].performer_id == "star"
    assert_ranking(matches, best_of(enrolled, probe, Space.COSINE), 5)


def test_equal_similarities_are_ordered_by_id() -> None:
    """A tie does not depend on the order of enrolment."""
    vector = np.ones(DIMENSION, np.float32)
    matches = gallery_of([("b", vector), ("a", vector), ("c", vector)]).search(vector, 3)
    assert [match.performer_id for match in matches] == ["a", "b", "c"]


def test_an_empty_gallery_finds_nobody() -> None:
    """No performers is an empty ranking, not an error."""
    gallery = Gallery(DIMENSION)
    assert gallery.search(np.ones(DIMENSION), 5) == []
    assert gallery.similarities(np.ones(DIMENSION), ["a"]) == {}
    gallery.add([])
    assert len(gallery) == 0


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([GalleryRow(9, "x", np.ones(6, np.float32)), GalleryRow(1, "x", np.ones(6, np.float32))], Conflict),
        (
            [GalleryRow(9, "x", np.ones(6, np.float32)), GalleryRow(9, "y", np.ones(6, np.float32))],
            InvalidInput,
        ),
        (
            [GalleryRow(9, "x", np.ones(6, np.float32)), GalleryRow(10, "y", np.ones(7, np.float32))],
            InvalidInput,
        ),
        ([GalleryRow(9, "x", np.full(6, np.nan, np.float32))], InvalidInput),
    ],
    ids=["known seq", "repeated seq", "mixed dimensions", "nan"],
)
def test_a_bad_row_keeps_its_whole_add_out(rows: list[GalleryRow], error: type[Exception]) -> None:
    """A refused add leaves the gallery as it was."""
    gallery = gallery_of([("a", np.ones(DIMENSION, np.float32))])
    with pytest.raises(error):
        gallery.add(rows)
    assert len(gallery) == 1
    assert list(gallery.performers) == ["a"]
    assert 9 not in gallery


@pytest.mark.parametrize("bad", [np.zeros(DIMENSION), np.full(DIMENSION, np.nan), np.ones(3)])
def test_a_bad_probe_is_refused(bad: Any) -> None:
    """A probe without a direction or of another dimension is the caller's mistake."""
    gallery = gallery_of([("a", np.ones(DIMENSION, np.float32))])
    with pytest.raises(InvalidInput):
        gallery.search(bad, 1)
    with pytest.raises(InvalidInput):
        gallery.similarities(bad, ["a"])


def test_compaction_waits_for_enough_tombstones() -> None:
    """Below the share nothing is done; above it the room is freed and the answers stay."""
    enrolled = random_rows(["a"] * 10 + ["b"] * 90, DIMENSION)
    gallery = gallery_of(enrolled)
    forget(gallery, "a")
    before = gallery.search(enrolled[50][1], 3)
    assert not gallery.compact(max_tombstone_share=0.2)
    assert "10 tombstones" in repr(gallery)
    assert gallery.compact(max_tombstone_share=0.05)
    assert "0 tombstones" in repr(gallery)
    assert gallery.search(enrolled[50][1], 3) == before


def test_enrolling_searching_and_forgetting_at_once() -> None:
    """Under threads a search never fails nor shows a forgotten performer, and every vector arrives."""
    dimension, performers = 16, 120
    enrolled = random_rows([f"p{number % performers}" for number in range(2400)], dimension)
    rows = [GalleryRow(seq, performer, vector) for seq, (performer, vector) in enumerate(enrolled)]
    gallery = Gallery(dimension)
    gallery.add(rows[:600])
    forgotten: set[str] = set()
    finished = threading.Event()

    def enroll(part: int) -> None:
        for start in range(600 + part * 60, 2400, 120):
            gallery.add([row for row in rows[start : start + 60] if row.performer_id not in doomed])

    def forget_all() -> None:
        for performer in sorted(doomed):
            forget(gallery, performer)
            forgotten.add(performer)
        gallery.compact(max_tombstone_share=0)

    def search() -> int:
        rng, searches = np.random.default_rng(1), 0
        while not finished.is_set():
            gone = set(forgotten)
            probe = rng.normal(size=dimension)
            found = {match.performer_id for match in gallery.search(probe, 10)}
            assert len(found) == 10
            assert not found & gone
            assert not gallery.similarities(probe, gone)
            searches += 1
        return searches

    doomed = {f"p{number}" for number in range(0, performers, 4)}
    with ThreadPoolExecutor() as threads:
        searching = [threads.submit(search) for _ in range(2)]
        writing = [threads.submit(enroll, 0), threads.submit(enroll, 1), threads.submit(forget_all)]
        try:
            for future in writing:
                future.result()
        finally:
            finished.set()
        assert all(future.result() > 0 for future in searching)

    left = [(performer, vector) for performer, vector in enrolled if performer not in doomed]
    assert len(gallery) == len(left)
    for _, probe in left[::200]:
        best = best_of(left, probe, Space.COSINE)
        assert gallery.similarities(probe, list(best)) == pytest.approx(best, abs=1e-5)
        assert_ranking(gallery.search(probe, 5), best, 5)


def test_rows_are_withdrawn_one_by_one() -> None:
    """The performer stays as long as a row is left; rows that are not here are passed over."""
    gallery = gallery_of(random_rows(["a", "a", "b"], DIMENSION))
    assert gallery.withdraw([1, 77]) == {1: "a"}
    assert gallery.seqs_of("a") == (2,)
    assert gallery.withdraw([1, 2]) == {2: "a"}
    assert list(gallery.performers) == ["b"]
    assert len(gallery) == 1


def test_an_index_from_a_file_is_taken_over(tmp_path: Path) -> None:
    """What is owned counts; what the file has besides is taken out; what it lacks is an error."""
    enrolled = random_rows(["a", "a", "b", "c"], DIMENSION)
    with (tmp_path / "graph").open("wb") as file:
        ids = gallery_of(enrolled).index.save(file)
    gallery = Gallery(DIMENSION)
    gallery.adopt(VectorIndex.load(tmp_path / "graph", ids, DIMENSION), {"a": [1, 2], "c": [4]})
    left = [pair for pair in enrolled if pair[0] != "b"]
    assert len(gallery) == len(gallery.index) == 3
    assert_ranking(gallery.search(enrolled[2][1], 5), best_of(left, enrolled[2][1], Space.COSINE), 5)
    with pytest.raises(NotFound):
        Gallery(DIMENSION).adopt(VectorIndex.load(tmp_path / "graph", ids, DIMENSION), {"a": [1, 9]})
