"""Rows put together owner by owner."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gateway.fusion.grouped import largest, summed

_ROWS = st.lists(st.tuples(st.integers(0, 4), st.lists(st.integers(-9, 9), min_size=3, max_size=3)))


@given(_ROWS)
def test_each_owner_has_what_its_rows_make(rows: list[tuple[int, list[int]]]) -> None:
    """In whatever order they come; who has none has zeros."""
    owners, values = (
        [owner for owner, _ in rows],
        np.array([one for _, one in rows], np.float64).reshape(-1, 3),
    )
    for how, plain in ((summed, np.sum), (largest, np.max)):
        found = how(values, owners, 5)
        assert found.shape == (5, 3)
        for owner in range(5):
            own = [one for whose, one in rows if whose == owner]
            assert found[owner].tolist() == (plain(own, axis=0).tolist() if own else [0, 0, 0])
