"""Performers' attributes into PostgreSQL: by COPY, through the whole system, and one by one."""

from __future__ import annotations

import datetime
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from chassis.postgres import Pool
from client import catalogue
from client.api import Marquee
from client.transfer.values import PerformerRecord
from client.values import ExternalId as ClientId
from gateway.catalogue.performer import ExternalId, Performer
from gateway.transfer.bulk_store import BulkStore
from gateway.transfer.records import Decision

__all__ = ["Performers", "copy_attributes", "import_records", "upsert_one_by_one"]

_PORTION, _LARGE_PORTION = 2000, 10_000
_BIRTH = datetime.date(1990, 1, 1)
_RATIOS = {"shoulder_hip_ratio": 1.4, "leg_torso_ratio": 1.1}


@dataclass(frozen=True, slots=True)
class Performers:
    """How many performers were stored, in how many rows (ids elsewhere have rows of their own), how fast."""

    performers: int
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds

    @property
    def per_second(self) -> float:
        return self.performers / self.seconds


async def copy_attributes(pool: Pool, count: int) -> tuple[Performers, list[str]]:
    """Checked performers with two ids each into the catalogue, 10,000 in a transaction; and who they are."""
    decisions = [_decision(number) for number in range(count)]
    store = BulkStore(pool)
    started = time.perf_counter()
    for start in range(0, count, _LARGE_PORTION):
        async with store.edit() as edit:
            await edit.write(decisions[start : start + _LARGE_PORTION])
    seconds = time.perf_counter() - started
    ids = [one.performer.id for one in decisions if one.performer is not None]
    return Performers(count, 3 * count, seconds), ids


async def import_records(marquee: Marquee, count: int) -> Performers:
    """The same through client and gateway, every rule checked, 2,000 in a transaction."""
    records = [PerformerRecord(_client_performer(number, "import"), _RATIOS) for number in range(count)]
    started = time.perf_counter()
    for start in range(0, count, _PORTION):
        results = await marquee.transfer.import_performers(records[start : start + _PORTION])
        assert all(one.is_created for one in results)
    return Performers(count, 3 * count, time.perf_counter() - started)


async def upsert_one_by_one(marquee: Marquee, count: int) -> Performers:
    """The baseline: UpsertPerformer, one call after the other."""
    performers: Sequence[catalogue.Performer] = [_client_performer(number, "one") for number in range(count)]
    started = time.perf_counter()
    for performer in performers:
        await marquee.upsert(performer)
    return Performers(count, 3 * count, time.perf_counter() - started)


def _decision(number: int) -> Decision:
    performer = Performer(
        id=str(uuid.uuid4()),
        name=f"Performer {number}",
        aliases=(f"Alias {number}", f"Other {number}"),
        external_ids=(ExternalId("stashdb.org", f"copy-{number}"), ExternalId("fansdb.cc", f"copy-{number}")),
        birth_date=_BIRTH,
        career_start_year=2012,
        adult_attested=False,
        gender="female",
        country="US",
    )
    return Decision(performer, _RATIOS, is_created=True)


def _client_performer(number: int, kind: str) -> catalogue.Performer:
    return catalogue.Performer(
        name=f"Performer {number}",
        aliases=(f"Alias {number}", f"Other {number}"),
        external_ids=(ClientId("stashdb.org", f"{kind}-{number}"), ClientId("fansdb.cc", f"{kind}-{number}")),
        birth_date=_BIRTH,
        career_start_year=2012,
        gender="female",
        country="US",
    )
