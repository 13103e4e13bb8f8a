"""Taking vectors in from other installations, and giving them out: the stories, the same for every signal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from chassis.signal.model_sets import ModelKey
from chassis.signal.transfer_store import TransferStore, VectorPage
from chassis.signal.transferred import Refused, TransferredRow, checked, parse_page
from marquee.common.v1 import common_pb2, transfer_pb2

__all__ = ["Taken", "VectorTransfer", "why_not_searchable"]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of rows; `stored` and `known` are counts."""

    stored: int
    known: int
    rejected: tuple[common_pb2.EnrollOutcome, ...]
    not_searchable: tuple[common_pb2.NotSearchable, ...]


class VectorTransfer:
    """Vectors of any model in and out of one signal's rows.

    dimensions: of the models that are known by name and version, as of now.
    why_not: why vectors of a model cannot be found now; "" when they can.
    check: what this signal asks of a row besides; raises InvalidInput.
    """

    def __init__(
        self,
        store: TransferStore,
        *,
        dimensions: Callable[[Collection[ModelKey]], Mapping[ModelKey, int]],
        why_not: Callable[[ModelKey], str],
        check: Callable[[Sequence[TransferredRow]], Sequence[Refused]] = lambda rows: (),
    ) -> None:
        self._store = store
        self._dimensions = dimensions
        self._why_not = why_not
        self._check = check

    async def take(self, rows: Sequence[transfer_pb2.VectorRow]) -> Taken:
        """Store rows in one transaction; what is stored already is passed over.

        Raises InvalidInput for none or too many rows, Unavailable and DeadlineExceeded as the database
        does: then nothing is stored, and trying again is safe.
        """
        keys = {(row.embedding.model, row.embedding.version) for row in rows}
        stored_ones = await self._store.dimensions(keys)
        found = await asyncio.to_thread(checked, rows, {**stored_ones, **self._dimensions(keys)})
        unfit = {one.index: one for one in (*found.refused, *self._check(found.rows))}
        good = [row for row in found.rows if row.index not in unfit]
        imported = await self._store.insert(good)
        nobodys = set(imported.nobodys)
        _log.info(
            "imported", stored=imported.stored, known=imported.known, rejected=len(unfit) + len(nobodys)
        )
        kept = (row.key for row in good if row.index not in nobodys)
        return Taken(
            imported.stored, imported.known, _outcomes(unfit.values(), nobodys), self._not_searchable(kept)
        )

    async def give(
        self, page_size: int, token: str, *, with_set_aside: bool = False, without_vectors: bool = False
    ) -> VectorPage:
        """A page of stored rows; with_set_aside: also those that are kept and not searched.

        without_vectors: with the models' names and nothing of what they saw, which is most of what is read.
        Raises InvalidInput for a malformed request.
        """
        query = parse_page(page_size, token, with_set_aside=with_set_aside, without_vectors=without_vectors)
        return await self._store.page(query)

    def _not_searchable(self, keys: Iterable[ModelKey]) -> tuple[common_pb2.NotSearchable, ...]:
        counts = Counter(keys)
        reasons = {key: self._why_not(key) for key in counts}
        return tuple(
            common_pb2.NotSearchable(model=key[0], version=key[1], observations=counts[key], reason=reason)
            for key, reason in sorted(reasons.items())
            if reason
        )


def why_not_searchable(
    key: ModelKey,
    *,
    serving: Collection[ModelKey],
    preparing: Collection[ModelKey],
    with_file: Collection[str],
    role: str,
) -> str:
    """Why vectors of a model cannot be found, in words for the owner; "" when they can.

    with_file: names of embedders whose file is known; role: the setting that names those in use.
    """
    name, version = key
    if key in serving:
        return ""
    if key in preparing:
        return f"{name} {version} is being prepared"
    others = sorted(other for one, other in (*serving, *preparing) if one == name)
    if others:
        return f"{name} is in use in version {others[0]}, these are of version {version}; see docs/models.md"
    if name in with_file:
        return f"{name} is not in use: {role} does not name it"
    return f"{name}.onnx is missing, see docs/models.md"


def _outcomes(unfit: Iterable[Refused], nobodys: Iterable[int]) -> tuple[common_pb2.EnrollOutcome, ...]:
    refused = [
        common_pb2.EnrollOutcome(
            index=one.index, reason=common_pb2.REJECTION_REASON_INVALID_FIELD, detail=one.detail
        )
        for one in unfit
    ]
    missing = [
        common_pb2.EnrollOutcome(
            index=index,
            reason=common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER,
            detail="no such performer, or forgotten",
        )
        for index in nobodys
    ]
    return tuple(sorted((*refused, *missing), key=lambda one: one.index))
