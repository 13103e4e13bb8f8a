"""The vector index agrees with brute force and refuses everything that Voyager gets wrong in silence."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from numpy.typing import NDArray

from chassis.errors import Conflict, InvalidInput, NotFound
from chassis.index import IndexSettings, Space, VectorIndex

DIMENSION = 8
VALUES = st.floats(-100, 100, width=32)
# Rounded, so that a draw of tiny numbers is a vector of zeros rather than one whose direction is noise.
VECTOR = hnp.arrays(np.float32, DIMENSION, elements=VALUES).map(lambda v: np.round(v, 2)).filter(np.any)
SPACES = st.sampled_from(list(Space))
ONE_THREAD = IndexSettings(threads=1)


def similarity_of(space: Space, a: NDArray[Any], b: NDArray[Any]) -> float:
    """The definition, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if space is Space.COSINE:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return -float(np.linalg.norm(a - b))


def assert_nearest(
    index: VectorIndex, space: Space, live: dict[int, NDArray[Any]], probe: NDArray[Any], k: int
) -> None:
    """A search gives the best similarities there are, each with an id that has it, best first."""
    found = index.search(probe, k)
    expected = sorted((similarity_of(space, probe, vector) for vector in live.values()), reverse=True)[:k]
    np.testing.assert_allclose([n.similarity for n in found], expected, rtol=1e-5, atol=2e-3)
    for neighbor in found:
        exact = similarity_of(space, probe, live[neighbor.id])
        assert neighbor.similarity == pytest.approx(exact, rel=1e-5, abs=2e-3)
    assert len({n.id for n in found}) == len(found)
    assert found == sorted(found, key=lambda n: (-n.similarity, n.id))


def random_vectors(count: int, dimension: int = DIMENSION, *, seed: int = 0) -> NDArray[np.float32]:
    """Directions drawn evenly."""
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def filled(count: int, *, space: Space = Space.COSINE) -> VectorIndex:
    """An index of random vectors under the ids 0, 1, ..."""
    index = VectorIndex(DIMENSION, space, settings=ONE_THREAD)
    index.add(range(count), random_vectors(count))
    return index


@given(space=SPACES, vectors=st.lists(VECTOR, max_size=60), probe=VECTOR, k=st.integers(1, 100))
@settings(max_examples=80, deadline=None)
def test_search_agrees_with_brute_force(
    space: Space, vectors: list[NDArray[np.float32]], probe: NDArray[np.float32], k: int
) -> None:
    """For any vectors, probe and k, however many are there."""
    index = VectorIndex(DIMENSION, space, settings=ONE_THREAD)
    index.add(range(len(vectors)), vectors)
    assert_nearest(index, space, dict(enumerate(vectors)), probe, k)


