"""Who is enrolled, in memory: adding, forgetting, finding."""

from __future__ import annotations

import threading
import uuid

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.body.enrolled import EnrolledBodies, MeasurementRow
from services.body.kinds import KINDS
from services.body.likelihood import similarities
from services.body.measurement import Measurement, combine, stack
from services.body.population import MEANS, SPREADS
from services.body.table import OPERATING_POINT, confidence_of


def _measured(scores: object, error: float = 0.05) -> Measurement:
    logs = MEANS + SPREADS * np.broadcast_to(np.asarray(scores, np.float64), (len(KINDS),))
    return Measurement(logs, np.full(len(KINDS), error**-2))


def _id(number: int) -> str:
    return str(uuid.UUID(int=number))


def _crowd(count: int) -> tuple[EnrolledBodies, list[Measurement]]:
    people = [_measured(one) for one in np.random.default_rng(3).normal(size=(count, len(KINDS)))]
    enrolled = EnrolledBodies()
    enrolled.add(MeasurementRow(seq, _id(seq), one) for seq, one in enumerate(people))
    return enrolled, people


def test_views_of_a_performer_are_combined() -> None:
    """Two rows: one body, whose measurement is theirs together."""
    first, second = _measured(0.0), _measured(1.0, 0.1)
    enrolled = EnrolledBodies()
    enrolled.add([MeasurementRow(1, _id(7), first)])
    enrolled.add([MeasurementRow(2, _id(7), second)])
    body = enrolled.of(_id(7))
    assert body is not None
    assert body.count == 2
    assert body.measurement.logs == pytest.approx(combine([first, second]).logs)
    assert (len(enrolled), enrolled.performers) == (2, 1)


def test_adding_a_row_again_changes_nothing() -> None:
    """A row whose adding was repeated counts once."""
    enrolled = EnrolledBodies()
    for _ in range(3):
        enrolled.add([MeasurementRow(1, _id(7), _measured(0.0))] * 2)
    body = enrolled.of(_id(7))
    assert body is not None
    assert (body.count, len(enrolled)) == (1, 1)


def test_a_performer_whose_rows_are_withdrawn_is_unknown() -> None:
    """Neither found nor scored any more; withdrawing again is no error."""
    enrolled = EnrolledBodies()
    enrolled.add([MeasurementRow(seq, _id(seq % 2), _measured(0.0)) for seq in range(4)])
    enrolled.withdraw([0, 2])
    enrolled.withdraw([0, 2, 99])
    assert (enrolled.of(_id(0)), len(enrolled), enrolled.performers) == (None, 2, 1)
    assert [one.performer_id for one in enrolled.search(_measured(0.0), 10)] == [_id(1)]


def test_of_what_is_withdrawn_no_image_stays_known() -> None:
    """A forgotten performer's pictures are not in memory until the next start."""
    enrolled = EnrolledBodies()
    enrolled.add([MeasurementRow(seq, _id(0), _measured(0.0), image=seq) for seq in (7, 8)])
    enrolled.withdraw([7])
    assert [enrolled._images.of(seq) for seq in (7, 8)] == [0, 8]  # what is held, not what is told


def test_look_alikes_are_ranked_by_similarity() -> None:
    """Most similar first, with the similarity that Score gives, ties by id."""
    enrolled, people = _crowd(150)
    probe = _measured(np.linspace(-1, 1, len(KINDS)))
    values = similarities(probe, stack(people))
    expected = sorted(range(150), key=lambda row: (-values[row], _id(row)))[:20]
    found = enrolled.search(probe, 20)
    assert [one.performer_id for one in found] == [_id(row) for row in expected]
    assert [one.similarity for one in found] == pytest.approx([values[row] for row in expected])


def test_ties_are_ranked_by_id() -> None:
    """Equal bodies come in the order of their ids."""
    enrolled = EnrolledBodies()
    enrolled.add([MeasurementRow(seq, _id(number), _measured(0.3)) for seq, number in enumerate((5, 2, 9))])
    found = enrolled.search(_measured(0.1), 2)
    assert [one.performer_id for one in found] == [_id(2), _id(5)]


