"""What the database itself keeps for replicas that follow: every row gone is noted, however it went."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from chassis.postgres import Pool, migrate, open_pool
from gateway.catalogue.store import SCHEMA as CATALOGUE
from services.body.store import SCHEMA as BODY
from services.face.store import SCHEMA as FACE
from services.tattoo.store import SCHEMA as TATTOO

_HASH = "a" * 64
_BOX = [0.0, 0.0, 10.0, 10.0]


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database, [CATALOGUE, FACE, TATTOO, BODY])
    async with open_pool(database) as opened:
        yield opened


async def _performer(pool: Pool) -> uuid.UUID:
    performer_id = uuid.uuid4()
    await pool.execute(
        "INSERT INTO catalogue.performers (id, name, sort_name, search_text) VALUES ($1, 'A', 'a', 'a')",
        performer_id,
    )
    return performer_id


async def _face(pool: Pool, performer_id: uuid.UUID, *, model: str = "m", state: str = "active") -> int:
    seq = await pool.fetchval(
        """
        INSERT INTO face.vectors (performer_id, model, version, vector, quality, box, image_hash, state)
        VALUES ($1, $2, '1', $3, 0.5, $4, $5, $6) RETURNING seq
        """,
        performer_id,
        model,
        bytes(8),
        _BOX,
        _HASH,
        state,
    )
    return int(seq)


async def _tattoo(pool: Pool, performer_id: uuid.UUID) -> asyncpg.Record:
    row = await pool.fetchrow(
        """
        INSERT INTO tattoo.performer_tattoos
            (performer_id, model, version, body_region, embedding, image_url, image_hash, box, confidence,
             quality)
        VALUES ($1, 'm', '1', 'unknown', $2, '', $3, $4, 0.5, 0.5) RETURNING *
        """,
        performer_id,
        bytes(8),
        _HASH,
        _BOX,
    )
    assert row is not None
    return row


async def _body(pool: Pool, performer_id: uuid.UUID) -> int:
    seq = await pool.fetchval(
        """
        INSERT INTO body.measurements (performer_id, model, version, vector, quality, box, image_hash, source)
        VALUES ($1, 'm', '1', $2, 0.5, $3, $4, '') RETURNING seq
        """,
        performer_id,
        bytes(48),
        _BOX,
        _HASH,
    )
    return int(seq)


async def _withdrawn(pool: Pool, schema: str) -> set[int]:
    return {row["row_seq"] for row in await pool.fetch(f"SELECT row_seq FROM {schema}.withdrawals")}


async def test_deleting_a_performer_withdraws_every_row_of_every_signal(pool: Pool) -> None:
    """The rows go by cascade, and are noted all the same."""
    performer_id = await _performer(pool)
    faces = {await _face(pool, performer_id), await _face(pool, performer_id, model="n")}
    tattoo, body = (await _tattoo(pool, performer_id))["seq"], await _body(pool, performer_id)
    await pool.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)
    assert await _withdrawn(pool, "face") == faces
    assert await _withdrawn(pool, "tattoo") == {tattoo}
    assert await _withdrawn(pool, "body") == {body}


async def test_a_withdrawal_has_the_transaction_of_the_deletion(pool: Pool) -> None:
    """A reader that follows by transactions sees it when, and only when, the deletion is committed."""
    performer_id = await _performer(pool)
    await _face(pool, performer_id)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM face.vectors")
        own = await connection.fetchval("SELECT pg_current_xact_id()")
        assert await _withdrawn(pool, "face") == set()
    assert await pool.fetchval("SELECT xid FROM face.withdrawals") == own


async def test_a_face_that_rests_is_withdrawn_and_comes_back_as_a_new_row(pool: Pool) -> None:
    """A number that was withdrawn never comes back, so that followers need no order of events."""
    seq = await _face(pool, await _performer(pool))
    await pool.execute("UPDATE face.vectors SET state = 'reserve', state_reason = 'enough'")
    assert await _withdrawn(pool, "face") == {seq}
    assert await pool.fetchval("SELECT seq FROM face.vectors") == seq
    await pool.execute("UPDATE face.vectors SET state = 'active', state_reason = ''")
    again = await pool.fetchval("SELECT seq FROM face.vectors")
    assert again > seq
    await pool.execute("DELETE FROM face.vectors")
    assert await _withdrawn(pool, "face") == {seq, again}


async def test_a_face_that_was_never_searched_is_not_withdrawn(pool: Pool) -> None:
    """What followers never saw they need not be told of."""
    await _face(pool, await _performer(pool), state="quarantined")
    await pool.execute("DELETE FROM face.vectors")
    assert await _withdrawn(pool, "face") == set()


async def test_a_tattoo_whose_facts_change_is_a_new_row_to_followers(pool: Pool) -> None:
    """Facts are in memory beside the vector: the old ones must go. What changes nothing makes no new row."""
    row = await _tattoo(pool, await _performer(pool))
    await pool.execute("UPDATE tattoo.performer_tattoos SET body_region = body_region, removed_date = NULL")
    assert await _withdrawn(pool, "tattoo") == set()
    await pool.execute("UPDATE tattoo.performer_tattoos SET removed_date = '2024-05-01'")
    assert await _withdrawn(pool, "tattoo") == {row["seq"]}
    assert await pool.fetchval("SELECT seq FROM tattoo.performer_tattoos") > row["seq"]


@pytest.mark.parametrize("schema", ["face", "tattoo", "body"])
async def test_followers_are_given_a_hint(pool: Pool, schema: str) -> None:
    """Adding and deleting notify the schema's channel at the commit."""
    performer_id, heard = await _performer(pool), []
    add: dict[str, Callable[[Pool, uuid.UUID], Awaitable[object]]] = {
        "face": _face,
        "tattoo": _tattoo,
        "body": _body,
    }
    async with pool.acquire() as connection:
        await connection.add_listener(f"marquee_{schema}", lambda *event: heard.append(event[2]))
        await add[schema](pool, performer_id)
        await connection.execute("SELECT 1")
        assert heard == [f"marquee_{schema}"]
        await pool.execute("DELETE FROM catalogue.performers WHERE id = $1", performer_id)
        await connection.execute("SELECT 1")
        assert len(heard) == 2
        await connection.reset()
