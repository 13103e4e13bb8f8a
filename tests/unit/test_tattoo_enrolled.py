"""Who is found by a tattoo, and what is known of them."""

import numpy as np
import pytest

from services.tattoo.enrolled import EnrolledTattoos
from tests.fakes.tattoos import LEFT, RIGHT, UP, embedder_row, row

A, B = ("a", "1"), ("b", "1")


def test_the_nearest_performer_comes_first_with_their_best_tattoo() -> None:
    """Several tattoos of a performer count as one candidate, the most similar one decides."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(1, "p", RIGHT), row(2, "p", LEFT), row(3, "q", UP)])
    first, second = enrolled.search({A: LEFT}, 5)
    assert (first.performer_id, second.performer_id) == ("p", "q")
    assert first.similarity == pytest.approx(1)
    assert second.similarity == pytest.approx(0)


def test_ties_go_by_performer_id_and_k_is_kept() -> None:
    """Equal similarities are ordered by id; no more than k are told, none for k = 0."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(seq, performer, LEFT) for seq, performer in enumerate("dbca")])
    assert [match.performer_id for match in enrolled.search({A: LEFT}, 3)] == ["a", "b", "c"]
    assert enrolled.search({A: LEFT}, 0) == []


def test_an_empty_gallery_finds_nobody() -> None:
    """No error before the first enrolment."""
    assert EnrolledTattoos([embedder_row("a")]).search({A: LEFT}, 5) == []


def test_adding_again_changes_nothing() -> None:
    """Rows that are here already are passed over, so that a repeated call is safe."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    for _ in range(2):
        enrolled.add([row(1, "p", LEFT)])
    assert (len(enrolled), enrolled.vectors(A), enrolled.performers) == (1, 1, 1)


def test_what_is_withdrawn_is_neither_found_nor_known() -> None:
    """At once, for vectors and facts; rows that are not here are passed over."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(1, "p", LEFT), row(2, "p", UP), row(3, "q", UP)])
    enrolled.withdraw([1])
    assert [tattoo.tattoo_id for tattoo in enrolled.of("p")] == ["id-2"]
    enrolled.withdraw([1, 2, 99])
    assert [match.performer_id for match in enrolled.search({A: LEFT}, 5)] == ["q"]
    assert enrolled.of("p") == ()
    assert enrolled.similarities({A: LEFT}, ["p"]) == {}


def test_a_tattoo_described_by_two_embedders_is_known_once() -> None:
    """Rows of one image and box are one tattoo, however many models describe it."""
    enrolled = EnrolledTattoos([embedder_row("a"), embedder_row("b")])
    same = "f" * 64
    enrolled.add([row(1, "p", LEFT, image=same), row(2, "p", UP, model=B, image=same)])
    assert [tattoo.tattoo_id for tattoo in enrolled.of("p")] == ["id-1"]
    assert (enrolled.vectors(A), enrolled.vectors(B), len(enrolled)) == (1, 1, 1)


def test_embedders_are_averaged_by_position_in_the_primarys_measure() -> None:
    """Each cosine is placed between its own model's anchors; the mean is told as the first model's cosine."""
    rows = [
        embedder_row("a", impostor_p99=0.2, genuine_median=0.6),
        embedder_row("b", impostor_p99=0.0, genuine_median=1.0),
    ]
    enrolled = EnrolledTattoos(rows)
    half = np.array([0.5, np.sqrt(0.75), 0, 0], np.float32)
    enrolled.add([row(1, "p", LEFT, image="e" * 64), row(2, "p", LEFT, model=B, image="e" * 64)])
    # a: cosine 1 is position 2; b: cosine 0.5 is position 0.5; mean 1.25 is 0.2 + 1.25 x 0.4 in a.
    assert enrolled.similarities({A: LEFT, B: half}, ["p"])["p"] == pytest.approx(0.7)


def test_rows_of_models_that_are_not_active_are_left_alone() -> None:
    """A row of an older version is no part of the gallery."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(1, "p", LEFT, model=("a", "0"))])
    assert len(enrolled) == 0
    assert enrolled.search({("a", "0"): LEFT}, 5) == []


def test_a_row_told_twice_at_once_is_added_once() -> None:
    """A request may hold one observation twice; both answers of the database are the same row."""
    enrolled = EnrolledTattoos([embedder_row("a")])
    enrolled.add([row(1, "p", LEFT), row(1, "p", LEFT)])
    assert (len(enrolled), enrolled.vectors(A)) == (1, 1)


def test_a_told_similarity_is_a_cosine() -> None:
    """A position beyond what the primary's cosine can reach is told as its end."""
    rows = [
        embedder_row("a", impostor_p99=0.6, genuine_median=0.9),
        embedder_row("b", impostor_p99=0.0, genuine_median=0.1),
    ]
    enrolled = EnrolledTattoos(rows)
    enrolled.add([row(1, "p", LEFT, model=B)])
    assert enrolled.similarities({B: LEFT}, ["p"]) == {"p": 1.0}
    assert enrolled.similarities({B: RIGHT}, ["p"]) == {"p": -1.0}
