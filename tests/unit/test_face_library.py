"""Enrolled faces in memory: found, compared exactly, forgotten."""

from __future__ import annotations

import dataclasses
import itertools
import uuid

import numpy as np
import pytest
from numpy.typing import NDArray

from services.face.ensemble import Ensemble, ModelKey
from services.face.library import FaceLibrary, FaceRow
from services.face.score import compare, score_person
from services.face.table import BUILT_IN_ROWS
from services.face.template import FaceTemplate
from tests.fakes.linear_map import linear_map

_FIRST = dataclasses.replace(BUILT_IN_ROWS["mobilefacenet"], dimension=16)
_SECOND = dataclasses.replace(BUILT_IN_ROWS["dlib_resnet"], dimension=8)
_BOTH = Ensemble((_FIRST, _SECOND))
_ONE = Ensemble((_FIRST,))
_SEQS = itertools.count(1)


def _unit(*values: float, dimension: int) -> NDArray[np.float32]:
    vector = np.zeros(dimension, np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _row(performer_id: str, *values: float, key: ModelKey = _FIRST.key) -> FaceRow:
    dimension = 16 if key == _FIRST.key else 8
    return FaceRow(next(_SEQS), performer_id, key, _unit(*values, dimension=dimension))


def _template(
    first: tuple[float, ...], second: tuple[float, ...] = (), *, quality: float = 1
) -> FaceTemplate:
    vectors = {_FIRST.key: _unit(*first, dimension=16)}
    if second:
        vectors[_SECOND.key] = _unit(*second, dimension=8)
    return FaceTemplate(vectors, quality)


def _someone() -> str:
    return str(uuid.uuid4())


def test_the_nearest_performers_are_found_best_first() -> None:
    """One entry for each performer, by their most similar face; similarity is the cosine."""
    near, far = _someone(), _someone()
    library = FaceLibrary(_ONE)
    library.add([_row(near, 0, 1), _row(near, 1, 0.1), _row(far, 1, 1)])
    found = library.search(_template((1,)), 5)
    assert [one.performer_id for one in found] == [near, far]
    assert found[0].likeness.similarity == pytest.approx(1 / np.sqrt(1.01), abs=1e-5)
    assert library.search(_template((1,)), 1) == found[:1]


def test_an_empty_library_finds_nobody() -> None:
    """Nobody is enrolled at first."""
    assert FaceLibrary(_BOTH).search(_template((1,), (1,)), 10) == []


def test_ties_go_by_id() -> None:
    """Two performers with the same face come in the order of their ids."""
    people = sorted(_someone() for _ in range(4))
    library = FaceLibrary(_ONE)
    library.add([_row(one, 1, 0.5) for one in reversed(people)])
    assert [one.performer_id for one in library.search(_template((1,)), 3)] == people[:3]


def test_all_that_any_embedder_finds_is_compared_by_each() -> None:
    """Whom only the second embedder proposes is still compared exactly by the first."""
    alike, unlike = _someone(), _someone()
    library = FaceLibrary(_BOTH)
    library.add([_row(alike, 1, 0.2), _row(unlike, 0.2, 1)])
    library.add([_row(alike, 0.9, 0.1, key=_SECOND.key), _row(unlike, 1, key=_SECOND.key)])
    template = _template((1,), (1,))
    [best] = library.search(template, 1)
    expected = _BOTH.position(
        {
            _FIRST.key: float(template.vectors[_FIRST.key] @ _unit(1, 0.2, dimension=16)),
            _SECOND.key: float(template.vectors[_SECOND.key] @ _unit(0.9, 0.1, dimension=8)),
        }
    )
    assert best.performer_id == alike
    assert library.positions(template, [alike])[alike] == pytest.approx(expected, abs=1e-4)


def test_a_performer_known_to_one_embedder_is_compared_by_that_one() -> None:
    """Faces that were enrolled before another embedder came into use still count."""
    old = _someone()
    library = FaceLibrary(_BOTH)
    library.add([_row(old, 1)])
    position = library.positions(_template((1,), (1,)), [old, _someone()])
    assert position == {old: pytest.approx(_FIRST.operating_point.position(1.0), abs=1e-4)}


def test_rows_are_added_once() -> None:
    """A row that is here, or of a model that is not in use, changes nothing."""
    performer = _someone()
    library = FaceLibrary(_ONE)
    row = _row(performer, 1)
    library.add([row, row])
    library.add([row, _row(performer, 1, key=_SECOND.key)])
    assert (library.faces, library.faces_of(performer), library.performers) == (1, 1, 1)
    assert library.vectors_of(_FIRST.key) == 1


def test_who_is_withdrawn_is_not_found() -> None:
    """Neither searched nor scored, by any embedder; later rows are."""
    performer, other = _someone(), _someone()
    library = FaceLibrary(_BOTH)
    rows = [_row(performer, 1), _row(performer, 1, key=_SECOND.key), _row(other, 1, 1)]
    library.add(rows)
    library.withdraw([rows[0].seq, rows[1].seq, 10**9])
    assert [row.seq in library for row in rows] == [False, False, True]
    template = _template((1,), (1,))
    assert [one.performer_id for one in library.search(template, 5)] == [other]
    assert performer not in library.positions(template, [performer])
    assert library.faces_of(performer) == 0
    library.add([_row(performer, 1)])
    assert library.search(template, 1)[0].performer_id == performer


def test_of_what_is_withdrawn_no_image_stays_known() -> None:
    """A forgotten performer's pictures are not in memory until the next start."""
    performer = _someone()
    library = FaceLibrary(_ONE)
    rows = [dataclasses.replace(_row(performer, 1), image=image) for image in (7, 8)]
    library.add(rows)
    library.withdraw([rows[0].seq])
    assert [library._images.of(row.seq) for row in rows] == [0, 8]  # what is held, not what is told


def test_scores_are_told_in_the_order_asked() -> None:
    """Only performers with faces, each once, with the number of faces compared."""
    one, two, nobody = _someone(), _someone(), _someone()
    library = FaceLibrary(_ONE)
    library.add([_row(one, 1), _row(two, 0, 1), _row(two, 1, 1)])
    scores = score_person(library, [_template((1,))], [nobody, two, one, two])
    assert [(score.performer_id, score.faces) for score in scores] == [(two, 2), (one, 1)]
    assert scores[0].likeness.similarity == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert scores[1].likeness.confidence == 1


def test_templates_of_a_person_count_by_their_quality() -> None:
    """A poor look hardly changes what a good one says."""
    performer = _someone()
    library = FaceLibrary(_ONE)
    library.add([_row(performer, 1)])
    good, poor = _template((1,), quality=0.9), _template((0, 1), quality=0.1)
    [score] = score_person(library, [good, poor], [performer])
    assert score.likeness.similarity == pytest.approx(0.9, abs=1e-5)
    [worthless] = score_person(library, [_template((1,), quality=0)], [performer])
    assert worthless.likeness.similarity == pytest.approx(1, abs=1e-5)


def test_a_calibrated_score_tells_its_ratio() -> None:
    """By the similarity and the best look's quality; without a calibration there is none."""
    performer = _someone()
    library = FaceLibrary(_ONE)
    library.add([_row(performer, 1)])
    calibration = linear_map(2 / 3, 6.0)
    templates = [_template((1,), quality=0.5), _template((1,), quality=0.2)]
    [score] = score_person(library, templates, [performer], calibration)
    assert score.llr == pytest.approx(2.0, abs=1e-4)
    [plain] = score_person(library, templates, [performer])
    assert plain.llr is None


def test_templates_are_compared_with_each_other() -> None:
    """Symmetric, 1 with itself, and no number where two share no model."""
    only_second = FaceTemplate({_SECOND.key: _unit(1, dimension=8)}, 1.0)
    only_first = _template((1,))
    both = _template((1, 1), (1,))
    matrix = compare(_BOTH, [only_first, only_second, both])
    assert matrix.shape == (3, 3)
    assert matrix.dtype == np.float32
    assert np.array_equal(np.isnan(matrix), [[False, True, False], [True, False, False], [False] * 3])
    assert np.allclose(matrix, matrix.T, equal_nan=True)
    assert matrix[0, 0] == pytest.approx(1, abs=1e-5)
    assert matrix[0, 2] == pytest.approx(np.sqrt(0.5), abs=1e-5)


def test_one_embedder_compares_by_cosine() -> None:
    """Without a second opinion the similarity is the plain cosine."""
    matrix = compare(_ONE, [_template((1,)), _template((1, 2))])
    assert matrix[0, 1] == pytest.approx(1 / np.sqrt(5), abs=1e-6)
