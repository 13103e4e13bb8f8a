"""Taking in vectors: the story of ImportVectors."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from chassis.errors import InvalidInput
from chassis.postgres import Connection, Pool, translate
from chassis.protos import parse_date, parse_uuid
from gateway.age import AgeNotAttested, UnderAge, check_image, is_attested
from gateway.catalogue.do_not_identify import DoNotIdentify
from gateway.signals import TransferClient, VectorsTaken
from marquee.common.v1 import common_pb2, transfer_pb2

__all__ = ["AdmitVectors", "ImportVectors"]

_Rows = Sequence[transfer_pb2.VectorRow]
_Refusals = dict[int, common_pb2.EnrollOutcome]


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    performer_id: str
    date: datetime.date | None
    image_hash: str


class AdmitVectors:
    """Whether the pictures that vectors were made of may be enrolled: the rules of gateway.age, and who was
    forgotten.

    adults_only: authorities of external ids whose own policy attests adulthood.
    """

    def __init__(
        self, pool: Pool, *, adults_only: frozenset[str], today: Callable[[], datetime.date]
    ) -> None:
        self._pool = pool
        self._adults_only = adults_only
        self._today = today

    async def __call__(self, rows: _Rows) -> _Refusals:
        """The rows that may not be stored. The others' dates are remembered before anything of them is.

        One transaction on the locked performers: whoever sets a birth date came before, and is seen here,
        or comes after, and sees the dates. Raises as the database does.
        """
        refusals: _Refusals = {}
        read = [one for index, row in enumerate(rows) if (one := _read(index, row, refusals)) is not None]
        with translate():
            async with self._pool.acquire() as connection, connection.transaction():
                ids = sorted({row.performer_id for row in read})
                performers = {str(one["id"]): one for one in await connection.fetch(_LOCK, ids)}
                list_ = DoNotIdentify(connection)
                listed = (await list_.listed(image_hashes=(row.image_hash for row in read))).image_hashes
                for row in read:
                    if (refusal := self._refusal(row, performers, listed)) is not None:
                        refusals[row.index] = refusal
                await _record_dates(connection, [row for row in read if row.index not in refusals])
        return refusals

    def _refusal(
        self, row: _Row, performers: Mapping[str, asyncpg.Record], listed: frozenset[str]
    ) -> common_pb2.EnrollOutcome | None:
        performer = performers.get(row.performer_id)
        if row.image_hash in listed:
            return _outcome(
                row.index, common_pb2.REJECTION_REASON_DO_NOT_IDENTIFY, "the picture is not to be enrolled"
            )
        if performer is None:
            return _outcome(
                row.index, common_pb2.REJECTION_REASON_UNKNOWN_PERFORMER, "no such performer, or forgotten"
            )
        try:
            check_image(
                birth_date=performer["birth_date"],
                is_attested=is_attested(
                    adult_attested=performer["adult_attested"],
                    authorities=performer["authorities"],
                    adults_only_authorities=self._adults_only,
                ),
                image_date=row.date,
                today=self._today(),
            )
        except UnderAge as exc:
            return _outcome(row.index, common_pb2.REJECTION_REASON_UNDER_AGE, str(exc))
        except AgeNotAttested as exc:
            return _outcome(row.index, common_pb2.REJECTION_REASON_AGE_NOT_ATTESTED, str(exc))
        return None


class ImportVectors:
    """Admits rows and has their signal store them."""

    def __init__(self, admit: AdmitVectors, *, import_seconds: float) -> None:
        self._admit = admit
        self._import_seconds = import_seconds

    async def __call__(self, client: TransferClient, rows: _Rows) -> VectorsTaken:
        """What became of the rows; committed when this returns.

        Raises Unavailable and DeadlineExceeded when the database or the signal is away: trying again is safe.
        """
        refusals = await self._admit(rows)
        places = [index for index in range(len(rows)) if index not in refusals]
        taken = VectorsTaken()
        if places:
            taken = await client.import_vectors(
                [rows[index] for index in places], timeout=self._import_seconds
            )
        for one in taken.rejected:
            refusals[places[one.index]] = _outcome(places[one.index], one.reason, one.detail)
        rejected = tuple(refusals[index] for index in sorted(refusals))
        return VectorsTaken(taken.stored, taken.known, rejected, taken.not_searchable)


def _read(index: int, row: transfer_pb2.VectorRow, refusals: _Refusals) -> _Row | None:
    try:
        date = parse_date(row.source.date, field="source.date")
        return _Row(index, parse_uuid(row.performer_id), date, row.source.image_hash)
    except InvalidInput as exc:
        refusals[index] = _outcome(index, common_pb2.REJECTION_REASON_INVALID_FIELD, str(exc))
        return None


def _outcome(
    index: int, reason: common_pb2.RejectionReason.ValueType, detail: str
) -> common_pb2.EnrollOutcome:
    return common_pb2.EnrollOutcome(index=index, reason=reason, detail=detail)


async def _record_dates(connection: Connection, rows: Sequence[_Row]) -> None:
    earliest: dict[str, datetime.date] = {}
    for row in rows:
        if row.date is not None:
            earliest[row.performer_id] = min(row.date, earliest.get(row.performer_id, row.date))
    if earliest:
        await connection.execute(_RECORD_DATES, list(earliest), list(earliest.values()))


_LOCK = """
SELECT p.id, p.birth_date, p.adult_attested,
    ARRAY(SELECT e.authority FROM catalogue.external_ids e WHERE e.performer_id = p.id) AS authorities
FROM catalogue.performers p WHERE p.id = ANY($1::uuid[]) ORDER BY p.id FOR NO KEY UPDATE OF p
"""
_RECORD_DATES = """
UPDATE catalogue.performers AS p SET earliest_image_date = seen.date
FROM unnest($1::uuid[], $2::date[]) AS seen (id, date)
WHERE p.id = seen.id AND (p.earliest_image_date IS NULL OR p.earliest_image_date > seen.date)
"""
