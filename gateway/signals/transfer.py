"""Stored vectors to and from the signals that keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from marquee.common.v1 import common_pb2, transfer_pb2

__all__ = ["TransferClient", "VectorPage", "VectorsTaken"]


@dataclass(frozen=True, slots=True)
class VectorsTaken:
    """What a signal made of rows: counts of those written and of those there already, and the others."""

    stored: int = 0
    known: int = 0
    rejected: tuple[common_pb2.EnrollOutcome, ...] = ()
    not_searchable: tuple[common_pb2.NotSearchable, ...] = ()


@dataclass(frozen=True, slots=True)
class VectorPage:
    """Some rows, and the next page's token; "" on the last."""

    rows: Sequence[transfer_pb2.VectorRow]
    next_page_token: str


class TransferClient(Protocol):
    """A signal whose vectors can be exported and imported. All raise as the other calls do."""

    async def import_vectors(self, rows: Sequence[transfer_pb2.VectorRow], *, timeout: float) -> VectorsTaken:
        """Raises InvalidInput too: too many rows."""

    async def export_vectors(
        self, *, page_size: int, page_token: str, with_set_aside: bool, timeout: float
    ) -> VectorPage:
        """with_set_aside: also what is kept and not searched, if the signal has such.

        Raises InvalidInput too: the token is none of the signal's.
        """
