"""Which performer a row belongs to, in few bytes a row: a gallery may have a million."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, KeysView, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Owners"]

_PAGE_BITS = 14
_PAGE = 1 << _PAGE_BITS
_NOBODY = -1
_NONE = array("q")


class Owners:
    """Performers by seq and seqs by performer. Callers take turns to change it; reading needs none.

    A performer has a number while there are rows; rows of one table have seqs near each other, so numbers lie
    in pages of 16,384 seqs.
    """

    def __init__(self) -> None:
        self._pages: dict[int, NDArray[np.int32]] = {}
        self._numbers: dict[str, int] = {}
        # By number; None once a performer has no rows. A number is not given twice: readers take no lock.
        self._ids: list[str | None] = []
        self._seqs: list[array[int]] = []
        self._count = 0

    def __repr__(self) -> str:
        return f"<Owners, {len(self._numbers)} performers of {self._count} rows>"

    def __len__(self) -> int:
        """Rows."""
        return self._count

    def __contains__(self, seq: int) -> bool:
        return self.of(seq) is not None

    @property
    def performers(self) -> KeysView[str]:
        """Performers with at least one row; a live view."""
        return self._numbers.keys()

    def of(self, seq: int) -> str | None:
        """The performer of a row; None when it is not here."""
        page = self._pages.get(seq >> _PAGE_BITS)
        number = _NOBODY if page is None else int(page[seq & (_PAGE - 1)])
        return None if number == _NOBODY else self._ids[number]

    def seqs_of(self, performer_id: str) -> Sequence[int]:
        """A performer's rows, as they came; empty for nobody's id."""
        number = self._numbers.get(performer_id)
        return () if number is None else self._seqs[number]

    def put(self, seqs: Iterable[int], performer_id: str) -> None:
        """Rows that are not here yet, of one performer."""
        new, number = list(seqs), self._number_of(performer_id)
        for seq in new:
            self._page_of(seq)[seq & (_PAGE - 1)] = number
        # Made anew, because an array that grows keeps room to spare.
        self._seqs[number] = array("q", [*self._seqs[number], *new])
        self._count += len(new)

    def pop(self, seq: int) -> str | None:
        """Take a row out and return whose it was; None when it is not here."""
        performer_id = self.of(seq)
        if performer_id is None:
            return None
        self._page_of(seq)[seq & (_PAGE - 1)] = _NOBODY
        self._count -= 1
        number = self._numbers[performer_id]
        rest = [own for own in self._seqs[number] if own != seq]
        self._seqs[number] = array("q", rest)
        if not rest:
            del self._numbers[performer_id]
            self._ids[number] = None
        return performer_id

    def _page_of(self, seq: int) -> NDArray[np.int32]:
        page = self._pages.get(seq >> _PAGE_BITS)
        if page is None:
            page = self._pages[seq >> _PAGE_BITS] = np.full(_PAGE, _NOBODY, np.int32)
        return page

    def _number_of(self, performer_id: str) -> int:
        number = self._numbers.get(performer_id)
        if number is None:
            number = self._numbers[performer_id] = len(self._ids)
            self._ids.append(performer_id)
            self._seqs.append(_NONE)
        return number
