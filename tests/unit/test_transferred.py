"""Rows that come from another installation, checked; and the tokens of pages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from chassis.errors import InvalidInput
from chassis.signal.transferred import MOST_ROWS, checked, page_token, parse_page
from marquee.common.v1 import common_pb2, transfer_pb2

_PERFORMER = "00000000-0000-4000-8000-000000000001"


def _row(vector: NDArray[np.float32] | bytes | None = None, **fields: object) -> transfer_pb2.VectorRow:
    values = np.array([3, 4], np.float32) if vector is None else vector
    data = values if isinstance(values, bytes) else values.tobytes()
    given = {
        "performer_id": _PERFORMER,
        "embedding": common_pb2.Embedding(model="m", version="1", vector=data),
        "quality": 0.5,
        "box": common_pb2.Box(width=1, height=1),
        "source": common_pb2.ImageSource(image_hash="a" * 64),
        **fields,
    }
    return transfer_pb2.VectorRow(**given)  # type: ignore[arg-type]  # fields of several types


def test_a_good_row_has_a_vector_of_length_one() -> None:
    """Whatever its length was."""
    found = checked([_row()], {})
    assert found.refused == ()
    np.testing.assert_allclose(np.frombuffer(found.rows[0].vector, "<f4"), [0.6, 0.8])


@pytest.mark.parametrize(
    "row",
    [
        _row(np.array([np.nan, 1], np.float32)),
        _row(np.array([np.inf, 1], np.float32)),
        _row(np.zeros(2, np.float32)),
        _row(np.ones(3, np.float32)),
        _row(b""),
        _row(b"abc"),
        _row(performer_id="nobody"),
        _row(quality=1.5),
        _row(quality=float("nan")),
        _row(detection_confidence=-1),
        _row(box=common_pb2.Box()),
        _row(source=common_pb2.ImageSource(image_hash="A" * 64)),
        _row(source=common_pb2.ImageSource(image_hash="a" * 64, date="yesterday")),
        _row(removed_date="2020"),
        _row(tattoo_id="one"),
        _row(embedding=common_pb2.Embedding(version="1", vector=bytes(8))),
        _row(embedding=common_pb2.Embedding(model="m" * 65, version="1", vector=b"\0\0\x80\x3f" * 2)),
    ],
)
def test_a_bad_row_is_refused_alone(row: transfer_pb2.VectorRow) -> None:
    """The rows beside it are taken."""
    found = checked([_row(), row, _row()], {("m", "1"): 2})
    assert [one.index for one in found.rows] == [0, 2]
    assert [one.index for one in found.refused] == [1]


def test_the_first_row_of_an_unknown_model_says_its_dimension() -> None:
    found = checked([_row(np.ones(3, np.float32)), _row()], {})
    assert [one.index for one in found.refused] == [1]


@pytest.mark.parametrize("count", [0, MOST_ROWS + 1])
def test_a_request_has_some_rows_and_not_too_many(count: int) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        checked([_row()] * count, {})


@given(st.text(max_size=20).filter(lambda text: "\0" not in text), st.integers(0, 2**63 - 1))
def test_a_token_comes_back_as_the_cursor(name: str, seq: int) -> None:
    assert parse_page(10, page_token((name, "1", seq))).after == (name, "1", seq)


@pytest.mark.parametrize("token", ["x", "e30=", "WzEsMl0=", "A" * 1000, "WyJhIiwiYiIsLTFd"])
def test_a_token_of_somebody_elses_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput, match="page_token"):
        parse_page(10, token)


def test_a_page_may_not_be_too_large() -> None:
    with pytest.raises(InvalidInput, match="page_size"):
        parse_page(MOST_ROWS + 1, "")
