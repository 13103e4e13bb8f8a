"""Which image a row is from, in eight bytes a row: a gallery may have a million."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["RowImages", "image_code"]

_PAGE_BITS = 14
_PAGE = 1 << _PAGE_BITS
_NO_IMAGE = 0


def image_code(image_hash: str) -> int:
    """The first 8 bytes of a SHA-256 in hexadecimal, as a number.

    image_hash: 16 hexadecimal digits or more; raises ValueError for what is no number. 0 stands for no image.
    """
    return int(image_hash[:16], 16)


class RowImages:
    """Image codes by seq. Callers take turns to change it; reading needs none.

    Rows of one table have seqs near each other, so codes lie in pages of 16,384 seqs.
    """

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.uint64]] = {}

    def __repr__(self) -> str:
        return f"<RowImages, {len(self._pages)} pages>"

    def put(self, images: Iterable[tuple[int, int]]) -> None:
        """Note the image codes of rows: pairs of seq and code."""
        for seq, code in images:
            page = self._pages.get(seq >> _PAGE_BITS)
            if page is None:
                page = self._pages[seq >> _PAGE_BITS] = np.full(_PAGE, _NO_IMAGE, np.uint64)
            page[seq & (_PAGE - 1)] = code

    def remove(self, seqs: Iterable[int]) -> None:
        """Know nothing more of these rows' images; pages of which nothing is known any more go."""
        pages = set()
        for seq in seqs:
            number = seq >> _PAGE_BITS
            if number in self._pages:
                self._pages[number][seq & (_PAGE - 1)] = _NO_IMAGE
                pages.add(number)
        for number in pages:
            if not self._pages[number].any():
                del self._pages[number]

    def of(self, seq: int) -> int:
        """The code of a row's image; 0 where it is not known."""
        page = self._pages.get(seq >> _PAGE_BITS)
        return _NO_IMAGE if page is None else int(page[seq & (_PAGE - 1)])

    def among(self, seqs: Iterable[int], codes: frozenset[int]) -> frozenset[int]:
        """Those of the rows that are from one of these images."""
        return frozenset(seq for seq in seqs if self.of(seq) in codes) if codes else frozenset()