class IndexMachine(RuleBasedStateMachine):
    """Any sequence of adds, removals, rebuilds and searches, compared with a dictionary of vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.index = VectorIndex(DIMENSION, settings=ONE_THREAD)
        self.live: dict[int, NDArray[np.float32]] = {}
        self.next_id = 0

    @rule(vectors=st.lists(VECTOR, min_size=1, max_size=30))
    def add(self, vectors: list[NDArray[np.float32]]) -> None:
        ids = [self.next_id + 3 * position for position in range(len(vectors))]
        self.next_id = ids[-1] + 1
        self.index.add(ids, vectors)
        self.live.update(zip(ids, vectors, strict=True))

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = data.draw(st.sets(st.sampled_from(sorted(self.live)), min_size=1))
        self.index.remove(gone)
        for vector_id in gone:
            del self.live[vector_id]
            assert vector_id not in self.index

    @rule()
    def rebuild(self) -> None:
        self.index.rebuild()
        assert self.index.tombstones == 0

    @rule(probe=VECTOR, k=st.integers(1, 50))
    def search(self, probe: NDArray[np.float32], k: int) -> None:
        assert_nearest(self.index, Space.COSINE, self.live, probe, k)

    @invariant()
    def counts_live_vectors(self) -> None:
        assert len(self.index) == len(self.live)


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)


def test_an_empty_index_finds_nothing() -> None:
    """Before the first vector and after the last is removed a search gives an empty list, not an error."""
    index = VectorIndex(DIMENSION)
    assert index.search(random_vectors(1)[0], 10) == []
    index.add([], [])
    index.add([7], random_vectors(1))
    index.remove([7])
    assert index.search(random_vectors(1)[0], 10) == []
    assert index.search(random_vectors(1)[0], 10, exact=True) == []
    assert len(index) == 0


@pytest.mark.parametrize(
    "view",
    [
        lambda v: np.asfortranarray(v),
        lambda v: np.repeat(v, 2, axis=0)[::2],
        lambda v: v.astype(np.float64),
        lambda v: v.astype(">f4"),
        lambda v: v.tolist(),
    ],
    ids=["column major", "strided", "float64", "big endian", "lists"],
)
def test_memory_layout_does_not_matter(view: Any) -> None:
    """Arrays that Voyager would read wrongly are stored and searched as the numbers they hold."""
    vectors = random_vectors(50)
    index = VectorIndex(DIMENSION)
    index.add(range(50), view(vectors))
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(index.vectors(range(50)), expected, atol=1e-6)
    probes = view(vectors)
    for vector_id in range(50):
        assert index.search(probes[vector_id], 1)[0].id == vector_id


@pytest.mark.parametrize(
    "bad",
    [
        np.full(DIMENSION, np.nan),
        np.array([np.inf] + [0.0] * (DIMENSION - 1)),
        np.full(DIMENSION, 1e300),
        np.zeros(DIMENSION),
        np.full(DIMENSION, 1e-30),
        np.ones(DIMENSION + 1),
        np.ones((1, DIMENSION)),
        np.float32(1),
        ["a"] * DIMENSION,
        [1j] * DIMENSION,
        [[1.0], [1.0, 2.0]],
    ],
    ids=[
        "nan",
        "inf",
        "too large",
        "zero",
        "tiny",
        "longer",
        "matrix",
        "scalar",
        "text",
        "complex",
        "ragged",
    ],
)
def test_vectors_that_would_poison_the_index_are_refused(bad: Any) -> None:
    """NaN, infinite, zero and misshapen vectors are refused, to add and to search, and change nothing."""
    index = filled(20)
    before = index.search(np.ones(DIMENSION), 20)
    with pytest.raises(InvalidInput):
        index.add([100], [bad])
    with pytest.raises(InvalidInput):
        index.search(bad, 1)
    with pytest.raises(InvalidInput):
        index.similarities(bad, [1])
    assert index.search(np.ones(DIMENSION), 20) == before


def test_zero_has_a_distance_but_no_direction() -> None:
    """In Euclidean space a vector of zeros is a vector like others."""
    index = VectorIndex(2, Space.EUCLIDEAN)
    index.add([1, 2], [[0, 0], [3, 4]])
    assert [(n.id, n.similarity) for n in index.search([0, 0], 2)] == [(1, 0.0), (2, -5.0)]


def test_length_does_not_matter_for_cosine() -> None:
    """Very long and very short vectors are compared by direction, without overflow."""
    index = VectorIndex(2)
    index.add([1, 2], [[1e14, 1e14], [1e-9, -1e-9]])
    assert index.similarities([1, 1], [1, 2]) == pytest.approx({1: 1.0, 2: 0.0}, abs=1e-6)


@pytest.mark.parametrize("ids", [[1, 1], [-1, 5], [2**63, 5], [0.5, 1], ["a", "b"], [1], [[1, 2]]])
def test_ids_that_are_no_ids_are_refused(ids: Any) -> None:
    """Repeated, negative, too large and fractional ids, or too few of them, never reach the index."""
    index = filled(0)
    with pytest.raises(InvalidInput):
        index.add(ids, random_vectors(2))
    assert len(index) == 0


def test_an_id_is_never_overwritten() -> None:
    """An id that is live, or was removed, is a conflict, and the rest of that add does not happen either."""
    index = filled(10)
    index.remove([3])
    stored = index.vectors([4])
    for known in (3, 4):
        with pytest.raises(Conflict):
            index.add([50, known], random_vectors(2, seed=1))
    assert 50 not in index
    assert 3 not in index
    assert index.vectors([4]).tolist() == stored.tolist()


def test_removing_is_all_or_nothing() -> None:
    """An id that is not live is NotFound, and the others stay."""
    index = filled(10)
    index.remove([0])
    for unknown in (0, 10, -1, 2**70):
        with pytest.raises(NotFound):
            index.remove([5, unknown])
    assert 5 in index
    with pytest.raises(NotFound):
        index.vectors([5, 0])


def test_many_are_removed_at_once() -> None:
    """No search finds any of them from then on, whether or not their places are overwritten already."""
    index = filled(1000)
    index.remove(range(600))
    for _ in range(2):
        for probe in random_vectors(20, seed=2):
            found = [one.id for one in index.search(probe, 20)]
            assert len(found) == 20
            assert min(found) >= 600
        index.wipe()
    assert (len(index), index.tombstones) == (400, 600)


def test_closing_ends_what_takes_long() -> None:
    """Neither rebuilding nor overwriting goes on, and the index still answers."""
    index = filled(1000)
    index.remove(range(600))
    index.close()
    index.wipe()
    assert not index.rebuild()
    assert (len(index), index.tombstones) == (400, 600)
    assert index.search(random_vectors(1, seed=2)[0], 5)


def test_only_live_vectors_are_compared() -> None:
    """Exact similarities leave out ids that are unknown or removed."""
    index = filled(10)
    index.remove([2])
    probe = random_vectors(1, seed=5)[0]
    similarities = index.similarities(probe, [1, 2, 3, 99])
    assert similarities.keys() == {1, 3}
    assert similarities[3] == pytest.approx(
        similarity_of(Space.COSINE, probe, random_vectors(10)[3]), abs=1e-6
    )
    assert index.similarities(probe, []) == {}


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k: int) -> None:
    """Asking for no neighbours is a mistake of the caller."""
    with pytest.raises(InvalidInput):
        filled(3).search(np.ones(DIMENSION), k)


def test_a_graph_with_unreachable_parts_still_answers() -> None:
    """Where the graph finds fewer than there are (Voyager raises), every vector is compared instead."""
    sparse = IndexSettings(m=2, ef_construction=2, min_neighbors=1, threads=1)
    index = VectorIndex(16, settings=sparse)
    vectors = random_vectors(2000, 16)
    index.add(range(2000), vectors)
    assert_nearest(index, Space.COSINE, dict(enumerate(vectors)), vectors[0], 2000)


def test_exact_search_measures_recall() -> None:
    """The exact search is brute force, so the graph's answers can be compared with it."""
    index = VectorIndex(32)
    vectors = random_vectors(3000, 32)
    index.add(range(3000), vectors)
    hits = 0
    for probe in random_vectors(30, 32, seed=9):
        true = {n.id for n in index.search(probe, 10, exact=True)}
        best = np.argsort(-(vectors @ probe) / np.linalg.norm(vectors, axis=1))[:10]
        assert true == set(best.tolist())
        hits += len(true & {n.id for n in index.search(probe, 10)})
    assert hits >= 0.97 * 300


