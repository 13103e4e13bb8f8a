"""What metadata says of a performer's breasts over time: never derived from pictures.

Its rules, and its SQL in `catalogue.performer_breast_history`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.errors import InvalidInput
from chassis.postgres import Connection

__all__ = [
    "BreastRecord",
    "check_history",
    "HISTORY_COLUMN",
    "drop_histories",
    "history_of",
    "write_histories",
]

_MOST_RECORDS = 50

HISTORY_COLUMN = """
    (SELECT coalesce(jsonb_agg(jsonb_build_array(h.size_category, h.natural_probability, h.effective_from,
            h.effective_until, h.source) ORDER BY h.id), '[]')
        FROM catalogue.performer_breast_history h WHERE h.performer_id = p.id) AS breast_history
"""
"""A column of a query on catalogue.performers p; see `history_of`."""


@dataclass(frozen=True, slots=True)
class BreastRecord:
    """One statement of one source.

    `size_category`: in the source's words, such as a cup size; "" when unknown. `natural_probability`:
    0..1, None when unknown. First and last day, both included; None when open or unknown.
    """

    size_category: str = ""
    natural_probability: float | None = None
    effective_from: datetime.date | None = None
    effective_until: datetime.date | None = None
    source: str = ""

    @property
    def days(self) -> tuple[datetime.date, ...]:
        """The days that it names."""
        return tuple(day for day in (self.effective_from, self.effective_until) if day is not None)


def check_history(history: Sequence[BreastRecord], *, today: datetime.date) -> None:
    """Raises InvalidInput for a record that says nothing, a probability outside 0..1, days out of order or
    to come."""
    if len(history) > _MOST_RECORDS:
        raise InvalidInput(f"breast_history: more than {_MOST_RECORDS} entries")
    for one in history:
        probability = one.natural_probability
        if not one.size_category and probability is None:
            raise InvalidInput("breast_history: neither size_category nor natural_probability is given")
        if probability is not None and not 0 <= probability <= 1:
            raise InvalidInput("breast_history.natural_probability: not in 0 to 1")
        if len(one.days) == 2 and one.days[1] < one.days[0]:
            raise InvalidInput("breast_history.effective_until: before effective_from")
        if any(day > today for day in one.days):
            raise InvalidInput("breast_history: a day that is still to come")


def history_of(column: str) -> tuple[BreastRecord, ...]:
    """The records in a value of HISTORY_COLUMN."""
    return tuple(
        BreastRecord(size, probability, _day(first), _day(last), source)
        for size, probability, first, last, source in json.loads(column)
    )


async def drop_histories(connection: Connection, performer_ids: Sequence[str]) -> None:
    """Delete what is stored of these performers, within the connection's transaction."""
    await connection.execute(
        "DELETE FROM catalogue.performer_breast_history WHERE performer_id = ANY($1::uuid[])", performer_ids
    )


async def write_histories(connection: Connection, histories: Mapping[str, Sequence[BreastRecord]]) -> None:
    """Store histories of performers who have none stored, by id, within the connection's transaction."""
    records = [
        (
            performer_id,
            one.size_category,
            one.natural_probability,
            one.effective_from,
            one.effective_until,
            one.source,
        )
        for performer_id, history in histories.items()
        for one in history
    ]
    if records:
        await connection.copy_records_to_table(
            "performer_breast_history", schema_name="catalogue", records=records, columns=_COLUMNS
        )


_COLUMNS = (
    "performer_id",
    "size_category",
    "natural_probability",
    "effective_from",
    "effective_until",
    "source",
)


def _day(text: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(text) if text else None
