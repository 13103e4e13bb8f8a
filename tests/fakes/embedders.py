"""Embedders of no signal, which run or do not as a test says, with rows in the face service's real table."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from chassis.errors import ModelError, Unavailable
from chassis.postgres import Pool
from chassis.signal.model_sets import ModelKey, ModelRecord

__all__ = ["FakeRow", "FakeVector", "FakeKnown", "FakeModels", "enroll"]


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

    performer_id: str
    key: ModelKey


@dataclass
class FakeKnown:
    """Whom these embedders describe."""

    keys: tuple[ModelKey, ...]
    performers: set[str] = field(default_factory=set)

    def add(self, rows: Sequence[FakeVector]) -> None:
        self.performers |= {row.performer_id for row in rows if row.key in self.keys}

    def forget(self, performer_id: str) -> int:
        was_here = performer_id in self.performers
        self.performers.discard(performer_id)
        return int(was_here)


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

    def new_known(self, rows: Sequence[FakeRow]) -> FakeKnown:
        return FakeKnown(tuple(row.key for row in rows))

    async def load(self, known: FakeKnown, keys: Sequence[ModelKey]) -> None:
        rows = await self.pool.fetch("SELECT performer_id, model, version FROM face.vectors")
        await self.after_reading()
        known.add([FakeVector(str(row["performer_id"]), (row["model"], row["version"])) for row in rows])

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


_PERFORMER = "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')"
_VECTOR = """
INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash)
VALUES ($1, $2, '1', $3, 0.9, '{1,2,3,4}', $4)
"""
