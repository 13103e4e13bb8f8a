"""What happens to the replicas: enrolments, deletions, searches and kills, each in its own time."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc
import numpy as np
from numpy.typing import NDArray

from bench.soak.replicas import Replica
from chassis.postgres import Pool
from chassis.protos import to_proto_embedding
from marquee.common.v1 import common_pb2
from marquee.face.v1 import face_pb2 as pb
from services.face.table import EmbedderRow

__all__ = ["Load", "Tally"]

_CALL_SECONDS = 20.0
_SEEN_SECONDS = 30.0


@dataclass
class Tally:
    """What was done, and what went wrong with replicas that were up."""

    enrolled: int = 0
    forgotten: int = 0
    searched: int = 0
    kills: int = 0
    refused: int = 0
    """Calls to replicas that were just being killed."""
    failures: list[str] = field(default_factory=list)
    """Calls that failed though their replica was up before and after."""
    seen_seconds: list[float] = field(default_factory=list)
    """From the reply of one replica until another one finds it."""


class Load:
    """Works on replicas until told to stop."""

    def __init__(
        self, pool: Pool, replicas: Sequence[Replica], row: EmbedderRow, *, seed: int, kill_every: float
    ) -> None:
        self._pool = pool
        self._replicas = replicas
        self._row = row
        self._random = random.Random(seed)
        self._kill_every = kill_every
        self._numbers = np.random.default_rng(seed)
        self._performers: list[str] = []
        self.tally = Tally()

    async def run(self, seconds: float) -> Tally:
        """All of it for so long; every replica is up at the end."""
        end = time.monotonic() + seconds
        works = [self._enroll, self._enroll, self._forget, self._search, self._search, self._kill]
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(self._repeat(work, end))
        return self.tally

    async def _repeat(self, work: object, end: float) -> None:
        assert callable(work)
        while time.monotonic() < end:
            await work()

    async def _enroll(self) -> None:
        if not self._performers or self._random.random() < 0.4:
            self._performers.append(await self._new_performer())
        performer_id = self._random.choice(self._performers)
        vectors = [self._vector() for _ in range(self._random.randint(1, 4))]
        request = pb.EnrollRequest(performer_id=performer_id, observations=map(self._observation, vectors))
        replica = self._random.choice(self._replicas)
        if await self._called(replica, replica.stub.Enroll, request):
            self.tally.enrolled += len(vectors)
            if self._random.random() < 0.1:
                await self._see(performer_id, replica)
        await asyncio.sleep(0.01)

    async def _forget(self) -> None:
        await asyncio.sleep(self._random.expovariate(1.0))
        if len(self._performers) > 5:
            performer_id = self._performers.pop(self._random.randrange(len(self._performers)))
            await self._pool.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)
            self.tally.forgotten += 1

    async def _search(self) -> None:
        replica, known = self._random.choice(self._replicas), tuple(self._performers[-50:])
        request = self.query(self._vector(), known)
        if known and await self._called(replica, replica.stub.Score, request):
            self.tally.searched += 1
        await asyncio.sleep(0.02)

    async def _kill(self) -> None:
        await asyncio.sleep(self._random.expovariate(1 / self._kill_every))
        replica = self._random.choice(self._replicas)
        await replica.kill()
        self.tally.kills += 1
        await asyncio.sleep(self._random.random())
        await replica.start()

    async def _see(self, performer_id: str, enrolled_by: Replica) -> None:
        """How long another replica takes to know of somebody new."""
        start, others = time.monotonic(), [one for one in self._replicas if one is not enrolled_by]
        other = self._random.choice(others)
        request = self.query(self._vector(), (performer_id,))
        while other.is_up and time.monotonic() < start + _SEEN_SECONDS:
            kills = other.kills
            try:
                reply = await other.stub.Score(request, timeout=_CALL_SECONDS)
            except grpc.aio.AioRpcError:
                return
            if other.kills != kills:
                return
            if reply.results[0].scores:
                self.tally.seen_seconds.append(time.monotonic() - start)
                return
            await asyncio.sleep(0.02)

    async def _called(self, replica: Replica, method: object, request: object) -> bool:
        assert callable(method)
        was_up, kills = replica.is_up, replica.kills
        try:
            await method(request, timeout=_CALL_SECONDS)
        except grpc.aio.AioRpcError as exc:
            is_refused = exc.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
            if exc.code() is grpc.StatusCode.NOT_FOUND or (
                is_refused and not (was_up and replica.kills == kills)
            ):
                self.tally.refused += 1
            else:
                self.tally.failures.append(f"{exc.code().name}: {exc.details()}")
            return False
        return True

    async def _new_performer(self) -> str:
        performer_id = str(uuid.UUID(int=self._random.getrandbits(128)))
        await self._pool.execute(
            "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
            performer_id,
        )
        return performer_id

    def query(self, vector: NDArray[np.float32], performer_ids: Sequence[str]) -> pb.ScoreRequest:
        """A face compared with performers, by the primary embedder."""
        query = common_pb2.ScoreQuery(
            key="q", templates=[self._template(vector)], performer_ids=performer_ids
        )
        return pb.ScoreRequest(queries=[query])

    def _observation(self, vector: NDArray[np.float32]) -> pb.FaceEnrolment:
        digest = hashlib.sha256(vector.tobytes()).hexdigest()
        return pb.FaceEnrolment(
            template=self._template(vector),
            box=common_pb2.Box(x=1, y=2, width=30, height=40),
            source=common_pb2.ImageSource(image_hash=digest, uri="soak.jpg"),
        )

    def _template(self, vector: NDArray[np.float32]) -> common_pb2.Template:
        embedding = to_proto_embedding(self._row.name, self._row.version, vector)
        return common_pb2.Template(signal=common_pb2.SIGNAL_FACE, embeddings=[embedding], quality=0.9)

    def _vector(self) -> NDArray[np.float32]:
        vector = self._numbers.normal(size=self._row.dimension)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)
