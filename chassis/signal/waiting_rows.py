"""Which rows were seen, and which are still to be read: a few bytes a row, as there may be a million."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from chassis.errors import Conflict

__all__ = ["SeenRows", "WaitingRows"]

_PAGE_BITS = 14
_PAGE = 1 << _PAGE_BITS

Seqs = NDArray[np.int64]
Xids = NDArray[np.uint64]


class SeenRows:
    """The transaction that wrote each row, by seq; the rows of one table have seqs near each other."""

    def __init__(self) -> None:
        self._pages: dict[int, Xids] = {}

    def __repr__(self) -> str:
        return f"<SeenRows, {len(self._pages)} pages>"

    def xids(self, seqs: Seqs) -> Xids:
        """Of each row the transaction that wrote it; 0 for one that was not seen."""
        found = np.zeros(len(seqs), np.uint64)
        for number, chosen in _by_page(seqs):
            page = self._pages.get(number)
            if page is not None:
                found[chosen] = page[seqs[chosen] & (_PAGE - 1)]
        return found

    def put(self, seqs: Seqs, xids: Xids | int) -> None:
        """See rows; 0 for xids makes them unseen."""
        values = np.broadcast_to(np.asarray(xids, np.uint64), seqs.shape)
        for number, chosen in _by_page(seqs):
            page = self._pages.setdefault(number, np.zeros(_PAGE, np.uint64))
            page[seqs[chosen] & (_PAGE - 1)] = values[chosen]

    def unseen(self, seqs: Seqs, xids: Xids) -> NDArray[np.bool_]:
        """Which of these rows were not seen. Raises Conflict for a seq that another transaction wrote."""
        before = self.xids(seqs)
        if bool(((before != 0) & (before != xids)).any()):
            raise Conflict("the database gave numbers of rows again")
        return np.asarray(before == 0, np.bool_)


class WaitingRows:
    """Rows that are to be read, first come, first served."""

    def __init__(self) -> None:
        self._parts: deque[tuple[Seqs, Xids]] = deque()

    def __repr__(self) -> str:
        return f"<WaitingRows, {len(self)}>"

    def __len__(self) -> int:
        """Rows, those that are gone by now included."""
        return sum(len(seqs) for seqs, _ in self._parts)

    def add(self, seqs: Seqs, xids: Xids) -> None:
        """More rows."""
        if len(seqs):
            self._parts.append((seqs, xids))

    def clear(self) -> None:
        """Nothing is to be read."""
        self._parts.clear()

    def first(self, most: int) -> tuple[Seqs, Xids]:
        """At most so many of the first rows; they stay until `drop`."""
        if not self._parts:
            return np.empty(0, np.int64), np.empty(0, np.uint64)
        seqs, xids = self._parts[0]
        return seqs[:most], xids[:most]

    def drop(self, count: int) -> None:
        """So many of those that `first` gave are read."""
        if self._parts:
            seqs, xids = self._parts.popleft()
            if len(seqs) > count:
                self._parts.appendleft((seqs[count:], xids[count:]))


def _by_page(seqs: Seqs) -> list[tuple[int, NDArray[np.intp]]]:
    """Numbers of pages, with the places of the seqs in them."""
    numbers = seqs >> _PAGE_BITS
    order = np.argsort(numbers, kind="stable")
    pages, starts = np.unique(numbers[order], return_index=True)
    return list(zip(pages.tolist(), np.split(order, starts[1:]), strict=True)) if len(seqs) else []
