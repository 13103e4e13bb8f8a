"""Performers' attributes into PostgreSQL: by COPY alone, in bulk, through the whole system, one by one."""

from __future__ import annotations

import asyncio
import datetime
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.processor import Processor, server_processes
from chassis.postgres import Pool, open_pool
from client import catalogue
from client.api import Marquee
from client.transfer.values import PerformerRecord
from client.values import ExternalId as ClientId
from gateway.catalogue.performer import ExternalId, Performer
from gateway.transfer.bulk_store import BulkStore, copied_rows
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
    processor: Processor | None = None
    """What it took here and in PostgreSQL; None where other processes took part."""

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds

    @property
    def per_second(self) -> float:
        return self.performers / self.seconds


async def copy_attributes(dsn: str, count: int) -> tuple[dict[str, Performers], list[str]]:
    """Performers with two ids each into the catalogue, 10,000 in a transaction: by COPY alone, by the code
    that imports use, and by it with two portions side by side, as an import does; and who the last ones are.
    """
    bare = [_decision(number, "bare") for number in range(count)]
    single = [_decision(number, "one") for number in range(count)]
    double = [_decision(number, "two") for number in range(count)]
    async with open_pool(dsn, max_size=2) as pool:
        found = {
            "COPY alone, rows made before": await _timed(pool, count, _copying(pool, bare)),
            "BulkStore": await _timed(pool, count, _writing(pool, single, at_a_time=1)),
            "BulkStore, two portions at a time": await _timed(
                pool, count, _writing(pool, double, at_a_time=2)
            ),
        }
    return found, [one.performer.id for one in double if one.performer is not None]


async def _timed(pool: Pool, count: int, work: Callable[[], Awaitable[None]]) -> Performers:
    servers = await server_processes(pool)
    before, started = Processor.now(servers), time.perf_counter()
    await work()
    return Performers(count, 3 * count, time.perf_counter() - started, Processor.now(servers) - before)


def _copying(pool: Pool, decisions: Sequence[Decision]) -> Callable[[], Awaitable[None]]:
    """The least that anybody could do: nothing is checked but by the tables themselves."""
    portions = [copied_rows(one) for one in _portions(decisions)]

    async def work() -> None:
        async with pool.acquire() as connection:
            for portion in portions:
                async with connection.transaction():
                    for table, (columns, rows) in portion.items():
                        await connection.copy_records_to_table(
                            table, schema_name="catalogue", columns=columns, records=rows
                        )

    return work


def _writing(pool: Pool, decisions: Sequence[Decision], *, at_a_time: int) -> Callable[[], Awaitable[None]]:
    store = BulkStore(pool)
    waiting = iter(_portions(decisions))

    async def writer() -> None:
        for portion in waiting:
            async with store.edit() as edit:
                await edit.write(portion)

    async def work() -> None:
        await asyncio.gather(*(writer() for _ in range(at_a_time)))

    return work


def _portions(decisions: Sequence[Decision]) -> list[Sequence[Decision]]:
    return [decisions[start : start + _LARGE_PORTION] for start in range(0, len(decisions), _LARGE_PORTION)]


async def import_records(marquee: Marquee, count: int) -> Performers:
    """The same through client and gateway, every rule checked: 2,000 in a transaction, two at a time."""
    records = [PerformerRecord(_client_performer(number, "import"), _RATIOS) for number in range(count)]
    waiting = iter(range(0, count, _PORTION))

    async def sender() -> None:
        for start in waiting:
            results = await marquee.transfer.import_performers(records[start : start + _PORTION])
            assert all(one.is_created for one in results)

    started = time.perf_counter()
    await asyncio.gather(sender(), sender())
    return Performers(count, 3 * count, time.perf_counter() - started)


async def upsert_one_by_one(marquee: Marquee, count: int) -> Performers:
    """The baseline: UpsertPerformer, one call after the other."""
    performers: Sequence[catalogue.Performer] = [_client_performer(number, "one") for number in range(count)]
    started = time.perf_counter()
    for performer in performers:
        await marquee.upsert(performer)
    return Performers(count, 3 * count, time.perf_counter() - started)


def _decision(number: int, kind: str) -> Decision:
    performer = Performer(
        id=str(uuid.uuid4()),
        name=f"Performer {number}",
        aliases=(f"Alias {number}", f"Other {number}"),
        external_ids=(
            ExternalId("stashdb.org", f"bulk-{kind}-{number}"),
            ExternalId("fansdb.cc", f"bulk-{kind}-{number}"),
        ),
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