def test_effort_follows_the_size() -> None:
    """Small indexes afford more candidates, very large ones need more."""
    efforts = [IndexSettings().query_ef_of(size) for size in (0, 19_999, 20_000, 500_000, 500_001)]
    assert efforts == [768, 768, 192, 192, 256]


def test_searches_adds_removals_and_rebuilds_at_once() -> None:
    """Under threads no search fails or shows what was removed, and in the end nothing is lost."""
    count = 3000
    vectors = random_vectors(count, 32)
    index = VectorIndex(32)
    index.add(range(0, 500), vectors[:500])
    removed: set[int] = set()
    finished = threading.Event()

    def add(start: int) -> None:
        for low in range(start, count, 200):
            ids = range(low, low + 100)
            index.add(ids, vectors[ids.start : ids.stop])

    def remove_and_rebuild() -> None:
        for vector_id in range(0, 500, 5):
            index.remove([vector_id])
            removed.add(vector_id)
            if vector_id % 100 == 0:
                index.rebuild()

    def search() -> int:
        rng, searches = np.random.default_rng(1), 0
        while not finished.is_set():
            gone = set(removed)
            found = {n.id for n in index.search(rng.normal(size=32), 20)}
            assert len(found) == 20
            assert not found & gone
            searches += 1
        return searches

    with ThreadPoolExecutor() as threads:
        searching = [threads.submit(search) for _ in range(2)]
        writing = [threads.submit(add, 500), threads.submit(add, 600), threads.submit(remove_and_rebuild)]
        try:
            for future in writing:
                future.result()
        finally:
            finished.set()
        assert all(future.result() > 0 for future in searching)

    live = {i: vectors[i] for i in range(count) if i not in removed}
    assert len(index) == len(live)
    assert all(vector_id in index for vector_id in live)
    expected = np.stack(list(live.values()))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(index.vectors(list(live)), expected, atol=1e-6)
    assert index.search(vectors[2999], 1)[0].id == 2999


def test_repr_shows_live_state() -> None:
    """What an operator wants to see in a log line."""
    index = filled(3)
    index.remove([0])
    assert repr(index) == "<VectorIndex 8-d cosine, 2 live, 1 tombstones>"
