"""Recall says what the index misses, and is itself right: compared with brute force."""

from __future__ import annotations

import numpy as np
import pytest

from chassis.gallery import Gallery, GalleryRow
from chassis.index import IndexSettings
from chassis.recall import Recall, is_low, measure_recall


def _gallery(count: int, settings: IndexSettings | None = None, *, per_performer: int = 3) -> Gallery:
    """Performers with vectors near each other, in 32 dimensions."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(count // per_performer + 1, 32))
    gallery = Gallery(32, settings=settings)
    gallery.add(
        [
            GalleryRow(
                seq, f"p{seq // per_performer}", (centres[seq // per_performer] + rng.normal(size=32) * 0.4)
            )
            for seq in range(count)
        ]
    )
    return gallery


def test_an_exact_pass_agrees_with_brute_force() -> None:
    """Over several portions, without removed vectors, best first; -1 where there are too few."""
    gallery = _gallery(2500)
    gallery.withdraw(range(0, 100))
    seqs = gallery.seqs()
    vectors = gallery.index.vectors(seqs)
    probes = vectors[[5, 700, 2000]]
    ids, similarities = gallery.index.nearest_exactly(probes, 10)
    expected = np.argsort(-(probes @ vectors.T), axis=1)[:, :10]
    assert ids.tolist() == np.array(seqs)[expected].tolist()
    np.testing.assert_allclose(similarities, -np.sort(-(probes @ vectors.T), axis=1)[:, :10], atol=1e-6)
    few, _ = _gallery(3).index.nearest_exactly(probes, 5)
    assert [len(set(row) - {-1}) for row in few.tolist()] == [3, 3, 3]


def test_a_thorough_index_finds_everything() -> None:
    """Its recall is 1, over the sample that was asked for."""
    assert measure_recall(_gallery(900), sample=50) == Recall(1.0, 1.0, 50)


def test_a_sloppy_index_is_found_out() -> None:
    """Few links and a short search miss much, and the numbers say so."""
    sloppy = IndexSettings(
        m=2, ef_construction=2, query_ef=1, small_query_ef=1, large_query_ef=1, min_neighbors=1
    )
    recall = measure_recall(_gallery(4000, sloppy), sample=100)
    assert recall is not None
    assert recall.at_10 < 0.9
    assert is_low(recall, 0.95)
    assert not is_low(recall, 0.0)


def test_performers_with_one_vector_count_only_for_the_neighbours() -> None:
    """Nobody has another vector that could be found."""
    assert measure_recall(_gallery(60, per_performer=1), sample=20) == Recall(1.0, 1.0, 20)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_vectors_say_nothing(count: int) -> None:
    """There is nothing to find."""
    assert measure_recall(_gallery(count), sample=20) is None
