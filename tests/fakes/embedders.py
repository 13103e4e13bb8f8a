"""Embedders of no signal, which run or do not as a test says, with rows in the face service's real table."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chassis.errors import ModelError, Unavailable
from chassis.gallery import Gallery
from chassis.index import VectorIndex
from chassis.postgres import Pool
from chassis.signal.feed import Feed
from chassis.signal.followed import Followed
from chassis.signal.model_sets import ModelKey, ModelRecord
from services.face.store import FEED

__all__ = ["FakeRow", "FakeVector", "FakeKnown", "FakeModels", "enroll", "followed_from"]


@dataclass(frozen=True, slots=True)
class FakeRow:
    """One embedder."""

    name: str
    version: str = "1"
    digest: str | None = None
    weight: float = 1.0

    @property
    def key(self) -> ModelKey:
        return (self.name, self.version)


@dataclass(frozen=True, slots=True)
class FakeVector:
    """A committed row."""

    seq: int
    performer_id: str
    key: ModelKey


@dataclass
class FakeKnown:
    """Whom these embedders describe."""

    keys: tuple[ModelKey, ...]
    rows: dict[int, FakeVector] = field(default_factory=dict)

    @property
    def performers(self) -> set[str]:
        return {row.performer_id for row in self.rows.values()}

    @property
    def galleries(self) -> Mapping[ModelKey, Gallery]:
        return {}

    def __contains__(self, seq: int) -> bool:
        return seq in self.rows

    def seqs(self, key: ModelKey) -> list[int]:
        return [seq for seq, row in self.rows.items() if row.key == key]

    def add(self, rows: Sequence[FakeVector]) -> None:
        self.rows |= {row.seq: row for row in rows if row.key in self.keys}

    def adopt(
        self, key: ModelKey, index: VectorIndex, owned: Mapping[str, Sequence[int]], facts: Sequence[Any]
    ) -> None:
        raise NotImplementedError("there are no galleries")

    def withdraw(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self.rows.pop(seq, None)


@dataclass
class _FakeSource:
    """Rows without their vectors."""

    pool: Pool
    after_reading: Callable[[], Awaitable[None]]

    async def rows(self, seqs: Sequence[int]) -> list[FakeVector]:
        found = await self.pool.fetch(_ROWS, seqs)
        await self.after_reading()
        return [
            FakeVector(row["seq"], str(row["performer_id"]), (row["model"], row["version"])) for row in found
        ]

    async def facts(self, seqs: Sequence[int]) -> list[Any]:
        return []


def followed_from(
    pool: Pool, keys: Sequence[ModelKey], after_reading: Callable[[], Awaitable[None]] | None = None
) -> Followed[FakeVector, FakeKnown]:
    """What is known of these embedders' rows, not started; without a start the pool is not used."""
    source = _FakeSource(pool, after_reading or _nothing)
    return Followed(Feed(pool, FEED), source, lambda: FakeKnown(tuple(keys)), keys)


async def _nothing() -> None:
    pass


@dataclass
class FakeModels:
    """`chassis.signal.generations.Models` of `FakeRow`s on a real database."""

    pool: Pool
    lost: set[str] = field(default_factory=set)
    """Names of embedders that cannot be rebuilt from their record."""
    broken: set[str] = field(default_factory=set)
    """Names of embedders that do not run."""
    is_away: bool = False
    """Whether the server that runs them is not there."""
    after_reading: Callable[[], Awaitable[None]] = _nothing
    """What happens between reading rows and adding them."""
    opened: set[ModelKey] = field(default_factory=set)
    trials: Counter[str] = field(default_factory=Counter)
    """How often each was opened, by name."""
    doubted: list[ModelKey] = field(default_factory=list)
    kept: list[ModelKey] = field(default_factory=list)

    def record(self, row: FakeRow) -> ModelRecord:
        digest = {"sha256": row.digest} if row.digest else {}
        return ModelRecord(row.name, row.version, {"weight": row.weight, **digest})

    def rebuilt(self, record: ModelRecord) -> FakeRow:
        if record.name in self.lost:
            raise ModelError(f"model {record.name} {record.version}: its file is not there")
        return FakeRow(record.name, record.version, record.digest, record.facts["weight"])

    def followed(self, rows: Sequence[FakeRow]) -> Followed[FakeVector, FakeKnown]:
        return followed_from(self.pool, [row.key for row in rows], lambda: self.after_reading())

    async def open(self, rows: Sequence[FakeRow]) -> None:
        if self.is_away:
            raise Unavailable("the models' server is not there")
        for row in rows:
            self.trials[row.name] += 1
            if row.name in self.broken:
                raise ModelError(f"model {row.name} does not run")
            self.opened.add(row.key)

    def doubt(self, key: ModelKey) -> None:
        self.doubted.append(key)

    async def keep(self, rows: Sequence[FakeRow]) -> None:
        self.kept += [row.key for row in rows]

    async def close(self, rows: Sequence[FakeRow]) -> None:
        self.opened -= {row.key for row in rows}


async def enroll(pool: Pool, *names: str, performer_id: str = "", image: str = "") -> str:
    """Store an observation as these embedders describe it; returns the performer, by default a new one."""
    async with pool.acquire() as connection:
        if not performer_id:
            performer_id = str(uuid.uuid4())
            await connection.execute(_PERFORMER, performer_id)
        digest = hashlib.sha256((image or performer_id).encode()).hexdigest()
        for name in names:
            await connection.execute(_VECTOR, performer_id, name, bytes(8), digest)
    return performer_id


_ROWS = "SELECT seq, performer_id, model, version FROM face.vectors WHERE seq = ANY($1::bigint[])"
_PERFORMER = "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')"
_VECTOR = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
VALUES ($1, $2, '1', $3, 0.9, '{1,2,3,4}', $4)
"""