@pytest.mark.parametrize("seen", [(0, 1, 2, 3, 4, 5), (1, 4), (2,)], ids=["all", "legs", "one"])
def test_the_best_of_many_are_found(seen: tuple[int, ...]) -> None:
    """Of 3,000 exactly the ten most similar, however few ratios the picture shows."""
    enrolled, people = _crowd(3000)
    everybody = stack(people)
    mask = np.isin(np.arange(len(KINDS)), seen)
    for scores in np.random.default_rng(4).normal(size=(10, len(KINDS))):
        whole = _measured(scores)
        probe = Measurement(whole.logs * mask, whole.precisions * mask)
        best = np.argsort(-similarities(probe, everybody), kind="stable")[:10]
        assert [one.performer_id for one in enrolled.search(probe, 10)] == [_id(row) for row in best]


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=80))
def test_any_order_of_adding_and_forgetting_ends_right(changes: list[tuple[int, bool]]) -> None:
    """Whoever was added last is found as added, whoever was forgotten last is not."""
    enrolled, expected = EnrolledBodies(), dict[str, list[int]]()
    for seq, (number, adds) in enumerate(changes):
        performer_id = _id(number)
        if adds:
            enrolled.add([MeasurementRow(seq, performer_id, _measured(number / 4 - 1.5))])
            expected.setdefault(performer_id, []).append(seq)
        else:
            enrolled.withdraw(expected.pop(performer_id, []))
    found = enrolled.search(_measured(-1.5, 0.01), 20)
    assert sorted(one.performer_id for one in found) == sorted(expected)
    assert len(enrolled) == sum(map(len, expected.values()))


def test_one_of_several_measurements_is_withdrawn() -> None:
    """What is left counts as if the other had never been there."""
    enrolled = EnrolledBodies()
    first, second = _measured(0.0), _measured(1.0)
    enrolled.add([MeasurementRow(1, _id(7), first), MeasurementRow(2, _id(7), second)])
    enrolled.withdraw([1])
    body = enrolled.of(_id(7))
    assert body is not None
    assert (body.count, 1 in enrolled, 2 in enrolled) == (1, False, True)
    assert body.measurement.logs == pytest.approx(second.logs)


def test_the_index_grows() -> None:
    """Beyond its first room nothing is lost."""
    enrolled, _ = _crowd(2500)
    assert enrolled.performers == len(enrolled.search(_measured(0.0), 3000)) == 2500


@pytest.mark.parametrize("k", [0, 1, 50])
def test_an_empty_index_finds_nobody(k: int) -> None:
    """No rows: no look-alikes, no error."""
    assert EnrolledBodies().search(_measured(0.0), k) == []


def test_no_more_than_asked() -> None:
    """At most k; none for 0."""
    enrolled, _ = _crowd(30)
    assert len(enrolled.search(_measured(0.0), 7)) == 7
    assert enrolled.search(_measured(0.0), 0) == []
    assert len(enrolled.search(_measured(0.0), 1000)) == 30


def test_searching_while_others_change() -> None:
    """Threads that add, forget and search at once: no error, and the count is right at the end."""
    enrolled, _ = _crowd(50)
    errors: list[BaseException] = []

    def change(start: int) -> None:
        try:
            for seq in range(start, start + 100):
                enrolled.add([MeasurementRow(seq, _id(seq), _measured(0.0))])
                if seq % 2:
                    enrolled.withdraw([seq])
        except BaseException as exc:
            errors.append(exc)

    def search() -> None:
        try:
            for _ in range(100):
                enrolled.search(_measured(0.5), 20)
        except BaseException as exc:
            errors.append(exc)

    threads = [threading.Thread(target=change, args=(start,)) for start in (1000, 2000)]
    threads += [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(enrolled) == enrolled.performers == 50 + 100


def test_look_alikes_never_look_sure() -> None:
    """Confidence is low, flat and never identifies: 0..0.2, rising with the similarity."""
    values = [confidence_of(similarity) for similarity in np.linspace(0, 1, 101)]
    assert values == sorted(values)
    assert (min(values), max(values)) == pytest.approx((0, 0.2))
    assert max(values) < OPERATING_POINT.identification_confidence
