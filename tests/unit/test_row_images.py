"""Image codes behave as a dictionary would."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from chassis.row_images import RowImages, image_code

_SEQS = st.one_of(st.integers(0, 50), st.integers(2**40, 2**40 + 50), st.integers(16_380, 16_390))


@given(st.dictionaries(_SEQS, st.integers(1, 2**64 - 1), max_size=40), st.lists(_SEQS, max_size=10))
def test_codes_are_a_dictionary(codes: dict[int, int], others: list[int]) -> None:
    """Over pages; of a row that nobody put in nothing is known."""
    images = RowImages()
    images.put(codes.items())
    for seq in (*codes, *others):
        assert images.of(seq) == codes.get(seq, 0)
    some = frozenset(list(codes.values())[:3])
    assert images.among([*codes, *others], some) == {seq for seq, code in codes.items() if code in some}
    assert images.among(codes, frozenset()) == frozenset()


@given(st.dictionaries(_SEQS, st.integers(1, 2**64 - 1), max_size=40), st.lists(_SEQS, max_size=40))
def test_what_is_removed_leaves_nothing_behind(codes: dict[int, int], gone: list[int]) -> None:
    """Of the others all stays known; of whom nothing was known nothing changes, and room is given back."""
    images = RowImages()
    images.put(codes.items())
    images.remove(gone)
    for seq in (*codes, *gone):
        assert images.of(seq) == (0 if seq in gone else codes[seq])
    images.remove(codes)
    assert repr(images) == "<RowImages, 0 pages>"


def test_a_code_is_the_beginning_of_the_hash() -> None:
    """The first eight bytes, also where there is no more."""
    digest = hashlib.sha256(b"a picture").hexdigest()
    assert image_code(digest) == image_code(digest[:16]) == int(digest[:16], 16)
